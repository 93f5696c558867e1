#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Finds out what only the place knows where the container runs, then becomes the relay. It knows the
# variables of the entry script of Firezone's relay:
#
#   LISTEN_ADDRESS_DISCOVERY_METHOD  gce_metadata or aws_ec2_metadata: asks there for PUBLIC_IP4_ADDR
#                                    and PUBLIC_IP6_ADDR, whichever of them is not set
#   OTEL_METADATA_DISCOVERY_METHOD   gce_metadata: puts what telemetry is to say of this instance in
#                                    front of OTEL_RESOURCE_ATTRIBUTES
#   FIREZONE_TOKEN                   the token, or the path of a file that has it
#
# For tests, and for clouds that speak as these two do: FAIRLEAD_GCE_METADATA_URL,
# FAIRLEAD_EC2_METADATA_URL, FAIRLEAD_METADATA_SECONDS (how long it keeps asking, 30).
set -eu

gce=${FAIRLEAD_GCE_METADATA_URL:-http://metadata.google.internal/computeMetadata/v1}
ec2=${FAIRLEAD_EC2_METADATA_URL:-http://169.254.169.254/latest}
seconds=${FAIRLEAD_METADATA_SECONDS:-30}

die() {
    echo "entrypoint.sh: $1" >&2
    exit 1
}

# fetch URL [OPTION OF CURL...]: prints the first line; fails when there is none. What is not there
# (404) is not there, but a service that does not answer yet is asked again.
fetch() {
    url=$1
    shift
    curl --silent --fail --max-time 5 --retry 100 --retry-connrefused --retry-delay 1 \
        --retry-max-time "$seconds" --noproxy '*' --max-filesize 65536 "$@" "$url" |
        sed -n '1{s/[[:space:]]*$//;/./p;}' | grep .
}

gce_fetch() {
    fetch "$gce/instance/$1" --header 'Metadata-Flavor: Google'
}

# A token for the requests that follow, of which the service has made one a condition (IMDSv2).
ec2_fetch() {
    if [ -z "${ec2_token-}" ]; then
        ec2_token=$(fetch "$ec2/api/token" --request PUT \
            --header 'X-aws-ec2-metadata-token-ttl-seconds: 60') || return 1
    fi
    fetch "$ec2/meta-data/$1" --header "X-aws-ec2-metadata-token: $ec2_token"
}

# Both may end a line with a prefix's length, and a proxy may answer with a page.
address() {
    sed -n 's,/[0-9]*$,,;/^[0-9.]*$/p;/^[0-9A-Fa-f]*:[0-9A-Fa-f:.]*$/p' | grep .
}

discover_addresses() {
    case $LISTEN_ADDRESS_DISCOVERY_METHOD in
    gce_metadata)
        ask=gce_fetch
        ip4=network-interfaces/0/access-configs/0/external-ip
        ip6=network-interfaces/0/ipv6s
        ;;
    aws_ec2_metadata)
        ask=ec2_fetch
        ip4=public-ipv4
        ip6=ipv6
        ;;
    *) die "LISTEN_ADDRESS_DISCOVERY_METHOD is gce_metadata or aws_ec2_metadata, not '$LISTEN_ADDRESS_DISCOVERY_METHOD'" ;;
    esac
    if [ -z "${PUBLIC_IP4_ADDR-}" ] && PUBLIC_IP4_ADDR=$($ask "$ip4" | address); then
        export PUBLIC_IP4_ADDR
        echo "entrypoint.sh: PUBLIC_IP4_ADDR is $PUBLIC_IP4_ADDR, says $LISTEN_ADDRESS_DISCOVERY_METHOD" >&2
    fi
    if [ -z "${PUBLIC_IP6_ADDR-}" ] && PUBLIC_IP6_ADDR=$($ask "$ip6" | address); then
        export PUBLIC_IP6_ADDR
        echo "entrypoint.sh: PUBLIC_IP6_ADDR is $PUBLIC_IP6_ADDR, says $LISTEN_ADDRESS_DISCOVERY_METHOD" >&2
    fi
    # Clients would be told an inner address, by which nobody reaches them.
    [ -n "${PUBLIC_IP4_ADDR-}${PUBLIC_IP6_ADDR-}" ] ||
        die "$LISTEN_ADDRESS_DISCOVERY_METHOD tells no public address"
}

# The relay serves without what could not be found out here.
discover_resource() {
    [ "$OTEL_METADATA_DISCOVERY_METHOD" = gce_metadata ] ||
        die "OTEL_METADATA_DISCOVERY_METHOD is gce_metadata, not '$OTEL_METADATA_DISCOVERY_METHOD'"
    attributes=
    for pair in service.instance.id=id gcp.gce.instance.name=name cloud.region=zone; do
        if value=$(gce_fetch "${pair#*=}"); then
            # A zone is projects/NUMBER/zones/NAME.
            attributes=${attributes:+$attributes,}${pair%%=*}=${value##*/}
        fi
    done
    attributes=$attributes${attributes:+${OTEL_RESOURCE_ATTRIBUTES:+,}}${OTEL_RESOURCE_ATTRIBUTES-}
    export OTEL_RESOURCE_ATTRIBUTES="$attributes"
}

if [ -n "${LISTEN_ADDRESS_DISCOVERY_METHOD-}" ]; then
    discover_addresses
fi
if [ -n "${OTEL_METADATA_DISCOVERY_METHOD-}" ]; then
    discover_resource
fi
if [ -n "${FIREZONE_TOKEN-}" ] && [ -f "$FIREZONE_TOKEN" ]; then
    FIREZONE_TOKEN=$(cat "$FIREZONE_TOKEN") || die "the file that FIREZONE_TOKEN names cannot be read"
    export FIREZONE_TOKEN
fi

case ${1-} in
'' | -*) set -- fairlead-relay "$@" ;;
esac
exec "$@"

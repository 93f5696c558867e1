// SPDX-License-Identifier: Apache-2.0
// Environment names are those of Firezone's relay where it has the option.
#include "relay/relay_options.h"

#include "base/macro.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_options_otlp.h"
#include "relay/relay_options_firezone.h"

static const char addresses[] = "Addresses";
static const char access[] = "Who may use it, and for what";
static const char firezone[] = "As a relay of Firezone";
static const char limits[] = "Limits";
static const char speed[] = "Relaying in the kernel";
static const char watching[] = "Watching it";
static const char telemetry[] = "Telemetry by OTLP";
static const char running[] = "Running it";
static const char idle[] = "Understood from Firezone's relay, and without effect";

static const struct conf_option options[] = {
    {
        .name = "public-ip4-addr",
        .environment = "PUBLIC_IP4_ADDR",
        .placeholder = "ADDR",
        .default_note = "the address of the default route, if no address is given",
        .group = addresses,
        .help = "IPv4 address at which clients and peers reach the relay. It is what clients are "
                "told; behind a one-to-one NAT it is the outer address. When only an IPv6 address "
                "is given, IPv4 is not served.",
    },
    {
        .name = "public-ip6-addr",
        .environment = "PUBLIC_IP6_ADDR",
        .placeholder = "ADDR",
        .default_note = "the address of the default route, if no address is given",
        .group = addresses,
        .help = "IPv6 address at which clients and peers reach the relay. When only an IPv4 "
                "address is given, IPv6 is not served.",
    },
    {
        .name = "bind-ip4-addr",
        .environment = "BIND_IP4_ADDR",
        .placeholder = "ADDR",
        .default_text = "0.0.0.0",
        .group = addresses,
        .help = "Local IPv4 address to receive at and send from. If it is given and no public one, "
                "it is the public one too.",
    },
    {
        .name = "bind-ip6-addr",
        .environment = "BIND_IP6_ADDR",
        .placeholder = "ADDR",
        .default_text = "::",
        .group = addresses,
        .help = "Local IPv6 address to receive at and send from. If it is given and no public one, "
                "it is the public one too.",
    },
    {
        .name = "listen-port",
        .environment = "LISTEN_PORT",
        .placeholder = "PORT",
        .default_text = "3478",
        .group = addresses,
        .help = "UDP port for clients.",
    },
    {
        .name = "lowest-port",
        .environment = "LOWEST_PORT",
        .placeholder = "PORT",
        .default_text = "49152",
        .group = addresses,
        .help = "Lowest UDP port for peers. Each allocation takes one port from this range.",
    },
    {
        .name = "highest-port",
        .environment = "HIGHEST_PORT",
        .placeholder = "PORT",
        .default_text = "65535",
        .group = addresses,
        .help = "Highest UDP port for peers.",
    },
    {
        .name = "realm",
        .environment = "FAIRLEAD_REALM",
        .placeholder = "NAME",
        .default_text = "fairlead",
        .group = access,
        .help = "Realm of the credentials, up to 127 bytes. Changing it makes no difference to "
                "clients that follow the standard; but beyond 28 bytes the answer to the shortest "
                "first request is more than four times as long as the request, and not sent.",
    },
    {
        .name = "user",
        .environment = "FAIRLEAD_USER",
        .placeholder = "NAME:PASSWORD",
        .default_note = "without any credential, one user with a random password, which is printed",
        .group = access,
        .help = "A user and the password. Other users of the host can "
                "read a command line; the file and the environment are safer places.",
        .is_repeated = true,
        .is_secret = true,
        .is_reloaded = true,
    },
    {
        .name = "auth-secret",
        .environment = "FAIRLEAD_AUTH_SECRET",
        .placeholder = "SECRET",
        .group = access,
        .help = "Secret that a web service shares with the relay to make credentials that expire "
                "(TURN REST): the username is \"EXPIRY:NAME\" with a Unix time, the password the "
                "base64 of HMAC-SHA1(SECRET, username). May be given up to 8 times, so that it can "
                "be changed without cutting anybody off. fairlead-relay credential makes one.",
        .is_repeated = true,
        .is_secret = true,
        .is_reloaded = true,
    },
    {
        .name = "stamp-secret",
        .environment = "FAIRLEAD_STAMP_SECRET",
        .placeholder = "SECRET",
        .group = access,
        .help = "Secret of a Firezone portal. Requests whose realm is \"firezone\" are then "
                "served as Firezone's own relay serves them.",
        .is_secret = true,
        .is_reloaded = true,
    },
    {
        .name = "allow-peer",
        .environment = "FAIRLEAD_ALLOW_PEER",
        .placeholder = "CIDR",
        .group = access,
        .help = "Peers that clients may reach although a wider rule denies them, such as "
                "127.0.0.1 or 10.1.0.0/16. Of all rules that match a "
                "peer, the one with the longest prefix decides; of equally long ones denying wins. "
                "Denied from the start are all that are not reachable on the whole Internet: "
                "loopback, link-local, private, shared, unique local, multicast, broadcast, "
                "reserved and documentation addresses, and this host's own.",
        .is_repeated = true,
        .is_reloaded = true,
    },
    {
        .name = "deny-peer",
        .environment = "FAIRLEAD_DENY_PEER",
        .placeholder = "CIDR",
        .group = access,
        .help = "Peers that clients may not reach, such as 10.0.0.0/8.",
        .is_repeated = true,
        .is_reloaded = true,
    },
    RELAY_OPTIONS_FIREZONE(firezone),
    {
        .name = "max-allocations",
        .environment = "FAIRLEAD_MAX_ALLOCATIONS",
        .placeholder = "COUNT",
        .default_text = "16384",
        .group = limits,
        .help = "Allocations at the same time. One more is refused with 508.",
    },
    {
        .name = "max-permissions",
        .environment = "FAIRLEAD_MAX_PERMISSIONS",
        .placeholder = "COUNT",
        .default_text = "65536",
        .group = limits,
        .help = "Permissions of all allocations together. One more is refused with 508.",
    },
    {
        .name = "max-channels",
        .environment = "FAIRLEAD_MAX_CHANNELS",
        .placeholder = "COUNT",
        .default_text = "65536",
        .group = limits,
        .help = "Channels of all allocations together. One more is refused with 508.",
    },
    {
        .name = "user-quota",
        .environment = "FAIRLEAD_USER_QUOTA",
        .placeholder = "COUNT",
        .default_text = "64",
        .group = limits,
        .help =
            "Allocations of one user at the same time, among which ports count that are reserved "
            "for it. One more is refused with 486.",
        .is_reloaded = true,
    },
    {
        .name = "permissions-per-allocation",
        .environment = "FAIRLEAD_PERMISSIONS_PER_ALLOCATION",
        .placeholder = "COUNT",
        .default_text = "64",
        .group = limits,
        .help = "Permissions of one allocation. One more is refused with 508.",
        .is_reloaded = true,
    },
    {
        .name = "channels-per-allocation",
        .environment = "FAIRLEAD_CHANNELS_PER_ALLOCATION",
        .placeholder = "COUNT",
        .default_text = "64",
        .group = limits,
        .help = "Channels of one allocation. One more is refused with 508.",
        .is_reloaded = true,
    },
    {
        .name = "min-lifetime",
        .environment = "FAIRLEAD_MIN_LIFETIME",
        .placeholder = "SECONDS",
        .default_text = "600",
        .group = limits,
        .help = "Shortest lifetime that an allocation is granted, up to 3600 seconds.",
        .is_reloaded = true,
    },
    {
        .name = "max-pps",
        .environment = "FAIRLEAD_MAX_PPS",
        .placeholder = "PACKETS",
        .default_text = "0",
        .group = limits,
        .help = "Packets that an allocation relays in a second, to its peers and from them each by "
                "itself; what is more is dropped. As many as a second has may come at once. 0: no "
                "limit.",
    },
    {
        .name = "max-bps",
        .environment = "FAIRLEAD_MAX_BPS",
        .placeholder = "BYTES",
        .default_text = "0",
        .group = limits,
        .help = "Bytes (not bits) of data that an allocation relays in a second, to its peers and "
                "from them each by itself; what is more is dropped. Headers do not count. As many "
                "as a second has may come at once. 0: no limit.",
    },
    {
        .name = "unauthenticated-rate",
        .environment = "FAIRLEAD_UNAUTHENTICATED_RATE",
        .placeholder = "COUNT",
        .default_text = "20000",
        .group = limits,
        .help =
            "Requests of strangers that are answered in a second, of each of three kinds: those "
            "without MESSAGE-INTEGRITY, which are Binding requests and each client's first one; "
            "those whose MESSAGE-INTEGRITY is wrong; and of these those whose NONCE is right. When "
            "there are more, a network (IPv4 "
            "/24, IPv6 /48) has one sixteenth of that at least, and what is over the limit is "
            "dropped. Clients that have an allocation are not limited. 0: no limit.",
        .is_reloaded = true,
    },
    {
        .name = "strict-amplification",
        .environment = "FAIRLEAD_STRICT_AMPLIFICATION",
        .group = limits,
        .help = "Send no response that is longer than its request to whoever has not proved where "
                "they are. Without it the limit is four times the request. Clients that do not pad "
                "their first request get no answer then.",
        .is_reloaded = true,
    },
    {
        .name = "ebpf-offloading",
        .environment = "EBPF_OFFLOADING",
        .placeholder = "INTERFACE",
        .group = speed,
        .help = "Interface on which the kernel relays the data of channels, and answers plain "
                "Binding requests, before packets reach the sockets; or auto, for those that bear "
                "the relay's addresses. Give every interface that such packets come in by or leave "
                "by, up to 16. What the kernel cannot do there the sockets do. It needs "
                "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root, at start only.",
        .is_repeated = true,
    },
    {
        .name = "ebpf-attach-mode",
        .environment = "EBPF_ATTACH_MODE",
        .placeholder = "MODE",
        .default_text = "auto",
        .group = speed,
        .help = "driver: where the network driver hands packets over, which is fast, and which not "
                "all drivers can do. generic: behind that, with any driver. auto: driver, or else "
                "generic.",
    },
    {
        .name = "ebpf-int4-addr",
        .environment = "EBPF_INT4_ADDR",
        .placeholder = "ADDR",
        .default_note = "the address that the relay's sockets use",
        .group = speed,
        .help =
            "This host's IPv4 address to which peers' packets come and from which packets go to "
            "them, when that is not the public one: behind a one-to-one NAT, the inner "
            "address.",
    },
    {
        .name = "ebpf-int6-addr",
        .environment = "EBPF_INT6_ADDR",
        .placeholder = "ADDR",
        .default_note = "the address that the relay's sockets use",
        .group = speed,
        .help = "The same for IPv6.",
    },
    DAEMON_OPTIONS_METRICS_ADDR(watching, "METRICS_ADDR", "127.0.0.1:9641"),
    DAEMON_OPTIONS_HEALTH_CHECK_ADDR(watching, "HEALTH_CHECK_ADDR", "relay",
                                     "with a token 0.0.0.0:8080, otherwise it is not served"),
    DAEMON_OPTIONS_CONTROL_ENDPOINT(watching, "CONTROL_ENDPOINT",
                                    "with a token 127.0.0.1:9999, otherwise it is not served"),
    {
        .name = "demo-addr",
        .environment = "FAIRLEAD_DEMO_ADDR",
        .placeholder = "ADDR:PORT",
        .default_note = "it is not served",
        .group = watching,
        .help = "Address of loopback where a page is served in which a browser calls itself "
                "through the relay, with live figures. It is for trying the relay out: whoever can "
                "open it gets credentials that hold for an hour.",
    },
    DAEMON_OPTIONS_OTLP(telemetry, RELAY_OPTIONS_SERVICE, RELAY_OPTIONS_NAMESPACE,
                        "requests of clients", "STUN"),
    DAEMON_OPTIONS_NUM_WORKER_THREADS(
        running, "NUM_WORKER_THREADS", "clients",
        " Fewer than CPUs are started unasked where the limit of descriptors is low."),
    DAEMON_OPTIONS_DRAIN_TIMEOUT(running, "FAIRLEAD_DRAIN_TIMEOUT", "relay", "allocations"),
    DAEMON_OPTIONS_CONFIG(running, "FAIRLEAD_CONFIG"),
    DAEMON_OPTIONS_CHECK_CONFIG(running),
    DAEMON_OPTIONS_LOG_FORMAT(running, "LOG_FORMAT"),
    DAEMON_OPTIONS_LOG_FILTER(running, "RUST_LOG", "relay, xdp or relay_report",
                              " Targets that there are not are taken, too, so that a filter of "
                              "Firezone's relay can stay as it is."),
    DAEMON_OPTIONS_CONTROL_SOCKET(running, "FAIRLEAD_CONTROL_SOCKET", "relay", "fairlead",
                                  RELAY_OPTIONS_SOCKET,
                                  "fairlead-relay status, why, top and reload"),
    {
        .name = "software",
        .environment = "FAIRLEAD_SOFTWARE",
        .placeholder = "TEXT",
        .default_note = "none is sent",
        .group = running,
        .help = "What responses say in SOFTWARE, up to 127 bytes.",
        .is_reloaded = true,
    },
    DAEMON_OPTIONS_VERSION(running),
    DAEMON_OPTIONS_HELP(running),
    {
        .name = "rng-seed",
        .environment = "RNG_SEED",
        .placeholder = "NUMBER",
        .group = idle,
        .help = "There it makes secrets, nonces and ports predictable, for tests.",
    },
    {
        .name = "telemetry",
        .environment = "TELEMETRY",
        .group = idle,
        .help = "There it reports errors to the maker. This relay reports to nobody.",
    },
};

const struct conf_table relay_options_table = {options, COUNT_OF(options)};

const struct conf_program relay_options_program = {
    .name = "fairlead-relay",
    .summary = "A STUN/TURN relay over UDP: it makes machines behind NATs reachable. Without any "
               "option it serves the addresses of the default route, and prints a credential that "
               "it has made up.",
    .note = DAEMON_OPTIONS_NOTE
    " Exit status: 0 ended by a signal, 1 could not run "
    "or the portal refuses it, 2 wrong configuration. "
    "fairlead-relay credential --help and fairlead-relay status --help tell of the "
    "commands credential, status, why, top and reload. More in fairlead-relay(8).",
};

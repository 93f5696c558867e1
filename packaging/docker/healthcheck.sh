#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whether the relay in this container can be given clients: it asks /readyz where HEALTH_CHECK_ADDR
# says, or else at port 8080.
set -eu

address=${HEALTH_CHECK_ADDR:-0.0.0.0:8080}
host=${address%:*}
case $host in
0.0.0.0 | '') host=127.0.0.1 ;;
'[::]') host='[::1]' ;;
esac
exec curl --silent --show-error --fail --max-time 4 --noproxy '*' --output /dev/null \
    "http://$host:${address##*:}/readyz"

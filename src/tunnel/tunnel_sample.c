// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_sample.h"

const struct daemon_sample_kind tunnel_sample_kinds[TUNNEL_SAMPLE_KINDS] = {
    [TUNNEL_SAMPLE_SERVER] = {"server", TUNNEL_SAMPLE_SERVER_NUMBERS, 1},
    [TUNNEL_SAMPLE_TUNNEL] = {"tunnel", TUNNEL_SAMPLE_TUNNEL_NUMBERS, TUNNEL_SAMPLE_TEXTS},
};

// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_payload.h"

enum {
    HEAD_LEN = 6,   // 2 bytes of length, 4 bytes that seed the rest
    CHUNK_LEN = 64, // a multiple of 8, so that rng_fill() gives the same in parts
};

static struct rng rest_of(const uint8_t *payload)
{
    return rng_init(payload[0] | (uint64_t)payload[1] << 8 | (uint64_t)payload[2] << 16 |
                    (uint64_t)payload[3] << 24 | (uint64_t)payload[4] << 32 |
                    (uint64_t)payload[5] << 40);
}

void sim_payload_write(struct rng *rng, uint8_t *to, size_t len)
{
    rng_fill(rng, to, len < HEAD_LEN ? len : HEAD_LEN);
    if (len < HEAD_LEN) {
        return;
    }
    to[0] = (uint8_t)(len >> 8);
    to[1] = (uint8_t)len;
    struct rng rest = rest_of(to);
    rng_fill(&rest, to + HEAD_LEN, len - HEAD_LEN);
}

bool sim_payload_is_whole(struct bytes payload)
{
    if (payload.len < HEAD_LEN || (payload.ptr[0] == 0xff && payload.ptr[1] == 0xff)) {
        return true; // too short to tell, or the stranger's
    }
    if (payload.ptr[0] * 256U + payload.ptr[1] != payload.len) {
        return false;
    }
    struct bytes body = bytes_from(payload, HEAD_LEN);
    struct rng rest = rest_of(payload.ptr);
    while (body.len > 0) {
        uint8_t part[CHUNK_LEN];
        struct bytes expected = {part, body.len < sizeof part ? body.len : sizeof part};
        rng_fill(&rest, part, expected.len);
        if (!bytes_equal(bytes_first(body, expected.len), expected)) {
            return false;
        }
        body = bytes_from(body, expected.len);
    }
    return true;
}

// SPDX-License-Identifier: Apache-2.0
#include "support/mutate.h"

#include <assert.h>
#include <string.h>

enum {
    PIECE_MAX = 16, // bytes inserted, removed or copied at once
    CHANGE_MAX = 5, // changes to one input
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

// A byte as it often stands at the edge of something.
static uint8_t edge_byte(struct rng *rng)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, '0', '9', 'a', ' '};
    return edges[rng_below(rng, sizeof edges)];
}

static size_t remove_piece(struct rng *rng, uint8_t *data, size_t len)
{
    size_t at = rng_below(rng, len);
    size_t piece = 1 + rng_below(rng, smaller(len - at, PIECE_MAX));

    memmove(data + at, data + at + piece, len - at - piece);
    return len - piece;
}

// Opens a gap and fills it: at random, with one byte repeated, from here or from the other input.
static size_t insert_piece(struct rng *rng, uint8_t *data, size_t len, size_t room,
                           const uint8_t *other, size_t other_len)
{
    size_t at = rng_below(rng, len + 1);
    size_t piece = 1 + rng_below(rng, smaller(room - len, PIECE_MAX));
    uint8_t bytes[PIECE_MAX];

    rng_fill(rng, bytes, piece);
    if (rng_chance(rng, 20)) {
        memset(bytes, edge_byte(rng), piece);
    } else if (rng_chance(rng, 50) && len > 0) {
        size_t from = rng_below(rng, len);
        memcpy(bytes, data + from, smaller(piece, len - from));
    } else if (rng_chance(rng, 80) && other_len > 0) {
        size_t from = rng_below(rng, other_len);
        memcpy(bytes, other + from, smaller(piece, other_len - from));
    }
    memmove(data + at + piece, data + at, len - at);
    memcpy(data + at, bytes, piece);
    return len + piece;
}

static void change_byte(struct rng *rng, uint8_t *data, size_t len)
{
    uint8_t *byte = &data[rng_below(rng, len)];

    switch (rng_below(rng, 5)) {
    case 0:
        *byte ^= (uint8_t)(1U << rng_below(rng, 8));
        break;
    case 1:
        *byte = (uint8_t)rng_next(rng);
        break;
    case 2:
        *byte = edge_byte(rng);
        break;
    case 3:
        *byte = (uint8_t)(*byte + 1 - 2 * rng_below(rng, 2)); // one more or one less
        break;
    default:
        *byte = data[rng_below(rng, len)];
        break;
    }
}

size_t mutate(struct rng *rng, uint8_t *data, size_t len, size_t room, const uint8_t *other,
              size_t other_len)
{
    size_t changes = 1 + rng_below(rng, CHANGE_MAX);

    assert(len <= room);
    for (size_t i = 0; i < changes; i++) {
        uint64_t kind = rng_below(rng, 10);

        if (kind < 3 && len < room) {
            len = insert_piece(rng, data, len, room, other, other_len);
        } else if (kind < 5 && len > 0) {
            len = remove_piece(rng, data, len);
        } else if (kind == 5 && len > 0) {
            len = rng_below(rng, len + 1); // cut off
        } else if (len > 0) {
            change_byte(rng, data, len);
        }
    }
    assert(len <= room);
    return len;
}

// SPDX-License-Identifier: Apache-2.0
// A packet changes word by word, and its checksum with it, beside one that is summed from scratch.
//
// The input: the packet as it is, as it will be, and a last byte that says how it is taken apart.
#include "bpf/csum.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "support/csum_model.h"

// What a piece of at most four bytes comes to, by words of 4, 2 or 1 bytes.
static uint64_t piece(const uint8_t *bytes, size_t len, size_t word_len)
{
    uint64_t sum = 0;
    size_t at = 0;

    for (; word_len == 4 && at + 4 <= len; at += 4) {
        uint32_t word;
        memcpy(&word, bytes + at, sizeof word);
        sum += word;
    }
    for (; word_len >= 2 && at + 2 <= len; at += 2) {
        uint16_t word;
        memcpy(&word, bytes + at, sizeof word);
        sum += word;
    }
    for (; at < len; at++) {
        sum += csum_byte(bytes[at], (uint32_t)at);
    }
    return sum;
}

static uint16_t model(const uint8_t *bytes, size_t len)
{
    return csum_model_close(csum_model_add(0, bytes, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t len = (size - 1) / 2;
    const uint8_t *from = data;
    const uint8_t *to = data + len;
    uint8_t how = data[size - 1];
    uint64_t sum = csum_open(htons(model(from, len)));

    for (size_t at = 0; at < len; at += 4) {
        size_t piece_len = len - at < 4 ? len - at : 4;
        sum -= piece(from + at, piece_len, (size_t)1 << (how & 3) % 3);
        sum += piece(to + at, piece_len, (size_t)1 << (how >> 2 & 3) % 3);
        how = (uint8_t)(how << 1 | how >> 7);
    }
    // Zeros alone have no sum that tells them from ones alone.
    uint16_t want = model(to, len) == 0xFFFF ? 0 : model(to, len);
    assert(ntohs(csum_close(sum)) == want);
    assert(ntohs(csum_close_udp(sum)) == (want == 0 ? 0xFFFF : want));
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as a ClientHello: what is found lies in the scratch, every part of a whole one
// is a part, and cut into other records it reads the same.
#include "revtun/revtun_hello.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

enum { HEAD_LEN = 5 };

static uint8_t scratch[REVTUN_HELLO_MAX];

static void check(const struct revtun_hello *hello)
{
    const struct bytes host = revtun_hello_host(hello);

    assert(host.len == 0 || revtun_pattern_is_host(host));
    assert(hello->protocols.len <= sizeof scratch);
    if (hello->protocols.len > 0) {
        assert(hello->protocols.ptr >= scratch);
        assert(hello->protocols.ptr + hello->protocols.len <= scratch + sizeof scratch);
        assert(hello->protocols.len > 1);
    }
    assert(!revtun_hello_offers(hello, ""));
}

// The first record again, as half as many records as there may be.
static void try_small_records(struct bytes input, const struct revtun_hello *hello)
{
    static uint8_t raw[REVTUN_HELLO_MAX];
    const struct revtun_hello before = *hello;
    struct revtun_hello again = {0};
    struct wr wr = wr_init(raw, sizeof raw);
    const size_t len = (size_t)input.ptr[3] * 256 + input.ptr[4];
    const struct bytes message = bytes_first(bytes_from(input, HEAD_LEN), len);

    const size_t part_len = message.len / (REVTUN_HELLO_RECORD_MAX / 2) + 1;
    for (size_t i = 0; i < message.len; i += part_len) {
        const struct bytes part = bytes_first(bytes_from(message, i), part_len);
        wr_bytes(&wr, bytes_first(input, 3));
        wr_u16(&wr, (uint16_t)part.len);
        wr_bytes(&wr, part);
    }
    wr_bytes(&wr, bytes_from(input, HEAD_LEN + message.len));
    if (wr_ok(&wr)) {
        const enum revtun_hello_outcome outcome = revtun_hello_read(wr_done(&wr), scratch, &again);
        if (outcome == REVTUN_HELLO_LONG) {
            return; // it had many records before
        }
        assert(outcome == REVTUN_HELLO_WHOLE);
        assert(bytes_equal(revtun_hello_host(&again), revtun_hello_host(&before)));
        assert(again.protocols.len == before.protocols.len);
        assert(again.is_encrypted == before.is_encrypted);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct revtun_hello hello = {.host_len = 77};
    const enum revtun_hello_outcome outcome = revtun_hello_read(input, scratch, &hello);

    assert(outcome == REVTUN_HELLO_NONE || revtun_hello_is_likely(input));
    if (outcome != REVTUN_HELLO_WHOLE) {
        assert(hello.host_len == 77);
        return 0;
    }
    check(&hello);
    bool was_whole = false;
    for (size_t len = 0; len <= size; len++) {
        struct revtun_hello shorter = {0};
        const enum revtun_hello_outcome so_far =
            revtun_hello_read(bytes_first(input, len), scratch, &shorter);
        assert(so_far == (was_whole ? REVTUN_HELLO_WHOLE : so_far));
        assert(so_far == REVTUN_HELLO_PART || so_far == REVTUN_HELLO_WHOLE);
        was_whole = so_far == REVTUN_HELLO_WHOLE;
    }
    assert(was_whole);
    try_small_records(input, &hello);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as the head of a standing connection, and as a preface: nothing is believed
// that was not made with the key, and what was made with it is read at every split.
#include "revtun/revtun_head.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

static const uint8_t key[REVTUN_SECRETS_KEY_LEN] = {1, 2, 3};

static void try_preface(struct bytes input)
{
    uint8_t raw[REVTUN_PREFACE_LEN] = {0};
    uint8_t again[REVTUN_PREFACE_LEN];
    struct revtun_preface preface = {0};

    if (input.len > 0) {
        memcpy(raw, input.ptr, input.len < sizeof raw ? input.len : sizeof raw);
    }
    if (!revtun_preface_read(raw, &preface)) {
        return;
    }
    assert(revtun_preface_is_likely((struct bytes){raw, sizeof raw}));
    revtun_preface_write(&preface, key, again);
    assert(memcmp(raw, again, REVTUN_PREFACE_MAC_AT) == 0);
    const bool is_authentic = revtun_preface_is_authentic(raw, key);
    assert(is_authentic == (memcmp(raw, again, sizeof raw) == 0));
}

// A head of this line, before bytes of a client.
static void try_line(struct bytes text, const uint8_t preface[REVTUN_PREFACE_LEN])
{
    static uint8_t raw[REVTUN_HEAD_MAX + 1];
    struct wr wr = wr_init(raw, sizeof raw);
    struct bytes line = {0};
    size_t len = 0;

    revtun_head_write(&wr, text, preface, key);
    wr_u8(&wr, '!');
    assert(wr_ok(&wr));
    for (size_t part = 0; part + 1 < wr.len; part++) {
        const enum revtun_head_outcome outcome =
            revtun_head_read(bytes_first(wr_done(&wr), part), preface, key, &line, &len);
        assert(outcome == REVTUN_HEAD_PART);
    }
    const enum revtun_head_outcome outcome =
        revtun_head_read(wr_done(&wr), preface, key, &line, &len);
    assert(outcome == REVTUN_HEAD_WHOLE);
    assert(bytes_equal(line, text));
    assert(len == wr.len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t preface[REVTUN_PREFACE_LEN] = {'T', 'R', 'D', '2', 2};
    const struct bytes input = {data, size};
    struct bytes line = {0};
    size_t len = 0;

    const enum revtun_head_outcome outcome = revtun_head_read(input, preface, key, &line, &len);
    assert(outcome != REVTUN_HEAD_WHOLE); // nobody guesses a MAC
    try_preface(input);
    try_line(bytes_first(input, REVTUN_HEAD_LINE_MAX), preface);
    return 0;
}

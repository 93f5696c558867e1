// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as a token, and one that is read is written as it was.
#include "revtun/revtun_token.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

static void try_rewriting(const struct revtun_token *token, struct bytes input, bool is_same)
{
    uint8_t raw[REVTUN_TOKEN_TEXT_MAX];
    struct wr wr = wr_init(raw, sizeof raw);
    struct revtun_token again = {0};

    revtun_token_write(&wr, token);
    assert(wr_ok(&wr));
    assert(!is_same || bytes_equal(wr_done(&wr), input));
    const enum revtun_token_outcome outcome = revtun_token_read(wr_done(&wr), &again);
    assert(outcome == REVTUN_TOKEN_OK);
    assert(memcmp(&again, token, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct revtun_token token = {0};
    uint8_t secret[REVTUN_TOKEN_SECRET_LEN + REVTUN_TOKEN_PIN_LEN] = {0};

    if (revtun_token_read(input, &token) == REVTUN_TOKEN_OK) {
        try_rewriting(&token, input, true);
    } else {
        assert(token.id_len == 0);
    }
    // A token of these bytes, whose check nobody would guess.
    if (size > 0) {
        memcpy(secret, data, size < sizeof secret ? size : sizeof secret);
    }
    revtun_token_init(&token, bytes_of_text("fuzz"), secret, secret + REVTUN_TOKEN_SECRET_LEN);
    try_rewriting(&token, input, false);
    return 0;
}

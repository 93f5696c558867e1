// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/wire.h"
#include "support/exact.h"

static enum revtun_token_outcome read_exact(struct bytes text, struct revtun_token *out)
{
    const struct bytes copy = exact_copy(text);
    const enum revtun_token_outcome outcome = revtun_token_read(copy, out);

    exact_free(copy);
    return outcome;
}

static void writes_and_reads_the_sample(void **state)
{
    struct revtun_token token = wire_token();
    struct revtun_token again = {0};
    uint8_t raw[REVTUN_TOKEN_TEXT_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    revtun_token_write(&wr, &token);
    assert_true(bytes_equal_text(wr_done(&wr), wire_token_text));
    assert_int_equal(read_exact(wr_done(&wr), &again), REVTUN_TOKEN_OK);
    assert_memory_equal(&again, &token, sizeof token);
    assert_true(bytes_equal_text(revtun_token_id(&again), "laptop"));
    assert_true(revtun_token_has_pin(&again));

    static const struct revtun_token nothing;
    revtun_token_deinit(&again);
    assert_memory_equal(&again, &nothing, sizeof nothing);
}

// A secret whose base64 is all of the two characters in which alphabets differ; no pin.
static void writes_the_alphabet_of_urls(void **state)
{
    static const char text[] =
        "flt1.laptop._---_---_---_---_---_---AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAcUC-D";
    static const uint8_t pin[REVTUN_TOKEN_PIN_LEN];
    uint8_t secret[REVTUN_TOKEN_SECRET_LEN];
    uint8_t raw[REVTUN_TOKEN_TEXT_MAX];
    struct wr wr = wr_init(raw, sizeof raw);
    struct revtun_token token = {0};
    struct revtun_token again = {0};

    (void)state;
    for (size_t i = 0; i < sizeof secret; i++) {
        static const uint8_t three[] = {0xff, 0xef, 0xbe};
        secret[i] = three[i % 3];
    }
    revtun_token_init(&token, bytes_of_text("laptop"), secret, pin);
    revtun_token_write(&wr, &token);
    assert_true(bytes_equal_text(wr_done(&wr), text));
    assert_int_equal(read_exact(wr_done(&wr), &again), REVTUN_TOKEN_OK);
    assert_memory_equal(&again, &token, sizeof token);
    assert_false(revtun_token_has_pin(&again));
    raw[12] = '/'; // what '_' is in the other alphabet
    assert_int_equal(read_exact(wr_done(&wr), &again), REVTUN_TOKEN_DAMAGED);
}

static void tells_each_slip(void **state)
{
    const struct bytes text = bytes_of_text(wire_token_text);
    struct revtun_token token = {.id_len = 9};
    uint8_t raw[REVTUN_TOKEN_TEXT_MAX];

    (void)state;
    for (size_t len = 0; len < text.len; len++) {
        assert_int_equal(read_exact(bytes_first(text, len), &token),
                         len < 5 ? REVTUN_TOKEN_NONE : REVTUN_TOKEN_DAMAGED);
    }
    for (size_t at = 0; at < text.len; at++) {
        memcpy(raw, text.ptr, text.len);
        raw[at] = raw[at] == 'x' ? 'y' : 'x';
        assert_int_equal(read_exact((struct bytes){raw, text.len}, &token),
                         at < 5 ? REVTUN_TOKEN_NONE : REVTUN_TOKEN_DAMAGED);
    }
    memcpy(raw, text.ptr, text.len);
    raw[text.len] = 'A';
    assert_int_equal(read_exact((struct bytes){raw, text.len + 1}, &token), REVTUN_TOKEN_DAMAGED);
    memcpy(raw, text.ptr, text.len);
    raw[20] = '!'; // in no alphabet
    assert_int_equal(read_exact((struct bytes){raw, text.len}, &token), REVTUN_TOKEN_DAMAGED);
    assert_int_equal(token.id_len, 9);
}

static void proves_itself(void **state)
{
    const struct revtun_token token = wire_token();
    const struct revtun_secrets secrets = wire_secrets();
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];
    uint8_t proof[REVTUN_MESSAGE_PROOF_LEN];
    uint8_t expected[REVTUN_MESSAGE_PROOF_LEN];

    (void)state;
    revtun_token_verifier(&token, verifier);
    wire_unhex(wire_verifier, expected, sizeof expected);
    assert_memory_equal(verifier, expected, sizeof expected);
    revtun_token_proof(&token, &secrets, proof);
    wire_unhex(wire_proof, expected, sizeof expected);
    assert_memory_equal(proof, expected, sizeof expected);
    assert_true(revtun_token_is_proven(verifier, &secrets, proof));
}

// Not for another token, not in another TLS session, and not with what the relay keeps.
static void proves_nothing_else(void **state)
{
    struct revtun_token token = wire_token();
    struct revtun_secrets secrets = wire_secrets();
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];
    uint8_t proof[REVTUN_MESSAGE_PROOF_LEN];

    (void)state;
    revtun_token_verifier(&token, verifier);
    revtun_token_proof(&token, &secrets, proof);
    for (size_t bit = 0; bit < 8 * sizeof proof; bit++) {
        proof[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(revtun_token_is_proven(verifier, &secrets, proof));
        proof[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_false(revtun_token_is_proven(verifier, &secrets, verifier));
    secrets.proof[31] ^= 1;
    assert_false(revtun_token_is_proven(verifier, &secrets, proof));
    secrets.proof[31] ^= 1;
    assert_true(revtun_token_is_proven(verifier, &secrets, proof));
    // The same secret under another name is another token.
    const struct revtun_token first = token;
    revtun_token_init(&token, bytes_of_text("laptob"), first.secret, first.pin);
    revtun_token_verifier(&token, verifier);
    assert_false(revtun_token_is_proven(verifier, &secrets, proof));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_the_sample),
        cmocka_unit_test(writes_the_alphabet_of_urls),
        cmocka_unit_test(tells_each_slip),
        cmocka_unit_test(proves_itself),
        cmocka_unit_test(proves_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

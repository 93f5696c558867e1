// SPDX-License-Identifier: Apache-2.0
// What floods of requests without valid integrity do to those who have it.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_attr.h"
#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

enum { RATE = 160, SHARE = RATE / TURN_STRANGER_SHARES };

static void restart(struct turn_fixture *f, uint32_t rate)
{
    struct turn_config config = turn_fixture_config();

    config.unauthenticated_rate = rate;
    turn_fixture_restart(f, &config);
}

static uint64_t limited(const struct turn_fixture *f)
{
    return turn_server_stats(f->server)->requests_limited;
}

static int bind(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

static int knock(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

// A request that is signed, with a nonce that was had before.
static int claim(struct turn_fixture *f, uint16_t method,
                 const uint8_t nonce[TURN_FIXTURE_NONCE_LEN])
{
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, method);
    if (method == STUN_ALLOCATE) {
        stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_TRANSPORT,
                           STUN_ATTR_TRANSPORT_UDP);
    }
    turn_fixture_sign_with(f, &draft, (struct bytes){nonce, TURN_FIXTURE_NONCE_LEN});
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

// So many requests, each from another network; how many were answered.
static uint32_t flood(struct turn_fixture *f, uint32_t count, int (*ask)(struct turn_fixture *f))
{
    const struct addr client = f->tuple.client;
    uint32_t answered = 0;

    for (uint32_t i = 0; i < count; i++) {
        const uint8_t ip[ADDR_IP4_LEN] = {20, (uint8_t)(i >> 8), (uint8_t)i, 1};
        f->tuple.client = addr_ip4(ip, 1000);
        answered += ask(f) != TURN_FIXTURE_SILENCE;
    }
    f->tuple.client = client;
    return answered;
}

// As a stranger who has read somebody's first answer would, with a nonce that is not his.
static int forge(struct turn_fixture *f)
{
    static const uint8_t nonce[TURN_FIXTURE_NONCE_LEN] = "obMatJos2AAADAAAAAAAAAAAAAAAAAAAA";
    const char *password = f->password;

    f->password = "wrong";
    int code = claim(f, STUN_ALLOCATE, nonce);
    f->password = password;
    return code;
}

static int spoil(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_LIFETIME, bytes_of_text("bad"));
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

static void answers_as_many_strangers_as_it_is_told(void **state)
{
    static int (*const ways[])(struct turn_fixture *) = {bind, knock, forge, spoil};
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        restart(f, RATE);
        assert_int_equal(flood(f, 10 * RATE, ways[i]), RATE);
        assert_int_equal(limited(f), 9 * RATE);
        turn_fixture_wait(f, SECOND_NS / 10);
        assert_int_equal(flood(f, 10 * RATE, ways[i]), RATE / 10);
    }
}

static void answers_all_at_rate_zero(void **state)
{
    struct turn_fixture *f = *state;

    restart(f, 0);
    assert_int_equal(flood(f, 30000, bind), 30000);
    assert_int_equal(limited(f), 0);
}

static void gives_each_shard_its_part(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    config.unauthenticated_rate = RATE;
    config.shard_count = 4;
    turn_fixture_restart(f, &config);
    assert_int_equal(flood(f, RATE, bind), RATE / 4);
    config.unauthenticated_rate = 3; // none is left without any
    turn_fixture_restart(f, &config);
    assert_int_equal(flood(f, RATE, bind), 1);
}

static void lets_those_with_an_allocation_go_on(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    restart(f, RATE);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_nonce(f, nonce);
    flood(f, 10 * RATE, bind);
    flood(f, 10 * RATE, forge);
    for (uint32_t i = 0; i < 10 * RATE; i++) {
        assert_int_equal(claim(f, STUN_REFRESH, nonce), TURN_FIXTURE_SUCCESS);
        assert_int_equal(bind(f), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_send_data(f, &peer, "data"), TURN_FORWARD);
    }
    // And learn that their nonce has grown old.
    memset(nonce + STUN_COOKIE_LEN, 'A', TURN_NONCE_TOKEN_LEN);
    assert_int_equal(claim(f, STUN_REFRESH, nonce), 438);
}

// A client that has been answered once can prove itself, however many first requests there are.
static void keeps_the_second_request_out_of_the_crowd_of_the_first(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    restart(f, RATE);
    turn_fixture_nonce(f, nonce);
    flood(f, 10 * RATE, knock);
    assert_int_equal(knock(f), TURN_FIXTURE_SILENCE);
    assert_int_equal(claim(f, STUN_ALLOCATE, nonce), TURN_FIXTURE_SUCCESS);
}

static void drops_strangers_claims_before_it_checks_them(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    restart(f, RATE);
    turn_fixture_nonce(f, nonce);
    flood(f, RATE, forge);
    uint64_t refused = turn_fixture_refused(f, TURN_REFUSAL_PASSWORD);
    assert_int_equal(claim(f, STUN_ALLOCATE, nonce), TURN_FIXTURE_SILENCE); // though it is right
    assert_int_equal(forge(f), TURN_FIXTURE_SILENCE);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_PASSWORD), refused);
    assert_int_equal(limited(f), 2);
    turn_fixture_wait(f, SECOND_NS / RATE);
    assert_int_equal(claim(f, STUN_ALLOCATE, nonce), TURN_FIXTURE_SUCCESS);
}

static void counts_no_request_that_is_proven(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    restart(f, RATE);
    turn_fixture_nonce(f, nonce);
    for (uint32_t i = 0; i < 10 * RATE; i++) { // without an allocation: 437
        assert_int_equal(claim(f, STUN_REFRESH, nonce), 437);
    }
    assert_int_equal(flood(f, RATE, forge), RATE);
}

// Somebody who forges the address and port of a client cannot use up more than its prefix has.
static void limits_wrong_claims_at_a_clients_address_by_its_prefix_alone(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    uint32_t answered = 0;

    restart(f, RATE);
    turn_fixture_nonce(f, nonce);
    assert_int_equal(claim(f, STUN_ALLOCATE, nonce), TURN_FIXTURE_SUCCESS);
    for (uint32_t i = 0; i < RATE; i++) {
        answered += forge(f) != TURN_FIXTURE_SILENCE;
    }
    assert_int_equal(answered, SHARE - 1); // one was had for the nonce
    assert_int_equal(claim(f, STUN_REFRESH, nonce), TURN_FIXTURE_SUCCESS);
    assert_int_equal(flood(f, 2 * RATE, forge), RATE); // and others have all of theirs
}

// Nothing but its address shows that it is the client's, and it could prove that.
static void takes_a_clients_unsigned_requests_for_a_strangers(void **state)
{
    struct turn_fixture *f = *state;

    restart(f, RATE);
    turn_fixture_allocate(f);
    assert_int_equal(flood(f, 10 * RATE, knock), RATE - 1);
    assert_int_equal(knock(f), TURN_FIXTURE_SILENCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(answers_as_many_strangers_as_it_is_told),
        TURN_FIXTURE_TEST(answers_all_at_rate_zero),
        TURN_FIXTURE_TEST(gives_each_shard_its_part),
        TURN_FIXTURE_TEST(lets_those_with_an_allocation_go_on),
        TURN_FIXTURE_TEST(keeps_the_second_request_out_of_the_crowd_of_the_first),
        TURN_FIXTURE_TEST(drops_strangers_claims_before_it_checks_them),
        TURN_FIXTURE_TEST(counts_no_request_that_is_proven),
        TURN_FIXTURE_TEST(limits_wrong_claims_at_a_clients_address_by_its_prefix_alone),
        TURN_FIXTURE_TEST(takes_a_clients_unsigned_requests_for_a_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

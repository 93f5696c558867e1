// SPDX-License-Identifier: Apache-2.0
// What floods of requests without valid integrity do to those who have it.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_attr.h"
#include "support/rng.h"
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

// From an address that receives, which a nonce is had for: somebody who has many, and no password.
static int guess(struct turn_fixture *f)
{
    const char *password = f->password;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    turn_nonce_write(&f->server->nonce, f->now, &f->tuple.client, nonce);
    f->password = "wrong";
    int code = claim(f, STUN_ALLOCATE, nonce);
    f->password = password;
    return code;
}

static void answers_as_many_strangers_as_it_is_told(void **state)
{
    static int (*const ways[])(struct turn_fixture *) = {bind, knock, forge, spoil, guess};
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
    // None is left without any, and they have no more together either: 3 of 4 a second.
    config.unauthenticated_rate = 3;
    turn_fixture_restart(f, &config);
    assert_int_equal(flood(f, RATE, bind), 1);
    uint32_t count = 0;
    for (int i = 0; i < 40; i++) {
        turn_fixture_wait(f, SECOND_NS);
        count += flood(f, 10, bind);
    }
    assert_in_range(count, 20, 30); // 20 as it is asked each second only
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

// Claims under forged addresses have no nonce that is good there.
static void keeps_who_has_received_out_of_the_crowd_of_forgers(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonces[4][TURN_FIXTURE_NONCE_LEN];
    struct addr *client = &f->tuple.client;

    restart(f, RATE);
    for (size_t i = 0; i < COUNT_OF(nonces); i++) {
        client->ip[2] = (uint8_t)i;
        turn_fixture_nonce(f, nonces[i]);
    }
    flood(f, 100 * RATE, forge);
    flood(f, 100 * RATE, knock);
    for (size_t i = 0; i < COUNT_OF(nonces); i++) {
        client->ip[2] = (uint8_t)i;
        assert_int_equal(claim(f, STUN_ALLOCATE, nonces[i]), TURN_FIXTURE_SUCCESS);
    }
}

// A nonce that was good elsewhere, or grew old, is as good as none.
static void takes_who_brings_anothers_nonce_for_a_forger(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    restart(f, RATE);
    turn_fixture_nonce(f, nonce);
    flood(f, 10 * RATE, forge);
    f->tuple.client.port++;
    assert_int_equal(claim(f, STUN_ALLOCATE, nonce), TURN_FIXTURE_SILENCE);
    f->tuple.client.port--;
    turn_fixture_wait(f, (TURN_NONCE_LIFETIME_S + 2) * SECOND_NS);
    flood(f, 10 * RATE, forge);
    assert_int_equal(claim(f, STUN_ALLOCATE, nonce), TURN_FIXTURE_SILENCE);
}

static void drops_strangers_claims_before_it_checks_them(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    restart(f, RATE);
    turn_fixture_nonce(f, nonce);
    flood(f, RATE, guess);
    uint64_t refused = turn_fixture_refused(f, TURN_REFUSAL_PASSWORD);
    assert_int_equal(claim(f, STUN_ALLOCATE, nonce), TURN_FIXTURE_SILENCE); // though it is right
    assert_int_equal(guess(f), TURN_FIXTURE_SILENCE);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_PASSWORD), refused);
    assert_int_equal(limited(f), 2);
    turn_fixture_wait(f, SECOND_NS / RATE);
    assert_int_equal(claim(f, STUN_ALLOCATE, nonce), TURN_FIXTURE_SUCCESS);
}

// A first request from somewhere; whether it was answered.
static bool knocked_from(struct turn_fixture *f, uint32_t network)
{
    const struct addr client = f->tuple.client;
    const uint8_t ip[ADDR_IP4_LEN] = {21, (uint8_t)(network >> 8), (uint8_t)network, 1};

    f->tuple.client = addr_ip4(ip, 1000);
    int code = knock(f);
    f->tuple.client = client;
    return code != TURN_FIXTURE_SILENCE;
}

// Of new clients, each in a network of its own, who repeat their first request as RFC 8489 section
// 6.2.1 has it, while so many times as many arrive in all as are answered: the part, in percent,
// that is answered at all.
static uint32_t reached(struct turn_fixture *f, uint32_t factor)
{
    enum { CLIENTS = RATE, TRIES = 7 };
    static const uint64_t waits_ms[TRIES] = {0, 500, 1000, 2000, 4000, 8000, 16000};
    struct rng rng = rng_init(rng_seed("turn_flood"));
    bool has_answer[CLIENTS] = {0};
    uint32_t count = 0;

    restart(f, RATE);
    flood(f, 10 * RATE, knock); // it has begun before
    for (size_t try = 0; try < TRIES; try++) {
        turn_fixture_wait(f, waits_ms[try] * SECOND_NS / 1000);
        flood(f, 10 * RATE, knock); // nothing has been left over meanwhile
        // A second long one of each `factor` is a client's.
        for (uint32_t i = 0; i < CLIENTS; i++) {
            const uint32_t turn = (uint32_t)rng_below(&rng, factor);
            for (uint32_t k = 0; k < factor; k++) {
                turn_fixture_wait(f, SECOND_NS / RATE / factor);
                if (k != turn) {
                    IGNORE(knocked_from(f, (uint32_t)rng_below(&rng, 1 << 16)));
                } else if (!has_answer[i]) {
                    has_answer[i] = knocked_from(f, i);
                    count += has_answer[i];
                }
            }
        }
    }
    return count * 100 / CLIENTS;
}

// A forged first request cannot be told from a true one. Each is answered in the proportion of the
// rate to the flood, p; and of clients, who ask seven times, 1 - (1 - p) ^ 7 are.
static void answers_most_new_clients_in_a_flood_of_ten_times_the_rate(void **state)
{
    assert_in_range(reached(*state, 2), 96, 100); // 99
    assert_in_range(reached(*state, 5), 66, 92);  // 79
    assert_in_range(reached(*state, 10), 35, 69); // 52
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
        TURN_FIXTURE_TEST(keeps_who_has_received_out_of_the_crowd_of_forgers),
        TURN_FIXTURE_TEST(takes_who_brings_anothers_nonce_for_a_forger),
        TURN_FIXTURE_TEST(drops_strangers_claims_before_it_checks_them),
        TURN_FIXTURE_TEST(answers_most_new_clients_in_a_flood_of_ten_times_the_rate),
        TURN_FIXTURE_TEST(counts_no_request_that_is_proven),
        TURN_FIXTURE_TEST(limits_wrong_claims_at_a_clients_address_by_its_prefix_alone),
        TURN_FIXTURE_TEST(takes_a_clients_unsigned_requests_for_a_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "stun/stun_chandata.h"
#include "support/dies.h"
#include "support/rng.h"
#include "turn/turn_fixture.h"

static const struct pool_ref nobody = {POOL_NONE, 0};

// --- What gets in at the door --------------------------------------------------------------------

static void drops_what_is_neither_stun_nor_channel_data(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t raw[64] = {0};

    for (unsigned first = 0; first < 256; first++) {
        for (size_t len = 0; len <= sizeof raw; len += 7) {
            raw[0] = (uint8_t)first;
            assert_int_equal(turn_fixture_send(f, (struct bytes){raw, len}), TURN_FIXTURE_SILENCE);
            assert_int_equal(f->verdict, TURN_DROP);
        }
    }
}

static void drops_responses_and_other_peoples_indications(void **state)
{
    static const uint16_t methods[] = {STUN_BINDING, STUN_ALLOCATE,          STUN_REFRESH,
                                       STUN_DATA,    STUN_CREATE_PERMISSION, STUN_CHANNEL_BIND};
    static const enum stun_class classes[] = {STUN_INDICATION, STUN_SUCCESS, STUN_ERROR};
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    uint64_t dropped = 0;

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        for (size_t j = 0; j < COUNT_OF(classes); j++) {
            struct turn_fixture_draft draft;
            turn_fixture_begin(f, &draft, classes[j], methods[i]);
            turn_fixture_add_peer(&draft, &peer);
            stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, bytes_of_text("x"));
            assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)),
                             TURN_FIXTURE_SILENCE);
            assert_int_equal(f->verdict, TURN_DROP);
            dropped++;
        }
    }
    for (size_t j = 1; j < COUNT_OF(classes); j++) { // Send is an indication and nothing else
        struct turn_fixture_draft draft;
        turn_fixture_begin(f, &draft, classes[j], STUN_SEND);
        turn_fixture_add_peer(&draft, &peer);
        stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, bytes_of_text("x"));
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SILENCE);
        assert_int_equal(f->verdict, TURN_DROP);
        dropped++;
    }
    assert_int_equal(turn_server_stats(f->server)->dropped_unexpected, dropped);
}

static void refuses_every_truncation(void **state)
{
    static const uint16_t methods[] = {STUN_BINDING, STUN_ALLOCATE, STUN_REFRESH,
                                       STUN_CREATE_PERMISSION, STUN_CHANNEL_BIND};
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        struct turn_fixture_draft draft;
        turn_fixture_begin(f, &draft, STUN_REQUEST, methods[i]);
        turn_fixture_add_peer(&draft, &peer);
        turn_fixture_sign(f, &draft);
        stun_writer_fingerprint(&draft.writer);
        struct bytes whole = turn_fixture_finish(&draft);
        for (size_t len = 0; len < whole.len; len++) {
            assert_int_equal(turn_fixture_send(f, bytes_first(whole, len)), TURN_FIXTURE_SILENCE);
        }
        assert_int_not_equal(turn_fixture_send(f, whole), TURN_FIXTURE_SILENCE);
    }
    assert_true(turn_fixture_is_empty(f));
}

static void drops_a_wrong_fingerprint(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
    stun_writer_fingerprint(&draft.writer);
    struct bytes whole = turn_fixture_finish(&draft);
    draft.raw[whole.len - 1] ^= 1;
    assert_int_equal(turn_fixture_send(f, whole), TURN_FIXTURE_SILENCE);
    assert_int_equal(turn_server_stats(f->server)->dropped_malformed, 1);
}

static void remembers_nothing_of_strangers(void **state)
{
    struct turn_fixture *f = *state;
    struct rng rng = rng_init(rng_seed("turn_server"));

    for (int i = 0; i < 20000; i++) {
        struct turn_fixture_draft draft;
        f->tuple.client.port = (uint16_t)(1 + rng_below(&rng, 65535));
        f->now.mono_ns += SECOND_NS / f->config.unauthenticated_rate;
        turn_fixture_begin_allocate(f, &draft);
        if (rng_chance(&rng, 50)) {
            f->password = "guess";
            turn_fixture_sign_with(f, &draft, bytes_of_text("nonce"));
        }
        assert_in_range(turn_fixture_send(f, turn_fixture_finish(&draft)), 400, 438);
    }
    assert_true(turn_fixture_is_empty(f));
    assert_true(turn_server_deadline(f->server) == NEVER);
}

// --- Time ----------------------------------------------------------------------------------------

static void the_deadline_is_that_of_what_expires_first(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_fixture_draft draft;
    uint64_t now_ns = f->now.mono_ns;

    assert_true(turn_server_deadline(f->server) == NEVER);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 700);
    f->refusals = 1;
    f->refusal = TURN_PORT_REFUSED;
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    // What belongs to the whole relay, a reservation and a resting port, has no deadline.
    const uint64_t after_s[] = {300, 600, 700};
    for (size_t i = 0; i < COUNT_OF(after_s); i++) {
        assert_true(turn_server_deadline(f->server) == now_ns + after_s[i] * SECOND_NS);
        turn_fixture_wait(f, turn_server_deadline(f->server) - f->now.mono_ns);
    }
    assert_true(turn_server_deadline(f->server) == NEVER);
    assert_true(turn_fixture_is_empty(f));
}

static void a_tick_does_what_its_commands_have_room_for(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_command command;
    uint32_t closed = 0;
    uint32_t ticks = 0;

    for (uint16_t i = 0; i < 8; i++) {
        f->tuple.client.port = (uint16_t)(4001 + i);
        turn_fixture_allocate(f);
    }
    f->now.mono_ns += 600 * SECOND_NS;
    while (turn_server_deadline(f->server) <= f->now.mono_ns) {
        turn_server_tick(f->server, f->now);
        ticks++;
        while (turn_server_take(f->server, &command)) {
            closed += command.type == TURN_COMMAND_CLOSE;
        }
    }
    assert_int_equal(closed, 8);
    assert_in_range(ticks, 2, 8);
    assert_int_equal(turn_server_stats(f->server)->allocations_expired, 8);
}

static void expires_everything_in_the_end(void **state)
{
    struct turn_fixture *f = *state;

    for (uint16_t i = 0; i < 8; i++) {
        f->tuple.client.port = (uint16_t)(4001 + i);
        turn_fixture_allocate(f);
        for (uint8_t j = 0; j < 2; j++) {
            struct addr peer = turn_fixture_addr("192.0.2.1", (uint16_t)(1 + j));
            assert_int_equal(turn_fixture_bind(f, (uint16_t)(0x4000 + j), &peer),
                             TURN_FIXTURE_SUCCESS);
        }
    }
    assert_int_equal(turn_fixture_gauges(f).timers, 8 + 8 + 16);
    turn_fixture_wait(f, 10000 * SECOND_NS); // all of it due at once
    assert_true(turn_fixture_is_empty(f));
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_CLOSE), 8);
}

// --- Memory --------------------------------------------------------------------------------------

static void lives_in_exactly_the_memory_it_names(void **state)
{
    struct turn_fixture *f = *state;
    struct rng rng = rng_init(rng_seed("turn_server"));

    for (int i = 0; i < 50; i++) { // the sanitizer watches the end of the block
        struct turn_config config = turn_fixture_config();
        config.max_allocations = (uint32_t)(1 + rng_below(&rng, 40));
        config.max_permissions = (uint32_t)(1 + rng_below(&rng, 40));
        config.max_channels = (uint32_t)(1 + rng_below(&rng, 40));
        config.max_reservations = (uint32_t)(1 + rng_below(&rng, 40));
        config.user_count = 2 - (size_t)i % 2; // "alice" is among them
        turn_fixture_restart(f, &config);
        for (uint16_t client = 0; client < 50; client++) { // fills all pools to the brim
            struct turn_fixture_draft draft;
            f->tuple.client.port = (uint16_t)(4001 + client);
            turn_fixture_begin_allocate(f, &draft);
            if (client % 3 == 0) {
                stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT,
                                   STUN_ATTR_EVEN_PORT_RESERVE);
            }
            (void)turn_fixture_ask(f, &draft);
            struct addr peer = turn_fixture_addr("192.0.2.1", (uint16_t)(1 + client));
            (void)turn_fixture_bind(f, 0x4000, &peer);
        }
    }
}

static void keeps_no_pointer_into_its_configuration(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    uint8_t *realm = malloc(8);
    struct turn_user *users = malloc(config.user_count * sizeof *users);

    assert_non_null(realm);
    assert_non_null(users);
    memcpy(realm, config.realm.ptr, 8);
    memcpy(users, config.users, config.user_count * sizeof *users);
    config.realm.ptr = realm;
    config.users = users;
    turn_fixture_restart(f, &config);
    free(realm);
    free(users);
    f->config = turn_fixture_config();
    turn_fixture_allocate(f);
    turn_fixture_nonce(f, (uint8_t[TURN_FIXTURE_NONCE_LEN]){0});
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_REALM), "fairlead"));
}

static void leaves_nothing_of_itself_behind(void **state)
{
    struct turn_fixture *f = *state;
    size_t size = turn_server_size(&f->config);
    uint8_t *memory = (uint8_t *)f->server;
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    turn_server_deinit(f->server);
    for (size_t i = 0; i < size; i++) { // no key, no name, no token, no address
        assert_int_equal(memory[i], 0);
    }
    turn_server_init(memory, &f->config, (const uint8_t[TURN_SERVER_SEED_LEN]){1});
}

// KiB that this process has had at most.
static long greatest_memory(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void memory_that_was_never_used_is_not_even_used_to_wipe_it(void **state)
{
    struct turn_config config = turn_fixture_config();
    const uint8_t seed[TURN_SERVER_SEED_LEN] = {1};

    (void)state;
    config.max_permissions = 1 << 20;
    config.max_channels = 1 << 20;
    size_t size = turn_server_size(&config);
    assert_true(size > 128 << 20);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    long before = greatest_memory();
    turn_server_deinit(turn_server_init(memory, &config, seed));
    assert_true(greatest_memory() - before < 16 << 10);
    assert_int_equal(munmap(memory, size), 0);
}

// --- Determinism ---------------------------------------------------------------------------------

static void the_same_calls_give_the_same_bytes(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t first[TURN_COMMAND_MESSAGE_MAX];
    size_t first_len = 0;

    for (int run = 0; run < 2; run++) {
        struct turn_config config = turn_fixture_config();
        turn_fixture_restart(f, &config);
        f->transaction = 0;
        turn_fixture_allocate(f);
        if (run == 0) {
            first_len = f->response.whole.len;
            memcpy(first, f->raw_response, first_len);
        }
        assert_int_equal(f->response.whole.len, first_len);
        assert_memory_equal(f->raw_response, first, first_len);
    }
}

static void another_seed_gives_other_secrets(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t seed[TURN_SERVER_SEED_LEN] = {0};
    uint8_t nonces[3][TURN_FIXTURE_NONCE_LEN];
    size_t size = turn_server_size(&f->config);

    for (size_t i = 0; i < COUNT_OF(nonces); i++) {
        turn_server_deinit(f->server);
        memset(f->server, 0, size);
        seed[i == 2 ? 31 : 0] = (uint8_t)i;
        (void)turn_server_init(f->server, &f->config, seed);
        turn_fixture_nonce(f, nonces[i]);
    }
    assert_memory_not_equal(nonces[0], nonces[1], sizeof nonces[0]);
    assert_memory_not_equal(nonces[1], nonces[2], sizeof nonces[0]);
    assert_memory_not_equal(nonces[0], nonces[2], sizeof nonces[0]);
}

// --- The caller's mistakes -----------------------------------------------------------------------

static void call_with_something_due(void *context)
{
    struct turn_fixture *f = context;

    f->now.mono_ns += 600 * SECOND_NS;
    (void)turn_fixture_send(f, (struct bytes){0});
}

static void answer_an_open_that_was_not_asked(void *context)
{
    struct turn_fixture *f = context;

    turn_server_opened(f->server, f->now, nobody, TURN_OPENED);
}

static void call_with_commands_waiting(void *context)
{
    struct turn_fixture *f = context;
    struct turn_fixture_draft draft;
    struct turn_forward forward;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
    struct bytes whole = turn_fixture_finish(&draft);
    (void)!turn_server_from_client(f->server, f->now, &f->tuple, whole, &forward);
    (void)!turn_server_from_client(f->server, f->now, &f->tuple, whole, &forward);
}

static void are_met_by_assertions(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    assert_true(dies(call_with_something_due, f));
    assert_true(dies(answer_an_open_that_was_not_asked, f));
    assert_true(dies(call_with_commands_waiting, f));
}

// --- Bad input -----------------------------------------------------------------------------------

static void long_zeros_are_nothing(void **state)
{
    static const size_t lengths[] = {0, 1, 3, 4, 19, 20, 21, 1500, 65507, 65535, 65536};
    struct turn_fixture *f = *state;
    uint8_t *zeros = calloc(1, 65536);

    assert_non_null(zeros);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        assert_int_equal(turn_fixture_send(f, (struct bytes){zeros, lengths[i]}),
                         TURN_FIXTURE_SILENCE);
        assert_int_equal(f->verdict, TURN_DROP);
    }
    assert_int_equal(turn_server_stats(f->server)->dropped_malformed, COUNT_OF(lengths));
    free(zeros);
}

static void stun_inside_channel_data_is_data(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_fixture_draft draft;
    uint8_t raw[64];
    struct wr wr = wr_init(raw, sizeof raw);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
    struct bytes inner = turn_fixture_finish(&draft);
    wr_u16(&wr, 0x4000);
    wr_u16(&wr, (uint16_t)inner.len);
    wr_bytes(&wr, inner);
    assert_int_equal(turn_fixture_send(f, wr_done(&wr)), TURN_FIXTURE_SILENCE);
    assert_int_equal(f->verdict, TURN_FORWARD);
    assert_true(bytes_equal(f->forward.payload, inner));
    // And what a peer sends, ChannelData as it were, is data as well.
    assert_int_equal(turn_fixture_from_peer(f, f->forward.allocation, &peer, wr_done(&wr)),
                     TURN_FORWARD);
    assert_int_equal(f->forward.payload.len, wr.len);
}

static void channel_data_may_be_padded_and_may_not_be_cut(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    static const uint8_t raw[] = {0x40, 0x00, 0x00, 0x05, 1, 2, 3, 4, 5, 0, 0, 0};

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    for (size_t len = 0; len <= sizeof raw; len++) {
        assert_int_equal(turn_fixture_send(f, (struct bytes){raw, len}), TURN_FIXTURE_SILENCE);
        assert_int_equal(f->verdict, len < 9 ? TURN_DROP : TURN_FORWARD);
        if (len >= 9) {
            assert_int_equal(f->forward.payload.len, 5);
        }
    }
}

// The nonce that made them good is over, and so is their transaction.
static void a_request_replayed_after_its_time_does_nothing(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft allocate;
    struct turn_fixture_draft binding;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_begin_allocate(f, &allocate);
    turn_fixture_sign(f, &allocate);
    struct bytes first = turn_fixture_finish(&allocate);
    assert_int_equal(turn_fixture_send(f, first), TURN_FIXTURE_SUCCESS);
    turn_fixture_begin(f, &binding, STUN_REQUEST, STUN_CHANNEL_BIND);
    stun_attr_u16_write(&binding.writer.wr, STUN_ATTR_CHANNEL_NUMBER, 0x4000);
    turn_fixture_add_peer(&binding, &peer);
    turn_fixture_sign(f, &binding);
    struct bytes second = turn_fixture_finish(&binding);
    assert_int_equal(turn_fixture_send(f, second), TURN_FIXTURE_SUCCESS);
    struct turn_tuple tuple = f->tuple;
    f->tuple.client.port++; // from elsewhere they are nobody's
    assert_int_equal(turn_fixture_send(f, first), 438);
    assert_int_equal(turn_fixture_send(f, second), 438);
    f->tuple = tuple;
    turn_fixture_wait(f, 601 * SECOND_NS);
    assert_int_equal(turn_fixture_send(f, second), 437);
    turn_fixture_wait(f, 3600 * SECOND_NS);
    assert_int_equal(turn_fixture_send(f, first), 438);
    assert_int_equal(turn_fixture_send(f, second), 438);
    assert_true(turn_fixture_is_empty(f));
}

// Of attributes behind the proof none counts; of repeated ones the first does.
static void what_stands_behind_the_proof_was_not_said(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 1000);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 2000);
    turn_fixture_sign(f, &draft);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 3000);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    stun_attr_u32_write(&draft.writer.wr, 0x0031, 0); // unknown, and not listed either
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), 1000);
    assert_false(stun_message_has(&f->response, STUN_ATTR_RESERVATION_TOKEN));
    turn_fixture_begin_allocate(f, &draft); // nor does a proof count that stands before nothing
    f->tuple.client.port++;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    turn_fixture_nonce(f, nonce);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_ALLOCATE);
    turn_fixture_sign_with(f, &draft, (struct bytes){nonce, sizeof nonce});
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 400);
}

// A clock of the wall that jumps, forwards or backwards, moves no deadline.
static void a_jump_of_the_wall_clock_ends_nothing(void **state)
{
    static const int64_t walls_s[] = {0, -1, 1, 4000000000, INT64_MAX, INT64_MIN};
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    for (size_t i = 0; i < COUNT_OF(walls_s); i++) {
        f->now.wall_s = walls_s[i];
        assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
        assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(drops_what_is_neither_stun_nor_channel_data),
        TURN_FIXTURE_TEST(drops_responses_and_other_peoples_indications),
        TURN_FIXTURE_TEST(refuses_every_truncation),
        TURN_FIXTURE_TEST(drops_a_wrong_fingerprint),
        TURN_FIXTURE_TEST(remembers_nothing_of_strangers),
        TURN_FIXTURE_TEST(the_deadline_is_that_of_what_expires_first),
        TURN_FIXTURE_TEST(a_tick_does_what_its_commands_have_room_for),
        TURN_FIXTURE_TEST(expires_everything_in_the_end),
        TURN_FIXTURE_TEST(lives_in_exactly_the_memory_it_names),
        TURN_FIXTURE_TEST(keeps_no_pointer_into_its_configuration),
        TURN_FIXTURE_TEST(leaves_nothing_of_itself_behind),
        TURN_FIXTURE_TEST(memory_that_was_never_used_is_not_even_used_to_wipe_it),
        TURN_FIXTURE_TEST(the_same_calls_give_the_same_bytes),
        TURN_FIXTURE_TEST(another_seed_gives_other_secrets),
        TURN_FIXTURE_TEST(are_met_by_assertions),
        TURN_FIXTURE_TEST(long_zeros_are_nothing),
        TURN_FIXTURE_TEST(stun_inside_channel_data_is_data),
        TURN_FIXTURE_TEST(channel_data_may_be_padded_and_may_not_be_cut),
        TURN_FIXTURE_TEST(a_request_replayed_after_its_time_does_nothing),
        TURN_FIXTURE_TEST(what_stands_behind_the_proof_was_not_said),
        TURN_FIXTURE_TEST(a_jump_of_the_wall_clock_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

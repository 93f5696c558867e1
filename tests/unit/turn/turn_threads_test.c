// SPDX-License-Identifier: Apache-2.0
// Servers in threads of their own that serve one relay: nothing is relayed twice at one port, and
// in the end nothing is held. What is random has a seed, but who comes first is the system's
// choice.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/rng.h"
#include "turn/turn_fixture.h"

enum {
    SHARDS = 4,
    ROUNDS = 12000, // of each thread
    CLIENTS = 4,    // of each shard
    BOX_LEN = 16,
    LOWEST_PORT = 50000,
    PORTS = 24, // few enough to be fought for
};

// Data on its way to another shard.
struct letter {
    struct addr from;
    struct addr to;
    uint8_t data[8];
};

struct box {
    pthread_mutex_t mutex;
    struct letter letters[BOX_LEN];
    uint32_t count;
};

struct world {
    pthread_mutex_t mutex; // that the commons are lent
    struct turn_commons *commons;
    struct box boxes[SHARDS];
    atomic_bool is_open[2][PORTS]; // sockets: IPv4, IPv6
    pthread_mutex_t token_mutex;
    uint8_t token[STUN_ATTR_RESERVATION_LEN]; // the last one that anybody was given
};

struct worker {
    pthread_t thread;
    struct world *world;
    struct turn_fixture *f;
    struct rng rng;
    uint32_t shard;
    uint32_t allocated;
    uint32_t refused;
    uint32_t redeemed;
    uint32_t replaced;
    uint32_t woke;
    uint32_t handed_over;
    uint32_t arrived;
};

static void take(void *context)
{
    if (pthread_mutex_lock(context) != 0) {
        abort();
    }
}

static void give(void *context)
{
    if (pthread_mutex_unlock(context) != 0) {
        abort();
    }
}

// Two sockets at one port are what the system would refuse.
static void on_socket(void *context, const struct turn_command *command)
{
    struct world *world = context;
    const struct addr *relayed = &command->socket.relayed;
    const bool is_opening = command->type == TURN_COMMAND_OPEN;

    assert_in_range(relayed->port, LOWEST_PORT, LOWEST_PORT + PORTS - 1);
    if (atomic_exchange(&world->is_open[relayed->family == ADDR_IP6][relayed->port - LOWEST_PORT],
                        is_opening) == is_opening) {
        abort();
    }
}

// --- one thread ---------------------------------------------------------------------------------

static struct addr some_relayed(struct worker *worker)
{
    const struct turn_config *config = &worker->f->config;
    const struct addr *public =
        rng_chance(&worker->rng, 50) ? &config->public_ip4 : &config->public_ip6;

    return addr_with_port(*public, (uint16_t)(LOWEST_PORT + rng_below(&worker->rng, PORTS)));
}

static void become_some_client(struct worker *worker)
{
    struct turn_fixture *f = worker->f;
    uint64_t client = rng_below(&worker->rng, CLIENTS);

    f->tuple.client.port = (uint16_t)(4000 + 100 * worker->shard + client);
    if (client % 2 == 0) { // one user of Firezone's for each such client, in all shards
        turn_fixture_use_firezone(f, client == 0 ? "1892160000:one" : "1892160000:two");
        f->realm = "firezone";
        return;
    }
    f->user = client == 1 ? "alice" : "bob";
    f->password = client == 1 ? "secret" : "hidden";
    f->realm = NULL;
}

static void keep_token(struct worker *worker)
{
    struct bytes token = {0};

    if (stun_message_find(&worker->f->response, STUN_ATTR_RESERVATION_TOKEN, &token)) {
        take(&worker->world->token_mutex);
        memcpy(worker->world->token, token.ptr, sizeof worker->world->token);
        give(&worker->world->token_mutex);
    }
}

static void allocate(struct worker *worker)
{
    struct turn_fixture *f = worker->f;
    struct turn_fixture_draft draft;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    const uint64_t kind = rng_below(&worker->rng, 4);

    turn_fixture_begin_allocate(f, &draft);
    if (kind == 0) {
        stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    } else if (kind == 1) {
        take(&worker->world->token_mutex);
        memcpy(token, worker->world->token, sizeof token);
        give(&worker->world->token_mutex);
        stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                        (struct bytes){token, sizeof token});
    } else if (kind == 2) {
        stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY,
                           STUN_ATTR_FAMILY_IP6);
    }
    f->refusals = rng_chance(&worker->rng, 5) ? 1 : 0;
    f->refusal = rng_chance(&worker->rng, 50) ? TURN_PORT_REFUSED : TURN_SYSTEM_REFUSED;
    int code = turn_fixture_ask(f, &draft);
    worker->woke += turn_fixture_count(f, TURN_COMMAND_WAKE);
    if (code == TURN_FIXTURE_SUCCESS) {
        worker->allocated++;
        worker->redeemed += kind == 1;
        keep_token(worker);
    } else {
        assert_true(code == 437 || code == 486 || code == 508);
        worker->refused++;
    }
}

static void send_data(struct worker *worker)
{
    const struct addr to = some_relayed(worker);

    if (turn_fixture_send_data(worker->f, &to, "hi") != TURN_HAND_OVER) {
        return;
    }
    const struct turn_forward *handed = &worker->f->forward;
    struct box *box = &worker->world->boxes[handed->shard];
    take(&box->mutex);
    if (box->count < BOX_LEN) {
        struct letter *letter = &box->letters[box->count++];
        *letter = (struct letter){.from = handed->relayed, .to = handed->peer};
        memcpy(letter->data, handed->payload.ptr, handed->payload.len);
        worker->handed_over++;
    }
    give(&box->mutex);
}

static void take_letters(struct worker *worker)
{
    struct box *box = &worker->world->boxes[worker->shard];
    struct letter letters[BOX_LEN];
    struct turn_forward out;

    take(&box->mutex);
    uint32_t count = box->count;
    memcpy(letters, box->letters, count * sizeof letters[0]);
    box->count = 0;
    give(&box->mutex);
    for (uint32_t i = 0; i < count; i++) {
        enum turn_verdict verdict =
            turn_server_from_shard(worker->f->server, worker->f->now, &letters[i].from,
                                   &letters[i].to, (struct bytes){letters[i].data, 2}, &out);
        assert_true(verdict == TURN_DROP || bytes_equal_text(out.payload, "hi"));
        worker->arrived += verdict == TURN_FORWARD;
    }
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct turn_fixture *f = worker->f;

    for (int i = 0; i < ROUNDS; i++) {
        const struct addr peer = some_relayed(worker);

        turn_fixture_wait(f, rng_below(&worker->rng, SECOND_NS / 4));
        worker->replaced += turn_fixture_report(f, TURN_EVENT_REPLACED) != NULL;
        take_letters(worker);
        become_some_client(worker);
        switch (rng_below(&worker->rng, 6)) {
        case 0:
        case 1:
            allocate(worker);
            break;
        case 2:
            IGNORE(turn_fixture_refresh(f, 0) == 0); // it may have none
            break;
        case 3:
            IGNORE(turn_fixture_permit(f, &peer) == 0); // likewise
            break;
        case 4:
            IGNORE(turn_fixture_bind(f, 0x4000, &peer) == 0); // likewise
            break;
        default:
            send_data(worker);
            break;
        }
    }
    return NULL;
}

// --- all of them --------------------------------------------------------------------------------

static struct turn_config config_of_all(struct world *world)
{
    static const uint8_t seed[TURN_COMMONS_SEED_LEN] = {9};
    const struct turn_commons_lock lock = {take, give, &world->mutex};
    struct turn_config config = turn_fixture_config();

    config.shard_count = SHARDS;
    config.lowest_port = LOWEST_PORT;
    config.highest_port = LOWEST_PORT + PORTS - 1;
    config.max_allocations = 10;
    config.allocations_per_user = 4;
    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    config.has_fast_path = true;
    void *memory = calloc(1, turn_commons_size(&config));
    assert_non_null(memory);
    world->commons = turn_commons_init(memory, &config, &lock, seed);
    config.commons = world->commons;
    return config;
}

static void start(struct worker *worker, struct world *world, struct turn_config config,
                  uint32_t shard, uint64_t seed)
{
    void *fixture = NULL;

    assert_int_equal(turn_fixture_setup(&fixture), 0);
    *worker = (struct worker){
        .world = world, .f = fixture, .rng = rng_init(seed + shard), .shard = shard};
    config.shard_index = shard;
    turn_fixture_restart(worker->f, &config);
    worker->f->on_socket = on_socket;
    worker->f->on_socket_context = world;
}

// Each thing was seen at least once, or this shows less than it says.
static void check_seen(const struct worker *workers)
{
    struct worker sum = {0};

    for (uint32_t i = 0; i < SHARDS; i++) {
        sum.allocated += workers[i].allocated;
        sum.refused += workers[i].refused;
        sum.redeemed += workers[i].redeemed;
        sum.replaced += workers[i].replaced;
        sum.woke += workers[i].woke;
        sum.handed_over += workers[i].handed_over;
        sum.arrived += workers[i].arrived;
    }
    print_message("%u allocated, %u refused, %u redeemed, %u replaced, %u woke, %u handed over, "
                  "%u arrived\n",
                  sum.allocated, sum.refused, sum.redeemed, sum.replaced, sum.woke, sum.handed_over,
                  sum.arrived);
    assert_true(sum.allocated > 0);
    assert_true(sum.refused > 0);
    assert_true(sum.redeemed > 0);
    assert_true(sum.replaced > 0);
    assert_true(sum.woke >= sum.replaced); // some end by themselves before
    assert_true(sum.handed_over > 0);
    assert_true(sum.arrived > 0);
}

static void threads_serve_one_relay(void **state)
{
    static struct worker workers[SHARDS];
    static struct world world;
    const struct turn_commons_gauges none = {0};
    const uint64_t seed = rng_seed("turn_threads");

    (void)state;
    pthread_mutex_init(&world.mutex, NULL);
    pthread_mutex_init(&world.token_mutex, NULL);
    const struct turn_config config = config_of_all(&world);
    for (uint32_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&world.boxes[i].mutex, NULL);
        start(&workers[i], &world, config, i, seed);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    check_seen(workers);
    for (uint32_t i = 0; i < SHARDS; i++) {
        turn_fixture_wait(workers[i].f, 7200 * SECOND_NS); // the clocks differ, by less than that
    }
    struct turn_commons_gauges gauges = turn_commons_gauges(world.commons, workers[0].f->now);
    assert_memory_equal(&gauges, &none, sizeof none);
    for (uint32_t i = 0; i < 2 * PORTS; i++) {
        assert_false(world.is_open[i / PORTS][i % PORTS]);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        assert_true(turn_fixture_is_empty(workers[i].f));
        void *fixture = workers[i].f;
        assert_int_equal(turn_fixture_teardown(&fixture), 0);
    }
    turn_commons_deinit(world.commons);
    free(world.commons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_serve_one_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

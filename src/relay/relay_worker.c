// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_worker.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "crypto/crypto_wipe.h"
#include "io/io_random.h"
#include "log/log.h"
#include "relay/relay_address.h"

static void open_spans(struct relay_worker *worker)
{
    uint64_t seed = 0;

    io_random_fill((uint8_t *)&seed, sizeof seed);
    relay_spans_init(&worker->spans, worker->share->group.config->otlp.sampled, seed);
}

static int open_server(struct relay_worker *worker)
{
    const struct relay_config *config = worker->share->group.config;
    struct turn_config turn = relay_config_turn(config);
    uint8_t seed[TURN_SERVER_SEED_LEN];

    turn.shard_index = worker->index;
    turn.shard_count = worker->share->group.worker_count;
    turn.commons = worker->share->commons;
    turn.policy = relay_policy_current(worker->share->policy);
    turn.has_fast_path = worker->share->offload->is_open;
    worker->server_memory_len = turn_server_size(&turn);
    worker->server_memory = mmap(NULL, worker->server_memory_len, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (worker->server_memory == MAP_FAILED) {
        worker->server_memory = NULL;
        return -errno;
    }
    io_random_fill(seed, sizeof seed);
    worker->server = turn_server_init(worker->server_memory, &turn, seed);
    worker->traffic.server = worker->server;
    crypto_wipe(seed, sizeof seed);
    open_spans(worker);
    if (config->public_ip4.family != ADDR_NONE) {
        worker->sockets.local_ip4 = relay_address_relayed(config, ADDR_IP4);
    }
    if (config->public_ip6.family != ADDR_NONE) {
        worker->sockets.local_ip6 = relay_address_relayed(config, ADDR_IP6);
    }
    return relay_socket_table_open(&worker->sockets, turn.max_allocations);
}

static void take_letters(struct io_watch *watch, uint32_t events)
{
    struct relay_worker *worker = watch->context;
    struct relay_mailbox *mailbox = &worker->share->mailboxes[worker->index];
    const uint32_t orders = relay_mailbox_take(mailbox);

    (void)events;
    relay_traffic_from_workers(&worker->traffic);
    if ((orders & RELAY_MAILBOX_COUNT) != 0) {
        const uint64_t round = relay_board_round(worker->share->board);
        const struct relay_counts counts = relay_worker_counts(worker);
        if (!relay_board_post(worker->share->board, worker->index, round, &counts)) {
            relay_mailbox_order(mailbox, RELAY_MAILBOX_COUNT); // after the packets that have come
        }
    }
    if ((orders & RELAY_MAILBOX_ADOPT) != 0) {
        const struct turn_policy *policy = relay_policy_current(worker->share->policy);
        relay_traffic_adopt(&worker->traffic, policy);
        relay_policy_adopted(worker->share->policy, worker->index, policy);
    }
    if ((orders & RELAY_MAILBOX_PULSE) != 0) {
        daemon_pulse_answer(worker->share->pulse, worker->index);
    }
    if ((orders & RELAY_MAILBOX_SURVEY) != 0 &&
        relay_survey_step(worker->share->survey, worker->index, worker->server,
                          worker->share->offload)) {
        relay_mailbox_order(mailbox, RELAY_MAILBOX_SURVEY); // after the packets that have come
    }
    if ((orders & RELAY_MAILBOX_STOP) != 0) {
        worker->is_over = true;
    }
    // RELAY_MAILBOX_WAKE: the loop has turned, and that is all.
}

static int watch_letters(struct relay_worker *worker)
{
    worker->letters = (struct io_watch){
        .fd = worker->share->mailboxes[worker->index].fd,
        .fn = take_letters,
        .context = worker,
    };
    return io_loop_add(&worker->loop, &worker->letters, IO_READABLE);
}

static int open_all(struct relay_worker *worker)
{
    int error = io_loop_open(&worker->loop);

    if (error == 0) {
        error = watch_letters(worker);
    }
    if (error == 0) {
        error = relay_traffic_open(&worker->traffic);
    }
    if (error == 0) {
        error = open_server(worker);
    }
    if (error == 0) {
        error = relay_listen_open(&worker->listen, &worker->share->group, worker->index,
                                  &worker->loop, &worker->traffic);
    }
    return error;
}

int relay_worker_open(struct relay_worker *worker, uint32_t index,
                      const struct relay_worker_share *share)
{
    *worker = (struct relay_worker){
        .index = index,
        .share = share,
        .loop.epoll_fd = -1,
        .sockets =
            {
                .loop = &worker->loop,
                .readable = relay_traffic_from_peers,
                .context = &worker->traffic,
            },
        .traffic =
            {
                .worker = index,
                .mailboxes = share->mailboxes,
                .sockets = &worker->sockets,
                .offload = share->offload,
                .spans = &worker->spans,
                .refusals = &share->refusals[index],
                .to_clients = {&worker->listen.lanes[0][RELAY_LANE_CONTROL].udp,
                               &worker->listen.lanes[1][RELAY_LANE_CONTROL].udp},
            },
    };
    relay_listen_init(&worker->listen);
    int error = open_all(worker);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        relay_worker_close(worker);
    }
    return error;
}

void relay_worker_close(struct relay_worker *worker)
{
    relay_socket_table_close(&worker->sockets);
    relay_listen_close(&worker->listen, &worker->loop);
    if (worker->server != NULL) {
        turn_server_deinit(worker->server);
        worker->server = NULL;
        worker->traffic.server = NULL;
    }
    if (worker->server_memory != NULL) {
        munmap(worker->server_memory, worker->server_memory_len);
        worker->server_memory = NULL;
    }
    relay_traffic_close(&worker->traffic);
    io_loop_remove(&worker->loop, &worker->letters);
    io_loop_close(&worker->loop);
}

// Counts how long the last turn of the loop took, if anything woke it.
static void count_turn(struct relay_worker *worker, struct now now)
{
    struct relay_stats *stats = &worker->traffic.stats;
    const uint32_t count = worker->loop.event_count;

    if (count > 0) {
        histogram_add(count == IO_LOOP_EVENT_MAX ? stats->full_turns : stats->turns,
                      &relay_stats_times, now.mono_ns - worker->loop.woken_ns, 1);
    }
}

int relay_worker_run(struct relay_worker *worker)
{
    worker->is_over = false;
    relay_traffic_settle(&worker->traffic);
    while (!worker->is_over) {
        int error = io_loop_turn(&worker->loop, turn_server_deadline(worker->server));
        if (error != 0) {
            LOG_ERROR("waiting for packets failed", LOG_ERROR_NUMBER("error", error));
            return error;
        }
        count_turn(worker, relay_traffic_settle(&worker->traffic));
    }
    relay_traffic_part(&worker->traffic);
    return 0;
}

struct relay_counts relay_worker_counts(const struct relay_worker *worker)
{
    return (struct relay_counts){
        .turn = *turn_server_stats(worker->server),
        .sockets = relay_traffic_stats(&worker->traffic),
    };
}

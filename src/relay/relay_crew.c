// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_crew.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto/crypto_wipe.h"
#include "io/io_cpu.h"
#include "io/io_random.h"
#include "log/log.h"

enum { MAILBOX_HALF_LEN = 1024 * 1024 }; // bytes: of what turns round in some milliseconds

#define ANSWER_WAIT_NS SECOND_NS // a worker that takes longer hangs

uint32_t relay_crew_count(const struct relay_config *config)
{
    const uint32_t cpus = io_cpu_count();

    if (config->worker_count > 0) {
        return config->worker_count;
    }
    return cpus < RELAY_CONFIG_WORKER_MAX ? cpus : RELAY_CONFIG_WORKER_MAX;
}

uint64_t relay_crew_descriptors(const struct relay_config *config)
{
    const uint64_t families = (uint64_t)(config->public_ip4.family != ADDR_NONE) +
                              (uint64_t)(config->public_ip6.family != ADDR_NONE);

    // Beside the lanes each has its loop and its mailbox.
    return relay_crew_count(config) * (families * RELAY_LANE_COUNT + 2);
}

static void log_counts(struct relay_crew *crew)
{
    const struct relay_counts counts = relay_board_sum(&crew->board);

    relay_counts_log(&counts);
    relay_offload_log(&crew->offload);
}

static void take_news(struct io_watch *watch, uint32_t events)
{
    struct relay_crew *crew = watch->context;

    (void)events;
    relay_board_hush(&crew->board);
    crew->error = relay_board_error(&crew->board);
    if (crew->counts_wait_ns != NEVER && relay_board_awaited(&crew->board) == 0) {
        crew->counts_wait_ns = NEVER;
        log_counts(crew);
    }
}

static void *aligned_zeros(size_t count, size_t len)
{
    void *memory = aligned_alloc(_Alignof(struct relay_crew_member), count * len);

    if (memory != NULL) {
        memset(memory, 0, count * len);
    }
    return memory;
}

static int open_members(struct relay_crew *crew)
{
    int error = 0;

    for (uint32_t i = 0; i < crew->count && error == 0; i++) {
        error = relay_mailbox_open(&crew->mailboxes[i], MAILBOX_HALF_LEN);
    }
    for (uint32_t i = 0; i < crew->count && error == 0; i++) {
        error = relay_worker_open(&crew->members[i].worker, i, &crew->share);
        crew->open_count += error == 0;
    }
    return error;
}

static void take_lock(void *context)
{
    const int error = pthread_mutex_lock(context);
    assert(error == 0);
}

static void give_lock(void *context)
{
    const int error = pthread_mutex_unlock(context);
    assert(error == 0);
}

static int open_commons(struct relay_crew *crew, const struct relay_config *config)
{
    const struct turn_commons_lock lock = {take_lock, give_lock, &crew->commons_lock};
    struct turn_config turn = relay_config_turn(config);
    uint8_t seed[TURN_COMMONS_SEED_LEN];

    turn.shard_count = crew->count;
    crew->commons_memory_len = turn_commons_size(&turn);
    crew->commons_memory = mmap(NULL, crew->commons_memory_len, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (crew->commons_memory == MAP_FAILED) {
        crew->commons_memory = NULL;
        return -errno;
    }
    io_random_fill(seed, sizeof seed);
    crew->commons = turn_commons_init(crew->commons_memory, &turn, &lock, seed);
    crypto_wipe(seed, sizeof seed);
    return 0;
}

static int open_memory(struct relay_crew *crew)
{
    crew->members = aligned_zeros(crew->count, sizeof *crew->members);
    crew->mailboxes = aligned_zeros(crew->count, sizeof *crew->mailboxes);
    if (crew->members == NULL || crew->mailboxes == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < crew->count; i++) {
        crew->mailboxes[i].fd = -1;
    }
    return relay_board_open(&crew->board, crew->count);
}

static int open_all(struct relay_crew *crew, const struct relay_config *config)
{
    int error = relay_listen_probe(config);

    if (error != 0) {
        return error;
    }
    error = open_memory(crew);
    if (error != 0) {
        return error;
    }
    crew->bell = (struct io_watch){.fd = crew->board.fd, .fn = take_news, .context = crew};
    error = io_loop_add(crew->loop, &crew->bell, IO_READABLE);
    if (error != 0) {
        return error;
    }
    error = open_commons(crew, config);
    if (error != 0) {
        return error;
    }
    relay_offload_open(&crew->offload, config, crew->count, crew->loop);
    crew->share = (struct relay_worker_share){
        .group = {.config = config, .worker_count = crew->count},
        .offload = &crew->offload,
        .commons = crew->commons,
        .mailboxes = crew->mailboxes,
        .board = &crew->board,
    };
    io_random_fill(crew->share.group.key, sizeof crew->share.group.key);
    return open_members(crew);
}

int relay_crew_open(struct relay_crew *crew, const struct relay_config *config,
                    struct io_loop *loop)
{
    *crew = (struct relay_crew){
        .count = relay_crew_count(config),
        .board.fd = -1,
        .commons_lock = PTHREAD_MUTEX_INITIALIZER,
        .loop = loop,
        .counts_wait_ns = NEVER,
    };
    const int error = open_all(crew, config);
    crew->share.group.config = NULL; // it was borrowed
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        relay_crew_close(crew);
    }
    return error;
}

void relay_crew_close(struct relay_crew *crew)
{
    relay_crew_stop(crew);
    for (uint32_t i = 0; i < crew->open_count; i++) {
        relay_worker_close(&crew->members[i].worker);
    }
    crew->open_count = 0;
    relay_offload_close(&crew->offload);
    if (crew->commons != NULL) {
        turn_commons_deinit(crew->commons);
        crew->commons = NULL;
        munmap(crew->commons_memory, crew->commons_memory_len);
    }
    for (uint32_t i = 0; crew->mailboxes != NULL && i < crew->count; i++) {
        relay_mailbox_close(&crew->mailboxes[i]);
    }
    io_loop_remove(crew->loop, &crew->bell);
    relay_board_close(&crew->board);
    free(crew->mailboxes);
    free(crew->members);
    crew->mailboxes = NULL;
    crew->members = NULL;
    crypto_wipe(&crew->share, sizeof crew->share);
}

static void *run_member(void *context)
{
    struct relay_worker *worker = context;

    relay_board_end(worker->share->board, worker->index, relay_worker_run(worker));
    return NULL;
}

int relay_crew_start(struct relay_crew *crew)
{
    sigset_t all;
    sigset_t before;
    int error = 0;

    // Signals are this thread's, whichever comes.
    sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 0; i < crew->count && error == 0; i++) {
        struct relay_crew_member *member = &crew->members[i];
        error = pthread_create(&member->thread, NULL, run_member, &member->worker);
        member->is_running = error == 0;
    }
    IGNORE(pthread_sigmask(SIG_SETMASK, &before, NULL)); // it takes what it has given
    if (error != 0) {
        LOG_ERROR("a worker cannot be started", LOG_ERROR_NUMBER("error", error));
    } else {
        LOG_INFO("workers started", LOG_NUMBER("count", crew->count));
    }
    return -error;
}

void relay_crew_stop(struct relay_crew *crew)
{
    for (uint32_t i = 0; i < crew->open_count; i++) {
        if (crew->members[i].is_running) {
            relay_mailbox_order(&crew->mailboxes[i], RELAY_MAILBOX_STOP);
        }
    }
    for (uint32_t i = 0; i < crew->open_count; i++) {
        if (crew->members[i].is_running) {
            const int error = pthread_join(crew->members[i].thread, NULL);
            assert(error == 0); // it is there, and nobody else joins it
            crew->members[i].is_running = false;
        }
    }
}

void relay_crew_ask(struct relay_crew *crew, struct now now)
{
    relay_board_ask(&crew->board);
    for (uint32_t i = 0; i < crew->count; i++) {
        relay_mailbox_order(&crew->mailboxes[i], RELAY_MAILBOX_COUNT);
    }
    crew->counts_wait_ns = now.mono_ns + ANSWER_WAIT_NS;
}

void relay_crew_log(struct relay_crew *crew)
{
    for (uint32_t i = 0; i < crew->open_count; i++) {
        const struct relay_counts counts = relay_worker_counts(&crew->members[i].worker);
        assert(!crew->members[i].is_running);
        relay_board_post(&crew->board, i, &counts);
    }
    log_counts(crew);
}

uint64_t relay_crew_tick(struct relay_crew *crew, struct now now)
{
    const uint64_t offload_ns = relay_offload_tick(&crew->offload, now);

    if (crew->counts_wait_ns <= now.mono_ns) {
        crew->counts_wait_ns = NEVER;
        LOG_WARN("some workers do not answer; what they counted since the last time is missing",
                 LOG_NUMBER("workers", relay_board_awaited(&crew->board)));
        log_counts(crew);
    }
    return offload_ns < crew->counts_wait_ns ? offload_ns : crew->counts_wait_ns;
}

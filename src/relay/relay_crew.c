// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_crew.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto/crypto_wipe.h"
#include "io/io_random.h"
#include "log/log.h"
#include "relay/relay_snapshot.h"

// Bytes: of what turns round in some milliseconds, twice, since one allocation gets half of it.
enum { MAILBOX_HALF_LEN = 2 * 1024 * 1024 };

uint64_t relay_crew_descriptors(const struct relay_config *config)
{
    const uint64_t families = (uint64_t)(config->public_ip4.family != ADDR_NONE) +
                              (uint64_t)(config->public_ip6.family != ADDR_NONE);

    // Beside the lanes each has its loop and its mailbox.
    return config->daemon.worker_count * (families * RELAY_LANE_COUNT + 2);
}

static void take_news(struct io_watch *watch, uint32_t events)
{
    struct relay_crew *crew = watch->context;

    (void)events;
    relay_board_hush(&crew->board);
    crew->error = relay_board_error(&crew->board);
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
    return relay_policy_open(&crew->policy, &turn, crew->count);
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
    crew->refusals = calloc(crew->count, sizeof *crew->refusals);
    for (uint32_t i = 0; crew->refusals != NULL && i < crew->count; i++) {
        const int error = relay_refusals_open(&crew->refusals[i]);
        if (error != 0) {
            return error;
        }
    }
    if (crew->refusals == NULL) {
        return -ENOMEM;
    }
    const int survey_error = relay_survey_open(&crew->survey, crew->count);
    if (survey_error != 0) {
        return survey_error;
    }
    daemon_pulse_init(&crew->pulse, crew->count);
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
        .refusals = crew->refusals,
        .survey = &crew->survey,
        .pulse = &crew->pulse,
        .policy = &crew->policy,
        .fitting_allocations = config->fitting_allocations,
    };
    io_random_fill(crew->share.group.key, sizeof crew->share.group.key);
    return open_members(crew);
}

int relay_crew_open(struct relay_crew *crew, const struct relay_config *config,
                    struct io_loop *loop)
{
    *crew = (struct relay_crew){
        .count = config->daemon.worker_count,
        .max_allocations = config->max_allocations,
        .board.fd = -1,
        .commons_lock = PTHREAD_MUTEX_INITIALIZER,
        .loop = loop,
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
    relay_policy_close(&crew->policy);
    relay_board_close(&crew->board);
    for (uint32_t i = 0; crew->refusals != NULL && i < crew->count; i++) {
        relay_refusals_close(&crew->refusals[i]);
    }
    free(crew->refusals);
    relay_survey_close(&crew->survey);
    crew->refusals = NULL;
    free(crew->mailboxes);
    free(crew->members);
    crew->mailboxes = NULL;
    crew->members = NULL;
    crypto_wipe(&crew->share, sizeof crew->share);
}

static void *run_member(void *context)
{
    struct relay_worker *worker = context;

    relay_board_begin(worker->share->board, worker->index);
    const int error = relay_worker_run(worker);
    const struct relay_counts counts = relay_worker_counts(worker);

    relay_board_end(worker->share->board, worker->index, &counts, error);
    return NULL;
}

int relay_crew_start(struct relay_crew *crew)
{
    int error = 0;

    for (uint32_t i = 0; i < crew->count && error == 0; i++) {
        struct relay_crew_member *member = &crew->members[i];
        error = io_thread_start(&member->thread, "worker", run_member, &member->worker);
    }
    if (error != 0) {
        LOG_ERROR("a worker cannot be started", LOG_ERROR_NUMBER("error", error));
    } else {
        LOG_INFO("workers started", LOG_NUMBER("count", crew->count));
    }
    return error;
}

void relay_crew_stop(struct relay_crew *crew)
{
    for (uint32_t i = 0; i < crew->open_count; i++) {
        if (crew->members[i].thread.is_running) {
            relay_mailbox_order(&crew->mailboxes[i], RELAY_MAILBOX_STOP);
        }
    }
    for (uint32_t i = 0; i < crew->open_count; i++) {
        io_thread_join(&crew->members[i].thread);
    }
}

int relay_crew_change(struct relay_crew *crew, const struct turn_config *config)
{
    const int error = relay_policy_change(&crew->policy, config);

    for (uint32_t i = 0; i < crew->count && error == 0; i++) {
        relay_mailbox_order(&crew->mailboxes[i], RELAY_MAILBOX_ADOPT);
    }
    return error;
}

bool relay_crew_is_settled(struct relay_crew *crew)
{
    return relay_policy_settle(&crew->policy);
}

void relay_crew_drain(struct relay_crew *crew)
{
    turn_commons_drain(crew->commons);
}

uint32_t relay_crew_allocations(const struct relay_crew *crew)
{
    return turn_commons_allocations(crew->commons);
}

void relay_crew_feel(struct relay_crew *crew)
{
    daemon_pulse_ask(&crew->pulse);
    for (uint32_t i = 0; i < crew->count; i++) {
        relay_mailbox_order(&crew->mailboxes[i], RELAY_MAILBOX_PULSE);
    }
}

uint32_t relay_crew_missing(const struct relay_crew *crew)
{
    return daemon_pulse_missing(&crew->pulse);
}

void relay_crew_log(struct relay_crew *crew)
{
    static struct relay_snapshot snapshot;

    relay_snapshot_take(&snapshot, &crew->share);
    if (snapshot.gauges.late_workers > 0) {
        LOG_WARN("some workers do not answer; what they counted since the last time is missing",
                 LOG_NUMBER("workers", snapshot.gauges.late_workers));
    }
    relay_counts_log(&snapshot.counts);
    relay_offload_log(&crew->offload);
}

uint64_t relay_crew_tick(struct relay_crew *crew, struct now now)
{
    return relay_offload_tick(&crew->offload, now);
}

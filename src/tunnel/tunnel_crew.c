// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_crew.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static void on_news(struct io_watch *watch, uint32_t events)
{
    struct tunnel_crew *crew = watch->context;
    struct tunnel_letter letter;

    (void)events;
    while (tunnel_mailbox_take(&crew->news, &letter)) {
        const struct tunnel_session *session = tunnel_crew_session(crew, letter.session);

        assert(letter.type == TUNNEL_LETTER_ENDED);
        crew->loads[session->worker]--;
        crew->on_ended(crew->context, letter.session, session);
    }
}

static int open_workers(struct tunnel_crew *crew)
{
    int error = 0;

    for (uint32_t i = 0; error == 0 && i < crew->worker_count; i++) {
        struct tunnel_worker *worker = &crew->workers[i];

        worker->number = i;
        worker->sessions = crew->sessions;
        worker->session_max = crew->session_max;
        worker->news = &crew->news;
        worker->pulse = &crew->pulse;
        worker->survey = &crew->survey;
        error = tunnel_worker_open(worker, IO_FLOW_SWITCHES);
    }
    return error;
}

int tunnel_crew_open(struct tunnel_crew *crew, struct io_loop *loop,
                     const struct tunnel_crew_config *config)
{
    assert(config->worker_count > 0);
    crew->loop = loop;
    crew->on_ended = config->on_ended;
    crew->context = config->context;
    crew->session_max = config->session_max;
    crew->news.bell = (struct io_watch){.fd = -1, .fn = on_news, .context = crew};
    void *sessions = mmap(NULL, config->session_max * sizeof crew->sessions[0],
                          PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sessions == MAP_FAILED) {
        return -errno;
    }
    crew->sessions = sessions;
    crew->workers = calloc(config->worker_count, sizeof crew->workers[0]);
    crew->loads = calloc(config->worker_count, sizeof crew->loads[0]);
    if (crew->workers == NULL || crew->loads == NULL) {
        return -ENOMEM;
    }
    crew->worker_count = config->worker_count;
    daemon_pulse_init(&crew->pulse, config->worker_count);
    int error = tunnel_mailbox_open(&crew->news, config->session_max);
    if (error == 0) {
        error = io_loop_add(loop, &crew->news.bell, IO_READABLE);
    }
    return error == 0 ? open_workers(crew) : error;
}

void tunnel_crew_close(struct tunnel_crew *crew)
{
    for (uint32_t i = 0; i < crew->worker_count; i++) {
        if (crew->workers[i].sessions != NULL) { // its opening was tried
            tunnel_worker_close(&crew->workers[i]);
        }
    }
    crew->worker_count = 0;
    free(crew->workers);
    free(crew->loads);
    crew->workers = NULL;
    crew->loads = NULL;
    if (crew->loop != NULL) {
        io_loop_remove(crew->loop, &crew->news.bell);
    }
    tunnel_mailbox_close(&crew->news);
    if (crew->sessions != NULL) {
        munmap(crew->sessions, crew->session_max * sizeof crew->sessions[0]);
        crew->sessions = NULL;
    }
}

int tunnel_crew_start(struct tunnel_crew *crew)
{
    int error = 0;

    for (uint32_t i = 0; error == 0 && i < crew->worker_count; i++) {
        error = tunnel_worker_start(&crew->workers[i]);
    }
    return error;
}

void tunnel_crew_stop(struct tunnel_crew *crew)
{
    for (uint32_t i = 0; i < crew->worker_count; i++) {
        tunnel_worker_stop(&crew->workers[i]);
    }
}

struct tunnel_session *tunnel_crew_session(struct tunnel_crew *crew, struct pool_ref ref)
{
    assert(ref.index < crew->session_max);
    return &crew->sessions[ref.index];
}

// The worker with the fewest sessions, and the first one if none works any more: it gives back what
// it is given.
static uint32_t find_least(const struct tunnel_crew *crew)
{
    uint32_t least = 0;

    for (uint32_t i = 1; i < crew->worker_count; i++) {
        const bool is_better =
            atomic_load(&crew->workers[least].has_failed) || crew->loads[i] < crew->loads[least];
        least = !atomic_load(&crew->workers[i].has_failed) && is_better ? i : least;
    }
    return least;
}

void tunnel_crew_join(struct tunnel_crew *crew, struct pool_ref ref, int client_fd,
                      struct io_stream reverse)
{
    struct tunnel_session *session = tunnel_crew_session(crew, ref);
    const uint32_t least = find_least(crew);

    crew->loads[least]++;
    session->worker = least;
    session->client_fd = client_fd;
    session->reverse = reverse;
    atomic_store(&session->told_bytes[0], 0);
    atomic_store(&session->told_bytes[1], 0);
    assert(atomic_load(&session->owner) == 0);
    atomic_store(&session->owner, tunnel_session_owner(ref, least));
    tunnel_mailbox_put(&crew->workers[least].orders,
                       (struct tunnel_letter){TUNNEL_LETTER_JOIN, ref});
}

void tunnel_crew_end(struct tunnel_crew *crew, struct pool_ref ref)
{
    const struct tunnel_session *session = tunnel_crew_session(crew, ref);

    tunnel_mailbox_put(&crew->workers[session->worker].orders,
                       (struct tunnel_letter){TUNNEL_LETTER_END, ref});
}

void tunnel_crew_survey(struct tunnel_crew *crew)
{
    atomic_fetch_add(&crew->survey, 1);
    tunnel_crew_feel(crew);
}

void tunnel_crew_feel(struct tunnel_crew *crew)
{
    daemon_pulse_ask(&crew->pulse);
    for (uint32_t i = 0; i < crew->worker_count; i++) {
        tunnel_mailbox_ring(&crew->workers[i].orders);
    }
}

uint32_t tunnel_crew_missing(const struct tunnel_crew *crew)
{
    return daemon_pulse_missing(&crew->pulse);
}

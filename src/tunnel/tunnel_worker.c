// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "log/log.h"

enum { LETTERS_PER_SESSION = 3 }; // END of the former one, JOIN, END

static struct tunnel_session *session_of(const struct tunnel_worker *worker, struct pool_ref ref)
{
    assert(ref.index < worker->session_max);
    return &worker->sessions[ref.index];
}

// Gives a session back.
static void give_back(struct tunnel_worker *worker, struct tunnel_session *session,
                      enum io_pump_why why)
{
    const struct pool_ref ref = {
        .index = (uint32_t)(session - worker->sessions),
        .generation = (uint32_t)(atomic_load(&session->owner) >> 32),
    };

    session->why = why;
    atomic_store(&session->owner, 0);
    tunnel_mailbox_put(worker->news, (struct tunnel_letter){TUNNEL_LETTER_ENDED, ref});
}

static void on_end(struct io_pump *pump, enum io_pump_why why)
{
    struct tunnel_worker *worker = pump->context;
    void *session = (uint8_t *)pump - offsetof(struct tunnel_session, pump);

    give_back(worker, session, why);
}

static void join(struct tunnel_worker *worker, struct tunnel_session *session)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    const struct io_stream client = io_stream_plain(io_fd_take(&session->client_fd));
    const struct io_stream reverse = io_stream_take(&session->reverse);

    session->pump = (struct io_pump){.on_end = on_end, .context = worker};
    const int error =
        io_pump_start(&worker->pumps, &session->pump, client, reverse, (struct bytes){0});
    if (error != 0) {
        LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "a session could not begin",
                    LOG_ERROR_NUMBER("error", error));
        give_back(worker, session, IO_PUMP_NO_MEMORY);
    }
}

static void take_orders(struct tunnel_worker *worker, uint64_t now_ns)
{
    struct tunnel_letter letter;

    while (tunnel_mailbox_take(&worker->orders, &letter)) {
        struct tunnel_session *session = session_of(worker, letter.session);

        if (atomic_load(&session->owner) != tunnel_session_owner(letter.session, worker->number)) {
            continue; // it has ended meanwhile, which is on its way to whoever wrote this
        }
        switch (letter.type) {
        case TUNNEL_LETTER_JOIN:
            join(worker, session);
            break;
        case TUNNEL_LETTER_END:
            io_pump_end(&session->pump, now_ns);
            break;
        case TUNNEL_LETTER_ENDED:
            assert(!"a letter that workers write");
            break;
        }
    }
}

static void answer_survey(struct tunnel_worker *worker)
{
    const uint32_t survey = atomic_load(worker->survey);

    for (uint32_t i = 0; survey != worker->survey_answered && i < worker->session_max; i++) {
        struct tunnel_session *session = &worker->sessions[i];

        // One that has not been begun yet has its descriptors still.
        if ((uint32_t)atomic_load(&session->owner) == worker->number + 1 &&
            session->client_fd < 0) {
            atomic_store(&session->told_bytes[0], session->pump.flows[0].byte_count);
            atomic_store(&session->told_bytes[1], session->pump.flows[1].byte_count);
        }
    }
    worker->survey_answered = survey;
}

static void on_bell(struct io_watch *watch, uint32_t events)
{
    struct tunnel_worker *worker = watch->context;

    (void)events;
    take_orders(worker, worker->loop.woken_ns);
    answer_survey(worker);
    daemon_pulse_answer(worker->pulse, worker->number);
}

int tunnel_worker_open(struct tunnel_worker *worker, enum io_flow_way way)
{
    worker->loop.epoll_fd = -1;
    worker->orders.bell = (struct io_watch){.fd = -1, .fn = on_bell, .context = worker};
    atomic_init(&worker->is_over, false);
    atomic_init(&worker->has_failed, false);
    int error = io_loop_open(&worker->loop);
    if (error == 0) {
        io_pump_all_open(&worker->pumps, &worker->loop, way);
        error = tunnel_mailbox_open(&worker->orders, worker->session_max * LETTERS_PER_SESSION + 1);
    }
    if (error == 0) {
        error = io_loop_add(&worker->loop, &worker->orders.bell, IO_READABLE);
    }
    return error;
}

// Its sessions and what it was given without having looked at it. With news of each, or without.
static void cut_all(struct tunnel_worker *worker, bool has_news)
{
    for (uint32_t i = 0; i < worker->session_max; i++) {
        struct tunnel_session *session = &worker->sessions[i];

        if ((uint32_t)atomic_load(&session->owner) != worker->number + 1) {
            continue;
        }
        io_pump_cut(&session->pump);
        io_fd_close(&session->client_fd);
        io_stream_close(&session->reverse);
        if (has_news) {
            give_back(worker, session, IO_PUMP_FAILED);
        } else {
            atomic_store(&session->owner, 0);
        }
    }
}

// After its loop has failed: no session's place is lost. Whoever writes to it may not know yet.
static void give_up(struct tunnel_worker *worker)
{
    struct pollfd bell = {.fd = worker->orders.bell.fd, .events = POLLIN};
    struct tunnel_letter letter;

    atomic_store(&worker->has_failed, true);
    while (!atomic_load(&worker->is_over)) {
        while (tunnel_mailbox_take(&worker->orders, &letter)) {
        } // whose sessions are found below
        cut_all(worker, true);
        IGNORE(poll(&bell, 1, -1)); // what cuts it short does no harm
    }
}

void tunnel_worker_close(struct tunnel_worker *worker)
{
    assert(!worker->thread.is_running);
    if (worker->pumps.loop != NULL) {
        io_pump_all_close(&worker->pumps);
        worker->pumps.loop = NULL;
    }
    io_loop_remove(&worker->loop, &worker->orders.bell);
    tunnel_mailbox_close(&worker->orders);
    io_loop_close(&worker->loop);
}

static void publish(struct tunnel_worker *worker)
{
    const struct io_flow_means *means = &worker->pumps.means;

    atomic_store_explicit(&worker->counts.bytes, means->byte_count, memory_order_relaxed);
    atomic_store_explicit(&worker->counts.spliced_bytes, means->spliced_count,
                          memory_order_relaxed);
    atomic_store_explicit(&worker->counts.pipes, means->pipes.lent_count, memory_order_relaxed);
}

static void *work(void *context)
{
    struct tunnel_worker *worker = context;

    while (!atomic_load(&worker->is_over)) {
        const int error = io_loop_turn(&worker->loop, io_pump_all_deadline(&worker->pumps));
        if (error != 0) {
            LOG_ERROR("a worker has failed, and its sessions are lost",
                      LOG_NUMBER("worker", worker->number), LOG_ERROR_NUMBER("error", error));
            give_up(worker);
            break;
        }
        io_pump_all_run(&worker->pumps, worker->loop.woken_ns);
        publish(worker);
    }
    cut_all(worker, false);
    return NULL;
}

int tunnel_worker_start(struct tunnel_worker *worker)
{
    char name[16];

    snprintf(name, sizeof name, "worker-%u", worker->number);
    return io_thread_start(&worker->thread, name, work, worker);
}

void tunnel_worker_stop(struct tunnel_worker *worker)
{
    if (worker->thread.is_running) {
        atomic_store(&worker->is_over, true);
        tunnel_mailbox_ring(&worker->orders);
        io_thread_join(&worker->thread);
    }
}

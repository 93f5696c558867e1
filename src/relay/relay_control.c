// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_control.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "daemon/daemon_log.h"
#include "daemon/daemon_user.h"
#include "io/io_alarm.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_signal.h"
#include "log/log.h"
#include "relay/relay_options.h"

enum {
    STOP_WAIT_S = 7, // all threads are stopped by then, or one hangs
};

_Static_assert(STOP_WAIT_S >= RELAY_PORTAL_STOP_S + DAEMON_OTLP_END_MS / 1000 + 2,
               "a portal and a collector that say nothing are no threads that hang");

// The threads besides this one and the workers, in the order in which they are opened. What of them
// needs root or the configuration is done when they are opened; they run as nobody, beside workers
// that serve, and are stopped before the workers are; but for the telemetry.

// Reads what they need of `config`, opens what needs root, and logs what fails. 0 or -errno.
static int open_threads(struct relay_control *control, const struct relay_config *config)
{
    int error = relay_web_open(&control->web, config, &control->status, &control->crew.share);

    if (error == 0) {
        error = relay_portal_open(&control->portal, config, &control->status);
    }
    if (error == 0) {
        error = relay_otlp_open(&control->otlp, config, &control->crew);
    }
    return error;
}

// They inherit this thread's user, and take no signals. 0 or -errno.
static int start_threads(struct relay_control *control)
{
    int error = daemon_web_start(&control->web.daemon);

    if (error == 0) {
        error = relay_portal_start(&control->portal);
    }
    if (error == 0) {
        error = daemon_otlp_start(&control->otlp.daemon);
    }
    return error;
}

// Nothing happens to those that do not run.
static void stop_threads(struct relay_control *control)
{
    relay_portal_stop(&control->portal);
    daemon_web_stop(&control->web.daemon);
}

// Nothing happens to those that are not open.
static void close_threads(struct relay_control *control)
{
    daemon_otlp_close(&control->otlp.daemon);
    relay_portal_close(&control->portal);
    relay_web_close(&control->web);
}

static const struct daemon_drain_words drain_words = {
    .things = "allocations",
    .begun = "draining: no new allocations, until the last one ends or another signal comes",
    .ended = "ending, since the last allocation has ended",
};

// It is to end, for a reason that has been logged. What the portal and the health checks see is
// that it drains, before it is anything else.
static void drain(struct relay_control *control)
{
    relay_status_draining(&control->status);
    relay_portal_leave(&control->portal);
    relay_crew_drain(&control->crew);
    daemon_drain_begin(&control->drain, relay_crew_allocations(&control->crew), io_clock_now());
}

// While all workers answer, they are asked once more. When to look again, or NEVER.
static uint64_t watchdog_tick(struct relay_control *control, struct now now)
{
    if (daemon_watchdog_tick(&control->watchdog, relay_crew_missing(&control->crew), now)) {
        relay_crew_feel(&control->crew);
    }
    return control->watchdog.due_ns;
}

static uint64_t reload_for_asker(void *context)
{
    struct relay_control *control = context;

    return relay_change_begin(&control->change);
}

static void on_signal(struct io_watch *watch, uint32_t events)
{
    struct relay_control *control = watch->context;
    int number = 0;

    (void)events;
    if (!io_signal_read(watch->fd, &number)) {
        return;
    }
    if (number == SIGUSR1) {
        relay_crew_log(&control->crew);
    } else if (number == SIGHUP) {
        IGNORE(relay_change_begin(&control->change)); // what comes of it is logged
    } else if (number == SIGUSR2) {
        relay_offload_switch(&control->crew.offload);
    } else if (daemon_drain_signal(&control->drain, number)) {
        drain(control);
    }
}

static void on_news(struct io_watch *watch, uint32_t events)
{
    struct relay_control *control = watch->context;

    (void)events;
    relay_status_hush(&control->status);
    if (relay_status_portal(&control->status) == RELAY_STATUS_PORTAL_REFUSED) {
        control->is_refused = true;
        if (control->drain.state == DAEMON_DRAIN_SERVING) {
            LOG_ERROR("ending, since the portal refuses the relay");
            drain(control);
        }
    }
}

// What happens outside of the workers, as something to wait for. 0 or -errno.
static int open_watches(struct relay_control *control)
{
    int error = io_signal_open(&control->signals.fd);

    if (error == 0) {
        error = io_loop_add(&control->loop, &control->signals, IO_READABLE);
    }
    if (error != 0) {
        LOG_ERROR("signals cannot be received", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    control->news.fd = control->status.fd;
    error = io_loop_add(&control->loop, &control->news, IO_READABLE);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

static int open_ctl(struct relay_control *control, struct bytes path)
{
    const struct daemon_ctl_config config = {
        .path = path,
        .name = RELAY_OPTIONS_SOCKET,
        .environment = environ,
        .answer = relay_answer_request,
        .context = &control->answer,
    };

    return daemon_ctl_open(&control->ctl, &control->loop, &config);
}

int relay_control_open(struct relay_control *control, const struct relay_config *config)
{
    *control = (struct relay_control){
        .loop.epoll_fd = -1,
        .status.fd = -1,
        .ctl.listener.fd = -1,
        .answer = {.crew = &control->crew,
                   .status = &control->status,
                   .reload = reload_for_asker,
                   .context = control},
        .notify.fd = -1,
        .signals = {.fd = -1, .fn = on_signal, .context = control},
        .news = {.fd = -1, .fn = on_news, .context = control},
    };
    daemon_watchdog_init(&control->watchdog, &control->notify,
                         "workers do not answer, and the service manager is not told any more that "
                         "the relay is alive");
    daemon_drain_init(&control->drain, &drain_words, &control->notify,
                      config->daemon.drain_timeout_s);
    relay_change_init(&control->change, &control->crew, &control->notify, &control->ctl,
                      &control->drain);
    int error = io_loop_open(&control->loop);
    if (error == 0) {
        error = relay_status_open(&control->status);
    }
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    control->has_crew = true;
    error = relay_crew_open(&control->crew, config, &control->loop);
    if (error == 0) {
        error = open_watches(control);
    }
    if (error == 0) {
        error = open_ctl(control, config->daemon.control_socket);
    }
    if (error == 0) {
        error = open_threads(control, config);
    }
    if (error != 0) {
        return error;
    }
    daemon_notify_open(&control->notify, environ);
    error = daemon_user_drop();
    if (error != 0) {
        LOG_ERROR("root cannot be given up; start the relay as another user",
                  LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

void relay_control_close(struct relay_control *control)
{
    close_threads(control);
    daemon_ctl_close(&control->ctl);
    io_loop_remove(&control->loop, &control->signals);
    io_fd_close(&control->signals.fd);
    io_loop_remove(&control->loop, &control->news);
    if (control->has_crew) {
        relay_crew_close(&control->crew);
    }
    daemon_notify_close(&control->notify);
    relay_status_close(&control->status);
    io_loop_close(&control->loop);
}

// Does what is due. When it is to be called next (monotonic ns), or NEVER.
static uint64_t tick(struct relay_control *control, struct now now)
{
    uint64_t next_ns = relay_crew_tick(&control->crew, now);

    const uint64_t watchdog_ns = watchdog_tick(control, now);
    const uint64_t change_ns = relay_change_tick(&control->change, now);

    next_ns = watchdog_ns < next_ns ? watchdog_ns : next_ns;
    next_ns = change_ns < next_ns ? change_ns : next_ns;
    const uint64_t ctl_ns = daemon_ctl_tick(&control->ctl, now);
    next_ns = ctl_ns < next_ns ? ctl_ns : next_ns;
    if (control->drain.state == DAEMON_DRAIN_DRAINING) {
        const uint64_t drain_ns =
            daemon_drain_tick(&control->drain, relay_crew_allocations(&control->crew), now);
        next_ns = drain_ns < next_ns ? drain_ns : next_ns;
    }
    return next_ns;
}

// While the workers serve. 0 or -errno.
static int attend(struct relay_control *control)
{
    int error = 0;

    while (error == 0) {
        const uint64_t next_ns = tick(control, io_clock_now());
        if (control->drain.state == DAEMON_DRAIN_OVER) {
            break;
        }
        error = io_loop_turn(&control->loop, next_ns);
        if (error != 0) {
            LOG_ERROR("waiting for signals failed", LOG_ERROR_NUMBER("error", error));
        } else {
            error = control->crew.error;
        }
    }
    return error;
}

// Joins all threads. One that hangs does not hold the end up: there is none to come back to then.
static void stop_all(struct relay_control *control)
{
    const int error = io_alarm_set(
        STOP_WAIT_S, "fairlead-relay: a thread does not stop; ending without waiting for it\n");

    if (error != 0) {
        LOG_WARN("the time to stop has no limit", LOG_ERROR_NUMBER("error", error));
    }
    stop_threads(control);
    relay_crew_stop(&control->crew);
    daemon_otlp_stop(&control->otlp.daemon); // it tells what the workers have counted to the last
    io_alarm_clear();
}

bool relay_control_run(struct relay_control *control)
{
    int error = relay_crew_start(&control->crew);

    if (error == 0) {
        relay_status_serving(&control->status, true);
        error = start_threads(control);
    }
    if (error == 0) {
        daemon_notify_ready(&control->notify);
        daemon_watchdog_start(&control->watchdog);
        error = attend(control);
    }
    relay_status_serving(&control->status, false);
    stop_all(control);
    relay_crew_log(&control->crew);
    return error == 0 && !control->is_refused;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_relay.h"

#include <signal.h>
#include <unistd.h>

#include "daemon/daemon_log.h"
#include "daemon/daemon_user.h"
#include "io/io_alarm.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_privilege.h"
#include "io/io_signal.h"
#include "log/log.h"
#include "tunnel/tunnel_certificates.h"
#include "tunnel/tunnel_metrics.h"
#include "tunnel/tunnel_options.h"
#include "tunnel/tunnel_state.h"

enum {
    STOP_WAIT_S = 5 + DAEMON_OTLP_END_MS / 1000
}; // all threads are stopped by then, or one hangs

static const struct daemon_drain_words drain_words = {
    .things = "sessions",
    .begun = "draining: no new servers and clients, until the last session ends or another signal "
             "comes",
    .ended = "ending, since the last session has ended",
};

// --- the end -------------------------------------------------------------------------------------

static void drain(struct tunnel_relay *relay)
{
    atomic_store(&relay->is_draining, true);
    tunnel_broker_drain(&relay->broker, relay->drain.timeout_s);
    daemon_drain_begin(&relay->drain, tunnel_broker_busy(&relay->broker), io_clock_now());
}

// --- a new configuration -------------------------------------------------------------------------

// Whether version 2 is served is decided at the start. Without its list nobody is on it. False,
// which is logged: it cannot be read.
static bool read_access(bool has_second, const struct tunnel_config *config,
                        struct tunnel_access *out, struct wr *told)
{
    const bool wants_second = tunnel_config_has_second(config);

    if (has_second && wants_second) {
        return tunnel_access_open(out, config->access, true, told) == 0;
    }
    if (has_second != wants_second) {
        LOG_WARN(has_second ? "there is no access list any more: no agent may have anything"
                            : "version 2 is served from the next start on");
    }
    return true;
}

// All that can change does, or nothing. False, which is logged: nothing; `told` has then a line for
// all that is wrong beside the configuration.
static bool change(struct tunnel_relay *relay, struct wr *told)
{
    struct tunnel_config config;
    struct io_tls_context *tls = NULL;
    struct tunnel_access access = {0};
    const bool has_second = tunnel_second_is_open(&relay->broker.second);

    if (!daemon_reload_read(relay->reload, tunnel_config_read, &config)) {
        return false;
    }
    if (config.state.len == 0 && relay->keeps_here) {
        tunnel_config_keep_in(&config, bytes_of_text("./" TUNNEL_STATE_HERE));
    }
    if (!read_access(has_second, &config, &access, told)) {
        return false;
    }
    if (tunnel_certificates_open(config.keys, relay->speaks, told, &tls) != 0) {
        tunnel_access_close(&access);
        return false;
    }
    tunnel_broker_certify(&relay->broker, tls);
    tunnel_broker_adopt(&relay->broker, &config, &access);
    io_tls_context_close(relay->tls); // connections that have it keep it
    relay->tls = tls;
    relay->drain.timeout_s = config.daemon.drain_timeout_s;
    daemon_log_filter(&config.daemon);
    return true;
}

// What came of it is logged, and written.
static void reload(void *context, struct wr *wr)
{
    struct tunnel_relay *relay = context;
    static uint8_t told_text[TUNNEL_ANSWER_TOLD_MAX];
    struct wr told = wr_init(told_text, sizeof told_text);

    if (relay->drain.state != DAEMON_DRAIN_SERVING) {
        LOG_WARN("not reloading, since the relay ends");
        wr_text(wr, "failed: nothing is reloaded, since the relay ends\n");
        return;
    }
    LOG_INFO("reloading");
    daemon_notify_reloading(&relay->notify, io_clock_now());
    const bool is_good = change(relay, &told);
    daemon_reload_log(relay->reload, tunnel_options_program.name);
    if (is_good) {
        LOG_INFO("the configuration and the certificates are reloaded");
        wr_text(wr, "The configuration and the certificates are reloaded.\n");
    } else {
        LOG_ERROR("nothing was reloaded; all is as it was");
        wr_text(wr, "failed: nothing was reloaded; all is as it was\n");
        wr_bytes(wr, wr_done(&told));
    }
    daemon_reload_write(relay->reload, tunnel_options_program.name, wr);
    daemon_reload_end(relay->reload);
    daemon_notify_ready(&relay->notify);
}

static void on_signal(struct io_watch *watch, uint32_t events)
{
    struct tunnel_relay *relay = watch->context;
    int number = 0;

    (void)events;
    if (!io_signal_read(watch->fd, &number)) {
        return;
    }
    if (number == SIGHUP) {
        struct wr nobody = wr_init(NULL, 0);
        reload(relay, &nobody);
    } else if (number != SIGUSR1 && number != SIGUSR2 &&
               daemon_drain_signal(&relay->drain, number)) {
        drain(relay);
    }
}

// --- its life ------------------------------------------------------------------------------------

// Called in the web thread.
static const char *why_unready(void *context)
{
    struct tunnel_relay *relay = context;

    return atomic_load(&relay->is_draining) ? "the relay drains\n" : NULL;
}

static void metrics_write(void *context, struct wr *wr)
{
    struct tunnel_relay *relay = context;
    struct tunnel_snapshot snapshot;

    tunnel_board_read(&relay->board, &snapshot);
    tunnel_metrics_write(wr, &snapshot);
}

static int open_signals(struct tunnel_relay *relay)
{
    int error = io_signal_open(&relay->signals.fd);

    if (error == 0) {
        error = io_loop_add(&relay->loop, &relay->signals, IO_READABLE);
    }
    if (error != 0) {
        LOG_ERROR("signals cannot be received", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

static int open_ctl(struct tunnel_relay *relay, struct bytes path)
{
    const struct daemon_ctl_config config = {
        .path = path,
        .name = TUNNEL_OPTIONS_SOCKET_PATH,
        .environment = environ,
        .answer = tunnel_answer_request,
        .context = &relay->answer,
    };

    return daemon_ctl_open(&relay->ctl, &relay->loop, &config);
}

int tunnel_relay_open(struct tunnel_relay *relay, const struct tunnel_config *config)
{
    const struct daemon_web_subject subject = {
        .why_unready = why_unready,
        .metrics_write = metrics_write,
        .context = relay,
    };

    *relay = (struct tunnel_relay){
        .loop.epoll_fd = -1,
        .signals = {.fd = -1, .fn = on_signal, .context = relay},
        .notify.fd = -1,
        .speaks = tunnel_config_speaks(config),
        .ctl.listener.fd = -1,
        .answer = {.broker = &relay->broker,
                   .ctl = &relay->ctl,
                   .drain = &relay->drain,
                   .reload = reload,
                   .context = relay},
    };
    daemon_drain_init(&relay->drain, &drain_words, &relay->notify, config->daemon.drain_timeout_s);
    daemon_watchdog_init(&relay->watchdog, &relay->notify,
                         "workers do not answer, and the service manager is not told any more that "
                         "the relay is alive");
    tunnel_board_init(&relay->board, &relay->broker.crew);
    int error = io_loop_open(&relay->loop);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    error = open_signals(relay);
    if (error == 0) {
        error = tunnel_certificates_open(config->keys, relay->speaks, NULL, &relay->tls);
    }
    if (error == 0) {
        error = tunnel_broker_open(&relay->broker, &relay->loop, config, relay->tls);
    }
    if (error == 0) {
        error = open_ctl(relay, config->daemon.control_socket);
    }
    if (error == 0) {
        error = daemon_web_open(&relay->web, &config->daemon, &subject);
    }
    if (error == 0) {
        error =
            tunnel_otlp_open(&relay->otlp, &config->otlp, &relay->board, &relay->broker.past.spans);
    }
    if (error != 0) {
        return error;
    }
    daemon_notify_open(&relay->notify, environ);
    const bool was_root = io_privilege_is_root();
    error = daemon_user_drop();
    if (error == 0 && was_root) {
        tunnel_certificates_check(config->keys, relay->speaks);
    }
    if (error == 0 && tunnel_config_has_second(config)) {
        tunnel_access_check(config->access);
    }
    if (error != 0) {
        LOG_ERROR("root cannot be given up; start the relay as another user",
                  LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

void tunnel_relay_close(struct tunnel_relay *relay)
{
    daemon_otlp_close(&relay->otlp.daemon);
    daemon_web_close(&relay->web);
    daemon_ctl_close(&relay->ctl);
    tunnel_broker_close(&relay->broker);
    io_tls_context_close(relay->tls);
    io_loop_remove(&relay->loop, &relay->signals);
    io_fd_close(&relay->signals.fd);
    daemon_notify_close(&relay->notify);
    io_loop_close(&relay->loop);
}

// Does what is due. When it is to be called next (monotonic ns).
static uint64_t tick(struct tunnel_relay *relay, struct now now)
{
    uint64_t next_ns = tunnel_broker_tick(&relay->broker, now);
    const uint64_t post_ns = tunnel_board_post(&relay->board, &relay->broker, now);
    const uint64_t drain_ns =
        daemon_drain_tick(&relay->drain, tunnel_broker_busy(&relay->broker), now);

    if (daemon_watchdog_tick(&relay->watchdog, tunnel_crew_missing(&relay->broker.crew), now)) {
        tunnel_crew_feel(&relay->broker.crew);
    }
    const uint64_t ctl_ns = daemon_ctl_tick(&relay->ctl, now);
    const uint64_t answer_ns = tunnel_answer_tick(&relay->answer, now);
    next_ns = ctl_ns < next_ns ? ctl_ns : next_ns;
    next_ns = answer_ns < next_ns ? answer_ns : next_ns;
    next_ns = post_ns < next_ns ? post_ns : next_ns;
    next_ns = drain_ns < next_ns ? drain_ns : next_ns;
    return relay->watchdog.due_ns < next_ns ? relay->watchdog.due_ns : next_ns;
}

// 0 or -errno.
static int attend(struct tunnel_relay *relay)
{
    int error = 0;

    while (error == 0) {
        const uint64_t next_ns = tick(relay, io_clock_now());
        if (relay->drain.state == DAEMON_DRAIN_OVER) {
            break;
        }
        error = io_loop_turn(&relay->loop, next_ns);
    }
    if (error != 0) {
        LOG_ERROR("waiting for connections failed", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

// Joins all threads. One that hangs does not hold the end up: there is none to come back to then.
static void stop_all(struct tunnel_relay *relay)
{
    const int error = io_alarm_set(
        STOP_WAIT_S, "fairlead-tunnel: a thread does not stop; ending without waiting for it\n");

    if (error != 0) {
        LOG_WARN("the time to stop has no limit", LOG_ERROR_NUMBER("error", error));
    }
    daemon_web_stop(&relay->web);
    tunnel_broker_stop(&relay->broker);
    tunnel_board_post_last(&relay->board, &relay->broker, io_clock_now());
    daemon_otlp_stop(&relay->otlp.daemon); // the last, so that nothing is missing
    io_alarm_clear();
}

bool tunnel_relay_run(struct tunnel_relay *relay)
{
    int error = tunnel_broker_start(&relay->broker);

    if (error == 0) {
        error = daemon_web_start(&relay->web);
    }
    if (error == 0) {
        error = daemon_otlp_start(&relay->otlp.daemon);
    }
    if (error == 0) {
        LOG_INFO("serving");
        daemon_notify_ready(&relay->notify);
        daemon_watchdog_start(&relay->watchdog);
        error = attend(relay);
    }
    stop_all(relay);
    return error == 0;
}

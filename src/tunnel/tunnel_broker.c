// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_broker.h"

#include <assert.h>
#include <errno.h>

#include "io/io_clock.h"
#include "io/io_random.h"
#include "log/log.h"
#include "tunnel/tunnel_listen.h"

// --- what happens --------------------------------------------------------------------------------

static void on_control_up(void *context, uint32_t number, const struct addr *peer)
{
    struct tunnel_broker *broker = context;

    if (tunnel_controls_is_second(&broker->controls, number)) {
        tunnel_second_up(&broker->second, number, peer);
    } else {
        tunnel_pairs_up(&broker->pairs, number, peer);
    }
}

static void on_control_received(void *context, uint32_t number, struct bytes bytes)
{
    struct tunnel_broker *broker = context;

    if (tunnel_second_has(&broker->second, number)) {
        tunnel_second_received(&broker->second, number, bytes);
    } else {
        tunnel_pairs_received(&broker->pairs, number, bytes);
    }
}

static void on_control_down(void *context, uint32_t number, const char *reason)
{
    struct tunnel_broker *broker = context;

    if (tunnel_second_has(&broker->second, number)) {
        tunnel_second_down(&broker->second, number, reason);
    } else {
        tunnel_pairs_down(&broker->pairs, number);
    }
}

static void on_control_refused(void *context, const struct addr *peer,
                               enum tunnel_refusal_kind kind, const char *why)
{
    struct tunnel_broker *broker = context;

    tunnel_past_refuse(&broker->past, peer, kind, why, io_clock_now());
}

static const struct tunnel_controls_events control_events = {
    .refused = on_control_refused,
    .up = on_control_up,
    .received = on_control_received,
    .down = on_control_down,
};

static void on_session_ended(void *context, struct pool_ref ref,
                             const struct tunnel_session *session)
{
    struct tunnel_broker *broker = context;

    tunnel_past_end(&broker->past, session, io_clock_now());
    if (ref.index >= broker->pairs.limits.max_sessions) {
        tunnel_second_ended(&broker->second, ref, session);
    } else {
        tunnel_pairs_ended(&broker->pairs, ref, session);
    }
}

static void on_control_port(struct io_accept_at *at, int fd, const struct addr *from)
{
    struct tunnel_broker *broker = at->context;

    if (tunnel_second_is_open(&broker->second)) {
        tunnel_second_come(&broker->second, fd, from);
    } else {
        tunnel_controls_add(&broker->controls, io_clock_now(), fd, from);
    }
}

// Of both versions; each has its own limit besides, which is the same.
static bool is_full(void *context)
{
    const struct tunnel_broker *broker = context;

    return tunnel_broker_busy(broker) >= broker->pairs.limits.max_sessions;
}

static void on_short(void *context, int error)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    (void)context;
    LOG_LIMITED(&limit, LOG_LEVEL_WARN, "connections wait, since the system has no room for them",
                LOG_ERROR_NUMBER("error", error));
}

// --- its life ------------------------------------------------------------------------------------

static int listen_for_control(struct tunnel_broker *broker, const struct tunnel_config *config,
                              struct addr *bound)
{
    const struct io_tcp_options options = {.unacknowledged_ms = TUNNEL_CONTROLS_GONE_MS};
    const struct addr addr = addr_with_port(config->bind_addr, config->core.control_port);

    broker->control_port =
        (struct io_accept_at){.on_connection = on_control_port, .context = broker};
    return tunnel_listen(&broker->accept, &broker->control_port, addr, &options, bound);
}

static int open_parts(struct tunnel_broker *broker, const struct tunnel_config *config)
{
    const uint32_t pair_count = config->core.pair_count;
    const bool has_second = tunnel_config_has_second(config);
    const struct tunnel_crew_config crew = {
        .worker_count = config->daemon.worker_count,
        .session_max = config->core.max_sessions + (has_second ? config->hub.max_sessions : 0),
        .on_ended = on_session_ended,
        .context = broker,
    };

    int error = io_accept_open(&broker->accept, broker->loop, on_short, broker);
    if (error == 0) {
        error = tunnel_controls_open(&broker->controls, broker->loop,
                                     pair_count + (has_second ? config->hub.max_links : 0),
                                     &control_events, broker);
    }
    if (error == 0) {
        error = tunnel_past_open(&broker->past, pair_count,
                                 has_second ? config->hub.max_services : 0, config->otlp.sampled);
    }
    return error == 0 ? tunnel_crew_open(&broker->crew, broker->loop, &crew) : error;
}

static int open_versions(struct tunnel_broker *broker, const struct tunnel_config *config)
{
    struct tunnel_means means = {
        .loop = broker->loop,
        .accept = &broker->accept,
        .linger = &broker->linger,
        .controls = &broker->controls,
        .crew = &broker->crew,
        .past = &broker->past,
        .is_full = is_full,
        .context = broker,
    };
    struct addr control;
    int error = listen_for_control(broker, config, &control);

    if (error == 0) {
        error = tunnel_pairs_open(&broker->pairs, config, &means);
    }
    if (error != 0) {
        return error;
    }
    LOG_INFO("listening", LOG_ADDR("control", &control),
             LOG_NUMBER("pairs", config->core.pair_count));
    means.session_base = config->core.max_sessions;
    return tunnel_second_open(&broker->second, config, &means);
}

int tunnel_broker_open(struct tunnel_broker *broker, struct io_loop *loop,
                       const struct tunnel_config *config, struct io_tls_context *tls)
{
    struct siphash_key key;

    assert(broker->loop == NULL);
    broker->loop = loop;
    io_linger_open(&broker->linger, loop);
    const int error = open_parts(broker, config);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    io_random_fill((uint8_t *)&key, sizeof key);
    tunnel_handshakes_init(&broker->controls.handshakes, &key, config->handshakes_per_second);
    tunnel_broker_certify(broker, tls);
    return open_versions(broker, config);
}

void tunnel_broker_close(struct tunnel_broker *broker)
{
    if (broker->loop == NULL) {
        return;
    }
    io_accept_close(&broker->accept);
    tunnel_controls_close_all(&broker->controls);
    tunnel_crew_close(&broker->crew);
    tunnel_pairs_close(&broker->pairs);
    tunnel_second_close(&broker->second);
    io_linger_close(&broker->linger);
    tunnel_past_close(&broker->past);
    broker->loop = NULL;
}

int tunnel_broker_start(struct tunnel_broker *broker)
{
    const int error = tunnel_crew_start(&broker->crew);

    if (error != 0) {
        LOG_ERROR("the workers cannot be started", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

void tunnel_broker_stop(struct tunnel_broker *broker)
{
    tunnel_second_leave(&broker->second);
    tunnel_crew_stop(&broker->crew);
}

void tunnel_broker_certify(struct tunnel_broker *broker, struct io_tls_context *tls)
{
    broker->controls.tls = tls;
}

void tunnel_broker_adopt(struct tunnel_broker *broker, const struct tunnel_config *config,
                         struct tunnel_access *access)
{
    tunnel_handshakes_adopt(&broker->controls.handshakes, config->handshakes_per_second);
    tunnel_pairs_adopt(&broker->pairs, config);
    if (tunnel_second_is_open(&broker->second)) {
        tunnel_handshakes_adopt(&broker->second.sealed.handshakes, config->handshakes_per_second);
        tunnel_second_adopt(&broker->second, access);
    }
}

void tunnel_broker_drain(struct tunnel_broker *broker, uint32_t in_s)
{
    broker->is_draining = true;
    if (tunnel_second_is_open(&broker->second)) {
        tunnel_second_drain(&broker->second, in_s); // data connections come to the control port
    } else {
        io_accept_stop(&broker->control_port);
    }
    tunnel_pairs_drain(&broker->pairs);
}

uint32_t tunnel_broker_busy(const struct tunnel_broker *broker)
{
    return tunnel_pairs_busy(&broker->pairs) + tunnel_second_busy(&broker->second);
}

uint64_t tunnel_broker_tick(struct tunnel_broker *broker, struct now now)
{
    uint64_t next_ns = tunnel_controls_tick(&broker->controls, now);
    const uint64_t accept_ns = io_accept_tick(&broker->accept, now.mono_ns);
    const uint64_t linger_ns = io_linger_tick(&broker->linger, now.mono_ns);
    const uint64_t second_ns = tunnel_second_tick(&broker->second, now);
    const uint64_t pairs_ns = tunnel_pairs_tick(&broker->pairs);

    next_ns = accept_ns < next_ns ? accept_ns : next_ns;
    next_ns = linger_ns < next_ns ? linger_ns : next_ns;
    next_ns = second_ns < next_ns ? second_ns : next_ns;
    return pairs_ns < next_ns ? pairs_ns : next_ns;
}

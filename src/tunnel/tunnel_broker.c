// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_broker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_random.h"
#include "log/log.h"
#include "revtun/revtun_pairs.h"
#include "tunnel/tunnel_listen.h"
#include "tunnel/tunnel_report.h"

// --- carrying out what the core decides ----------------------------------------------------------

// It cannot take a line: it is lost, which the core is told once it listens.
static void note_broken(struct tunnel_broker *broker, uint32_t control)
{
    for (uint32_t i = 0; i < broker->broken_count; i++) {
        if (broker->broken[i] == control) {
            return;
        }
    }
    assert(broker->broken_count < COUNT_OF(broker->broken));
    broker->broken[broker->broken_count++] = control;
}

static void join(struct tunnel_broker *broker, struct now now,
                 const struct revtun_command_join *command)
{
    struct tunnel_session *session = tunnel_crew_session(&broker->crew, command->session);

    session->pair = command->pair;
    session->from = command->from;
    session->waited_ns = command->waited_ns;
    session->begun_ns = now.mono_ns;
    const struct io_stream client = tunnel_conns_take(&broker->conns, (uint32_t)command->client);
    const struct io_stream reverse = tunnel_conns_take(&broker->conns, (uint32_t)command->reverse);
    tunnel_crew_join(&broker->crew, command->session, client.fd, reverse);
}

static void carry_out_one(struct tunnel_broker *broker, struct now now,
                          const struct revtun_command *command)
{
    struct io_stream stream = IO_STREAM_NONE;

    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        if (!tunnel_controls_send(&broker->controls, (uint32_t)command->send.control,
                                  command->send.text)) {
            note_broken(broker, (uint32_t)command->send.control);
        }
        break;
    case REVTUN_COMMAND_CLOSE:
        tunnel_controls_close(&broker->controls, now, (uint32_t)command->close.control);
        break;
    case REVTUN_COMMAND_REFUSE:
        stream = tunnel_conns_take(&broker->conns, (uint32_t)command->refuse.conn);
        io_linger_add(&broker->linger, stream.fd, command->refuse.text, now.mono_ns);
        break;
    case REVTUN_COMMAND_RESET:
        stream = tunnel_conns_take(&broker->conns, (uint32_t)command->reset.conn);
        io_stream_reset(&stream);
        break;
    case REVTUN_COMMAND_JOIN:
        join(broker, now, &command->join);
        break;
    case REVTUN_COMMAND_END:
        tunnel_crew_end(&broker->crew, command->end.session);
        break;
    case REVTUN_COMMAND_REPORT:
        tunnel_report(&command->report);
        tunnel_past_report(&broker->past, &command->report, now);
        break;
    }
}

static void carry_out(struct tunnel_broker *broker, struct now now)
{
    struct revtun_command command;

    for (;;) {
        while (revtun_relay_take(broker->core, &command)) {
            carry_out_one(broker, now, &command);
        }
        if (broker->broken_count == 0) {
            return;
        }
        const uint32_t control = broker->broken[--broker->broken_count];
        tunnel_controls_abort(&broker->controls, control);
        revtun_relay_control_down(broker->core, now, broker->links[control]);
    }
}

// What is due goes before whatever comes now.
static struct now settle(struct tunnel_broker *broker)
{
    const struct now now = io_clock_now();

    while (revtun_relay_deadline(broker->core) <= now.mono_ns) {
        revtun_relay_tick(broker->core, now);
        carry_out(broker, now);
    }
    return now;
}

// --- what happens --------------------------------------------------------------------------------

static void on_control_up(void *context, uint32_t number, const struct addr *peer)
{
    struct tunnel_broker *broker = context;
    const struct now now = settle(broker);

    if (tunnel_controls_is_second(&broker->controls, number)) {
        tunnel_second_up(&broker->second, number, peer);
        return;
    }
    broker->links[number] = revtun_relay_control_up(broker->core, now, number, peer);
    carry_out(broker, now);
}

static void on_control_received(void *context, uint32_t number, struct bytes bytes)
{
    struct tunnel_broker *broker = context;
    const struct now now = settle(broker);

    if (tunnel_second_has(&broker->second, number)) {
        tunnel_second_received(&broker->second, number, bytes);
        return;
    }
    revtun_relay_control_read(broker->core, now, broker->links[number], bytes);
    carry_out(broker, now);
}

// What is gone is told at once: what is due comes behind, and must not meet it.

static void on_control_down(void *context, uint32_t number, const char *reason)
{
    struct tunnel_broker *broker = context;
    const struct now now = io_clock_now();

    if (tunnel_second_has(&broker->second, number)) {
        tunnel_second_down(&broker->second, number, reason);
        return;
    }
    revtun_relay_control_down(broker->core, now, broker->links[number]);
    carry_out(broker, now);
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

static void lose_client(struct tunnel_broker *broker, struct pool_ref client)
{
    const struct now now = io_clock_now();

    revtun_relay_gone(broker->core, now, client);
    carry_out(broker, now);
}

static void on_client_gone(void *context, struct pool_ref client)
{
    lose_client(context, client);
}

static void on_session_ended(void *context, struct pool_ref ref,
                             const struct tunnel_session *session)
{
    struct tunnel_broker *broker = context;

    tunnel_past_end(&broker->past, session, io_clock_now());
    if (ref.index >= broker->limits.max_sessions) {
        tunnel_second_ended(&broker->second, ref, session);
        return;
    }
    tunnel_report_end(session, io_clock_now());
    lose_client(broker, ref);
}

static void on_control_port(struct io_accept_at *at, int fd, const struct addr *from)
{
    struct tunnel_broker *broker = at->context;

    if (tunnel_second_is_open(&broker->second)) {
        tunnel_second_come(&broker->second, fd, from);
        return;
    }
    tunnel_controls_add(&broker->controls, settle(broker), fd, from);
}

// Of both versions; each has its own limit besides, which is the same.
static bool is_full(void *context)
{
    const struct tunnel_broker *broker = context;

    return tunnel_broker_busy(broker) >= broker->limits.max_sessions;
}

static void on_public_port(struct io_accept_at *at, int fd, const struct addr *from)
{
    const struct tunnel_broker_port *port = at->context;
    struct tunnel_broker *broker = port->broker;

    if (tunnel_second_busy(&broker->second) > 0 && is_full(broker)) {
        broker->crowded_count++;
        tunnel_report_crowded(from, port->pair);
        io_tcp_reset(&fd);
        return;
    }
    const struct now now = settle(broker);
    const uint32_t conn = tunnel_conns_add(&broker->conns, io_stream_plain(fd));
    const struct pool_ref client = revtun_relay_client(broker->core, now, port->pair, conn, from);

    carry_out(broker, now);
    if (!tunnel_conns_has(&broker->conns, conn)) {
        return;
    }
    const int error = tunnel_conns_watch(&broker->conns, conn, client);
    if (error != 0) {
        struct io_stream stream = tunnel_conns_take(&broker->conns, conn);
        io_stream_reset(&stream);
        lose_client(broker, client);
    }
}

static void on_reverse_port(struct io_accept_at *at, int fd, const struct addr *from)
{
    const struct tunnel_broker_port *port = at->context;
    struct tunnel_broker *broker = port->broker;
    const struct now now = settle(broker);
    const uint32_t conn = tunnel_conns_add(&broker->conns, io_stream_plain(fd));

    revtun_relay_reverse(broker->core, now, port->pair, conn, from);
    carry_out(broker, now);
    assert(!tunnel_conns_has(&broker->conns, conn)); // it never waits
}

static void on_short(void *context, int error)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    (void)context;
    LOG_LIMITED(&limit, LOG_LEVEL_WARN, "connections wait, since the system has no room for them",
                LOG_ERROR_NUMBER("error", error));
}

// --- its life ------------------------------------------------------------------------------------

static int listen_for_pair(struct tunnel_broker *broker, const struct tunnel_config *config,
                           uint32_t pair)
{
    static const struct io_tcp_options options = {.backlog = 0};
    const uint16_t control_port = broker->limits.control_port;
    const uint32_t pair_count = broker->limits.pair_count;
    const struct addr reverse_addr =
        addr_with_port(config->bind_addr, revtun_pairs_reverse_port(control_port, pair));
    const struct addr public_addr = addr_with_port(
        config->public_bind_addr, revtun_pairs_public_port(control_port, pair_count, pair));
    struct tunnel_broker_port *reverse = &broker->reverse_ports[pair];
    struct tunnel_broker_port *public = &broker->public_ports[pair];
    struct addr bound;

    *reverse = (struct tunnel_broker_port){
        .at = {.on_connection = on_reverse_port, .context = reverse},
        .broker = broker,
        .pair = pair,
    };
    *public = (struct tunnel_broker_port){
        .at = {.on_connection = on_public_port, .context = public},
        .broker = broker,
        .pair = pair,
    };
    const int error = tunnel_listen(&broker->accept, &reverse->at, reverse_addr, &options, &bound);
    return error != 0 ? error
                      : tunnel_listen(&broker->accept, &public->at, public_addr, &options, &bound);
}

static int listen_everywhere(struct tunnel_broker *broker, const struct tunnel_config *config)
{
    const struct io_tcp_options options = {.unacknowledged_ms = TUNNEL_CONTROLS_GONE_MS};
    const uint32_t pair_count = broker->limits.pair_count;
    struct addr control = addr_with_port(config->bind_addr, broker->limits.control_port);

    broker->control_port =
        (struct io_accept_at){.on_connection = on_control_port, .context = broker};
    int error = io_accept_open(&broker->accept, broker->loop, on_short, broker);
    if (error == 0) {
        error = tunnel_listen(&broker->accept, &broker->control_port, control, &options, &control);
    }
    for (uint32_t i = 0; error == 0 && i < pair_count; i++) {
        error = listen_for_pair(broker, config, i);
    }
    if (error == 0) {
        LOG_INFO("listening", LOG_ADDR("control", &control), LOG_NUMBER("pairs", pair_count));
    }
    return error;
}

static int open_core(struct tunnel_broker *broker)
{
    uint8_t seed[REVTUN_RELAY_SEED_LEN];

    broker->memory = calloc(1, revtun_relay_size(&broker->limits));
    if (broker->memory == NULL) {
        return -ENOMEM;
    }
    io_random_fill(seed, sizeof seed);
    broker->core = revtun_relay_init(broker->memory, &broker->limits, seed);
    return 0;
}

static int open_parts(struct tunnel_broker *broker, const struct tunnel_config *config)
{
    const uint32_t pair_count = broker->limits.pair_count;
    const bool has_second = tunnel_config_has_second(config);
    const struct tunnel_crew_config crew = {
        .worker_count = config->daemon.worker_count,
        .session_max = broker->limits.max_sessions + (has_second ? config->hub.max_sessions : 0),
        .on_ended = on_session_ended,
        .context = broker,
    };

    const uint32_t link_max = pair_count + (has_second ? config->hub.max_links : 0);
    int error =
        tunnel_controls_open(&broker->controls, broker->loop, link_max, &control_events, broker);
    if (error != 0) {
        return error;
    }
    broker->links = calloc(broker->controls.capacity, sizeof broker->links[0]);
    broker->reverse_ports = calloc((size_t)pair_count + 1, sizeof broker->reverse_ports[0]);
    broker->public_ports = calloc((size_t)pair_count + 1, sizeof broker->public_ports[0]);
    if (broker->links == NULL || broker->reverse_ports == NULL || broker->public_ports == NULL) {
        return -ENOMEM;
    }
    // One more, for a reverse connection.
    error = tunnel_conns_open(&broker->conns, broker->loop, broker->limits.max_waiting + 1,
                              on_client_gone, broker);
    if (error == 0) {
        error = tunnel_past_open(&broker->past, pair_count,
                                 has_second ? config->hub.max_services : 0, config->otlp.sampled);
    }
    if (error == 0) {
        error = open_core(broker);
    }
    return error == 0 ? tunnel_crew_open(&broker->crew, broker->loop, &crew) : error;
}

static int open_second(struct tunnel_broker *broker, const struct tunnel_config *config)
{
    const struct tunnel_second_means means = {
        .loop = broker->loop,
        .accept = &broker->accept,
        .linger = &broker->linger,
        .controls = &broker->controls,
        .crew = &broker->crew,
        .past = &broker->past,
        .session_base = broker->limits.max_sessions,
        .is_full = is_full,
        .context = broker,
    };

    return tunnel_second_open(&broker->second, config, &means);
}

int tunnel_broker_open(struct tunnel_broker *broker, struct io_loop *loop,
                       const struct tunnel_config *config, struct io_tls_context *tls)
{
    assert(broker->loop == NULL);
    broker->loop = loop;
    broker->limits = config->core;
    io_linger_open(&broker->linger, loop);
    int error = open_parts(broker, config);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    struct siphash_key key;
    io_random_fill((uint8_t *)&key, sizeof key);
    tunnel_handshakes_init(&broker->controls.handshakes, &key, config->handshakes_per_second);
    tunnel_broker_certify(broker, tls);
    error = listen_everywhere(broker, config);
    return error == 0 ? open_second(broker, config) : error;
}

void tunnel_broker_close(struct tunnel_broker *broker)
{
    if (broker->loop == NULL) {
        return;
    }
    io_accept_close(&broker->accept);
    tunnel_controls_close_all(&broker->controls);
    tunnel_conns_close(&broker->conns);
    tunnel_crew_close(&broker->crew);
    tunnel_second_close(&broker->second);
    io_linger_close(&broker->linger);
    tunnel_past_close(&broker->past);
    free(broker->links);
    free(broker->reverse_ports);
    free(broker->public_ports);
    free(broker->memory);
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
    struct revtun_config next = config->core;
    const struct now now = settle(broker);

    next.control_port = broker->limits.control_port;
    next.pair_count = broker->limits.pair_count;
    next.max_sessions = broker->limits.max_sessions;
    next.max_waiting = broker->limits.max_waiting;
    tunnel_handshakes_adopt(&broker->controls.handshakes, config->handshakes_per_second);
    revtun_relay_adopt(broker->core, now, &next);
    carry_out(broker, now);
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
    for (uint32_t i = 0; i < broker->limits.pair_count; i++) {
        io_accept_stop(&broker->public_ports[i].at);
    }
}

uint32_t tunnel_broker_busy(const struct tunnel_broker *broker)
{
    const struct revtun_gauges gauges = revtun_relay_gauges(broker->core);

    return gauges.sessions + gauges.waiting + tunnel_second_busy(&broker->second);
}

uint64_t tunnel_broker_tick(struct tunnel_broker *broker, struct now now)
{
    uint64_t next_ns = tunnel_controls_tick(&broker->controls, now);
    const uint64_t accept_ns = io_accept_tick(&broker->accept, now.mono_ns);
    const uint64_t linger_ns = io_linger_tick(&broker->linger, now.mono_ns);
    const uint64_t second_ns = tunnel_second_tick(&broker->second, now);

    (void)settle(broker);
    const uint64_t core_ns = revtun_relay_deadline(broker->core);
    next_ns = accept_ns < next_ns ? accept_ns : next_ns;
    next_ns = linger_ns < next_ns ? linger_ns : next_ns;
    next_ns = second_ns < next_ns ? second_ns : next_ns;
    return core_ns < next_ns ? core_ns : next_ns;
}

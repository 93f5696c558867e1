// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_pairs.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "io/io_clock.h"
#include "io/io_random.h"
#include "log/log.h"
#include "revtun/revtun_pairs.h"
#include "tunnel/tunnel_listen.h"
#include "tunnel/tunnel_report.h"

// --- carrying out what the core decides ----------------------------------------------------------

// It cannot take a line: it is lost, which the core is told once it listens.
static void note_broken(struct tunnel_pairs *pairs, uint32_t control)
{
    for (uint32_t i = 0; i < pairs->broken_count; i++) {
        if (pairs->broken[i] == control) {
            return;
        }
    }
    assert(pairs->broken_count < COUNT_OF(pairs->broken));
    pairs->broken[pairs->broken_count++] = control;
}

static void join(struct tunnel_pairs *pairs, struct now now,
                 const struct revtun_command_join *command)
{
    struct tunnel_session *session = tunnel_crew_session(pairs->means.crew, command->session);

    session->pair = command->pair;
    session->from = command->from;
    session->waited_ns = command->waited_ns;
    session->begun_ns = now.mono_ns;
    const struct io_stream client = tunnel_conns_take(&pairs->conns, (uint32_t)command->client);
    const struct io_stream reverse = tunnel_conns_take(&pairs->conns, (uint32_t)command->reverse);
    tunnel_crew_join(pairs->means.crew, command->session, client.fd, reverse);
}

static void carry_out_one(struct tunnel_pairs *pairs, struct now now,
                          const struct revtun_command *command)
{
    struct io_stream stream = IO_STREAM_NONE;

    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        if (!tunnel_controls_send(pairs->means.controls, (uint32_t)command->send.control,
                                  command->send.text)) {
            note_broken(pairs, (uint32_t)command->send.control);
        }
        break;
    case REVTUN_COMMAND_CLOSE:
        tunnel_controls_close(pairs->means.controls, now, (uint32_t)command->close.control);
        break;
    case REVTUN_COMMAND_REFUSE:
        stream = tunnel_conns_take(&pairs->conns, (uint32_t)command->refuse.conn);
        io_linger_add(pairs->means.linger, stream.fd, command->refuse.text, now.mono_ns);
        break;
    case REVTUN_COMMAND_RESET:
        stream = tunnel_conns_take(&pairs->conns, (uint32_t)command->reset.conn);
        io_stream_reset(&stream);
        break;
    case REVTUN_COMMAND_JOIN:
        join(pairs, now, &command->join);
        break;
    case REVTUN_COMMAND_END:
        tunnel_crew_end(pairs->means.crew, command->end.session);
        break;
    case REVTUN_COMMAND_REPORT:
        tunnel_report(&command->report);
        tunnel_past_report(pairs->means.past, &command->report, now);
        break;
    }
}

static void carry_out(struct tunnel_pairs *pairs, struct now now)
{
    struct revtun_command command;

    for (;;) {
        while (revtun_relay_take(pairs->core, &command)) {
            carry_out_one(pairs, now, &command);
        }
        if (pairs->broken_count == 0) {
            return;
        }
        const uint32_t control = pairs->broken[--pairs->broken_count];
        tunnel_controls_abort(pairs->means.controls, control);
        revtun_relay_control_down(pairs->core, now, pairs->links[control]);
    }
}

// What is due goes before whatever comes now.
static struct now settle(struct tunnel_pairs *pairs)
{
    const struct now now = io_clock_now();

    while (revtun_relay_deadline(pairs->core) <= now.mono_ns) {
        revtun_relay_tick(pairs->core, now);
        carry_out(pairs, now);
    }
    return now;
}

// --- what happens --------------------------------------------------------------------------------

void tunnel_pairs_up(struct tunnel_pairs *pairs, uint32_t number, const struct addr *peer)
{
    const struct now now = settle(pairs);

    pairs->links[number] = revtun_relay_control_up(pairs->core, now, number, peer);
    carry_out(pairs, now);
}

void tunnel_pairs_received(struct tunnel_pairs *pairs, uint32_t number, struct bytes bytes)
{
    const struct now now = settle(pairs);

    revtun_relay_control_read(pairs->core, now, pairs->links[number], bytes);
    carry_out(pairs, now);
}

// What is gone is told at once: what is due comes behind, and must not meet it.

void tunnel_pairs_down(struct tunnel_pairs *pairs, uint32_t number)
{
    const struct now now = io_clock_now();

    revtun_relay_control_down(pairs->core, now, pairs->links[number]);
    carry_out(pairs, now);
}

static void lose_client(struct tunnel_pairs *pairs, struct pool_ref client)
{
    const struct now now = io_clock_now();

    revtun_relay_gone(pairs->core, now, client);
    carry_out(pairs, now);
}

static void on_client_gone(void *context, struct pool_ref client)
{
    lose_client(context, client);
}

void tunnel_pairs_ended(struct tunnel_pairs *pairs, struct pool_ref ref,
                        const struct tunnel_session *session)
{
    tunnel_report_end(session, io_clock_now());
    lose_client(pairs, ref);
}

// There is no room beside the clients of the other version. Its own limit is the core's.
static bool is_crowded(const struct tunnel_pairs *pairs)
{
    return tunnel_pairs_busy(pairs) < pairs->limits.max_sessions &&
           pairs->means.is_full(pairs->means.context);
}

static void on_public_port(struct io_accept_at *at, int fd, const struct addr *from)
{
    const struct tunnel_pairs_port *port = at->context;
    struct tunnel_pairs *pairs = port->pairs;

    if (is_crowded(pairs)) {
        pairs->crowded_count++;
        tunnel_report_crowded(from, port->pair);
        io_tcp_reset(&fd);
        return;
    }
    const struct now now = settle(pairs);
    const uint32_t conn = tunnel_conns_add(&pairs->conns, io_stream_plain(fd));
    const struct pool_ref client = revtun_relay_client(pairs->core, now, port->pair, conn, from);

    carry_out(pairs, now);
    if (!tunnel_conns_has(&pairs->conns, conn)) {
        return;
    }
    const int error = tunnel_conns_watch(&pairs->conns, conn, client);
    if (error != 0) {
        struct io_stream stream = tunnel_conns_take(&pairs->conns, conn);
        io_stream_reset(&stream);
        lose_client(pairs, client);
    }
}

static void on_reverse_port(struct io_accept_at *at, int fd, const struct addr *from)
{
    const struct tunnel_pairs_port *port = at->context;
    struct tunnel_pairs *pairs = port->pairs;
    const struct now now = settle(pairs);
    const uint32_t conn = tunnel_conns_add(&pairs->conns, io_stream_plain(fd));

    revtun_relay_reverse(pairs->core, now, port->pair, conn, from);
    carry_out(pairs, now);
    assert(!tunnel_conns_has(&pairs->conns, conn)); // it never waits
}

// --- its life ------------------------------------------------------------------------------------

static int listen_for_pair(struct tunnel_pairs *pairs, const struct tunnel_config *config,
                           uint32_t pair)
{
    static const struct io_tcp_options options = {.backlog = 0};
    const uint16_t control_port = pairs->limits.control_port;
    const uint32_t pair_count = pairs->limits.pair_count;
    const struct addr reverse_addr =
        addr_with_port(config->bind_addr, revtun_pairs_reverse_port(control_port, pair));
    const struct addr public_addr = addr_with_port(
        config->public_bind_addr, revtun_pairs_public_port(control_port, pair_count, pair));
    struct tunnel_pairs_port *reverse = &pairs->reverse_ports[pair];
    struct tunnel_pairs_port *public = &pairs->public_ports[pair];
    struct addr bound;

    *reverse = (struct tunnel_pairs_port){
        .at = {.on_connection = on_reverse_port, .context = reverse},
        .pairs = pairs,
        .pair = pair,
    };
    *public = (struct tunnel_pairs_port){
        .at = {.on_connection = on_public_port, .context = public},
        .pairs = pairs,
        .pair = pair,
    };
    const int error =
        tunnel_listen(pairs->means.accept, &reverse->at, reverse_addr, &options, &bound);
    return error != 0
               ? error
               : tunnel_listen(pairs->means.accept, &public->at, public_addr, &options, &bound);
}

static int listen_everywhere(struct tunnel_pairs *pairs, const struct tunnel_config *config)
{
    int error = 0;

    for (uint32_t i = 0; error == 0 && i < pairs->limits.pair_count; i++) {
        error = listen_for_pair(pairs, config, i);
    }
    return error;
}

static int open_core(struct tunnel_pairs *pairs)
{
    uint8_t seed[REVTUN_RELAY_SEED_LEN];

    pairs->memory = calloc(1, revtun_relay_size(&pairs->limits));
    if (pairs->memory == NULL) {
        return -ENOMEM;
    }
    io_random_fill(seed, sizeof seed);
    pairs->core = revtun_relay_init(pairs->memory, &pairs->limits, seed);
    return 0;
}

static int open_parts(struct tunnel_pairs *pairs)
{
    const uint32_t pair_count = pairs->limits.pair_count;

    pairs->links = calloc(pairs->means.controls->capacity, sizeof pairs->links[0]);
    pairs->reverse_ports = calloc((size_t)pair_count + 1, sizeof pairs->reverse_ports[0]);
    pairs->public_ports = calloc((size_t)pair_count + 1, sizeof pairs->public_ports[0]);
    if (pairs->links == NULL || pairs->reverse_ports == NULL || pairs->public_ports == NULL) {
        return -ENOMEM;
    }
    // One more, for a reverse connection.
    const int error = tunnel_conns_open(&pairs->conns, pairs->means.loop,
                                        pairs->limits.max_waiting + 1, on_client_gone, pairs);
    return error == 0 ? open_core(pairs) : error;
}

int tunnel_pairs_open(struct tunnel_pairs *pairs, const struct tunnel_config *config,
                      const struct tunnel_means *means)
{
    assert(pairs->core == NULL);
    pairs->means = *means;
    pairs->limits = config->core;
    const int error = open_parts(pairs);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    return listen_everywhere(pairs, config);
}

void tunnel_pairs_close(struct tunnel_pairs *pairs)
{
    tunnel_conns_close(&pairs->conns);
    free(pairs->links);
    free(pairs->reverse_ports);
    free(pairs->public_ports);
    free(pairs->memory);
    *pairs = (struct tunnel_pairs){0};
}

void tunnel_pairs_adopt(struct tunnel_pairs *pairs, const struct tunnel_config *config)
{
    struct revtun_config next = config->core;
    const struct now now = settle(pairs);

    next.control_port = pairs->limits.control_port;
    next.pair_count = pairs->limits.pair_count;
    next.max_sessions = pairs->limits.max_sessions;
    next.max_waiting = pairs->limits.max_waiting;
    revtun_relay_adopt(pairs->core, now, &next);
    carry_out(pairs, now);
}

void tunnel_pairs_drain(struct tunnel_pairs *pairs)
{
    for (uint32_t i = 0; i < pairs->limits.pair_count; i++) {
        io_accept_stop(&pairs->public_ports[i].at);
    }
}

uint32_t tunnel_pairs_busy(const struct tunnel_pairs *pairs)
{
    const struct revtun_gauges gauges = revtun_relay_gauges(pairs->core);

    return gauges.sessions + gauges.waiting;
}

uint64_t tunnel_pairs_tick(struct tunnel_pairs *pairs)
{
    (void)settle(pairs);
    return revtun_relay_deadline(pairs->core);
}

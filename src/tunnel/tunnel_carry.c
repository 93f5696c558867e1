// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_carry.h"

#include <assert.h>
#include <sys/socket.h>

#include "io/io_clock.h"
#include "tunnel/tunnel_report.h"

static struct tunnel_conns *conns_of(struct tunnel_second *second, uint64_t conn)
{
    return (conn & TUNNEL_CARRY_DATA) != 0 ? &second->standing : &second->clients;
}

struct io_stream tunnel_carry_take(struct tunnel_second *second, uint64_t conn)
{
    return tunnel_conns_take(conns_of(second, conn), (uint32_t)conn);
}

// What the crew calls a session.
static struct pool_ref to_crew(const struct tunnel_second *second, struct pool_ref ref)
{
    return (struct pool_ref){.index = second->means.session_base + ref.index,
                             .generation = ref.generation};
}

// It cannot take a line: it is lost, which the hub is told once it listens.
static void note_broken(struct tunnel_second *second, uint32_t control)
{
    for (uint32_t i = 0; i < second->broken_count; i++) {
        if (second->broken[i] == control) {
            return;
        }
    }
    assert(second->broken_count < COUNT_OF(second->broken));
    second->broken[second->broken_count++] = control;
}

// The head of a standing connection, to which nothing was sent before: it has room for it. If it
// has not after all, it is as one that is lost, which the worker finds.
static void send_head(const struct io_stream *stream, struct bytes head)
{
    size_t put = 0;

    if (stream->tls != NULL) {
        IGNORE(io_tls_channel_write(stream->tls, head, &put)); // `put` says what came of it
    } else if (head.len > 0) {
        const ssize_t sent = send(stream->fd, head.ptr, head.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        put = sent > 0 ? (size_t)sent : 0;
    }
    if (put < head.len) {
        IGNORE(shutdown(stream->fd, SHUT_RDWR)); // whatever has become of it
    }
}

static void join(struct tunnel_second *second, struct now now,
                 const struct revtun_command_join *command)
{
    const struct pool_ref ref = to_crew(second, command->session);
    struct tunnel_session *session = tunnel_crew_session(second->means.crew, ref);

    session->pair = POOL_NONE;
    session->from = command->from;
    session->waited_ns = command->waited_ns;
    session->begun_ns = now.mono_ns;
    const struct io_stream client = tunnel_carry_take(second, command->client);
    const struct io_stream reverse = tunnel_carry_take(second, command->reverse);
    assert(client.tls == NULL);
    send_head(&reverse, command->head);
    tunnel_crew_join(second->means.crew, ref, client.fd, reverse);
}

static void report(struct tunnel_second *second, struct now now,
                   struct revtun_command_report *command)
{
    if (command->event == REVTUN_EVENT_FORGED) {
        command->from = second->data_from;
    }
    tunnel_past_report(second->means.past, command, now);
    switch (command->event) {
    case REVTUN_EVENT_AGENT_UP:
        tunnel_controls_prove(second->means.controls, (uint32_t)command->control);
        break;
    case REVTUN_EVENT_AGENT_DOWN:
        tunnel_report_agent_down(command, second->lost_why);
        return;
    default:
        break;
    }
    tunnel_report(command);
}

static void carry_out_one(struct tunnel_second *second, struct now now,
                          struct revtun_command *command)
{
    struct io_stream stream = IO_STREAM_NONE;

    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        if (!tunnel_controls_send(second->means.controls, (uint32_t)command->send.control,
                                  command->send.text)) {
            note_broken(second, (uint32_t)command->send.control);
        }
        break;
    case REVTUN_COMMAND_CLOSE:
        second->links[command->close.control].index = POOL_NONE;
        tunnel_controls_close(second->means.controls, now, (uint32_t)command->close.control);
        break;
    case REVTUN_COMMAND_REFUSE:
        stream = tunnel_carry_take(second, command->refuse.conn);
        io_linger_add(second->means.linger, stream.fd, command->refuse.text, now.mono_ns);
        break;
    case REVTUN_COMMAND_RESET:
        stream = tunnel_carry_take(second, command->reset.conn);
        io_stream_reset(&stream);
        break;
    case REVTUN_COMMAND_JOIN:
        join(second, now, &command->join);
        break;
    case REVTUN_COMMAND_END:
        tunnel_crew_end(second->means.crew, to_crew(second, command->end.session));
        break;
    case REVTUN_COMMAND_REPORT:
        report(second, now, &command->report);
        break;
    }
}

void tunnel_carry_lose(struct tunnel_second *second, struct now now, uint32_t number,
                       const char *reason)
{
    const struct pool_ref link = second->links[number];

    second->links[number].index = POOL_NONE;
    second->lost_why = reason;
    revtun_hub_link_down(second->hub, now, link);
}

void tunnel_carry_out(struct tunnel_second *second, struct now now)
{
    struct revtun_command command;

    for (;;) {
        while (revtun_hub_take(second->hub, &command)) {
            carry_out_one(second, now, &command);
        }
        second->lost_why = NULL;
        if (second->broken_count == 0) {
            return;
        }
        const uint32_t control = second->broken[--second->broken_count];
        if (second->links[control].index != POOL_NONE) {
            tunnel_controls_abort(second->means.controls, control);
            tunnel_carry_lose(second, now, control, "it does not take what it is told");
        }
    }
}

struct now tunnel_carry_settle(struct tunnel_second *second)
{
    const struct now now = io_clock_now();

    while (revtun_hub_deadline(second->hub) <= now.mono_ns) {
        revtun_hub_tick(second->hub, now);
        tunnel_carry_out(second, now);
    }
    return now;
}

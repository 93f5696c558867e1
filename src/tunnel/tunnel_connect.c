// SPDX-License-Identifier: Apache-2.0
// The end of standard input is told to the server, which may still answer; the server's end closes
// standard output, and what is still read from standard input is sent. A terminal is not waited
// for: whoever sits there sees that it is over.
//
// Both are as they were when the program came to them: blocking, and shared with others who rely on
// it. So there is one read or write for each time that the system says it would not block.
#include "tunnel/tunnel_connect.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon_options.h"
#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tls.h"
#include "tunnel/tunnel_dial.h"
#include "tunnel/tunnel_place.h"
#include "tunnel/tunnel_side.h"
#include "tunnel/tunnel_words.h"

enum {
    READ_LEN = 16384, // bytes, of standard input at once
    WRITE_LEN = 4096, // bytes that a pipe takes without blocking when it is writable (PIPE_BUF)
    HANDSHAKE_S = 30,
    CLOSING_S = 30,
    REFUSED_S = 1, // after a handshake that failed: the other side may still read our alert
};

static const char server[] = "The server";
static const char other[] = "Other";

static const struct conf_option options[] = {
    {
        .name = "host",
        .placeholder = "HOST",
        .is_positional = true,
        .is_outside_file = true,
        .group = server,
        .help = "Where it is: with a relay, the public address that the server told.",
    },
    {
        .name = "port",
        .placeholder = "PORT",
        .is_positional = true,
        .is_outside_file = true,
        .group = server,
        .help = "Its port.",
    },
    {
        .name = "keys",
        .short_name = 'k',
        .placeholder = "DIR",
        .default_text = "./application_certs",
        .is_outside_file = true,
        .group = server,
        .help = "Directory with client.crt.pem and client.key.pem, our certificate for the server "
                "and its key, and ca.crt.pem, the CA whose certificate the server must have.",
    },
    {
        .name = "server-name",
        .placeholder = "NAME",
        .is_outside_file = true,
        .group = server,
        .help = "DNS name or IP address that the server's certificate must be for. Without it any "
                "certificate of the CA will do.",
    },
    DAEMON_OPTIONS_VERSION(other),
    DAEMON_OPTIONS_HELP(other),
};

const struct conf_table tunnel_connect_table = {.options = options, .count = COUNT_OF(options)};

struct wish {
    struct tunnel_place server;
    struct bytes keys;
    bool checks_name;
    struct tunnel_place name;
};

enum end_state {
    END_RESTS,
    END_IS_WATCHED, // by the loop
    END_HAS_TURNS,  // a file, which the loop cannot watch: it is always ready
    END_IS_OVER,
};

// Standard input or output.
struct end {
    struct io_watch watch;
    enum end_state state;
};

enum connect_state {
    CONNECT_BEGINS,  // until the server is known for the right one
    CONNECT_REFUSES, // it is not, and is still to read so
    CONNECT_TALKS,
    CONNECT_HAS_HEARD, // all that the server will say
};

struct connect {
    struct tunnel_side side;
    struct wish wish;
    struct io_tls_context *certificates;
    struct tunnel_host host;
    struct tunnel_dial dial;
    struct io_tls tls;
    struct tunnel_timer timer; // of the handshake and the end
    struct end in;
    struct end out;
    enum connect_state state;
    uint32_t held_from; // what is to be written to standard output
    uint32_t held_len;
    uint8_t held[IO_TLS_RECEIVE_MAX];
};

static void fail(struct connect *connect, const char *words)
{
    daemon_tell_mistake(connect->side.program, "%s", words);
    tunnel_side_over(&connect->side, EXIT_FAILURE);
}

// --- standard input and output -------------------------------------------------------------------

static void want(struct connect *connect, struct end *end, uint32_t events)
{
    if (end->state != END_RESTS) {
        return;
    }
    const int error = io_loop_add(&connect->side.loop, &end->watch, events);
    if (error == 0) {
        end->state = END_IS_WATCHED;
    } else if (error == -EPERM) {
        end->state = END_HAS_TURNS;
    } else {
        fail(connect, strerror(-error));
    }
}

static void rest(struct connect *connect, struct end *end)
{
    io_loop_remove(&connect->side.loop, &end->watch);
    if (end->state != END_IS_OVER) {
        end->state = END_RESTS;
    }
}

static void leave_if_done(struct connect *connect)
{
    const bool is_unsent = connect->in.state != END_IS_OVER && !isatty(connect->in.watch.fd);

    if (connect->state == CONNECT_HAS_HEARD && connect->held_len == 0 && !is_unsent) {
        rest(connect, &connect->in);
        io_tls_close(&connect->tls);
        tunnel_timers_set(&connect->side.timers, &connect->timer,
                          io_clock_mono_ns() + CLOSING_S * SECOND_NS);
    }
}

static void on_in(struct io_watch *watch, uint32_t events)
{
    struct connect *connect = watch->context;
    uint8_t buffer[READ_LEN];

    (void)events;
    const ssize_t got = read(watch->fd, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (got < 0) { // nobody is to take a part for the whole
        char words[128];
        snprintf(words, sizeof words, "its standard input cannot be read: %s", strerror(errno));
        fail(connect, words);
        return;
    }
    if (got > 0) {
        if (io_tls_send(&connect->tls, (struct bytes){buffer, (size_t)got}) == -ENOMEM) {
            fail(connect, "no memory is left");
            return;
        }
        // Otherwise it fails only with a connection that has ended, as is told then.
        if (io_tls_queued(&connect->tls) > IO_TLS_QUEUE_MAX - READ_LEN) {
            rest(connect, &connect->in);
        }
        return;
    }
    rest(connect, &connect->in);
    connect->in.state = END_IS_OVER;
    io_tls_shut(&connect->tls);
    leave_if_done(connect);
}

static void on_out(struct io_watch *watch, uint32_t events)
{
    struct connect *connect = watch->context;
    const uint32_t len = connect->held_len < WRITE_LEN ? connect->held_len : WRITE_LEN;

    (void)events;
    const ssize_t put = write(watch->fd, connect->held + connect->held_from, len);
    if (put < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (put < 0) {
        fail(connect, errno == EPIPE ? "nobody reads its standard output any more"
                                     : "its standard output takes nothing more");
        return;
    }
    connect->held_from += (uint32_t)put;
    connect->held_len -= (uint32_t)put;
    if (connect->held_len > 0) {
        return;
    }
    connect->held_from = 0;
    rest(connect, &connect->out);
    if (io_tls_resume(&connect->tls) != 0) {
        fail(connect, "no memory is left");
    }
    leave_if_done(connect);
}

// Files have their turn, too.
static uint64_t on_turn(void *context, uint64_t now_ns)
{
    struct connect *connect = context;
    struct end *const ends[] = {&connect->in, &connect->out};
    uint64_t next_ns = NEVER;

    if (connect->tls.state == IO_TLS_LINGERING && connect->state == CONNECT_BEGINS) {
        connect->state = CONNECT_REFUSES;
        tunnel_timers_set(&connect->side.timers, &connect->timer, now_ns + REFUSED_S * SECOND_NS);
    }
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        if (ends[i]->state == END_HAS_TURNS) {
            ends[i]->watch.fn(&ends[i]->watch, 0);
        }
        if (ends[i]->state == END_HAS_TURNS) {
            next_ns = now_ns;
        }
    }
    return next_ns;
}

// --- the server ----------------------------------------------------------------------------------

static void on_opened(struct io_tls *tls)
{
    struct connect *connect = tls->context;

    connect->state = CONNECT_TALKS;
    tunnel_timers_clear(&connect->side.timers, &connect->timer);
    want(connect, &connect->in, IO_READABLE);
}

static void on_received(struct io_tls *tls, struct bytes bytes)
{
    struct connect *connect = tls->context;

    assert(connect->held_len == 0);
    assert(bytes.len <= sizeof connect->held);
    memcpy(connect->held, bytes.ptr, bytes.len);
    connect->held_len = (uint32_t)bytes.len;
    io_tls_pause(tls);
    want(connect, &connect->out, IO_WRITABLE);
}

static void on_drained(struct io_tls *tls)
{
    struct connect *connect = tls->context;

    want(connect, &connect->in, IO_READABLE);
}

static void on_half_closed(struct io_tls *tls)
{
    struct connect *connect = tls->context;

    connect->state = CONNECT_HAS_HEARD;
    io_fd_close(&connect->out.watch.fd); // all is written: nothing is read before that
    connect->out.state = END_IS_OVER;
    leave_if_done(connect);
}

static void whom_of(const struct connect *connect, char where[TUNNEL_PLACE_TEXT_MAX],
                    char folder[PATH_MAX], struct tunnel_words_whom *out)
{
    tunnel_place_write(&connect->wish.server, where);
    snprintf(folder, PATH_MAX, "%.*s", (int)connect->wish.keys.len,
             (const char *)connect->wish.keys.ptr);
    *out = (struct tunnel_words_whom){
        .who = "server",
        .where = where,
        .folder = folder,
        .by_option = "--server-name says what it must be for",
    };
}

static void on_ended(struct io_tls *tls, const struct io_tls_end *end)
{
    struct connect *connect = tls->context;
    char where[TUNNEL_PLACE_TEXT_MAX];
    char folder[PATH_MAX];
    struct tunnel_words_whom whom;
    char words[TUNNEL_WORDS_MAX];

    if (end->kind == IO_TLS_END_CLOSED || (end->kind == IO_TLS_END_EXPIRED && end->was_open)) {
        tunnel_side_over(&connect->side, EXIT_SUCCESS);
        return;
    }
    whom_of(connect, where, folder, &whom);
    tunnel_words_of_end(&whom, end, words);
    fail(connect, words);
}

static const struct io_tls_events tls_events = {
    .opened = on_opened,
    .received = on_received,
    .half_closed = on_half_closed,
    .drained = on_drained,
    .ended = on_ended,
};

static void on_time(struct tunnel_timer *timer)
{
    struct connect *connect = timer->context;

    io_tls_expire(&connect->tls);
}

static void on_dialled(struct tunnel_dial *dial, int fd)
{
    struct connect *connect = dial->context;
    const struct io_tls_wanted wanted = {
        .host = connect->wish.checks_name ? connect->wish.name.host : NULL,
        .checks_host = connect->wish.checks_name,
    };

    if (fd < 0) {
        char why[TUNNEL_DIAL_WHY_MAX];
        tunnel_dial_why(dial, why);
        fail(connect, why);
        return;
    }
    connect->tls =
        (struct io_tls){.loop = &connect->side.loop, .events = &tls_events, .context = connect};
    const int error = io_tls_connect(&connect->tls, connect->certificates, fd, &wanted);
    if (error != 0) {
        io_fd_close(&fd);
        fail(connect, strerror(-error));
        return;
    }
    connect->timer = (struct tunnel_timer){.fn = on_time, .context = connect};
    tunnel_timers_set(&connect->side.timers, &connect->timer,
                      io_clock_mono_ns() + HANDSHAKE_S * SECOND_NS);
}

// --- its life ------------------------------------------------------------------------------------

static bool judge(void *context, struct conf *conf)
{
    struct wish *wish = context;
    static const char *const required[] = {"host", "port"};
    const struct conf_value *name = conf_find(conf, "server-name");

    for (size_t i = 0; i < COUNT_OF(required); i++) {
        if (!conf_is_given(conf, required[i])) {
            conf_error_missing(&conf->errors,
                               conf_option_find(conf->table, bytes_of_text(required[i])));
        }
    }
    tunnel_place_host_of(&conf->errors, conf_find(conf, "host"), &wish->server);
    conf_value_port(&conf->errors, conf_find(conf, "port"), &wish->server.port);
    conf_value_text(&conf->errors, conf_find(conf, "keys"), 1, PATH_MAX, &wish->keys);
    tunnel_place_host_of(&conf->errors, name, &wish->name);
    wish->checks_name = name != NULL;
    return conf->errors.count == 0;
}

static void run(struct connect *connect)
{
    struct tunnel_side *side = &connect->side;

    side->context = connect;
    side->on_turn = on_turn;
    connect->in.watch = (struct io_watch){STDIN_FILENO, on_in, connect, 0, 0};
    connect->out.watch = (struct io_watch){STDOUT_FILENO, on_out, connect, 0, 0};
    connect->dial =
        (struct tunnel_dial){.timers = &side->timers, .fn = on_dialled, .context = connect};
    const bool is_set =
        tunnel_names_set(&connect->host, &side->names, bytes_of_text(connect->wish.server.host),
                         connect->wish.server.port);
    assert(is_set); // a place's host has room in a host
    tunnel_dial_begin(&connect->dial, &connect->host, io_clock_mono_ns());
    tunnel_side_run(side);
}

int tunnel_connect(const struct daemon_load_sources *sources)
{
    static struct daemon_load load; // what is borrowed from it and the arguments stays
    static struct connect connect;
    const struct conf_program program = {
        .name = tunnel_side_name(sources, "fairlead-tunnel connect"),
        .summary = "Joins standard input and output to a server that speaks TLS, as a client.",
        .note = "Exit status: 0 both sides have ended, 1 the connection could not be made, or was "
                "cut, 2 something is wrong with the options.",
    };
    const enum daemon_load_outcome outcome =
        daemon_load_open(&load, &tunnel_connect_table, sources, judge, &connect.wish);
    int status = EXIT_FAILURE;

    if (outcome != DAEMON_LOAD_RUN) {
        status = daemon_tell_outcome(&load, outcome, &program);
        daemon_load_close(&load);
        return status;
    }
    daemon_load_close(&load);
    if (tunnel_side_open(&connect.side, program.name, 1) &&
        tunnel_side_certify(&connect.side, connect.wish.keys, IO_TLS_CLIENT,
                            &connect.certificates)) {
        run(&connect);
        status = connect.side.status;
    }
    tunnel_dial_stop(&connect.dial);
    io_tls_abort(&connect.tls);
    io_tls_context_close(connect.certificates);
    io_loop_remove(&connect.side.loop, &connect.in.watch);
    io_loop_remove(&connect.side.loop, &connect.out.watch);
    tunnel_side_close(&connect.side);
    return status;
}

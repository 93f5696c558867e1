// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_dial.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"

static void quiet(struct tunnel_dial *dial)
{
    tunnel_names_leave(&dial->asker);
    tunnel_timers_clear(dial->timers, &dial->timer);
    if (dial->watch.events != 0) {
        io_loop_remove(dial->host->names->loop, &dial->watch);
    }
}

static void finish(struct tunnel_dial *dial, int fd)
{
    quiet(dial);
    dial->fn(dial, fd);
}

// Tries the address at addr_index, or the first one behind it that can be tried.
static void try_next(struct tunnel_dial *dial, uint64_t now_ns)
{
    static const struct io_tcp_options options = {0};
    struct io_loop *loop = dial->host->names->loop;

    while (dial->addr_index < dial->addr_count) {
        const uint64_t left_ns = dial->end_ns > now_ns ? dial->end_ns - now_ns : 0;
        const bool is_last = dial->addr_index + 1 == dial->addr_count;
        dial->error =
            io_tcp_connect(&dial->addrs[dial->addr_index], NULL, &options, &dial->watch.fd);
        if (dial->error == 0) {
            dial->error = io_loop_add(loop, &dial->watch, IO_WRITABLE);
            if (dial->error == 0) {
                tunnel_timers_set(dial->timers, &dial->timer,
                                  now_ns + (is_last ? left_ns : left_ns / TUNNEL_DIAL_SHARE));
                return;
            }
            io_fd_close(&dial->watch.fd);
        }
        dial->addr_index++;
    }
    finish(dial, -1);
}

static void drop(struct tunnel_dial *dial, int error, uint64_t now_ns)
{
    io_loop_remove(dial->host->names->loop, &dial->watch);
    io_fd_close(&dial->watch.fd);
    dial->error = error;
    dial->addr_index++;
    try_next(dial, now_ns);
}

static void on_connected(struct io_watch *watch, uint32_t events)
{
    struct tunnel_dial *dial = watch->context;
    const int error = io_tcp_error(watch->fd);

    (void)events;
    if (error == -EINPROGRESS) {
        return;
    }
    if (error != 0) {
        drop(dial, error, io_clock_mono_ns());
        return;
    }
    io_loop_remove(dial->host->names->loop, watch);
    finish(dial, io_fd_take(&watch->fd));
}

static void on_time(struct tunnel_timer *timer)
{
    struct tunnel_dial *dial = timer->context;

    if (dial->watch.events == 0) {
        dial->name_error = EAI_AGAIN;
        finish(dial, -1);
        return;
    }
    drop(dial, -ETIMEDOUT, io_clock_mono_ns());
}

static void on_named(struct tunnel_asker *asker)
{
    struct tunnel_dial *dial = asker->context;
    const struct tunnel_host *host = dial->host;

    dial->name_error = host->error;
    dial->addr_count = host->addr_count;
    memcpy(dial->addrs, host->addrs, sizeof dial->addrs);
    try_next(dial, io_clock_mono_ns());
}

void tunnel_dial_begin(struct tunnel_dial *dial, struct tunnel_host *host, uint64_t now_ns)
{
    assert(dial->watch.events == 0);
    dial->host = host;
    dial->asker = (struct tunnel_asker){.fn = on_named, .context = dial};
    dial->timer.fn = on_time;
    dial->timer.context = dial;
    dial->watch = (struct io_watch){.fd = -1, .fn = on_connected, .context = dial};
    dial->addr_index = 0;
    dial->addr_count = 0;
    dial->error = 0;
    dial->name_error = 0;
    dial->end_ns = now_ns + TUNNEL_DIAL_S * SECOND_NS;
    tunnel_timers_set(dial->timers, &dial->timer, dial->end_ns);
    tunnel_names_ask(host, &dial->asker, now_ns);
}

void tunnel_dial_stop(struct tunnel_dial *dial)
{
    if (dial->host == NULL) {
        return;
    }
    quiet(dial);
    io_fd_close(&dial->watch.fd);
}

void tunnel_dial_why(const struct tunnel_dial *dial, char out[TUNNEL_DIAL_WHY_MAX])
{
    const struct tunnel_host *host = dial->host;
    char where[TUNNEL_NAMES_HOST_MAX + 16];
    const bool has_colon = strchr(host->name, ':') != NULL;

    snprintf(where, sizeof where, has_colon ? "[%s]:%u" : "%s:%u", host->name, host->port);
    if (dial->error == 0) {
        snprintf(out, TUNNEL_DIAL_WHY_MAX, "%s: the name cannot be looked up (%s)", where,
                 gai_strerror(dial->name_error));
        return;
    }
    switch (-dial->error) {
    case ECONNREFUSED:
        snprintf(out, TUNNEL_DIAL_WHY_MAX, "%s refused the connection: nothing listens there",
                 where);
        break;
    case ETIMEDOUT:
        snprintf(out, TUNNEL_DIAL_WHY_MAX,
                 "%s does not answer: the host is down, or a firewall is in between", where);
        break;
    case ENETUNREACH:
    case EHOSTUNREACH:
        snprintf(out, TUNNEL_DIAL_WHY_MAX, "%s cannot be reached: no way leads there (%s)", where,
                 strerror(-dial->error));
        break;
    default:
        snprintf(out, TUNNEL_DIAL_WHY_MAX, "%s cannot be connected to (%s)", where,
                 strerror(-dial->error));
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "io/io_linger.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "io/io_fd.h"

enum { DROPPED_LEN = 16384 }; // bytes dropped at one wake-up

static struct io_linger_place *place_at(struct io_linger *linger, uint64_t number)
{
    return &linger->places[number % IO_LINGER_MAX];
}

static void end(struct io_linger *linger, struct io_linger_place *place)
{
    io_loop_remove(linger->loop, &place->watch);
    io_fd_close(&place->watch.fd);
}

void io_linger_open(struct io_linger *linger, struct io_loop *loop)
{
    linger->loop = loop;
    linger->first = 0;
    linger->end = 0;
}

void io_linger_close(struct io_linger *linger)
{
    while (linger->loop != NULL && linger->first < linger->end) {
        end(linger, place_at(linger, linger->first++));
    }
    linger->loop = NULL;
}

static void drop(struct io_watch *watch, uint32_t events)
{
    uint8_t dropped[DROPPED_LEN];

    (void)events;
    const ssize_t len = recv(watch->fd, dropped, sizeof dropped, 0);
    if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR)) {
        io_loop_remove(watch->context, watch);
        io_fd_close(&watch->fd);
    }
}

void io_linger_add(struct io_linger *linger, int fd, struct bytes words, uint64_t now_ns)
{
    assert(linger->loop != NULL);
    if (words.len > 0) {
        // Who does not take them at once does without.
        IGNORE(send(fd, words.ptr, words.len, MSG_NOSIGNAL));
    }
    if (linger->end - linger->first == IO_LINGER_MAX) {
        end(linger, place_at(linger, linger->first++));
    }
    struct io_linger_place *place = place_at(linger, linger->end++);
    *place = (struct io_linger_place){
        .watch = {.fd = fd, .fn = drop, .context = linger->loop},
        .deadline_ns = now_ns + IO_LINGER_S * SECOND_NS,
    };
    // One that is gone already, or cannot be watched, is closed.
    if (shutdown(fd, SHUT_WR) != 0 || io_loop_add(linger->loop, &place->watch, IO_READABLE) != 0) {
        end(linger, place);
    }
}

uint64_t io_linger_tick(struct io_linger *linger, uint64_t now_ns)
{
    while (linger->first < linger->end) {
        struct io_linger_place *place = place_at(linger, linger->first);
        if (place->watch.fd >= 0 && place->deadline_ns > now_ns) {
            return place->deadline_ns;
        }
        end(linger, place);
        linger->first++;
    }
    return NEVER;
}

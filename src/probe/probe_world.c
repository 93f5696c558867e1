// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_world.h"

#include <assert.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_route.h"
#include "io/io_sockaddr.h"
#include "probe/probe_socket.h"

#define MS_NS (SECOND_NS / 1000)

void probe_world_pace_init(struct probe_world_pace *pace, uint32_t rate)
{
    assert(rate > 0);
    pthread_mutex_init(&pace->lock, NULL);
    pace->interval_ns = SECOND_NS / rate;
    pace->next_ns = 0;
    memset(pace->ports, 0, sizeof pace->ports);
}

// Whether nobody had the port before; from now on somebody has.
static bool take_port(struct probe_world_pace *pace, uint16_t port)
{
    const uint8_t bit = (uint8_t)(1U << (port % 8));

    pthread_mutex_lock(&pace->lock);
    const bool is_new = (pace->ports[port / 8] & bit) == 0;
    pace->ports[port / 8] |= bit;
    pthread_mutex_unlock(&pace->lock);
    return is_new;
}

// Waits until it is this datagram's turn.
static void pace_wait(struct probe_world_pace *pace)
{
    uint64_t now_ns = io_clock_now().mono_ns;

    pthread_mutex_lock(&pace->lock);
    uint64_t turn_ns = pace->next_ns > now_ns ? pace->next_ns : now_ns;
    pace->next_ns = turn_ns + pace->interval_ns;
    pthread_mutex_unlock(&pace->lock);
    if (turn_ns > now_ns) {
        const struct timespec until = {.tv_sec = (time_t)(turn_ns / SECOND_NS),
                                       .tv_nsec = (long)(turn_ns % SECOND_NS)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
}

// Opens a socket at a port that was not used before or, when so many in a row were, at one that
// was.
static bool open_at(struct probe_world *world, const struct addr *at, int *fd, struct addr *local)
{
    enum { TRIES = 32 };

    for (int i = 0; i < TRIES; i++) {
        io_fd_close(fd);
        if (probe_socket_open(at, NULL, fd) != 0) {
            return false;
        }
        if (probe_socket_local(*fd, local) != 0) {
            io_fd_close(fd);
            return false;
        }
        if (take_port(world->pace, local->port) || at->port != 0) {
            break;
        }
    }
    return true;
}

static bool open_socket(void *self, const struct addr *at, const struct addr *remote,
                        uint32_t *out_socket, struct addr *out_local)
{
    struct probe_world *world = self;
    struct addr local = *at;
    uint32_t index = 0;

    while (index < PROBE_WORLD_SOCKETS && world->fds[index] >= 0) {
        index++;
    }
    if (index == PROBE_WORLD_SOCKETS) {
        return false;
    }
    if (local.family == ADDR_NONE && io_route_source_to(remote, &local) != 0) {
        return false;
    }
    if (!open_at(world, &local, &world->fds[index], out_local)) {
        return false;
    }
    *out_socket = index;
    return true;
}

static void close_socket(void *self, uint32_t socket)
{
    struct probe_world *world = self;

    assert(socket < PROBE_WORLD_SOCKETS);
    io_fd_close(&world->fds[socket]);
}

static void send_datagram(void *self, uint32_t socket, const struct addr *to, struct bytes datagram)
{
    struct probe_world *world = self;
    struct sockaddr_storage storage;
    socklen_t len = io_sockaddr_write(to, 0, &storage);

    assert(socket < PROBE_WORLD_SOCKETS);
    pace_wait(world->pace);
    // What the system does not take is lost, as on the way.
    IGNORE(sendto(world->fds[socket], datagram.ptr, datagram.len, 0,
                  (const struct sockaddr *)&storage, len) >= 0);
}

// Takes a datagram from a socket; false when it has none.
static bool take(struct probe_world *world, uint32_t socket, struct talk_datagram *out)
{
    struct sockaddr_storage storage;
    socklen_t len = sizeof storage;
    struct addr from;

    ssize_t got = recvfrom(world->fds[socket], world->datagram, sizeof world->datagram, 0,
                           (struct sockaddr *)&storage, &len);
    if (got < 0 || !io_sockaddr_read(&storage, len, &from, NULL)) {
        return false; // nothing, or an ICMP error that is no datagram
    }
    *out = (struct talk_datagram){socket, from, {world->datagram, (size_t)got}};
    return true;
}

static bool take_any(struct probe_world *world, struct talk_datagram *out)
{
    for (uint32_t i = 0; i < PROBE_WORLD_SOCKETS; i++) {
        uint32_t socket = (world->next + i) % PROBE_WORLD_SOCKETS;
        if (world->fds[socket] >= 0 && take(world, socket, out)) {
            world->next = (socket + 1) % PROBE_WORLD_SOCKETS; // so that none is left out
            return true;
        }
    }
    return false;
}

static bool receive(void *self, uint64_t until_ns, struct talk_datagram *out)
{
    struct probe_world *world = self;
    struct pollfd polls[PROBE_WORLD_SOCKETS];

    for (;;) {
        if (take_any(world, out)) {
            return true;
        }
        uint64_t now_ns = io_clock_now().mono_ns;
        if (now_ns >= until_ns) {
            return false;
        }
        for (uint32_t i = 0; i < PROBE_WORLD_SOCKETS; i++) {
            polls[i] = (struct pollfd){.fd = world->fds[i], .events = POLLIN};
        }
        // Rounded up, or the last millisecond would be spent in a loop; a minute at a time.
        uint64_t wait_ms = (until_ns - now_ns + MS_NS - 1) / MS_NS;
        IGNORE(poll(polls, PROBE_WORLD_SOCKETS, wait_ms < 60000 ? (int)wait_ms : 60000) >= 0);
    }
}

static struct now read_clock(void *self)
{
    (void)self;
    return io_clock_now();
}

void probe_world_init(struct probe_world *world, struct probe_world_pace *pace)
{
    world->world = (struct talk_world){.self = world,
                                       .open = open_socket,
                                       .close = close_socket,
                                       .send = send_datagram,
                                       .receive = receive,
                                       .now = read_clock};
    world->pace = pace;
    world->next = 0;
    for (uint32_t i = 0; i < PROBE_WORLD_SOCKETS; i++) {
        world->fds[i] = -1;
    }
}

void probe_world_deinit(struct probe_world *world)
{
    for (uint32_t i = 0; i < PROBE_WORLD_SOCKETS; i++) {
        io_fd_close(&world->fds[i]);
    }
}

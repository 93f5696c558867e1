// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_fleet.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "crypto/crypto_hmac.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_random.h"
#include "io/io_route.h"
#include "probe/probe_socket.h"
#include "stun/stun_error.h"

enum {
    WINDOW = 32,          // requests under way at once: less than a socket's buffer holds
    WAIT_MS = 20,         // after which the clients that wait are looked at for what is due
    DATAGRAM_MAX = 2048,  // bytes
    CREDENTIAL_S = 86400, // for which made-up credentials are good
    LIFETIME_S = 600,     // of an allocation
    REOPEN_MAX = 5,       // ports that a client tries besides its first
    EVENTS_MAX = 64,
    PEER_INDEX = UINT32_MAX,
};

#define RENEW_NS (200 * SECOND_NS) // permissions last 300 s (RFC 8656 section 9)

static bool fail(struct probe_fleet *fleet, const char *what, int error)
{
    snprintf(fleet->wrong, sizeof fleet->wrong, "%s: %s", what, strerror(-error));
    return false;
}

// A user of its own: "EXPIRY:probe-INDEX" (draft-uberti-behave-turn-rest).
static void make_credential(struct probe_client *client, uint32_t index, struct bytes secret)
{
    uint8_t mac[CRYPTO_SHA1_LEN];
    struct wr wr = wr_init(client->password, sizeof client->password);

    snprintf(client->name, sizeof client->name, "%lld:probe-%u",
             (long long)io_clock_now().wall_s + CREDENTIAL_S, index);
    struct bytes name = bytes_of_text(client->name);
    crypto_hmac_sha1(secret, &name, 1, mac);
    base64_write(&wr, (struct bytes){mac, sizeof mac}, true);
    assert(wr_ok(&wr));
}

static bool watch(const struct probe_fleet *fleet, int fd, uint32_t index)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};

    return epoll_ctl(fleet->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_client(struct probe_fleet *fleet, uint32_t index)
{
    const struct probe_config *config = fleet->config;
    struct probe_client *client = &fleet->clients[index];
    uint8_t seed[CRYPTO_RANDOM_SEED_LEN];
    struct bytes name = config->username;
    struct bytes password = config->password;

    if (config->secret.len > 0) {
        make_credential(client, index, config->secret);
        name = bytes_of_text(client->name);
        password = (struct bytes){client->password, sizeof client->password};
    }
    io_random_fill(seed, sizeof seed);
    turnc_client_init(&client->turn, name, password, seed);
    int error = probe_socket_open(&fleet->local, &config->server.addr, &client->fd);
    if (error == 0) {
        error = probe_socket_stamp(client->fd);
    }
    if (error != 0) {
        return fail(fleet, "cannot open a socket for a client", error);
    }
    return watch(fleet, client->fd, index) || fail(fleet, "cannot watch a socket", -errno);
}

static bool open_peer(struct probe_fleet *fleet, const struct addr *local)
{
    int error = probe_socket_open(local, NULL, &fleet->peer_fd);

    if (error == 0) {
        error = probe_socket_local(fleet->peer_fd, &fleet->peer);
    }
    if (error == 0) {
        error = probe_socket_stamp(fleet->peer_fd);
    }
    if (error != 0) {
        return fail(fleet, "cannot open a socket for the peer; is --peer-address of this host?",
                    error);
    }
    return watch(fleet, fleet->peer_fd, PEER_INDEX) || fail(fleet, "cannot watch a socket", -errno);
}

bool probe_fleet_open(struct probe_fleet *fleet, const struct probe_config *config, uint32_t count)
{
    *fleet = (struct probe_fleet){.config = config, .epoll_fd = -1, .peer_fd = -1};
    fleet->clients = calloc(count, sizeof *fleet->clients);
    fleet->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (fleet->clients == NULL || fleet->epoll_fd < 0) {
        return fail(fleet, "cannot begin", -ENOMEM);
    }
    fleet->count = count;
    for (uint32_t i = 0; i < count; i++) {
        fleet->clients[i].fd = -1;
    }
    int error = io_route_source_to(&config->server.addr, &fleet->local);
    if (error != 0) {
        return fail(fleet, "the server cannot be reached from here", error);
    }
    if (!open_peer(fleet, config->peer.family != ADDR_NONE ? &config->peer : &fleet->local)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!open_client(fleet, i)) {
            return false;
        }
    }
    return true;
}

void probe_fleet_close(struct probe_fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->count; i++) {
        io_fd_close(&fleet->clients[i].fd);
    }
    io_fd_close(&fleet->peer_fd);
    io_fd_close(&fleet->epoll_fd);
    free(fleet->clients);
    fleet->clients = NULL;
    fleet->count = 0;
}

static void begin(struct probe_fleet *fleet, struct turnc_client *turn, enum probe_step step)
{
    struct now now = io_clock_now();

    switch (step) {
    case PROBE_STEP_ALLOCATE:
        turnc_client_allocate(turn, now, (enum addr_family)fleet->peer.family);
        break;
    case PROBE_STEP_BIND:
        turnc_client_bind_channel(turn, now, PROBE_FLEET_CHANNEL, &fleet->peer);
        break;
    case PROBE_STEP_REFRESH:
        turnc_client_refresh(turn, now, LIFETIME_S);
        break;
    case PROBE_STEP_RELEASE:
        turnc_client_refresh(turn, now, 0);
        break;
    }
}

// Sends what is due. What the system does not take is sent again in time.
static void flush(struct probe_client *client)
{
    struct bytes datagram;

    while (turnc_client_take(&client->turn, &datagram)) {
        IGNORE(send(client->fd, datagram.ptr, datagram.len, 0));
    }
}

static void take(struct probe_fleet *fleet, struct probe_client *client)
{
    uint8_t datagram[DATAGRAM_MAX];
    ssize_t len;

    // ECONNREFUSED and the like are no answers; one of them does not end the reading.
    while ((len = recv(client->fd, datagram, sizeof datagram, 0)) >= 0 || errno == ECONNREFUSED) {
        if (len < 0) {
            fleet->is_port_closed = true;
        } else {
            turnc_client_read(&client->turn, io_clock_now(), (struct bytes){datagram, len});
        }
    }
    flush(client);
}

static bool explain(struct probe_fleet *fleet, uint32_t index, enum probe_step step)
{
    static const char *const steps[] = {"Allocate", "ChannelBind", "Refresh", "Refresh to 0"};
    const struct turnc_client *turn = &fleet->clients[index].turn;
    const char *hint = "";

    switch (turn->state) {
    case TURNC_REFUSED:
        if (turn->error_code == STUN_ERROR_UNAUTHENTICATED) {
            hint = "; are --user and --pass right?";
        } else if (turn->error_code == STUN_ERROR_FORBIDDEN) {
            hint = "; the server must allow --peer-address as a peer";
        } else if (turn->error_code == STUN_ERROR_QUOTA_REACHED ||
                   turn->error_code == STUN_ERROR_INSUFFICIENT_CAPACITY) {
            hint = "; raise the server's quotas, or ask for fewer by --num-clients and "
                   "--num-allocations";
        }
        snprintf(fleet->wrong, sizeof fleet->wrong, "%s of client %u was refused with error %u%s",
                 steps[step], index + 1, turn->error_code, hint);
        break;
    case TURNC_TIMED_OUT:
        snprintf(fleet->wrong, sizeof fleet->wrong, "%s of client %u got no answer", steps[step],
                 index + 1);
        break;
    default:
        snprintf(fleet->wrong, sizeof fleet->wrong, "%s of client %u got an answer without %s",
                 steps[step], index + 1, "what it must have");
        break;
    }
    return false;
}

// The server still knows an allocation of this address and port, of somebody before us: another
// port is what RFC 8656 section 7.4 has a client try.
static bool is_port_in_use(const struct probe_client *client, enum probe_step step)
{
    return step == PROBE_STEP_ALLOCATE && client->turn.state == TURNC_REFUSED &&
           client->turn.error_code == STUN_ERROR_ALLOCATION_MISMATCH &&
           client->reopen_count < REOPEN_MAX;
}

static void try_another_port(struct probe_fleet *fleet, uint32_t index)
{
    struct probe_client *client = &fleet->clients[index];
    int old_fd = client->fd; // open until there is another, which so has another port

    client->reopen_count++;
    if (open_client(fleet, index)) {
        begin(fleet, &client->turn, PROBE_STEP_ALLOCATE);
        flush(client);
    }
    io_fd_close(&old_fd);
}

// A step that is under way: the clients before `next` have begun it, and so many of them wait.
struct progress {
    enum probe_step step;
    uint32_t next;
    uint32_t waiting;
};

static void receive(struct probe_fleet *fleet, struct progress *progress)
{
    struct epoll_event events[EVENTS_MAX];
    uint8_t stray[DATAGRAM_MAX];
    int count = epoll_wait(fleet->epoll_fd, events, EVENTS_MAX, WAIT_MS);

    for (int i = 0; i < count; i++) {
        uint32_t index = events[i].data.u32;
        if (index == PEER_INDEX) {
            while (recv(fleet->peer_fd, stray, sizeof stray, 0) >= 0) {
            }
            continue;
        }
        bool was_waiting = fleet->clients[index].turn.state == TURNC_WAITING;
        take(fleet, &fleet->clients[index]);
        if (was_waiting && is_port_in_use(&fleet->clients[index], progress->step)) {
            try_another_port(fleet, index);
        }
        progress->waiting -=
            was_waiting && fleet->clients[index].turn.state != TURNC_WAITING ? 1 : 0;
    }
}

// Sends again what has waited too long.
static void tick(struct probe_fleet *fleet, struct progress *progress)
{
    struct now now = io_clock_now();

    for (uint32_t i = 0; i < progress->next; i++) {
        struct probe_client *client = &fleet->clients[i];
        if (turnc_client_deadline(&client->turn) > now.mono_ns) {
            continue;
        }
        turnc_client_tick(&client->turn, now);
        flush(client);
        progress->waiting -= client->turn.state != TURNC_WAITING ? 1 : 0;
    }
}

bool probe_fleet_do(struct probe_fleet *fleet, enum probe_step step)
{
    struct progress progress = {.step = step};
    uint64_t ticked_ns = 0;

    while (progress.next < fleet->count || progress.waiting > 0) {
        while (progress.next < fleet->count && progress.waiting < WINDOW) {
            struct probe_client *client = &fleet->clients[progress.next++];
            begin(fleet, &client->turn, step);
            flush(client);
            progress.waiting++;
        }
        receive(fleet, &progress);
        if (step == PROBE_STEP_ALLOCATE && fleet->is_port_closed) {
            snprintf(fleet->wrong, sizeof fleet->wrong,
                     "nobody listens at the server's address and port, says its host");
            return false;
        }
        if (io_clock_now().mono_ns - ticked_ns > WAIT_MS * SECOND_NS / 1000) {
            tick(fleet, &progress);
            ticked_ns = io_clock_now().mono_ns;
        }
    }
    for (uint32_t i = 0; i < fleet->count; i++) {
        if (fleet->clients[i].turn.state != TURNC_DONE) {
            return explain(fleet, i, step);
        }
    }
    if (step == PROBE_STEP_BIND) {
        fleet->renewed_ns = io_clock_now().mono_ns;
    }
    return true;
}

bool probe_fleet_renew(struct probe_fleet *fleet)
{
    if (io_clock_now().mono_ns - fleet->renewed_ns < RENEW_NS) {
        return true;
    }
    return probe_fleet_do(fleet, PROBE_STEP_REFRESH) && probe_fleet_do(fleet, PROBE_STEP_BIND);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tls_world.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_fd.h"

enum { DAY_S = 86400 };

static char folder[] = "/tmp/io_tls.XXXXXX";
static bool has_folder;

// --- keys ----------------------------------------------------------------------------------------

const char *tls_world_path(const char *name)
{
    static char paths[32][TLS_WORLD_PATH_MAX];
    static unsigned int next;
    char *path = paths[next++ % 32];

    const int len = snprintf(path, TLS_WORLD_PATH_MAX, "%s/%s", folder, name);
    assert(len < TLS_WORLD_PATH_MAX);
    return path;
}

void tls_world_keys(enum io_tls_keys_kind kind, const char *name, const char *ca, int from_days,
                    int to_days)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    struct io_tls_error error = {""};
    const int64_t now_s = time(NULL);
    const struct io_tls_keys keys = {
        .kind = kind,
        .folder = tls_world_path(name),
        .ca_folder = ca == NULL ? NULL : tls_world_path(ca),
        .common_name = name,
        .names = names,
        .name_count =
            kind == IO_TLS_KEYS_SERVER && strcmp(name, "nameless") != 0 ? COUNT_OF(names) : 0,
        .from_s = now_s + (int64_t)from_days * DAY_S,
        .to_s = now_s + (int64_t)to_days * DAY_S,
    };

    if (io_tls_keys_make(&keys, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
}

const char *tls_world_folder(void)
{
    if (!has_folder) {
        if (mkdtemp(folder) == NULL) {
            abort();
        }
        has_folder = true;
        tls_world_keys(IO_TLS_KEYS_CA, "ca", NULL, -1, 100);
        tls_world_keys(IO_TLS_KEYS_SERVER, "server", "ca", -1, 50);
        tls_world_keys(IO_TLS_KEYS_CLIENT, "client", "ca", -1, 50);
    }
    return folder;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void tls_world_remove_folder(void)
{
    if (has_folder && nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) {
        abort();
    }
    has_folder = false;
}

// --- contexts ------------------------------------------------------------------------------------

struct io_tls_settings tls_world_server(void)
{
    tls_world_folder();
    return (struct io_tls_settings){
        .role = IO_TLS_SERVER,
        .certificate = {.path = tls_world_path("server/server.crt.pem")},
        .key = {.path = tls_world_path("server/server.key.pem")},
        .ca = {.path = tls_world_path("server/ca.crt.pem")},
        .ask = IO_TLS_NEED_CERTIFICATE,
    };
}

struct io_tls_settings tls_world_client(void)
{
    tls_world_folder();
    return (struct io_tls_settings){
        .role = IO_TLS_CLIENT,
        .certificate = {.path = tls_world_path("client/client.crt.pem")},
        .key = {.path = tls_world_path("client/client.key.pem")},
        .ca = {.path = tls_world_path("client/ca.crt.pem")},
    };
}

struct io_tls_context *tls_world_context(const struct io_tls_settings *settings)
{
    struct io_tls_context *context = NULL;
    struct io_tls_error warning;
    struct io_tls_error error = {""};

    if (io_tls_context_open(settings, &context, &warning, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    return context;
}

// --- what an end does ----------------------------------------------------------------------------

static void opened(struct io_tls *tls)
{
    struct tls_end *end = tls->context;

    end->opened_count++;
    if (end->on_opened != NULL) {
        end->on_opened(end);
    }
    if (end->closes_when_open) {
        io_tls_close(tls);
    }
}

static void received(struct io_tls *tls, struct bytes bytes)
{
    struct tls_end *end = tls->context;

    assert(bytes.len >= 1);
    assert(bytes.len <= IO_TLS_RECEIVE_MAX);
    assert(end->opened_count == 1);
    assert(bytes.len <= TLS_WORLD_IN_MAX - end->in_len);
    memcpy(end->in + end->in_len, bytes.ptr, bytes.len);
    end->in_len += bytes.len;
    if (end->echoes) {
        const int error = io_tls_send(tls, bytes);
        assert(error == 0);
    }
    if (end->pauses) {
        io_tls_pause(tls);
    }
    if (end->on_received != NULL) {
        end->on_received(end);
    }
}

static void half_closed(struct io_tls *tls)
{
    struct tls_end *end = tls->context;

    end->half_closed_count++;
    if (end->closes_when_half_closed) {
        io_tls_close(tls);
    }
}

static void drained(struct io_tls *tls)
{
    struct tls_end *end = tls->context;

    end->drained_count++;
}

static void ended(struct io_tls *tls, const struct io_tls_end *how)
{
    struct tls_end *end = tls->context;

    assert(tls->state == IO_TLS_ENDED);
    assert(how->was_open == (end->opened_count == 1));
    assert(how->text[0] != '\0');
    end->ended_count++;
    end->end = *how;
}

const struct io_tls_events tls_world_events = {opened, received, half_closed, drained, ended};
const struct io_tls_events tls_world_bare_events = {
    .opened = opened, .received = received, .ended = ended};

// --- the wire ------------------------------------------------------------------------------------

static void pass(struct tls_wire *wire)
{
    uint8_t buffer[16384];
    const size_t room = wire->chunk < sizeof(buffer) ? wire->chunk : sizeof(buffer);

    if (room == 0 || wire->is_end_passed || wire->from < 0 || wire->to < 0) {
        return;
    }
    const ssize_t got = recv(wire->from, buffer, room, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        wire->is_end_passed = true;
        shutdown(wire->to, SHUT_WR);
        return;
    }
    if (wire->spoil_at > wire->passed && wire->spoil_at <= wire->passed + (size_t)got) {
        buffer[wire->spoil_at - wire->passed - 1] ^= 0x41;
    }
    wire->passed += (size_t)got;
    // The other end may be gone already.
    IGNORE(send(wire->to, buffer, (size_t)got, MSG_NOSIGNAL));
}

static void pass_both(struct tls_world *world)
{
    pass(&world->up);
    pass(&world->down);
    if ((world->up.cut_after != 0 && world->up.passed >= world->up.cut_after) ||
        (world->down.cut_after != 0 && world->down.passed >= world->down.cut_after)) {
        io_fd_close(&world->fds[0]);
        io_fd_close(&world->fds[1]);
        world->up.from = world->up.to = world->down.from = world->down.to = -1;
    }
}

// --- the world -----------------------------------------------------------------------------------

static void open_end(struct tls_world *world, struct tls_end *end)
{
    *end = (struct tls_end){
        .tls = {.loop = &world->loop, .events = &tls_world_events, .context = end},
        .in = malloc(TLS_WORLD_IN_MAX),
    };
    assert(end->in != NULL);
}

void tls_world_open(struct tls_world *world)
{
    *world = (struct tls_world){.fds = {-1, -1}};
    const int error = io_loop_open(&world->loop);
    assert(error == 0);
    open_end(world, &world->client);
    open_end(world, &world->server);
}

void tls_world_close(struct tls_world *world)
{
    io_tls_abort(&world->client.tls);
    io_tls_abort(&world->server.tls);
    assert(world->loop.watch_count == 0);
    io_loop_close(&world->loop);
    io_fd_close(&world->fds[0]);
    io_fd_close(&world->fds[1]);
    free(world->client.in);
    free(world->server.in);
}

static void pair_tcp(int fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    IO_FD_AUTO int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int is_on = 1;

    int error = bind(listener, (struct sockaddr *)&address, len);
    assert(error == 0);
    error = listen(listener, 1);
    assert(error == 0);
    error = getsockname(listener, (struct sockaddr *)&address, &len);
    assert(error == 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    error = connect(fds[0], (struct sockaddr *)&address, len);
    assert(error == 0);
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert(fds[1] >= 0);
    for (int i = 0; i < 2; i++) {
        error = fcntl(fds[i], F_SETFL, O_NONBLOCK);
        assert(error == 0);
        error = setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &is_on, sizeof(is_on));
        assert(error == 0);
    }
}

static void pair(const struct tls_world *world, int fds[2])
{
    if (world->is_tcp) {
        pair_tcp(fds);
        return;
    }
    const int error = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
    assert(error == 0);
}

void tls_world_join(struct tls_world *world, struct io_tls_context *client,
                    struct io_tls_context *server, const struct io_tls_wanted *wanted, size_t chunk)
{
    static const struct io_tls_wanted nobody = {.host = NULL};
    int left[2];
    int right[2];

    pair(world, left);
    if (chunk == 0) {
        right[0] = left[1];
    } else {
        pair(world, right);
        world->has_wires = true;
        world->fds[0] = left[1];
        world->fds[1] = right[1];
        world->up = (struct tls_wire){.from = left[1], .to = right[1], .chunk = chunk};
        world->down = (struct tls_wire){.from = right[1], .to = left[1], .chunk = chunk};
    }
    int error =
        io_tls_connect(&world->client.tls, client, left[0], wanted == NULL ? &nobody : wanted);
    assert(error == 0);
    if (world->is_1_2) {
        SSL_set_max_proto_version(world->client.tls.ssl, TLS1_2_VERSION);
    }
    error = io_tls_accept(&world->server.tls, server, right[0]);
    assert(error == 0);
}

int tls_world_alone(struct tls_world *world, struct io_tls_context *context,
                    const struct io_tls_wanted *wanted)
{
    int fds[2];

    pair(world, fds);
    const int error = wanted != NULL ? io_tls_connect(&world->client.tls, context, fds[0], wanted)
                                     : io_tls_accept(&world->server.tls, context, fds[0]);
    assert(error == 0);
    return fds[1];
}

static void turn(struct tls_world *world, uint64_t wait_ns)
{
    if (world->has_wires) {
        pass_both(world);
    }
    const int error = io_loop_turn(&world->loop, wait_ns == 0 ? 0 : io_clock_mono_ns() + wait_ns);
    assert(error == 0);
}

void tls_world_until(struct tls_world *world, bool (*is_done)(const struct tls_world *world))
{
    const uint64_t end_ns = io_clock_mono_ns() + 30 * SECOND_NS;

    while (!is_done(world) && io_clock_mono_ns() < end_ns) {
        turn(world, world->has_wires ? 0 : SECOND_NS / 100);
    }
    if (!is_done(world)) {
        fprintf(stderr, "client: state %d opened %u ended %u '%s'\n", world->client.tls.state,
                world->client.opened_count, world->client.ended_count, world->client.end.text);
        fprintf(stderr, "server: state %d opened %u ended %u '%s'\n", world->server.tls.state,
                world->server.opened_count, world->server.ended_count, world->server.end.text);
        abort();
    }
}

void tls_world_settle(struct tls_world *world)
{
    for (int quiet = 0; quiet < 3;) {
        const size_t passed = world->up.passed + world->down.passed;

        turn(world, 0);
        quiet = world->loop.event_count == 0 && passed == world->up.passed + world->down.passed
                    ? quiet + 1
                    : 0;
    }
}

bool tls_world_both_open(const struct tls_world *world)
{
    return world->client.opened_count == 1 && world->server.opened_count == 1;
}

bool tls_world_both_ended(const struct tls_world *world)
{
    return world->client.ended_count == 1 && world->server.ended_count == 1;
}

bool tls_world_server_opened(const struct tls_world *world)
{
    return world->server.opened_count == 1;
}

bool tls_world_server_heard(const struct tls_world *world)
{
    return world->server.in_len > 0;
}

bool tls_world_server_ended(const struct tls_world *world)
{
    return world->server.ended_count == 1;
}

bool tls_world_client_ended(const struct tls_world *world)
{
    return world->client.ended_count == 1;
}

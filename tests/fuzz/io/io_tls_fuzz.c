// SPDX-License-Identifier: Apache-2.0
// Bytes of a stranger to a server and to a client, and changes of what passes between the two.
//
// The first byte says which, the second how many bytes are sent at a time. OpenSSL's random numbers
// are its own, so that the bytes of a handshake differ from run to run; what must hold does not.
#define _GNU_SOURCE
#include "fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/io_fd.h"
#include "io/io_tls.h"
#include "io/io_tls_keys.h"

enum {
    TURN_MAX = 400,
    PASSED_MAX = 64 * 1024,
};

struct end {
    struct io_tls tls;
    uint32_t opened_count;
    uint32_t ended_count;
    size_t in_len;
};

static const char secret[] = "what one side says to the other, and nobody may change";

static struct io_loop loop;
static struct io_tls_context *server_context;
static struct io_tls_context *client_context;

// --- the two ends --------------------------------------------------------------------------------

static void opened(struct io_tls *tls)
{
    struct end *end = tls->context;

    end->opened_count++;
    const int error = io_tls_send(tls, bytes_of_text(secret));
    assert(error == 0 || error == -ENOTCONN);
}

static void received(struct io_tls *tls, struct bytes bytes)
{
    struct end *end = tls->context;

    assert(end->opened_count == 1);
    assert(bytes.len <= sizeof(secret) - 1 - end->in_len);
    assert(memcmp(bytes.ptr, secret + end->in_len, bytes.len) == 0);
    end->in_len += bytes.len;
}

static void ended(struct io_tls *tls, const struct io_tls_end *how)
{
    struct end *end = tls->context;

    end->ended_count++;
    assert(how->text[0] != '\0');
    assert(strlen(how->text) <= IO_TLS_END_TEXT_MAX);
    for (const char *at = how->text; *at != '\0'; at++) {
        assert(*at >= ' ' && *at <= '~');
    }
}

static const struct io_tls_events events = {.opened = opened, .received = received, .ended = ended};

// --- contexts ------------------------------------------------------------------------------------

static void make(enum io_tls_keys_kind kind, const char *folder, const char *ca)
{
    const struct io_tls_keys keys = {.kind = kind,
                                     .folder = folder,
                                     .ca_folder = ca,
                                     .common_name = "fuzz",
                                     .from_s = 1,
                                     .to_s = INT64_C(4000000000)};
    struct io_tls_error error;
    const int result = io_tls_keys_make(&keys, &error);

    assert(result == 0);
}

static struct io_tls_context *open_context(enum io_tls_role role, const char *folder)
{
    static const struct io_tls_protocol protocols[] = {
        {"tlsrelay/2", IO_TLS_1_3, IO_TLS_ASK_CERTIFICATE},
        {"tlsrelay/1", IO_TLS_1_2, IO_TLS_NEED_CERTIFICATE},
    };
    const bool is_server = role == IO_TLS_SERVER;
    char certificate[128];
    char key[128];
    char ca[128];
    struct io_tls_error words;
    struct io_tls_context *context = NULL;

    snprintf(certificate, sizeof(certificate), "%s/%s", folder,
             is_server ? IO_TLS_KEYS_SERVER_CERTIFICATE : IO_TLS_KEYS_CLIENT_CERTIFICATE);
    snprintf(key, sizeof(key), "%s/%s", folder,
             is_server ? IO_TLS_KEYS_SERVER_KEY : IO_TLS_KEYS_CLIENT_KEY);
    snprintf(ca, sizeof(ca), "%s/%s", folder, IO_TLS_KEYS_CA_CERTIFICATE);
    const struct io_tls_settings settings = {
        .role = role,
        .certificate = {.path = certificate},
        .key = {.path = key},
        .ca = {.path = ca},
        .ask = IO_TLS_NEED_CERTIFICATE,
        .protocols = protocols,
        .protocol_count = COUNT_OF(protocols),
    };
    const int error = io_tls_context_open(&settings, &context, &words, &words);
    assert(error == 0);
    return context;
}

static void prepare(void)
{
    static const char *const files[] = {
        IO_TLS_KEYS_CA_CERTIFICATE,     IO_TLS_KEYS_CA_KEY,
        IO_TLS_KEYS_SERVER_CERTIFICATE, IO_TLS_KEYS_SERVER_KEY,
        IO_TLS_KEYS_CLIENT_CERTIFICATE, IO_TLS_KEYS_CLIENT_KEY,
    };
    char folder[] = "/tmp/io_tls_fuzz.XXXXXX";
    char path[128];

    if (server_context != NULL) {
        return;
    }
    if (mkdtemp(folder) == NULL || io_loop_open(&loop) != 0) {
        abort();
    }
    make(IO_TLS_KEYS_CA, folder, NULL);
    make(IO_TLS_KEYS_SERVER, folder, folder);
    make(IO_TLS_KEYS_CLIENT, folder, folder);
    server_context = open_context(IO_TLS_SERVER, folder);
    client_context = open_context(IO_TLS_CLIENT, folder);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void pair(int fds[2])
{
    const int error = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);

    assert(error == 0);
}

static void start(struct end *end, bool is_server, int fd)
{
    static const struct io_tls_wanted wanted = {.host = "localhost"};

    *end = (struct end){.tls = {.loop = &loop, .events = &events, .context = end}};
    const int error = is_server ? io_tls_accept(&end->tls, server_context, fd)
                                : io_tls_connect(&end->tls, client_context, fd, &wanted);
    assert(error == 0);
}

// Turns until nothing happens; each turn of a connection either reads, writes or ends it.
static void settle(void)
{
    for (int i = 0; i < TURN_MAX; i++) {
        const int error = io_loop_turn(&loop, 0);

        assert(error == 0);
        if (loop.event_count == 0) {
            return;
        }
    }
    assert(!"it never comes to rest");
}

// --- trials --------------------------------------------------------------------------------------

static void try_alone(bool is_server, struct bytes input, size_t chunk)
{
    struct end end;
    int fds[2];

    pair(fds);
    start(&end, is_server, fds[0]);
    settle();
    while (input.len > 0) {
        const struct bytes some = bytes_first(input, chunk);

        // It may have ended already.
        IGNORE(send(fds[1], some.ptr, some.len, MSG_NOSIGNAL));
        input = bytes_from(input, some.len);
        settle();
    }
    assert(end.opened_count == 0); // a stranger has no key
    io_fd_close(&fds[1]);
    settle();
    assert(end.ended_count == 1);
    assert(loop.watch_count == 0);
}

// Passes on what comes, and changes it as the input says: how many bytes to let pass, and what to
// change of the next.
static void pass(int from, int to, struct rd *script, uint32_t *left)
{
    uint8_t buffer[PASSED_MAX];
    const ssize_t got = recv(from, buffer, sizeof(buffer), MSG_DONTWAIT);

    if (got == 0) {
        shutdown(to, SHUT_WR);
    }
    for (ssize_t i = 0; i < got; i++) {
        if (*left == 0) {
            buffer[i] ^= rd_u8(script);
            *left = rd_ok(script) ? rd_u16(script) : UINT32_MAX;
        }
        --*left;
    }
    if (got > 0) {
        IGNORE(send(to, buffer, (size_t)got, MSG_NOSIGNAL)); // it may have ended already
    }
}

static void try_both(struct bytes input)
{
    struct rd script = rd_init(input);
    uint32_t left = rd_u16(&script);
    struct end client;
    struct end server;
    int left_fds[2];
    int right_fds[2];

    if (!rd_ok(&script)) {
        left = UINT32_MAX; // nothing is changed
    }
    pair(left_fds);
    pair(right_fds);
    start(&client, false, left_fds[0]);
    start(&server, true, right_fds[0]);
    for (int i = 0; i < 16; i++) {
        settle();
        pass(left_fds[1], right_fds[1], &script, &left);
        pass(right_fds[1], left_fds[1], &script, &left);
    }
    if (input.len < 2) {
        assert(client.in_len == sizeof(secret) - 1);
        assert(server.in_len == sizeof(secret) - 1);
    }
    io_fd_close(&left_fds[1]);
    io_fd_close(&right_fds[1]);
    settle();
    assert(client.ended_count == 1);
    assert(server.ended_count == 1);
    assert(loop.watch_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd rd = rd_init((struct bytes){data, size});
    const uint8_t which = rd_u8(&rd);
    const uint8_t chunk = rd_u8(&rd);

    prepare();
    if (!rd_ok(&rd)) {
        return 0;
    }
    const struct bytes input = rd_bytes(&rd, rd.left);
    switch (which % 3) {
    case 0:
        try_alone(true, input, chunk < 32 ? SIZE_MAX : chunk);
        break;
    case 1:
        try_alone(false, input, chunk < 32 ? SIZE_MAX : chunk);
        break;
    default:
        try_both(input);
        break;
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// How much memory a connection of a server takes: while it is idle, and of what a stranger can make
// it hold. Counted is what OpenSSL allocates, which is all but struct io_tls and what waits.
#define _GNU_SOURCE
#include "io/io_tls.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "tls_world.h"

enum {
    CONNECTION_COUNT = 32,
    IDLE_MAX = 22 * 1024,    // bytes; 19,546 with OpenSSL 3.0.19, with a client's certificate
    SHAKING_MAX = 64 * 1024, // as io_tls.h promises
    LEFT_MAX = 128,          // of the last error's words, which OpenSSL keeps for the thread
    MALLOC_HEAD = 16,        // what glibc adds to each block, about
};

// --- OpenSSL's allocator -------------------------------------------------------------------------

union head {
    size_t len;
    max_align_t align;
};

static size_t held; // bytes

static void *take(size_t len, const char *file, int line)
{
    union head *head = malloc(sizeof(*head) + len);

    (void)file;
    (void)line;
    if (head == NULL) {
        return NULL;
    }
    head->len = len;
    held += len + MALLOC_HEAD;
    return head + 1;
}

static void give(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    if (memory != NULL) {
        union head *head = (union head *)memory - 1;

        held -= head->len + MALLOC_HEAD;
        free(head);
    }
}

static void *change(void *memory, size_t len, const char *file, int line)
{
    if (memory == NULL) {
        return take(len, file, line);
    }
    const size_t old_len = ((union head *)memory - 1)->len;
    void *other = take(len, file, line);

    if (other != NULL) {
        memcpy(other, memory, old_len < len ? old_len : len);
        give(memory, file, line);
    }
    return other;
}

// --- servers in this process, clients in another -------------------------------------------------

static struct io_tls_context *server_context;
static struct tls_world world;
static struct io_tls tls[CONNECTION_COUNT];
static uint32_t opened_count;
static size_t received_len;
static uint32_t ended_count;

static void opened(struct io_tls *one)
{
    (void)one;
    opened_count++;
}

static void received(struct io_tls *one, struct bytes bytes)
{
    (void)one;
    received_len += bytes.len;
}

static void ended(struct io_tls *one, const struct io_tls_end *end)
{
    (void)one;
    (void)end;
    ended_count++;
}

static const struct io_tls_events events = {.opened = opened, .received = received, .ended = ended};

static void start_client(struct io_tls_context *context, struct io_tls *one, int fd)
{
    static const struct io_tls_wanted wanted = {.host = "localhost"};

    *one = (struct io_tls){.loop = &world.loop, .events = &events};
    if (io_tls_connect(one, context, fd, &wanted) != 0) {
        abort();
    }
}

// Opens all connections and sends on each; waits for the word, closes them and leaves.
static void be_clients(const int fds[CONNECTION_COUNT], int word_fd)
{
    static uint8_t much[40000];
    const struct io_tls_settings settings = tls_world_client();
    struct io_tls_context *context = tls_world_context(&settings);
    char word = 0;

    for (int i = 0; i < CONNECTION_COUNT; i++) {
        start_client(context, &tls[i], fds[i]);
    }
    while (opened_count < CONNECTION_COUNT) {
        IGNORE(io_loop_turn(&world.loop, io_clock_mono_ns() + SECOND_NS));
    }
    for (int i = 0; i < CONNECTION_COUNT; i++) {
        if (io_tls_send(&tls[i], (struct bytes){much, sizeof(much)}) != 0) {
            abort();
        }
    }
    for (int i = 0; i < CONNECTION_COUNT; i++) {
        while (io_tls_queued(&tls[i]) > 0) {
            IGNORE(io_loop_turn(&world.loop, io_clock_mono_ns() + SECOND_NS / 10));
        }
    }
    IGNORE(read(word_fd, &word, 1));
    _exit(0);
}

// What OpenSSL keeps for the thread, or for ever, is made by the first handshake.
static void shake_once(void)
{
    const struct io_tls_settings settings = tls_world_client();
    struct io_tls_context *context = tls_world_context(&settings);

    tls_world_open(&world);
    tls_world_join(&world, context, server_context, NULL, 0);
    tls_world_until(&world, tls_world_both_open);
    tls_world_close(&world);
    io_tls_context_close(context);
}

static void an_idle_connection_is_small(void **state)
{
    int fds[CONNECTION_COUNT][2];
    int client_fds[CONNECTION_COUNT];
    int word[2];

    (void)state;
    shake_once();
    tls_world_open(&world);
    assert_int_equal(pipe(word), 0);
    for (int i = 0; i < CONNECTION_COUNT; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds[i]),
                         0);
        client_fds[i] = fds[i][1];
    }
    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        close(word[1]);
        be_clients(client_fds, word[0]);
    }
    close(word[0]);
    for (int i = 0; i < CONNECTION_COUNT; i++) {
        close(fds[i][1]);
        tls[i] = (struct io_tls){.loop = &world.loop, .events = &events};
    }
    const size_t before = held;
    for (int i = 0; i < CONNECTION_COUNT; i++) {
        assert_int_equal(io_tls_accept(&tls[i], server_context, fds[i][0]), 0);
    }
    const uint64_t end_ns = io_clock_mono_ns() + 20 * SECOND_NS;
    while (received_len < CONNECTION_COUNT * UINT64_C(40000)) {
        assert_int_equal(io_loop_turn(&world.loop, io_clock_mono_ns() + SECOND_NS / 10), 0);
        assert_true(io_clock_mono_ns() < end_ns);
    }
    const size_t idle = (held - before) / CONNECTION_COUNT;
    print_message("idle: %zu bytes of OpenSSL and %zu of io_tls\n", idle, sizeof(struct io_tls));
    assert_in_range(idle, 1, IDLE_MAX);
    close(word[1]);
    waitpid(child, NULL, 0);
    while (ended_count < CONNECTION_COUNT) {
        assert_int_equal(io_loop_turn(&world.loop, io_clock_mono_ns() + SECOND_NS / 10), 0);
        assert_true(io_clock_mono_ns() < end_ns);
    }
    assert_in_range(held, 1, before + LEFT_MAX);
    tls_world_close(&world);
}

// --- a stranger ----------------------------------------------------------------------------------

static void send_all(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, 0), len);
    tls_world_settle(&world);
}

// As a client of TLS 1.2 begins.
static void send_hello(int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    char *hello = NULL;

    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    SSL_set_bio(ssl, in, out);
    assert_int_equal(SSL_connect(ssl), -1);
    const long len = BIO_get_mem_data(out, &hello);
    send_all(fd, hello, (size_t)len);
    SSL_free(ssl);
    SSL_CTX_free(context);
}

static void a_stranger_fills_no_more_than_one_handshake(void **state)
{
    // A certificate of as many bytes as are taken, all but the last of them.
    enum { MESSAGE_LEN = 16 * 1024, RECORD_LEN = 8000 };
    static uint8_t record[5 + RECORD_LEN] = {22, 3, 3, RECORD_LEN >> 8, RECORD_LEN & 0xff};
    size_t most = 0;

    (void)state;
    shake_once();
    tls_world_open(&world);
    const size_t before = held;
    int fd = tls_world_alone(&world, server_context, NULL);
    send_hello(fd);
    record[5] = 11; // Certificate
    record[6] = 0;
    record[7] = (MESSAGE_LEN - 4) >> 8;
    record[8] = (MESSAGE_LEN - 4) & 0xff;
    send_all(fd, record, sizeof(record));
    most = held - before;
    memset(record + 5, 0, 4);
    send_all(fd, record, sizeof(record));
    most = held - before > most ? held - before : most;
    record[3] = (MESSAGE_LEN - 2 * RECORD_LEN) >> 8;
    record[4] = (MESSAGE_LEN - 2 * RECORD_LEN) & 0xff;
    send_all(fd, record, 5 + MESSAGE_LEN - 2 * RECORD_LEN - 1);
    most = held - before > most ? held - before : most;
    assert_int_equal(world.server.ended_count, 0);
    assert_int_equal(world.server.tls.state, IO_TLS_SHAKING);
    print_message("in a handshake: %zu bytes\n", most);
    assert_in_range(most, MESSAGE_LEN, SHAKING_MAX);
    io_fd_close(&fd);
    tls_world_until(&world, tls_world_server_ended);
    // It has not read what we had sent.
    assert_int_equal(world.server.end.kind, IO_TLS_END_SYSTEM);
    assert_string_equal(world.server.end.text, "Connection reset by peer, in the handshake");
    assert_in_range(held, 1, before + LEFT_MAX);
    tls_world_close(&world);
}

static void a_stranger_sends_no_longer_certificates(void **state)
{
    static const uint8_t record[] = {22, 3, 3, 0, 4, 11, 0, 0x40, 1}; // 16385 bytes will come

    (void)state;
    tls_world_open(&world);
    int fd = tls_world_alone(&world, server_context, NULL);
    send_hello(fd);
    send_all(fd, record, sizeof(record));
    assert_int_equal(world.server.tls.state, IO_TLS_LINGERING);
    io_fd_close(&fd);
    tls_world_until(&world, tls_world_server_ended);
    assert_int_equal(world.server.end.kind, IO_TLS_END_BROKEN);
    assert_string_equal(
        world.server.end.text,
        "a message of the handshake is too long: a certificate of more than 16 kB?");
    tls_world_close(&world);
}

static int open_context(void **state)
{
    const struct io_tls_settings settings = tls_world_server();

    (void)state;
    server_context = tls_world_context(&settings);
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    io_tls_context_close(server_context);
    tls_world_remove_folder();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_is_small),
        cmocka_unit_test(a_stranger_fills_no_more_than_one_handshake),
        cmocka_unit_test(a_stranger_sends_no_longer_certificates),
    };
    if (CRYPTO_set_mem_functions(take, change, give) != 1) {
        return EXIT_FAILURE;
    }
    return cmocka_run_group_tests(tests, open_context, close_context);
}

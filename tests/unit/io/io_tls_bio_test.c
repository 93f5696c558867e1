// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_tls_bio.h"

#include <errno.h>
#include <openssl/bio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_fd.h"

static BIO_METHOD *method;
static int fds[2];
static struct io_tls_bio stream;
static BIO *bio;

static int open_all(void **state)
{
    (void)state;
    method = io_tls_bio_method_open();
    if (method == NULL ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
        return -1;
    }
    stream = (struct io_tls_bio){.fd = fds[0]};
    bio = io_tls_bio_open(method, &stream);
    return bio == NULL ? -1 : 0;
}

static int close_all(void **state)
{
    (void)state;
    BIO_free(bio);
    io_tls_bio_method_close(method);
    io_fd_close(&fds[0]);
    io_fd_close(&fds[1]);
    return 0;
}

static void reads_and_writes(void **state)
{
    char buffer[8];

    (void)state;
    assert_int_equal(BIO_write(bio, "hello", 5), 5);
    assert_int_equal(recv(fds[1], buffer, sizeof(buffer), 0), 5);
    assert_memory_equal(buffer, "hello", 5);
    assert_false(stream.is_dry);
    assert_true(BIO_read(bio, buffer, sizeof(buffer)) <= 0);
    assert_true(BIO_should_read(bio) != 0);
    assert_false(BIO_eof(bio));
    assert_true(stream.is_dry);
    assert_int_equal(send(fds[1], "world", 5, 0), 5);
    assert_int_equal(BIO_read(bio, buffer, 3), 3);
    assert_memory_equal(buffer, "wor", 3);
    assert_false(stream.is_dry);
    assert_int_equal(BIO_flush(bio), 1);
}

static void tells_to_wait_when_nothing_more_fits(void **state)
{
    static const char block[4096];
    int put = 0;

    (void)state;
    for (int i = 0; i < 1000 && put >= 0; i++) {
        put = BIO_write(bio, block, sizeof(block));
        if (put <= 0) {
            break;
        }
    }
    assert_true(put <= 0);
    assert_true(BIO_should_write(bio) != 0);
    assert_int_equal(stream.error, 0);
}

static void knows_the_end_and_the_error(void **state)
{
    char buffer[8];

    (void)state;
    io_fd_close(&fds[1]);
    assert_true(BIO_read(bio, buffer, sizeof(buffer)) <= 0);
    assert_false(BIO_should_retry(bio));
    assert_true(BIO_eof(bio));
    assert_int_equal(stream.error, 0);
    assert_true(BIO_write(bio, "x", 1) <= 0); // and no SIGPIPE
    assert_false(BIO_should_retry(bio));
    assert_int_equal(stream.error, EPIPE);
}

static void tells_tls_by_its_beginning(void **state)
{
    static const struct {
        struct bytes sent;
        bool is_tls;
    } table[] = {
        {BYTES_LITERAL("\x16"), true},
        {BYTES_LITERAL("\x16\x03\x01\x00"), true},
        {BYTES_LITERAL("\x15\x03\x03"), true},
        {BYTES_LITERAL("\x15\x02"), false},
        {BYTES_LITERAL("\x16\x02\x01"), false},
        {BYTES_LITERAL("\x17\x03\x03"), false},
        {BYTES_LITERAL("GET / HTTP/1.1"), false},
        {BYTES_LITERAL("\x80\x2e\x01\x00\x02"), false},
    };
    char buffer[64];

    (void)state;
    assert_true(io_tls_bio_is_tls(&stream));
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        // One byte after the other.
        stream = (struct io_tls_bio){.fd = fds[0]};
        for (size_t j = 0; j < table[i].sent.len; j++) {
            assert_int_equal(send(fds[1], table[i].sent.ptr + j, 1, 0), 1);
            assert_int_equal(BIO_read(bio, buffer, sizeof(buffer)), 1);
        }
        assert_int_equal(stream.first_len, table[i].sent.len);
        assert_memory_equal(stream.first, table[i].sent.ptr, stream.first_len);
        assert_int_equal(io_tls_bio_is_tls(&stream), table[i].is_tls);
    }
    // No more than there is room for.
    assert_int_equal(send(fds[1], "0123456789abcdefghij", 20, 0), 20);
    stream = (struct io_tls_bio){.fd = fds[0]};
    assert_int_equal(BIO_read(bio, buffer, 1), 1);
    assert_int_equal(BIO_read(bio, buffer, sizeof(buffer)), 19);
    assert_int_equal(stream.first_len, IO_TLS_BIO_FIRST_MAX);
    assert_memory_equal(stream.first, "0123456789abcdef", IO_TLS_BIO_FIRST_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_and_writes, open_all, close_all),
        cmocka_unit_test_setup_teardown(tells_to_wait_when_nothing_more_fits, open_all, close_all),
        cmocka_unit_test_setup_teardown(knows_the_end_and_the_error, open_all, close_all),
        cmocka_unit_test_setup_teardown(tells_tls_by_its_beginning, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

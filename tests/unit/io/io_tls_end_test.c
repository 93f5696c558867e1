// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_end.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/io_tls_bio.h"

static void names_each_kind(void **state)
{
    (void)state;
    for (int i = 0; i < IO_TLS_END_KIND_COUNT; i++) {
        const char *name = io_tls_end_name(i);

        assert_true(strlen(name) > 0);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name, io_tls_end_name(j));
        }
    }
    assert_string_equal(io_tls_end_name(IO_TLS_END_UNKNOWN_CA), "unknown_ca");
}

static void cuts_off_long_words(void **state)
{
    struct io_tls_end end = {.kind = IO_TLS_END_CLOSED};

    (void)state;
    io_tls_end_set(&end, IO_TLS_END_BROKEN, "%0400d", 7);
    assert_int_equal(end.kind, IO_TLS_END_BROKEN);
    assert_int_equal(strlen(end.text), IO_TLS_END_TEXT_MAX);
}

// What OpenSSL leaves in its queue, and what the connection has seen.
static void tells_failures_apart(void **state)
{
    static const struct {
        int reason; // of libssl; 0: none
        int error;  // of the system
        bool was_open;
        struct bytes first;
        enum io_tls_end_kind kind;
        const char *text;
    } table[] = {
        {0, ECONNRESET, false, BYTES_LITERAL("\x16\x03"), IO_TLS_END_SYSTEM,
         "Connection reset by peer, in the handshake"},
        {0, EPIPE, true, BYTES_LITERAL("\x16\x03"), IO_TLS_END_SYSTEM, "Broken pipe"},
        {SSL_R_UNEXPECTED_EOF_WHILE_READING, 0, false, BYTES_LITERAL(""), IO_TLS_END_CUT,
         "the other side closed the connection before the handshake"},
        {SSL_R_UNEXPECTED_EOF_WHILE_READING, 0, false, BYTES_LITERAL("\x16"), IO_TLS_END_CUT,
         "the other side closed the connection in the middle of the handshake"},
        {SSL_R_UNEXPECTED_EOF_WHILE_READING, 0, true, BYTES_LITERAL("\x16"), IO_TLS_END_CUT,
         "the other side closed the connection without saying so in TLS"},
        {SSL_R_UNEXPECTED_EOF_WHILE_READING, 0, false, BYTES_LITERAL("S"), IO_TLS_END_NOT_TLS,
         "what came is not TLS; it begins with \"S\""},
        // An alert that came tells more than the reset behind it.
        {SSL_AD_REASON_OFFSET + SSL_AD_INTERNAL_ERROR, ECONNRESET, false, BYTES_LITERAL("\x15\x03"),
         IO_TLS_END_ALERT, "the other side refused: internal error (alert 80)"},
        {SSL_AD_REASON_OFFSET + 255, 0, true, BYTES_LITERAL("\x16\x03"), IO_TLS_END_ALERT,
         "the other side refused: unknown (alert 255)"},
        {SSL_R_BAD_EXTENSION, 0, false, BYTES_LITERAL("\x16\x03"), IO_TLS_END_BROKEN,
         "TLS went wrong: bad extension"},
        {0, 0, false, BYTES_LITERAL("\x16\x03"), IO_TLS_END_BROKEN,
         "TLS went wrong: OpenSSL does not tell why"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct io_tls_end end = {.was_open = table[i].was_open};
        struct io_tls_bio stream = {
            .fd = -1, .error = table[i].error, .first_len = (uint8_t)table[i].first.len};

        memcpy(stream.first, table[i].first.ptr, table[i].first.len);
        if (table[i].reason != 0) {
            ERR_raise(ERR_LIB_SSL, table[i].reason);
        }
        io_tls_end_of_failure(&end, &stream);
        assert_int_equal(end.kind, table[i].kind);
        assert_string_equal(end.text, table[i].text);
        assert_int_equal(end.was_open, table[i].was_open);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void says_what_an_error_tells_by_itself(void **state)
{
    static const struct {
        int reason;
        enum io_tls_end_kind kind;
        const char *text;
    } table[] = {
        {SSL_R_WRONG_VERSION_NUMBER, IO_TLS_END_NOT_TLS,
         "what came is not TLS, but plain HTTP perhaps"},
        {SSL_R_UNEXPECTED_EOF_WHILE_READING, IO_TLS_END_CUT,
         "the other side closed the connection in the handshake"},
        {SSL_R_UNSUPPORTED_PROTOCOL, IO_TLS_END_VERSION,
         "the other side speaks no version of TLS that is spoken here"},
        {SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION, IO_TLS_END_ALERT,
         "the other side refused: it speaks no version of TLS that we do (alert 70)"},
        {SSL_R_BAD_EXTENSION, IO_TLS_END_BROKEN, "TLS went wrong: bad extension"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct io_tls_end end = {.was_open = false};
        io_tls_end_of_error(&end, ERR_PACK(ERR_LIB_SSL, 0, table[i].reason));
        assert_int_equal(end.kind, table[i].kind);
        assert_string_equal(end.text, table[i].text);
    }
}

// Each alert that exists has words, and none breaks the line.
static void has_words_for_each_alert(void **state)
{
    (void)state;
    for (int alert = 1; alert <= 255; alert++) {
        struct io_tls_end end = {.was_open = false};
        struct io_tls_bio stream = {.fd = -1};

        ERR_raise(ERR_LIB_SSL, SSL_AD_REASON_OFFSET + alert);
        io_tls_end_of_failure(&end, &stream);
        assert_int_equal(end.kind, IO_TLS_END_ALERT);
        assert_int_equal(end.alert, alert);
        assert_true(strlen(end.text) < IO_TLS_END_TEXT_MAX);
        assert_null(strchr(end.text, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_each_kind),
        cmocka_unit_test(cuts_off_long_words),
        cmocka_unit_test(tells_failures_apart),
        cmocka_unit_test(says_what_an_error_tells_by_itself),
        cmocka_unit_test(has_words_for_each_alert),
    };
    // As opening a context does.
    if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) != 1) {
        return EXIT_FAILURE;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

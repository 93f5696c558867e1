// SPDX-License-Identifier: Apache-2.0
// Each way in which a handshake fails, by the words for both sides.
#define _GNU_SOURCE
#include "io/io_tls_verify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_fd.h"
#include "io/io_tls_session.h"
#include "tls_pair.h"

static int make_keys(void **state)
{
    (void)state;
    tls_world_folder();
    tls_world_keys(IO_TLS_KEYS_CA, "other", NULL, -1, 100);
    tls_world_keys(IO_TLS_KEYS_SERVER, "foreign", "other", -1, 50);
    tls_world_keys(IO_TLS_KEYS_CLIENT, "stranger", "other", -1, 50);
    tls_world_keys(IO_TLS_KEYS_SERVER, "old", "ca", -20, -10);
    tls_world_keys(IO_TLS_KEYS_CLIENT, "oldclient", "ca", -20, -10);
    tls_world_keys(IO_TLS_KEYS_SERVER, "early", "ca", 10, 20);
    tls_world_keys(IO_TLS_KEYS_SERVER, "nameless", "ca", -1, 50);
    return 0;
}

static int remove_keys(void **state)
{
    (void)state;
    tls_world_remove_folder();
    return 0;
}

static struct io_tls_settings server_of(const char *folder)
{
    struct io_tls_settings settings = tls_world_server();
    char name[64];

    snprintf(name, sizeof(name), "%s/server.crt.pem", folder);
    settings.certificate.path = tls_world_path(name);
    snprintf(name, sizeof(name), "%s/server.key.pem", folder);
    settings.key.path = tls_world_path(name);
    return settings;
}

static struct io_tls_settings client_of(const char *folder)
{
    struct io_tls_settings settings = tls_world_client();
    char name[64];

    snprintf(name, sizeof(name), "%s/client.crt.pem", folder);
    settings.certificate.path = tls_world_path(name);
    snprintf(name, sizeof(name), "%s/client.key.pem", folder);
    settings.key.path = tls_world_path(name);
    return settings;
}

// Joins them, in both versions, until both have ended.
struct trial {
    struct io_tls_settings client;
    struct io_tls_settings server;
    struct io_tls_wanted wanted;
    bool is_1_2;
};

static void join(const struct trial *trial)
{
    struct io_tls_context *client = tls_world_context(&trial->client);
    struct io_tls_context *server = tls_world_context(&trial->server);

    tls_world_close(&tls_pair.world);
    tls_world_open(&tls_pair.world);
    tls_pair.world.is_1_2 = trial->is_1_2;
    tls_world_join(&tls_pair.world, client, server, &trial->wanted, 0);
    io_tls_context_close(client);
    io_tls_context_close(server);
}

static void refuse(const struct trial *trial)
{
    join(trial);
    tls_world_until(&tls_pair.world, tls_world_both_ended);
    assert_int_equal(tls_pair.world.server.opened_count, 0);
}

static void assert_end(const struct tls_end *end, enum io_tls_end_kind kind, const char *text)
{
    if (end->end.kind != kind || strstr(end->end.text, text) == NULL) {
        fprintf(stderr, "%s: %s\nwanted: %s: %s\n", io_tls_end_name(end->end.kind), end->end.text,
                io_tls_end_name(kind), text);
        fail_msg("another end");
    }
}

static void refuses_a_client_without_a_certificate(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};

    (void)state;
    trial.client.certificate.path = NULL;
    trial.client.key.path = NULL;
    refuse(&trial);
    assert_end(&tls_pair.world.server, IO_TLS_END_NO_CERTIFICATE,
               "the other side showed no certificate");
    assert_end(&tls_pair.world.client, IO_TLS_END_ALERT,
               "the other side refused: it wants a certificate, and got none (alert 116)");
    assert_int_equal(tls_pair.world.client.opened_count, 1); // as it is in TLS 1.3
    assert_int_equal(tls_pair.world.client.end.alert, 116);
    trial.is_1_2 = true;
    refuse(&trial);
    assert_end(&tls_pair.world.server, IO_TLS_END_NO_CERTIFICATE,
               "the other side showed no certificate");
    assert_end(&tls_pair.world.client, IO_TLS_END_ALERT,
               "the other side refused: handshake failure: it may want a certificate, or another "
               "cipher (alert 40)");
    assert_int_equal(tls_pair.world.client.opened_count, 0);
}

static void send_much(struct tls_end *end)
{
    static uint8_t much[IO_TLS_QUEUE_MAX];

    assert_int_equal(io_tls_send(&end->tls, (struct bytes){much, sizeof(much)}), 0);
}

// What the client sends behind its certificate would make the system reset the connection, and the
// alert with it, if nobody read it.
static void says_why_to_a_client_that_goes_on_sending(void **state)
{
    struct trial trial = {.client = client_of("stranger"), .server = tls_world_server()};
    struct io_tls_context *client = tls_world_context(&trial.client);
    struct io_tls_context *server = tls_world_context(&trial.server);

    (void)state;
    for (int i = 0; i < 20; i++) {
        tls_pair_renew();
        tls_pair.world.is_tcp = true;
        tls_pair.world.client.on_opened = send_much;
        tls_world_join(&tls_pair.world, client, server, &trial.wanted, 0);
        tls_world_until(&tls_pair.world, tls_world_both_ended);
        assert_end(&tls_pair.world.client, IO_TLS_END_ALERT,
                   "it does not trust the CA of our certificate (alert 48)");
    }
    io_tls_context_close(client);
    io_tls_context_close(server);
}

// The alert lies in the client's buffer when its sending fails, since nobody reads at the server's.
static void hears_an_alert_in_front_of_a_reset(void **state)
{
    struct trial trial = {.client = client_of("stranger"), .server = tls_world_server()};
    struct io_tls_context *client = tls_world_context(&trial.client);
    struct io_tls_context *server = tls_world_context(&trial.server);

    (void)state;
    for (int i = 0; i < 20; i++) {
        tls_pair_renew();
        tls_pair.world.is_tcp = true;
        tls_world_join(&tls_pair.world, client, server, &trial.wanted, 0);
        while (tls_pair.world.server.tls.state != IO_TLS_LINGERING) {
            assert_int_equal(io_loop_turn(&tls_pair.world.loop, NEVER), 0);
        }
        // It is open for the client, or will be: what it sends meets a reset.
        assert_int_equal(tls_pair.world.client.ended_count, 0);
        assert_int_equal(io_tls_send(&tls_pair.world.client.tls, bytes_of_text("hello")), 0);
        io_tls_abort(&tls_pair.world.server.tls);
        send_much(&tls_pair.world.client);
        assert_true(tls_pair.world.client.tls.is_out_broken);
        tls_world_until(&tls_pair.world, tls_world_client_ended);
        assert_end(&tls_pair.world.client, IO_TLS_END_ALERT,
                   "it does not trust the CA of our certificate (alert 48)");
    }
    io_tls_context_close(client);
    io_tls_context_close(server);
}

static void refuses_a_client_of_another_ca(void **state)
{
    struct trial trial = {.client = client_of("stranger"), .server = tls_world_server()};

    (void)state;
    for (int i = 0; i < 2; i++) {
        refuse(&trial);
        assert_end(&tls_pair.world.server, IO_TLS_END_UNKNOWN_CA,
                   "the certificate of 'stranger' is signed by 'other', which is not trusted here");
        assert_end(
            &tls_pair.world.client, IO_TLS_END_ALERT,
            "the other side refused: it does not trust the CA of our certificate (alert 48)");
        trial.is_1_2 = true;
    }
}

static void refuses_a_client_whose_certificate_has_expired(void **state)
{
    struct trial trial = {.client = client_of("oldclient"), .server = tls_world_server()};

    (void)state;
    for (int i = 0; i < 2; i++) {
        refuse(&trial);
        assert_end(&tls_pair.world.server, IO_TLS_END_CERTIFICATE_TIME,
                   "the certificate of 'oldclient' expired at 20");
        assert_end(&tls_pair.world.server, IO_TLS_END_CERTIFICATE_TIME,
                   "; this machine's clock says 20");
        assert_end(&tls_pair.world.client, IO_TLS_END_ALERT,
                   "the other side refused: our certificate has expired, or its clock is wrong "
                   "(alert 45)");
        trial.is_1_2 = true;
    }
}

static void refuses_a_servers_certificate_as_a_clients(void **state)
{
    struct trial trial = {.client = client_of("client"), .server = tls_world_server()};

    (void)state;
    trial.client.certificate = trial.server.certificate;
    trial.client.key = trial.server.key;
    refuse(&trial);
    assert_end(&tls_pair.world.server, IO_TLS_END_BAD_CERTIFICATE,
               "the certificate of 'server' is refused: ");
}

static void refuses_a_server_of_another_ca(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = server_of("foreign")};

    (void)state;
    for (int i = 0; i < 2; i++) {
        refuse(&trial);
        assert_end(&tls_pair.world.client, IO_TLS_END_UNKNOWN_CA,
                   "the certificate of 'foreign' is signed by 'other', which is not trusted here");
        assert_end(&tls_pair.world.server, IO_TLS_END_ALERT,
                   "the CA of our certificate (alert 48)");
        trial.is_1_2 = true;
    }
}

static void refuses_a_server_when_it_trusts_nobody(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};

    (void)state;
    trial.client.ca.path = NULL;
    refuse(&trial);
    assert_end(&tls_pair.world.client, IO_TLS_END_UNKNOWN_CA,
               "is signed by 'ca', which is not trusted here");
    trial.client.trusts_system = true; // which does not have our CA
    refuse(&trial);
    assert_end(&tls_pair.world.client, IO_TLS_END_UNKNOWN_CA,
               "is signed by 'ca', which is not trusted here");
}

static void tells_a_ca_from_another_of_its_name(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};

    (void)state;
    // The same name, another key: somebody has made the CA anew.
    struct io_tls_error error;
    const struct io_tls_keys again = {.kind = IO_TLS_KEYS_CA,
                                      .folder = tls_world_path("again"),
                                      .common_name = "ca",
                                      .from_s = 0,
                                      .to_s = INT64_C(4000000000)};
    assert_int_equal(io_tls_keys_make(&again, &error), 0);
    trial.client.ca.path = tls_world_path("again/ca.crt.pem");
    refuse(&trial);
    assert_end(&tls_pair.world.client, IO_TLS_END_UNKNOWN_CA, "the certificate of 'server' is ");
}

static void refuses_a_server_before_and_behind_its_time(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = server_of("old")};

    (void)state;
    refuse(&trial);
    assert_end(&tls_pair.world.client, IO_TLS_END_CERTIFICATE_TIME,
               "the certificate of 'old' expired at 20");
    assert_end(&tls_pair.world.server, IO_TLS_END_ALERT, "our certificate has expired");
    trial.server = server_of("early");
    refuse(&trial);
    assert_end(&tls_pair.world.client, IO_TLS_END_CERTIFICATE_TIME,
               "the certificate of 'early' is not valid before 20");
}

static void looks_at_the_host_when_it_is_told_to(void **state)
{
    static const char *const right[] = {"localhost", "127.0.0.1", "::1", "LOCALHOST"};
    static const char *const wrong[] = {"relay.example", "127.0.0.2", "server"};
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};
    char text[128];

    (void)state;
    trial.wanted.checks_host = true;
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        trial.wanted.host = right[i];
        join(&trial);
        tls_world_until(&tls_pair.world, tls_world_both_open);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        trial.wanted.host = wrong[i];
        refuse(&trial);
        snprintf(text, sizeof(text),
                 "the certificate is not for %s but for localhost, 127.0.0.1, ::1", wrong[i]);
        assert_end(&tls_pair.world.client, IO_TLS_END_WRONG_HOST, text);
    }
    // v1's clients look at the CA alone.
    trial.wanted.checks_host = false;
    trial.wanted.host = "relay.example";
    join(&trial);
    tls_world_until(&tls_pair.world, tls_world_both_open);
}

static void refuses_a_host_for_a_certificate_without_names(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = server_of("nameless")};

    (void)state;
    trial.wanted.host = "nameless"; // its common name, which is not looked at (RFC 9525)
    trial.wanted.checks_host = true;
    refuse(&trial);
    assert_end(&tls_pair.world.client, IO_TLS_END_WRONG_HOST,
               "the certificate of 'nameless' names no host (subjectAltName), and is not for "
               "nameless");
}

static void refuses_a_clients_certificate_as_a_servers(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};

    (void)state;
    trial.server.certificate.path = trial.client.certificate.path;
    trial.server.key.path = trial.client.key.path;
    refuse(&trial);
    assert_end(&tls_pair.world.client, IO_TLS_END_BAD_CERTIFICATE,
               "the certificate of 'client' is refused");
}

static void takes_a_pin_in_place_of_everything_else(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = server_of("old")};
    struct io_tls_context *server = tls_world_context(&trial.server);
    uint8_t pin[IO_TLS_CERTIFICATE_PIN_LEN];

    (void)state;
    memcpy(pin, io_tls_context_certificate(server)->pin, sizeof(pin));
    io_tls_context_close(server);
    // Of no CA that it knows, expired, and of another name.
    trial.client.ca.path = NULL;
    trial.wanted = (struct io_tls_wanted){.host = "relay.example", .checks_host = true, .pin = pin};
    for (int i = 0; i < 2; i++) {
        trial.is_1_2 = i == 1;
        join(&trial);
        tls_world_until(&tls_pair.world, tls_world_both_open);
    }
    pin[31] ^= 1;
    for (int i = 0; i < 2; i++) {
        trial.is_1_2 = i == 1;
        refuse(&trial);
        assert_end(&tls_pair.world.client, IO_TLS_END_WRONG_PIN,
                   "the certificate is not of the pinned key, but of one whose pin is ");
        assert_end(&tls_pair.world.server, IO_TLS_END_ALERT, "the other side refused: ");
    }
}

static void says_so_when_what_comes_is_not_tls(void **state)
{
    static const struct {
        const char *sent;
        const char *quoted;
    } texts[] = {
        {"GET / HTTP/1.1\r\nHost: relay\r\n\r\n", "it begins with \"GET / HTTP/1.1..\""},
        {"SSH-2.0-OpenSSH_9.2p1\r\n", "it begins with \"SSH-2.0-OpenSSH_\""},
        {"no controller linked", "it begins with \"no controller li\""},
        {"\x01\x02\xff\x04\x05\x06\x07\x08", "it begins with \"........\""},
    };
    const struct io_tls_settings server_settings = tls_world_server();
    const struct io_tls_settings client_settings = tls_world_client();
    const struct io_tls_wanted wanted = {.host = NULL};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct io_tls_context *server = tls_world_context(&server_settings);
        struct io_tls_context *client = tls_world_context(&client_settings);
        const size_t len = strlen(texts[i].sent);

        int fd = tls_world_alone(&tls_pair.world, server, NULL);
        assert_int_equal(send(fd, texts[i].sent, len, 0), len);
        tls_world_settle(&tls_pair.world);
        io_fd_close(&fd);
        tls_world_until(&tls_pair.world, tls_world_server_ended);
        assert_end(&tls_pair.world.server, IO_TLS_END_NOT_TLS, texts[i].quoted);
        fd = tls_world_alone(&tls_pair.world, client, &wanted);
        tls_world_settle(&tls_pair.world);
        assert_int_equal(send(fd, texts[i].sent, len, 0), len);
        tls_world_settle(&tls_pair.world);
        io_fd_close(&fd);
        tls_world_until(&tls_pair.world, tls_world_client_ended);
        assert_end(&tls_pair.world.client, IO_TLS_END_NOT_TLS, texts[i].quoted);
        io_tls_context_close(server);
        io_tls_context_close(client);
        tls_pair_renew();
    }
}

static void knows_that_no_version_is_in_common(void **state)
{
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};

    (void)state;
    trial.server.least = IO_TLS_1_3;
    trial.is_1_2 = true;
    refuse(&trial);
    assert_end(&tls_pair.world.server, IO_TLS_END_VERSION,
               "the other side speaks no version of TLS that is spoken here");
    assert_end(&tls_pair.world.client, IO_TLS_END_ALERT,
               "the other side refused: it speaks no version of TLS that we do (alert 70)");
}

static void finds_a_host_that_can_be_none(void **state)
{
    const struct io_tls_settings settings = tls_world_client();
    struct io_tls_context *client = tls_world_context(&settings);
    char host[300];
    struct io_tls_wanted wanted = {.host = host};
    int fds[2];

    (void)state;
    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(io_tls_connect(&tls_pair.world.client.tls, client, fds[0], &wanted), -EINVAL);
    host[0] = '\0';
    assert_int_equal(io_tls_connect(&tls_pair.world.client.tls, client, fds[0], &wanted), -EINVAL);
    assert_int_equal(send(fds[0], "x", 1, 0), 1); // it is ours still
    io_fd_close(&fds[0]);
    io_fd_close(&fds[1]);
    io_tls_context_close(client);
}

// --- ALPN ----------------------------------------------------------------------------------------

static const struct io_tls_protocol v2 = {"tlsrelay/2", IO_TLS_1_3, IO_TLS_ASK_CERTIFICATE};
static const struct io_tls_protocol v1 = {"tlsrelay/1", IO_TLS_1_2, IO_TLS_NEED_CERTIFICATE};
static const struct io_tls_protocol http = {"http/1.1", IO_TLS_1_2, IO_TLS_ASK_NONE};

static void agree(const struct trial *trial, const char *name)
{
    join(trial);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    assert_true(bytes_equal_text(io_tls_session_alpn(&tls_pair.world.client.tls), name));
    assert_true(bytes_equal_text(io_tls_session_alpn(&tls_pair.world.server.tls), name));
}

static void agrees_on_a_protocol(void **state)
{
    const struct io_tls_protocol both[] = {v2, v1};
    const struct io_tls_protocol strange_and_v1[] = {http, v1};
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};

    (void)state;
    trial.server.protocols = both;
    trial.server.protocol_count = 2;
    agree(&trial, ""); // v1 as it was: no ALPN at all
    trial.client.protocols = strange_and_v1;
    trial.client.protocol_count = 2;
    agree(&trial, "tlsrelay/1");
    trial.client.protocols = both;
    agree(&trial, "tlsrelay/2");
    trial.is_1_2 = true; // for which it is too old
    agree(&trial, "tlsrelay/1");
    trial.is_1_2 = false;
    trial.server.protocol_count = 0; // knows no ALPN
    agree(&trial, "");
}

static void refuses_unknown_protocols_alone(void **state)
{
    const struct io_tls_protocol both[] = {v2, v1};
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};

    (void)state;
    trial.server.protocols = both;
    trial.server.protocol_count = 2;
    trial.client.protocols = &http;
    trial.client.protocol_count = 1;
    for (int i = 0; i < 2; i++) {
        refuse(&trial);
        assert_end(&tls_pair.world.server, IO_TLS_END_PROTOCOL,
                   "the other side offered no protocol (ALPN) that is spoken here");
        assert_end(&tls_pair.world.client, IO_TLS_END_ALERT,
                   "the other side refused: it speaks no protocol (ALPN) that we do (alert 120)");
        trial.is_1_2 = true;
    }
    trial.client.protocols = &v2; // not over TLS 1.2
    refuse(&trial);
    assert_end(&tls_pair.world.server, IO_TLS_END_PROTOCOL, "no protocol (ALPN)");
}

static void asks_for_certificates_by_protocol(void **state)
{
    const struct io_tls_protocol both[] = {v2, v1};
    struct trial trial = {.client = tls_world_client(), .server = tls_world_server()};
    struct io_tls_certificate peer;

    (void)state;
    trial.server.protocols = both;
    trial.server.protocol_count = 2;
    trial.client.protocols = &v2;
    trial.client.protocol_count = 1;
    agree(&trial, "tlsrelay/2");
    assert_true(io_tls_session_certificate(&tls_pair.world.server.tls, &peer));
    trial.client.certificate.path = NULL;
    trial.client.key.path = NULL;
    agree(&trial, "tlsrelay/2"); // by a token, say
    assert_false(io_tls_session_certificate(&tls_pair.world.server.tls, &peer));
    trial.client.protocols = &v1;
    refuse(&trial);
    assert_end(&tls_pair.world.server, IO_TLS_END_NO_CERTIFICATE,
               "the other side showed no certificate");
    trial.client.protocol_count = 0;
    refuse(&trial);
    assert_end(&tls_pair.world.server, IO_TLS_END_NO_CERTIFICATE,
               "the other side showed no certificate");
    // What comes is checked even where none is needed.
    trial.client = client_of("stranger");
    trial.client.protocols = &v2;
    trial.client.protocol_count = 1;
    refuse(&trial);
    assert_end(&tls_pair.world.server, IO_TLS_END_UNKNOWN_CA, "is signed by 'other'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_PAIR_TEST(refuses_a_client_without_a_certificate),
        TLS_PAIR_TEST(says_why_to_a_client_that_goes_on_sending),
        TLS_PAIR_TEST(hears_an_alert_in_front_of_a_reset),
        TLS_PAIR_TEST(refuses_a_client_of_another_ca),
        TLS_PAIR_TEST(refuses_a_client_whose_certificate_has_expired),
        TLS_PAIR_TEST(refuses_a_servers_certificate_as_a_clients),
        TLS_PAIR_TEST(refuses_a_server_of_another_ca),
        TLS_PAIR_TEST(refuses_a_server_when_it_trusts_nobody),
        TLS_PAIR_TEST(tells_a_ca_from_another_of_its_name),
        TLS_PAIR_TEST(refuses_a_server_before_and_behind_its_time),
        TLS_PAIR_TEST(looks_at_the_host_when_it_is_told_to),
        TLS_PAIR_TEST(refuses_a_host_for_a_certificate_without_names),
        TLS_PAIR_TEST(refuses_a_clients_certificate_as_a_servers),
        TLS_PAIR_TEST(takes_a_pin_in_place_of_everything_else),
        TLS_PAIR_TEST(says_so_when_what_comes_is_not_tls),
        TLS_PAIR_TEST(knows_that_no_version_is_in_common),
        TLS_PAIR_TEST(finds_a_host_that_can_be_none),
        TLS_PAIR_TEST(agrees_on_a_protocol),
        TLS_PAIR_TEST(refuses_unknown_protocols_alone),
        TLS_PAIR_TEST(asks_for_certificates_by_protocol),
    };
    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}

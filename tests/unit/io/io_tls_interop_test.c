// SPDX-License-Identifier: Apache-2.0
// Other people's TLS at the other end, as processes: openssl(1) and Python's ssl, over TCP.
#define _GNU_SOURCE
#include "io/io_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
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
#include "io/io_tls_session.h"
#include "tls_pair.h"

#define TRIAL_NS (20 * SECOND_NS) // on a busy machine a process takes a while to start

static pid_t child = -1;
static char output[65536]; // of the process

static const struct io_tls_protocol protocols[] = {
    {"tlsrelay/2", IO_TLS_1_3, IO_TLS_ASK_CERTIFICATE},
    {"tlsrelay/1", IO_TLS_1_2, IO_TLS_NEED_CERTIFICATE},
};

static int open_contexts(void **state)
{
    (void)state;
    tls_pair_open(protocols, COUNT_OF(protocols));
    return 0;
}

static int leave_no_child(void **state)
{
    tls_pair_teardown(state);
    if (child > 0) {
        kill(-child, SIGKILL); // its group: the shell and what that has started
        waitpid(child, NULL, 0);
        child = -1;
    }
    return 0;
}

// --- processes -----------------------------------------------------------------------------------

// Runs a shell line, which has $PORT, in the folder of the keys; what it prints goes to the file
// `output` there.
static void start(const char *line, uint16_t port)
{
    char number[8];

    snprintf(number, sizeof(number), "%u", port);
    setenv("PORT", number, 1);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        setpgid(0, 0);
        if (chdir(tls_world_folder()) == 0 && freopen("output", "w", stdout) != NULL &&
            dup2(STDOUT_FILENO, STDERR_FILENO) >= 0) {
            execl("/bin/sh", "sh", "-c", line, NULL);
        }
        _exit(127);
    }
    setpgid(child, child); // whoever is first
}

static void read_output(void)
{
    FILE *file = fopen(tls_world_path("output"), "re");

    output[0] = '\0';
    if (file != NULL) {
        output[fread(output, 1, sizeof(output) - 1, file)] = '\0';
        fclose(file);
    }
}

static void assert_output(const char *text)
{
    read_output();
    if (strstr(output, text) == NULL) {
        fail_msg("no '%s' in:\n%s", text, output);
    }
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(tls_world_path(name), "we");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

// Turns the loop until the process has ended.
static void turn_until_gone(void)
{
    const uint64_t end_ns = io_clock_mono_ns() + TRIAL_NS;

    while (waitpid(child, NULL, WNOHANG) == 0) {
        assert_int_equal(io_loop_turn(&tls_pair.world.loop, io_clock_mono_ns() + SECOND_NS / 100),
                         0);
        if (io_clock_mono_ns() > end_ns) {
            read_output();
            fail_msg("it goes on and on:\n%s", output);
        }
    }
    child = -1;
    tls_world_settle(&tls_pair.world);
}

static void turn_until(bool (*is_done)(const struct tls_world *world))
{
    const uint64_t end_ns = io_clock_mono_ns() + TRIAL_NS;

    while (!is_done(&tls_pair.world)) {
        assert_int_equal(io_loop_turn(&tls_pair.world.loop, io_clock_mono_ns() + SECOND_NS / 100),
                         0);
        assert_true(io_clock_mono_ns() < end_ns);
    }
}

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(fd, 1), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

// Starts a client and takes its connection.
static void accept_client(const char *line)
{
    uint16_t port = 0;
    IO_FD_AUTO int listener = listen_somewhere(&port);

    start(line, port);
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(io_tls_accept(&tls_pair.world.server.tls, tls_pair.server, fd), 0);
}

static int try_connect(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        io_fd_close(&fd);
        return -1;
    }
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

// Starts a server and connects to it.
static void connect_server(const char *line)
{
    const struct io_tls_wanted wanted = {.host = "localhost", .checks_host = true};
    const uint64_t end_ns = io_clock_mono_ns() + TRIAL_NS;
    uint16_t port = 0;
    int listener = listen_somewhere(&port); // a port that is free, most likely for a while
    int fd = -1;

    io_fd_close(&listener);
    start(line, port);
    while ((fd = try_connect(port)) < 0) {
        assert_true(io_clock_mono_ns() < end_ns);
        usleep(10000);
    }
    assert_int_equal(io_tls_connect(&tls_pair.world.client.tls, tls_pair.client, fd, &wanted), 0);
}

static bool is_client_open(const struct tls_world *of)
{
    return of->client.opened_count == 1;
}

static bool has_server_line(const struct tls_world *of)
{
    return of->server.in_len > 0 && of->server.in[of->server.in_len - 1] == '\n';
}

static bool has_client_line(const struct tls_world *of)
{
    return of->client.in_len > 0 && of->client.in[of->client.in_len - 1] == '\n';
}

static void send_text(struct tls_end *end, const char *text)
{
    assert_int_equal(io_tls_send(&end->tls, bytes_of_text(text)), 0);
}

// --- openssl s_client ----------------------------------------------------------------------------

#define S_CLIENT                                                                                   \
    "openssl s_client -connect 127.0.0.1:$PORT -CAfile ca/ca.crt.pem -verify_return_error "        \
    "-verify_hostname localhost -servername localhost "
#define STAYING "-ign_eof " // s_client does not leave when its standard input ends
#define CLIENT_KEYS "-cert client/client.crt.pem -key client/client.key.pem "

static void serve_s_client(const char *version, const char *line)
{
    accept_client(line);
    turn_until(has_server_line);
    assert_string_equal(io_tls_session_version(&tls_pair.world.server.tls), version);
    assert_memory_equal(tls_pair.world.server.in, "ping\n", 5);
    send_text(&tls_pair.world.server, "pong\n");
    io_tls_close(&tls_pair.world.server.tls);
    turn_until_gone();
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
    assert_output("pong\n");
    assert_output("Verify return code: 0 (ok)");
    assert_output("Compression: NONE");
    assert_output("Acceptable client certificate CA names\nCN = ca\n");
}

static void serves_s_client(void **state)
{
    (void)state;
    serve_s_client("TLSv1.3", "echo ping | " S_CLIENT CLIENT_KEYS STAYING "-tls1_3");
    read_output();
    assert_null(strstr(output, "New Session Ticket arrived"));
    tls_world_close(&tls_pair.world);
    tls_world_open(&tls_pair.world);
    serve_s_client("TLSv1.2", "echo ping | " S_CLIENT CLIENT_KEYS STAYING "-tls1_2");
    assert_output("Secure Renegotiation IS supported");
    read_output();
    assert_null(strstr(output, "TLS session ticket:"));
}

static void agrees_with_s_client_on_a_protocol(void **state)
{
    (void)state;
    accept_client("echo ping | " S_CLIENT CLIENT_KEYS "-alpn h2,tlsrelay/1,tlsrelay/2");
    turn_until(has_server_line);
    assert_true(bytes_equal_text(io_tls_session_alpn(&tls_pair.world.server.tls), "tlsrelay/2"));
    io_tls_close(&tls_pair.world.server.tls);
    turn_until_gone();
    assert_output("ALPN protocol: tlsrelay/2");
    tls_world_close(&tls_pair.world);
    tls_world_open(&tls_pair.world);
    accept_client(S_CLIENT CLIENT_KEYS "-alpn h2,spdy/3");
    turn_until_gone();
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_PROTOCOL);
    assert_output("no application protocol");
}

static void refuses_s_client_without_a_certificate(void **state)
{
    (void)state;
    accept_client(S_CLIENT STAYING "-tls1_3 < /dev/null");
    turn_until_gone();
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_NO_CERTIFICATE);
    assert_output("alert certificate required");
    accept_client(S_CLIENT "-tls1_2");
    turn_until_gone();
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_NO_CERTIFICATE);
    assert_output("alert handshake failure");
    accept_client(S_CLIENT CLIENT_KEYS "-tls1_1 -cipher DEFAULT@SECLEVEL=0");
    turn_until_gone();
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_VERSION);
    assert_output("alert protocol version");
    assert_int_equal(tls_pair.world.server.opened_count, 0);
}

// s_client's command R asks for a renegotiation, K and k for new keys.
static void refuses_to_renegotiate(void **state)
{
    (void)state;
    accept_client("(sleep 0.2; echo R; sleep 1) | " S_CLIENT CLIENT_KEYS "-tls1_2");
    turn_until_gone();
    assert_output("RENEGOTIATING");
    assert_output("no renegotiation");
    assert_int_equal(tls_pair.world.server.opened_count, 1);
    assert_int_equal(tls_pair.world.server.ended_count, 1);
}

static void goes_on_with_new_keys(void **state)
{
    (void)state;
    accept_client("(sleep 0.2; echo K; sleep 0.2; echo k; sleep 0.2; echo K; sleep 0.2; "
                  "echo ping; sleep 1) | " S_CLIENT CLIENT_KEYS "-tls1_3");
    turn_until(has_server_line);
    assert_memory_equal(tls_pair.world.server.in, "ping\n", 5);
    send_text(&tls_pair.world.server, "pong\n");
    io_tls_close(&tls_pair.world.server.tls);
    turn_until_gone();
    assert_output("KEYUPDATE");
    assert_output("pong\n");
    assert_int_equal(tls_pair.world.server.end.kind, IO_TLS_END_CLOSED);
}

// --- openssl s_server ----------------------------------------------------------------------------

#define S_SERVER                                                                                   \
    "openssl s_server -accept 127.0.0.1:$PORT -naccept 1 -CAfile ca/ca.crt.pem "                   \
    "-cert server/server.crt.pem -key server/server.key.pem -Verify 2 -verify_return_error "

static void talk_to_s_server(const char *version, const char *line)
{
    connect_server(line);
    turn_until(is_client_open);
    assert_string_equal(io_tls_session_version(&tls_pair.world.client.tls), version);
    send_text(&tls_pair.world.client, "ping\n");
    turn_until(has_client_line);
    assert_memory_equal(tls_pair.world.client.in, "gnip\n", 5);
    io_tls_close(&tls_pair.world.client.tls);
    turn_until_gone();
    assert_int_equal(tls_pair.world.client.end.kind, IO_TLS_END_CLOSED);
}

static void talks_to_s_server(void **state)
{
    (void)state;
    // It sends tickets, which are taken for what they are, one after the other or not.
    talk_to_s_server("TLSv1.3", S_SERVER "-rev -tls1_3 -num_tickets 20");
    assert_output("verify return:1");
    tls_world_close(&tls_pair.world);
    tls_world_open(&tls_pair.world);
    talk_to_s_server("TLSv1.2", S_SERVER "-rev -tls1_2");
}

// s_server's command r asks for a renegotiation, once there is a connection.
static void refuses_to_renegotiate_as_a_client(void **state)
{
    (void)state;
    connect_server("(until test -e go; do sleep 0.02; done; echo r; sleep 1) | " S_SERVER
                   "-tls1_2");
    turn_until(is_client_open);
    write_file("go", "");
    tls_pair.world.client.closes_when_half_closed = true;
    turn_until_gone();
    assert_output("no renegotiation");
    assert_int_equal(tls_pair.world.client.opened_count, 1);
    assert_int_equal(tls_pair.world.client.ended_count, 1);
}

static void agrees_with_s_server_on_a_protocol(void **state)
{
    (void)state;
    connect_server(S_SERVER "-rev -alpn tlsrelay/1");
    turn_until(is_client_open);
    assert_true(bytes_equal_text(io_tls_session_alpn(&tls_pair.world.client.tls), "tlsrelay/1"));
}

static void refuses_s_server_without_a_name(void **state)
{
    (void)state;
    tls_world_keys(IO_TLS_KEYS_SERVER, "nameless", "ca", -1, 10);
    connect_server("openssl s_server -accept 127.0.0.1:$PORT -naccept 1 -rev "
                   "-cert nameless/server.crt.pem -key nameless/server.key.pem");
    turn_until(tls_world_client_ended);
    assert_int_equal(tls_pair.world.client.opened_count, 0);
    assert_int_equal(tls_pair.world.client.end.kind, IO_TLS_END_WRONG_HOST);
}

// --- Python --------------------------------------------------------------------------------------

// Turns a line into capitals. Arguments: role, port, who closes first, and the latest version.
static const char peer_py[] =
    "import socket, ssl, sys\n"
    "role, port, first = sys.argv[1], int(sys.argv[2]), sys.argv[3]\n"
    "is_server = role == 'server'\n"
    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)\n"
    "context.load_verify_locations('ca/ca.crt.pem')\n"
    "context.verify_mode = ssl.CERT_REQUIRED\n"
    "context.verify_flags |= ssl.VERIFY_X509_STRICT\n"
    "context.load_cert_chain(f'{role}/{role}.crt.pem', f'{role}/{role}.key.pem')\n"
    "context.maximum_version = ssl.TLSVersion[sys.argv[4]]\n"
    "if is_server:\n"
    "    with socket.create_server(('127.0.0.1', port)) as listener:\n"
    "        tls = context.wrap_socket(listener.accept()[0], server_side=True)\n"
    "else:\n"
    "    tcp = socket.create_connection(('127.0.0.1', port))\n"
    "    tls = context.wrap_socket(tcp, server_hostname='localhost')\n"
    "text = b''\n"
    "while not text.endswith(b'\\n'):\n"
    "    text += tls.recv(1000)\n"
    "tls.sendall(text.upper())\n"
    "if first == 'they':\n"
    "    assert tls.recv(1) == b''\n"
    "version = tls.version()\n"
    "tls.unwrap()\n"
    "print('closed', version)\n";

static void talk_to_python(struct tls_end *end, bool (*has_line)(const struct tls_world *world),
                           bool is_closing)
{
    const uint64_t end_ns = io_clock_mono_ns() + TRIAL_NS;

    while (end->opened_count == 0) {
        assert_int_equal(io_loop_turn(&tls_pair.world.loop, io_clock_mono_ns() + SECOND_NS / 100),
                         0);
        assert_true(io_clock_mono_ns() < end_ns);
    }
    end->closes_when_half_closed = true;
    send_text(end, "hello\n");
    turn_until(has_line);
    assert_memory_equal(end->in, "HELLO\n", 6);
    if (is_closing) {
        io_tls_close(&end->tls);
    }
    turn_until_gone();
    assert_int_equal(end->end.kind, IO_TLS_END_CLOSED);
    tls_world_close(&tls_pair.world);
    tls_world_open(&tls_pair.world);
}

static void talks_to_a_python_server(void **state)
{
    (void)state;
    write_file("peer.py", peer_py);
    connect_server("exec /usr/bin/python3 peer.py server $PORT they TLSv1_3");
    talk_to_python(&tls_pair.world.client, has_client_line, true);
    assert_output("closed TLSv1.3");
    connect_server("exec /usr/bin/python3 peer.py server $PORT we TLSv1_2");
    talk_to_python(&tls_pair.world.client, has_client_line, false);
    assert_output("closed TLSv1.2");
}

static void serves_a_python_client(void **state)
{
    (void)state;
    write_file("peer.py", peer_py);
    accept_client("exec /usr/bin/python3 peer.py client $PORT we TLSv1_3");
    talk_to_python(&tls_pair.world.server, has_server_line, false);
    assert_output("closed TLSv1.3");
    accept_client("exec /usr/bin/python3 peer.py client $PORT they TLSv1_2");
    talk_to_python(&tls_pair.world.server, has_server_line, true);
    assert_output("closed TLSv1.2");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, tls_pair_setup, leave_no_child)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(serves_s_client),
        TEST(agrees_with_s_client_on_a_protocol),
        TEST(refuses_s_client_without_a_certificate),
        TEST(refuses_to_renegotiate),
        TEST(goes_on_with_new_keys),
        TEST(talks_to_s_server),
        TEST(refuses_to_renegotiate_as_a_client),
        TEST(agrees_with_s_server_on_a_protocol),
        TEST(refuses_s_server_without_a_name),
        TEST(talks_to_a_python_server),
        TEST(serves_a_python_client),
    };
    return cmocka_run_group_tests(tests, open_contexts, tls_pair_group_teardown);
}

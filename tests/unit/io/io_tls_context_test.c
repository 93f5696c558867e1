// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_tls_context.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls_world.h"

static struct tls_world world;

static int make_keys(void **state)
{
    (void)state;
    tls_world_folder();
    tls_world_keys(IO_TLS_KEYS_SERVER, "old", "ca", -20, -10);
    tls_world_keys(IO_TLS_KEYS_SERVER, "early", "ca", 10, 20);
    return 0;
}

static int remove_keys(void **state)
{
    (void)state;
    tls_world_remove_folder();
    return 0;
}

static struct io_tls_error open_context(const struct io_tls_settings *settings, int result)
{
    struct io_tls_context *context = NULL;
    struct io_tls_error warning = {"old"};
    struct io_tls_error error = {""};

    assert_int_equal(io_tls_context_open(settings, &context, &warning, &error), result);
    if (result == 0) {
        assert_string_equal(error.text, "");
        io_tls_context_close(context);
        return warning;
    }
    assert_null(context);
    assert_null(strchr(error.text, '\n'));
    return error;
}

static void assert_has(const struct io_tls_error *error, const char *text)
{
    if (strstr(error->text, text) == NULL) {
        fail_msg("'%s' where '%s' was wanted", error->text, text);
    }
}

static void refuse(const struct io_tls_settings *settings, int result, const char *text)
{
    const struct io_tls_error error = open_context(settings, result);

    assert_has(&error, text);
}

static void write_file(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(tls_world_path(name), "we");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void run(const char *command)
{
    char line[2048];

    snprintf(line, sizeof(line), "cd %s && { %s; } > /dev/null 2>&1", tls_world_folder(), command);
    const int status = system(line); // NOLINT(cert-env33-c): the words are ours
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("%s: status %d", line, status);
    }
}

static void opens_for_both_roles(void **state)
{
    struct io_tls_settings settings = tls_world_server();

    (void)state;
    struct io_tls_error warning = open_context(&settings, 0);
    assert_string_equal(warning.text, "");
    settings = tls_world_client();
    warning = open_context(&settings, 0);
    assert_string_equal(warning.text, "");
    settings = (struct io_tls_settings){.role = IO_TLS_CLIENT, .trusts_system = true};
    warning = open_context(&settings, 0);
    assert_string_equal(warning.text, "");
    struct io_tls_context *context = tls_world_context(&settings);
    assert_null(io_tls_context_certificate(context));
    assert_int_equal(io_tls_context_role(context), IO_TLS_CLIENT);
    io_tls_context_close(context);
    io_tls_context_close(NULL);
}

static void says_which_file_is_wrong_and_why(void **state)
{
    const struct io_tls_settings good = tls_world_server();
    struct io_tls_settings settings = good;

    (void)state;
    settings.certificate.path = tls_world_path("nowhere.pem");
    refuse(&settings, -ENOENT, "/nowhere.pem: No such file or directory");
    settings.certificate.path = tls_world_folder();
    refuse(&settings, -EISDIR, ": Is a directory");
    settings = good;
    settings.key.path = tls_world_path("nowhere.pem");
    refuse(&settings, -ENOENT, "/nowhere.pem: No such file or directory");
    settings = good;
    settings.ca.path = tls_world_path("nowhere.pem");
    refuse(&settings, -ENOENT, "/nowhere.pem: No such file or directory");
    settings = good;
    settings.certificate.path = good.key.path;
    refuse(&settings, -EBADMSG,
           "/server.key.pem: holds no certificate (-----BEGIN CERTIFICATE-----)");
    settings = good;
    settings.key.path = good.certificate.path;
    refuse(&settings, -EBADMSG, "/server.crt.pem: holds no private key");
    settings = good;
    settings.key.path = tls_world_path("client/client.key.pem");
    refuse(&settings, -EBADMSG, "/client.key.pem: is not the key of the certificate in ");
    settings = good;
    settings.ca.path = tls_world_path("empty.pem");
    write_file("empty.pem", "", 0);
    refuse(&settings, -EBADMSG, "/empty.pem: holds no certificate");
}

// A reload must not wait for whoever would write into it.
static void waits_for_no_pipe_and_reads_no_device(void **state)
{
    static const char *const paths[] = {"pipe.pem", "/dev/zero", "/dev/null"};
    const struct io_tls_settings good = tls_world_server();

    (void)state;
    assert_int_equal(mkfifo(tls_world_path("pipe.pem"), 0600), 0);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const char *path = paths[i][0] == '/' ? paths[i] : tls_world_path(paths[i]);
        struct io_tls_settings settings = good;
        settings.certificate.path = path;
        refuse(&settings, -EINVAL, ": is no regular file");
        settings = good;
        settings.key.path = path;
        refuse(&settings, -EINVAL, ": is no regular file");
        settings = good;
        settings.ca.path = path;
        refuse(&settings, -EINVAL, ": is no regular file");
    }
}

static void refuses_what_is_broken_or_too_long(void **state)
{
    static const char broken[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    static const char broken_key[] =
        "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    static char much[IO_TLS_PEM_MAX + 1];
    struct io_tls_settings settings = tls_world_server();

    (void)state;
    settings.ca.path = tls_world_path("broken.pem");
    write_file("broken.pem", broken, sizeof(broken) - 1);
    refuse(&settings, -EBADMSG, "/broken.pem: certificate 1 cannot be read: ");
    run("cat ca/ca.crt.pem broken.pem > second.pem");
    settings.ca.path = tls_world_path("second.pem");
    refuse(&settings, -EBADMSG, "/second.pem: certificate 2 cannot be read: ");
    write_file("broken.pem", broken_key, sizeof(broken_key) - 1);
    settings = tls_world_server();
    settings.key.path = tls_world_path("broken.pem");
    refuse(&settings, -EBADMSG, "/broken.pem: the private key cannot be read: ");
    memset(much, '\n', sizeof(much));
    write_file("much.pem", much, sizeof(much));
    settings.key.path = tls_world_path("much.pem");
    refuse(&settings, -EFBIG, "/much.pem: File too large");
    settings.key = (struct io_tls_pem){.text = {(const uint8_t *)much, sizeof(much)}};
    refuse(&settings, -EFBIG, "the PEM text: File too large");
}

static void asks_for_no_passphrase(void **state)
{
    struct io_tls_settings settings = tls_world_server();

    (void)state;
    run("openssl pkey -in server/server.key.pem -aes256 -passout pass:secret -out locked.pem");
    settings.key.path = tls_world_path("locked.pem");
    refuse(&settings, -EBADMSG,
           "/locked.pem: the key is encrypted, and nobody is asked for its passphrase");
    run("openssl ec -in server/server.key.pem -aes256 -passout pass:secret -out locked.pem");
    refuse(&settings, -EBADMSG,
           "/locked.pem: the key is encrypted, and nobody is asked for its passphrase");
}

static void warns_of_what_is_unwise(void **state)
{
    struct io_tls_settings settings = tls_world_server();
    const char *key = settings.key.path;

    (void)state;
    assert_int_equal(chmod(key, 0644), 0);
    struct io_tls_error warning = open_context(&settings, 0);
    assert_has(&warning,
               "/server.key.pem: every user of this machine may read the key (chmod 600)");
    assert_int_equal(chmod(key, 0640), 0); // as Debian's group ssl-cert does it
    warning = open_context(&settings, 0);
    assert_string_equal(warning.text, "");
    assert_int_equal(chmod(key, 0600), 0);
    settings.certificate.path = tls_world_path("old/server.crt.pem");
    settings.key.path = tls_world_path("old/server.key.pem");
    warning = open_context(&settings, 0);
    assert_has(&warning, "/old/server.crt.pem: the certificate expired at 20");
    settings.certificate.path = tls_world_path("early/server.crt.pem");
    settings.key.path = tls_world_path("early/server.key.pem");
    warning = open_context(&settings, 0);
    assert_has(&warning, "/early/server.crt.pem: the certificate is not valid before 20");
}

static struct bytes read_file(const char *name, char *memory, size_t room)
{
    FILE *file = fopen(tls_world_path(name), "re");

    assert_non_null(file);
    const size_t len = fread(memory, 1, room, file);
    fclose(file);
    return (struct bytes){(const uint8_t *)memory, len};
}

static void takes_pem_from_memory(void **state)
{
    char certificate[4096];
    char key[4096];
    char ca[4096];
    struct io_tls_settings settings = {
        .role = IO_TLS_SERVER,
        .certificate = {.text =
                            read_file("server/server.crt.pem", certificate, sizeof(certificate))},
        .key = {.path = "the key of the database",
                .text = read_file("client/client.key.pem", key, sizeof(key))},
        .ca = {.text = read_file("server/ca.crt.pem", ca, sizeof(ca))},
        .ask = IO_TLS_NEED_CERTIFICATE,
    };

    (void)state;
    refuse(&settings, -EBADMSG,
           "the key of the database: is not the key of the certificate in the PEM text");
    settings.key.text = read_file("server/server.key.pem", key, sizeof(key));
    const struct io_tls_error warning = open_context(&settings, 0);
    assert_string_equal(warning.text, "");
}

// ca signs middle, which signs end; the client knows ca alone.
static void sends_the_chain_behind_its_certificate(void **state)
{
    struct io_tls_settings server = tls_world_server();
    const struct io_tls_settings client = tls_world_client();

    (void)state;
    run("printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=keyCertSign\\n' > ca.ext && "
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=root "
        "-keyout root.key -out root.pem -days 9 && "
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=middle "
        "-keyout middle.key -out middle.csr && "
        "openssl x509 -req -in middle.csr -CA root.pem -CAkey root.key -CAcreateserial "
        "-extfile ca.ext -out middle.pem -days 9 && "
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=end "
        "-keyout end.key -out end.csr && "
        "openssl x509 -req -in end.csr -CA middle.pem -CAkey middle.key -CAcreateserial "
        "-out end.pem -days 9 && cat end.pem middle.pem > chain.pem");
    server.ask = IO_TLS_ASK_NONE;
    server.key.path = tls_world_path("end.key");
    for (int has_chain = 0; has_chain <= 1; has_chain++) {
        struct io_tls_settings trusting = client;

        trusting.ca.path = tls_world_path("root.pem");
        server.certificate.path = tls_world_path(has_chain ? "chain.pem" : "end.pem");
        struct io_tls_context *server_context = tls_world_context(&server);
        struct io_tls_context *client_context = tls_world_context(&trusting);
        tls_world_open(&world);
        tls_world_join(&world, client_context, server_context, NULL, 0);
        if (has_chain) {
            tls_world_until(&world, tls_world_both_open);
        } else {
            tls_world_until(&world, tls_world_both_ended);
            assert_int_equal(world.client.end.kind, IO_TLS_END_UNKNOWN_CA);
            assert_string_equal(
                world.client.end.text,
                "the certificate of 'end' is signed by 'middle', which is not trusted here");
        }
        tls_world_close(&world);
        io_tls_context_close(server_context);
        io_tls_context_close(client_context);
    }
}

static void takes_several_cas(void **state)
{
    struct io_tls_settings server = tls_world_server();
    struct io_tls_settings client = tls_world_client();

    (void)state;
    tls_world_keys(IO_TLS_KEYS_CA, "second", NULL, -1, 10);
    tls_world_keys(IO_TLS_KEYS_CLIENT, "theirs", "second", -1, 10);
    run("cat second/ca.crt.pem ca/ca.crt.pem > several.pem");
    server.ca.path = tls_world_path("several.pem");
    struct io_tls_context *server_context = tls_world_context(&server);
    for (int is_theirs = 0; is_theirs <= 1; is_theirs++) {
        if (is_theirs) {
            client.certificate.path = tls_world_path("theirs/client.crt.pem");
            client.key.path = tls_world_path("theirs/client.key.pem");
        }
        struct io_tls_context *client_context = tls_world_context(&client);
        tls_world_open(&world);
        tls_world_join(&world, client_context, server_context, NULL, 0);
        tls_world_until(&world, tls_world_both_open);
        tls_world_close(&world);
        io_tls_context_close(client_context);
    }
    io_tls_context_close(server_context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_for_both_roles),
        cmocka_unit_test(says_which_file_is_wrong_and_why),
        cmocka_unit_test(waits_for_no_pipe_and_reads_no_device),
        cmocka_unit_test(refuses_what_is_broken_or_too_long),
        cmocka_unit_test(asks_for_no_passphrase),
        cmocka_unit_test(warns_of_what_is_unwise),
        cmocka_unit_test(takes_pem_from_memory),
        cmocka_unit_test(sends_the_chain_behind_its_certificate),
        cmocka_unit_test(takes_several_cas),
    };
    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}

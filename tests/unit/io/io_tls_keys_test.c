// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_tls_keys.h"

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

#include "io/io_tls_context.h"
#include "tls_world.h"

static int make_keys(void **state)
{
    (void)state;
    tls_world_folder();
    return 0;
}

static int remove_keys(void **state)
{
    (void)state;
    tls_world_remove_folder();
    return 0;
}

static unsigned int mode_of(const char *name)
{
    struct stat status;

    assert_int_equal(stat(tls_world_path(name), &status), 0);
    return status.st_mode & 0777;
}

static struct io_tls_certificate read_certificate(const char *certificate, const char *key)
{
    struct io_tls_settings settings = {
        .role = IO_TLS_SERVER,
        .certificate = {.path = tls_world_path(certificate)},
        .key = {.path = tls_world_path(key)},
    };
    struct io_tls_context *context = tls_world_context(&settings);
    const struct io_tls_certificate read = *io_tls_context_certificate(context);

    io_tls_context_close(context);
    return read;
}

// openssl(1) with these words; what it prints is in the result's way only.
PRINTF_LIKE(1, 2) static void assert_openssl(const char *format, ...)
{
    char command[1024] = "openssl ";
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command + strlen(command), sizeof(command) - strlen(command), format, arguments);
    va_end(arguments);
    strcat(command, " > /dev/null");
    const int status = system(command); // NOLINT(cert-env33-c): the words are ours
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("%s: status %d", command, status);
    }
}

static void makes_files_that_openssl_finds_good(void **state)
{
    const char *ca = tls_world_path("ca/ca.crt.pem");

    (void)state;
    assert_openssl("verify -x509_strict -CAfile %s -purpose sslserver %s", ca,
                   tls_world_path("server/server.crt.pem"));
    assert_openssl("verify -x509_strict -CAfile %s -purpose sslclient %s", ca,
                   tls_world_path("client/client.crt.pem"));
    assert_openssl("verify -x509_strict -CAfile %s -verify_hostname localhost %s", ca,
                   tls_world_path("server/server.crt.pem"));
    assert_openssl("verify -x509_strict -CAfile %s -verify_ip ::1 %s", ca,
                   tls_world_path("server/server.crt.pem"));
    assert_openssl("pkey -noout -in %s", tls_world_path("server/server.key.pem"));
    assert_openssl("x509 -noout -in %s -ext basicConstraints,keyUsage 2>&1 | grep -q 'pathlen:0'",
                   ca);
    assert_openssl("x509 -noout -text -in %s 2>&1 | grep -q 'NIST CURVE: P-256'",
                   tls_world_path("client/client.crt.pem"));
}

static void keeps_keys_for_their_owner(void **state)
{
    (void)state;
    assert_int_equal(mode_of("ca"), 0700);
    assert_int_equal(mode_of("ca/ca.key.pem"), 0600);
    assert_int_equal(mode_of("ca/ca.crt.pem"), 0644);
    assert_int_equal(mode_of("server/server.key.pem"), 0600);
    assert_int_equal(mode_of("server/server.crt.pem"), 0644);
    assert_int_equal(mode_of("server/ca.crt.pem"), 0644);
    assert_int_equal(mode_of("client/client.key.pem"), 0600);
    assert_int_not_equal(access(tls_world_path("server/ca.key.pem"), F_OK), 0);
}

static void says_what_it_was_told(void **state)
{
    const struct io_tls_certificate server =
        read_certificate("server/server.crt.pem", "server/server.key.pem");
    const struct io_tls_certificate client =
        read_certificate("client/client.crt.pem", "client/client.key.pem");

    (void)state;
    assert_string_equal(server.common_name, "server");
    assert_string_equal(server.issuer_name, "ca");
    assert_int_equal(server.name_count, 3);
    const char *name = io_tls_certificate_next(&server, NULL);
    assert_string_equal(name, "localhost");
    name = io_tls_certificate_next(&server, name);
    assert_string_equal(name, "127.0.0.1");
    name = io_tls_certificate_next(&server, name);
    assert_string_equal(name, "::1");
    assert_null(io_tls_certificate_next(&server, name));
    assert_int_equal(server.to_s - server.from_s, 51 * 86400);
    assert_int_equal(client.name_count, 0);
    assert_memory_not_equal(client.pin, server.pin, sizeof(client.pin));
}

static struct io_tls_keys server_keys(const char *folder)
{
    return (struct io_tls_keys){
        .kind = IO_TLS_KEYS_SERVER,
        .folder = tls_world_path(folder),
        .ca_folder = tls_world_path("ca"),
        .common_name = "relay",
        .from_s = 1700000000,
        .to_s = INT64_C(5000000000),
    };
}

static void outlives_no_ca(void **state)
{
    const struct io_tls_keys keys = server_keys("long");
    struct io_tls_error error;

    (void)state;
    assert_int_equal(io_tls_keys_make(&keys, &error), 0);
    const struct io_tls_certificate made =
        read_certificate("long/server.crt.pem", "long/server.key.pem");
    const struct io_tls_certificate ca = read_certificate("ca/ca.crt.pem", "ca/ca.key.pem");
    assert_int_equal(made.from_s, 1700000000);
    assert_int_equal(made.to_s, ca.to_s);
}

static void refuse(const struct io_tls_keys *keys, int result, const char *text)
{
    struct io_tls_error error = {""};

    assert_int_equal(io_tls_keys_make(keys, &error), result);
    if (strstr(error.text, text) == NULL) {
        fail_msg("'%s' where '%s' was wanted", error.text, text);
    }
}

static void touch(const char *name, const char *text)
{
    FILE *file = fopen(tls_world_path(name), "we");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void overwrites_nothing(void **state)
{
    struct io_tls_keys keys = server_keys("server");
    struct io_tls_keys ca = {.kind = IO_TLS_KEYS_CA,
                             .folder = tls_world_path("ca"),
                             .common_name = "ca",
                             .from_s = 1,
                             .to_s = 2};

    (void)state;
    const struct io_tls_certificate before =
        read_certificate("server/server.crt.pem", "server/server.key.pem");
    refuse(&keys, -EEXIST, "server/server.key.pem: is there already, and is not overwritten");
    refuse(&ca, -EEXIST, "ca/ca.key.pem: is there already, and is not overwritten");
    const struct io_tls_certificate after =
        read_certificate("server/server.crt.pem", "server/server.key.pem");
    assert_memory_equal(before.pin, after.pin, sizeof(before.pin));

    // The certificate alone is there: no key is left behind, nor a CA.
    assert_int_equal(mkdir(tls_world_path("half"), 0700), 0);
    touch("half/server.crt.pem", "mine");
    keys.folder = tls_world_path("half");
    refuse(&keys, -EEXIST, "half/server.crt.pem: is there already");
    assert_int_not_equal(access(tls_world_path("half/server.key.pem"), F_OK), 0);
    assert_int_not_equal(access(tls_world_path("half/ca.crt.pem"), F_OK), 0);

    // Another CA's folder.
    tls_world_keys(IO_TLS_KEYS_CA, "other", NULL, -1, 10);
    keys.folder = tls_world_path("other");
    refuse(&keys, -EEXIST, "other/ca.crt.pem: is there already, and is of another CA");
    assert_int_not_equal(access(tls_world_path("other/server.key.pem"), F_OK), 0);
}

static void makes_a_client_beside_its_server(void **state)
{
    (void)state;
    tls_world_keys(IO_TLS_KEYS_SERVER, "both", "ca", -1, 10);
    tls_world_keys(IO_TLS_KEYS_CLIENT, "both", "ca", -1, 10);
    assert_int_equal(mode_of("both/server.key.pem"), 0600);
    assert_int_equal(mode_of("both/client.key.pem"), 0600);
}

static void refuses_names_that_can_be_none(void **state)
{
    static const char *const bad[] = {
        "",     ".", "a..b", "-a",  "a b",   "a,DNS:evil.example",
        "a\nb", "*", "*.",   "a:b", "[::1]", "käse.example",
    };
    static const char *const good[] = {"*.example.org", "a", "a-b_c.example.org.", "2001:db8::1"};
    struct io_tls_keys keys = server_keys("never");
    char path[32];

    (void)state;
    keys.name_count = 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        keys.names = &bad[i];
        refuse(&keys, -EINVAL, "is neither a host name nor an IP address");
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct io_tls_error error;

        snprintf(path, sizeof(path), "good%zu", i);
        keys.folder = tls_world_path(path);
        keys.names = &good[i];
        assert_int_equal(io_tls_keys_make(&keys, &error), 0);
    }
    keys = server_keys("never");
    keys.common_name = "0123456789012345678901234567890123456789012345678901234567890123x";
    refuse(&keys, -EINVAL, "cannot be the name of a certificate: ");
    assert_int_not_equal(access(tls_world_path("never"), F_OK), 0);
}

static void says_what_is_wrong_with_the_ca(void **state)
{
    struct io_tls_keys keys = server_keys("never");

    (void)state;
    keys.ca_folder = tls_world_path("nowhere");
    refuse(&keys, -ENOENT, "nowhere/ca.crt.pem: No such file or directory");
    tls_world_keys(IO_TLS_KEYS_CA, "mixed", NULL, -1, 10);
    assert_int_equal(unlink(tls_world_path("mixed/ca.crt.pem")), 0);
    assert_int_equal(link(tls_world_path("ca/ca.crt.pem"), tls_world_path("mixed/ca.crt.pem")), 0);
    keys.ca_folder = tls_world_path("mixed");
    refuse(&keys, -EBADMSG,
           "mixed/ca.key.pem: is not the key of the certificate in ca.crt.pem beside it");
    touch("mixed/ca.key.pem", "");
    refuse(&keys, -EBADMSG, "mixed/ca.key.pem: holds no private key");
    keys = server_keys("never/deeper");
    refuse(&keys, -ENOENT, "never/deeper: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_files_that_openssl_finds_good),
        cmocka_unit_test(keeps_keys_for_their_owner),
        cmocka_unit_test(says_what_it_was_told),
        cmocka_unit_test(outlives_no_ca),
        cmocka_unit_test(overwrites_nothing),
        cmocka_unit_test(makes_a_client_beside_its_server),
        cmocka_unit_test(refuses_names_that_can_be_none),
        cmocka_unit_test(says_what_is_wrong_with_the_ca),
    };
    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}

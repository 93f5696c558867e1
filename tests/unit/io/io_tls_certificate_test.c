// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static X509 *x509;

static int make(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    x509 = X509_new();
    if (key == NULL || x509 == NULL || X509_set_pubkey(x509, key) != 1) {
        return -1;
    }
    EVP_PKEY_free(key);
    ASN1_TIME_set(X509_getm_notBefore(x509), 1000000000);
    ASN1_TIME_set(X509_getm_notAfter(x509), INT64_C(4102444799));
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    X509_free(x509);
    return 0;
}

static void set_name(X509_NAME *name, struct bytes text)
{
    while (X509_NAME_entry_count(name) > 0) {
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
    }
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, text.ptr, (int)text.len, -1, 0),
        1);
}

static void reads_the_common_name_if_it_is_clean(void **state)
{
    static const struct {
        struct bytes given;
        const char *read;
    } table[] = {
        {BYTES_LITERAL("relay.example"), "relay.example"},
        {BYTES_LITERAL("K\xc3\xa4se"), "K\xc3\xa4se"},
        {BYTES_LITERAL("two\nlines"), ""},
        {BYTES_LITERAL("admin\0stranger"), ""},
        {BYTES_LITERAL("\xc2\x9b"
                       "31mred"),
         ""}, // U+009B steers terminals
        {BYTES_LITERAL("\xff\xfe"), ""},
    };
    struct io_tls_certificate read;

    (void)state;
    io_tls_certificate_read(x509, &read);
    assert_string_equal(read.common_name, "");
    assert_string_equal(io_tls_certificate_label(&read), "(no name)");
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        set_name(X509_get_subject_name(x509), table[i].given);
        set_name(X509_get_issuer_name(x509), table[i].given);
        io_tls_certificate_read(x509, &read);
        assert_string_equal(read.common_name, table[i].read);
        assert_string_equal(read.issuer_name, table[i].read);
    }
}

static void add_name(GENERAL_NAMES *names, int type, struct bytes value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *string =
        ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

    assert_int_equal(ASN1_STRING_set(string, value.ptr, (int)value.len), 1);
    GENERAL_NAME_set0_value(name, type, string);
    assert_int_not_equal(sk_GENERAL_NAME_push(names, name), 0);
}

static void set_names(GENERAL_NAMES *names)
{
    assert_int_equal(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE),
                     1);
    GENERAL_NAMES_free(names);
}

static void reads_the_alternative_names_that_are_clean(void **state)
{
    static const char *const wanted[] = {"a.example", "192.0.2.1", "2001:db8::1", "*.b.example"};
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    struct io_tls_certificate read;
    const char *name = NULL;

    (void)state;
    add_name(names, GEN_DNS, (struct bytes)BYTES_LITERAL("a.example"));
    add_name(names, GEN_DNS, (struct bytes)BYTES_LITERAL("evil\0.example"));
    add_name(names, GEN_DNS, (struct bytes)BYTES_LITERAL(""));
    add_name(names, GEN_EMAIL, (struct bytes)BYTES_LITERAL("a@b.example"));
    add_name(names, GEN_IPADD, (struct bytes)BYTES_LITERAL("\xc0\x00\x02\x01"));
    add_name(names, GEN_IPADD, (struct bytes)BYTES_LITERAL("\xc0\x00\x02"));
    add_name(names, GEN_IPADD,
             (struct bytes)BYTES_LITERAL("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"));
    add_name(names, GEN_DNS, (struct bytes)BYTES_LITERAL("*.b.example"));
    set_names(names);
    io_tls_certificate_read(x509, &read);
    assert_int_equal(read.name_count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        name = io_tls_certificate_next(&read, name);
        assert_string_equal(name, wanted[i]);
    }
    assert_null(io_tls_certificate_next(&read, name));
    assert_string_equal(io_tls_certificate_label(&read), "a.example");
}

static void leaves_out_what_there_is_no_room_for(void **state)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    char long_name[IO_TLS_CERTIFICATE_NAME_MAX + 2];
    struct io_tls_certificate read;
    uint32_t count = 0;

    (void)state;
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        add_name(names, GEN_DNS, bytes_first(bytes_of_text(long_name), 255 + i % 2));
    }
    set_names(names);
    io_tls_certificate_read(x509, &read);
    assert_int_equal(read.name_count, IO_TLS_CERTIFICATE_NAMES_MAX / 256);
    for (const char *name = io_tls_certificate_next(&read, NULL); name != NULL;
         name = io_tls_certificate_next(&read, name)) {
        assert_int_equal(strlen(name), 255);
        count++;
    }
    assert_int_equal(count, read.name_count);
}

// As `openssl pkey -pubout -outform DER | sha256sum` says it.
static void pins_the_key_with_its_algorithm(void **state)
{
    unsigned char *der = NULL;
    uint8_t wanted[IO_TLS_CERTIFICATE_PIN_LEN];
    struct io_tls_certificate read;

    (void)state;
    const int len = i2d_PUBKEY(X509_get0_pubkey(x509), &der);
    assert_true(len > 0);
    assert_int_equal(EVP_Digest(der, (size_t)len, wanted, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    io_tls_certificate_read(x509, &read);
    assert_memory_equal(read.pin, wanted, sizeof(wanted));
}

static void reads_and_writes_times(void **state)
{
    struct io_tls_certificate read;
    char text[IO_TLS_CERTIFICATE_TIME_MAX + 1];

    (void)state;
    io_tls_certificate_read(x509, &read);
    assert_int_equal(read.from_s, 1000000000);
    assert_int_equal(read.to_s, INT64_C(4102444799)); // a GeneralizedTime
    io_tls_certificate_time(read.from_s, text);
    assert_string_equal(text, "2001-09-09 01:46:40 UTC");
    io_tls_certificate_time(read.to_s, text);
    assert_string_equal(text, "2099-12-31 23:59:59 UTC");
    io_tls_certificate_time(0, text);
    assert_string_equal(text, "1970-01-01 00:00:00 UTC");
    io_tls_certificate_time(INT64_MAX, text);
    assert_string_equal(text, "9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_the_common_name_if_it_is_clean, make, destroy),
        cmocka_unit_test_setup_teardown(reads_the_alternative_names_that_are_clean, make, destroy),
        cmocka_unit_test_setup_teardown(leaves_out_what_there_is_no_room_for, make, destroy),
        cmocka_unit_test_setup_teardown(pins_the_key_with_its_algorithm, make, destroy),
        cmocka_unit_test_setup_teardown(reads_and_writes_times, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

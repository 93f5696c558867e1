// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "io/io_fd.h"
#include "io/io_tls_pem.h"

enum {
    SERIAL_BITS = 127,  // random; RFC 5280 section 4.1.2.2 has room for 159
    DNS_NAME_MAX = 253, // bytes
    NAMES_ROOM = IO_TLS_KEYS_NAME_MAX * (DNS_NAME_MAX + 5) + 1,
};

struct kind {
    const char *certificate_file;
    const char *key_file;
    const char *constraints; // basicConstraints
    const char *key_usage;
    const char *extended_usage; // or NULL
};

static const struct kind kinds[] = {
    [IO_TLS_KEYS_CA] = {IO_TLS_KEYS_CA_CERTIFICATE, IO_TLS_KEYS_CA_KEY,
                        "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL},
    [IO_TLS_KEYS_SERVER] = {IO_TLS_KEYS_SERVER_CERTIFICATE, IO_TLS_KEYS_SERVER_KEY,
                            "critical,CA:FALSE", "critical,digitalSignature", "serverAuth"},
    [IO_TLS_KEYS_CLIENT] = {IO_TLS_KEYS_CLIENT_CERTIFICATE, IO_TLS_KEYS_CLIENT_KEY,
                            "critical,CA:FALSE", "critical,digitalSignature", "clientAuth"},
};

// What is being made, and by whom it is signed. A CA signs itself.
struct work {
    EVP_PKEY *key;
    X509 *certificate;
    EVP_PKEY *ca_key;
    STACK_OF(X509) * ca;
};

static void forget(struct work *work)
{
    EVP_PKEY_free(work->key);
    X509_free(work->certificate);
    EVP_PKEY_free(work->ca_key);
    io_tls_pem_free(work->ca);
}

static int openssl_error(struct io_tls_error *error)
{
    io_tls_error_set(error, "a certificate cannot be made: %s", io_tls_error_reason());
    return -EBADMSG;
}

static int path_of(char out[PATH_MAX], const char *folder, const char *file,
                   struct io_tls_error *error)
{
    if (snprintf(out, PATH_MAX, "%s/%s", folder, file) >= PATH_MAX) {
        io_tls_error_set(error, "%s: %s", folder, strerror(ENAMETOOLONG));
        return -ENAMETOOLONG;
    }
    return 0;
}

// --- the CA that signs ---------------------------------------------------------------------------

static int load_ca(const struct io_tls_keys *keys, struct work *work, struct io_tls_error *error)
{
    char path[PATH_MAX];
    struct io_tls_pem pem = {.path = path};
    bool is_exposed = false; // whoever reads it can be told when it is used by a server

    int result = path_of(path, keys->ca_folder, IO_TLS_KEYS_CA_CERTIFICATE, error);
    if (result == 0) {
        result = io_tls_pem_certificates(&pem, &work->ca, error);
    }
    if (result == 0) {
        result = path_of(path, keys->ca_folder, IO_TLS_KEYS_CA_KEY, error);
    }
    if (result == 0) {
        result = io_tls_pem_key(&pem, &work->ca_key, &is_exposed, error);
    }
    if (result == 0 && X509_check_private_key(sk_X509_value(work->ca, 0), work->ca_key) != 1) {
        ERR_clear_error();
        io_tls_error_set(error, "%s: is not the key of the certificate in %s beside it", path,
                         IO_TLS_KEYS_CA_CERTIFICATE);
        result = -EBADMSG;
    }
    return result;
}

// --- names ---------------------------------------------------------------------------------------

static bool is_address(const char *name)
{
    struct addr address;

    return addr_read(bytes_of_text(name), &address);
}

// Nothing that the text form of OpenSSL's extensions would take for its own signs.
static bool is_dns_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const char *rest = strncmp(name, "*.", 2) == 0 ? name + 2 : name;
    const size_t len = strlen(rest);

    return len >= 1 && strlen(name) <= DNS_NAME_MAX && strspn(rest, letters) == len &&
           rest[0] != '.' && rest[0] != '-' && strstr(rest, "..") == NULL;
}

// As "DNS:a.example,IP:192.0.2.1".
static int join_names(const struct io_tls_keys *keys, char out[NAMES_ROOM],
                      struct io_tls_error *error)
{
    struct wr wr = wr_init((uint8_t *)out, NAMES_ROOM);

    assert(keys->name_count <= IO_TLS_KEYS_NAME_MAX);
    for (size_t i = 0; i < keys->name_count; i++) {
        const char *name = keys->names[i];

        if (!is_address(name) && !is_dns_name(name)) {
            io_tls_error_set(error, "'%s' is neither a host name nor an IP address", name);
            return -EINVAL;
        }
        wr_text(&wr, i == 0 ? "" : ",");
        wr_text(&wr, is_address(name) ? "IP:" : "DNS:");
        wr_text(&wr, name);
    }
    wr_u8(&wr, '\0');
    assert(wr_ok(&wr));
    return 0;
}

// --- a certificate -------------------------------------------------------------------------------

static bool add_extension(X509 *certificate, X509V3_CTX *context, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
    const bool is_added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return is_added;
}

static bool add_extensions(struct work *work, X509 *issuer, const struct kind *kind,
                           const char *names)
{
    X509 *certificate = work->certificate;
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    return add_extension(certificate, &context, NID_basic_constraints, kind->constraints) &&
           add_extension(certificate, &context, NID_key_usage, kind->key_usage) &&
           (kind->extended_usage == NULL ||
            add_extension(certificate, &context, NID_ext_key_usage, kind->extended_usage)) &&
           add_extension(certificate, &context, NID_subject_key_identifier, "hash") &&
           (issuer == certificate ||
            add_extension(certificate, &context, NID_authority_key_identifier, "keyid:always")) &&
           (names[0] == '\0' || add_extension(certificate, &context, NID_subject_alt_name, names));
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    const bool is_set = number != NULL &&
                        BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

    BN_free(number);
    return is_set;
}

static bool set_times(X509 *certificate, const X509 *issuer, const struct io_tls_keys *keys)
{
    const ASN1_TIME *last = X509_get0_notAfter(issuer);
    time_t to_s = keys->to_s;
    const bool is_cut = issuer != certificate && X509_cmp_time(last, &to_s) < 0;

    return ASN1_TIME_set(X509_getm_notBefore(certificate), keys->from_s) != NULL &&
           (is_cut ? X509_set1_notAfter(certificate, last) == 1
                   : ASN1_TIME_set(X509_getm_notAfter(certificate), to_s) != NULL);
}

static int sign(struct work *work, const struct io_tls_keys *keys, const char *names,
                struct io_tls_error *error)
{
    X509 *certificate = work->certificate;
    X509 *issuer = work->ca != NULL ? sk_X509_value(work->ca, 0) : certificate;
    X509_NAME *subject = X509_get_subject_name(certificate);

    if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   (const unsigned char *)keys->common_name, -1, -1, 0) != 1) {
        io_tls_error_set(error, "'%s' cannot be the name of a certificate: %s", keys->common_name,
                         io_tls_error_reason());
        return -EINVAL;
    }
    if (X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate) ||
        !set_times(certificate, issuer, keys) || X509_set_pubkey(certificate, work->key) != 1 ||
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
        !add_extensions(work, issuer, &kinds[keys->kind], names) ||
        X509_sign(certificate, work->ca_key != NULL ? work->ca_key : work->key, EVP_sha256()) ==
            0) {
        return openssl_error(error);
    }
    return 0;
}

// --- files ---------------------------------------------------------------------------------------

static int write_all(int fd, struct bytes text)
{
    while (text.len > 0) {
        const ssize_t put = write(fd, text.ptr, text.len);

        if (put < 0 && errno != EINTR) {
            return errno;
        }
        text = bytes_from(text, put < 0 ? 0 : (size_t)put);
    }
    return fsync(fd) == 0 ? 0 : errno;
}

// A new file; of one that could not be written whole nothing stays.
static int save(const char *path, mode_t mode, BIO *memory, struct io_tls_error *words)
{
    char *text = NULL;
    const long len = BIO_get_mem_data(memory, &text);
    IO_FD_AUTO int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);

    if (fd < 0) {
        const int error = errno;

        io_tls_error_set(words, "%s: %s", path,
                         error == EEXIST ? "is there already, and is not overwritten"
                                         : strerror(error));
        return -error;
    }
    const int error = write_all(fd, (struct bytes){(const uint8_t *)text, (size_t)len});
    if (error != 0) {
        IGNORE(unlink(path)); // what is wrong is told already
        io_tls_error_set(words, "%s: %s", path, strerror(error));
    }
    return -error;
}

static int save_certificate(const char *path, X509 *certificate, struct io_tls_error *error)
{
    BIO *memory = BIO_new(BIO_s_mem());
    const int result = memory != NULL && PEM_write_bio_X509(memory, certificate) == 1
                           ? save(path, 0644, memory, error)
                           : openssl_error(error);

    BIO_free(memory);
    return result;
}

static int save_key(const char *path, EVP_PKEY *key, struct io_tls_error *error)
{
    BIO *memory = BIO_new(BIO_s_secmem()); // which is wiped
    const int result =
        memory != NULL && PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1
            ? save(path, 0600, memory, error)
            : openssl_error(error);

    BIO_free(memory);
    return result;
}

// The CA's certificate lies beside those that it has signed. One that is there already must be it.
static int save_ca(const char *path, X509 *ca, bool *is_new, struct io_tls_error *error)
{
    const struct io_tls_pem pem = {.path = path};
    STACK_OF(X509) *there = NULL;

    *is_new = access(path, F_OK) != 0;
    if (*is_new) {
        return save_certificate(path, ca, error);
    }
    int result = io_tls_pem_certificates(&pem, &there, error);
    if (result == 0 && X509_cmp(sk_X509_value(there, 0), ca) != 0) {
        io_tls_error_set(error, "%s: is there already, and is of another CA", path);
        result = -EEXIST;
    }
    io_tls_pem_free(there);
    return result;
}

static int save_pair(const struct work *work, const struct io_tls_keys *keys,
                     struct io_tls_error *error)
{
    char key_path[PATH_MAX];
    char path[PATH_MAX];
    int result = path_of(key_path, keys->folder, kinds[keys->kind].key_file, error);

    if (result == 0) {
        result = path_of(path, keys->folder, kinds[keys->kind].certificate_file, error);
    }
    if (result == 0) {
        result = save_key(key_path, work->key, error);
    }
    if (result != 0) {
        return result;
    }
    result = save_certificate(path, work->certificate, error);
    if (result != 0) {
        IGNORE(unlink(key_path)); // without its certificate it is of no use
    }
    return result;
}

static int save_work(const struct work *work, const struct io_tls_keys *keys,
                     struct io_tls_error *error)
{
    char ca_path[PATH_MAX];
    bool is_new_ca = false;
    const bool is_new = mkdir(keys->folder, 0700) == 0;
    int result = 0;

    if (!is_new && errno != EEXIST) {
        result = -errno;
        io_tls_error_set(error, "%s: %s", keys->folder, strerror(-result));
        return result;
    }
    if (work->ca != NULL) {
        result = path_of(ca_path, keys->folder, IO_TLS_KEYS_CA_CERTIFICATE, error);
        if (result == 0) {
            result = save_ca(ca_path, sk_X509_value(work->ca, 0), &is_new_ca, error);
        }
    }
    if (result == 0) {
        result = save_pair(work, keys, error);
        if (result != 0 && is_new_ca) {
            IGNORE(unlink(ca_path)); // as if nothing had been begun
        }
    }
    if (result != 0 && is_new) {
        IGNORE(rmdir(keys->folder)); // likewise
    }
    return result;
}

int io_tls_keys_make(const struct io_tls_keys *keys, struct io_tls_error *error)
{
    struct work work = {.key = NULL};
    char names[NAMES_ROOM];

    assert((keys->kind == IO_TLS_KEYS_CA) == (keys->ca_folder == NULL));
    assert(keys->from_s < keys->to_s);
    ERR_clear_error();
    int result = join_names(keys, names, error);
    if (result == 0 && keys->kind != IO_TLS_KEYS_CA) {
        result = load_ca(keys, &work, error);
    }
    if (result == 0) {
        work.key = EVP_EC_gen("P-256");
        work.certificate = X509_new();
        result = work.key != NULL && work.certificate != NULL ? sign(&work, keys, names, error)
                                                              : openssl_error(error);
    }
    if (result == 0) {
        result = save_work(&work, keys, error);
    }
    forget(&work);
    return result;
}

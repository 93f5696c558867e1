// SPDX-License-Identifier: Apache-2.0
#include "far_side.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"

enum {
    PATIENCE_S = 30, // for what the client does
    KEY_LEN = 24,    // characters of Sec-WebSocket-Key
    MASK_LEN = 4,    // bytes
    DAY_S = 86400,
};

// --- TLS ---------------------------------------------------------------------------------------

static X509 *certify(EVP_PKEY *key, const char *name)
{
    X509 *made = X509_new();
    char names[128];
    X509V3_CTX context;

    assert(made != NULL);
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(made), DAY_S);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    snprintf(names, sizeof names, "DNS:%s", name);
    X509V3_set_ctx(&context, made, made, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, names);
    assert(extension != NULL);
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
    const int signature_len = X509_sign(made, key, EVP_sha256());
    assert(signature_len > 0);
    return made;
}

static void write_certificate(struct far_side *far, X509 *certificate)
{
    snprintf(far->certificate, sizeof far->certificate, "/tmp/far_side.XXXXXX");
    const int fd = mkstemp(far->certificate);
    assert(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert(file != NULL);
    const int is_written = PEM_write_X509(file, certificate);
    assert(is_written == 1);
    fclose(file);
}

static void open_tls(struct far_side *far, const char *name, int version_max)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert(key != NULL);
    X509 *certificate = certify(key, name);

    far->tls = SSL_CTX_new(TLS_server_method());
    assert(far->tls != NULL);
    SSL_CTX_set_security_level(far->tls, 0); // old versions are no good at any other
    const bool is_set = SSL_CTX_use_certificate(far->tls, certificate) == 1 &&
                        SSL_CTX_use_PrivateKey(far->tls, key) == 1 &&
                        SSL_CTX_set_max_proto_version(far->tls, version_max) == 1;
    assert(is_set);
    write_certificate(far, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void far_side_open(struct far_side *far, const char *name, int version_max)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    *far = (struct far_side){.fd = -1};
    far->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(far->listener >= 0);
    const bool is_listening = bind(far->listener, (struct sockaddr *)&at, len) == 0 &&
                              listen(far->listener, 1) == 0 &&
                              getsockname(far->listener, (struct sockaddr *)&at, &len) == 0;
    assert(is_listening);
    far->port = ntohs(at.sin_port);
    open_tls(far, name, version_max);
}

// --- a connection ------------------------------------------------------------------------------

static void take_connection(struct far_side *far)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int yes = 1;
    struct pollfd waiting = {.fd = far->listener, .events = POLLIN};

    if (poll(&waiting, 1, PATIENCE_S * 1000) == 1) {
        far->fd = accept(far->listener, NULL, NULL);
    }
    assert(far->fd >= 0);
    const bool is_set =
        setsockopt(far->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(far->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0;
    assert(is_set);
    far->count++;
    if (far->is_tls) {
        far->ssl = SSL_new(far->tls);
        assert(far->ssl != NULL);
        SSL_set_fd(far->ssl, far->fd);
    }
}

static void *run(void *context)
{
    struct far_side *far = context;

    take_connection(far);
    if (far->ssl == NULL || SSL_accept(far->ssl) == 1) {
        far->script(far);
    }
    SSL_free(far->ssl);
    far->ssl = NULL;
    close(far->fd);
    far->fd = -1;
    return NULL;
}

void far_side_play(struct far_side *far, void (*script)(struct far_side *far))
{
    far->script = script;
    far->head_len = 0;
    const int error = io_thread_start(&far->thread, "far_side", run, far);
    assert(error == 0);
}

void far_side_end(struct far_side *far)
{
    io_thread_join(&far->thread);
}

void far_side_close(struct far_side *far)
{
    far_side_end(far);
    close(far->listener);
    unlink(far->certificate);
    SSL_CTX_free(far->tls);
}

// --- what scripts do ---------------------------------------------------------------------------

// 0: the client is gone.
static size_t receive(struct far_side *far, void *to, size_t room)
{
    const ssize_t got =
        far->ssl != NULL ? SSL_read(far->ssl, to, (int)room) : recv(far->fd, to, room, 0);

    return got > 0 ? (size_t)got : 0;
}

static bool read_all(struct far_side *far, uint8_t *to, size_t len)
{
    size_t done = 0;

    while (done < len) {
        const size_t got = receive(far, to + done, len - done);
        if (got == 0) {
            return false;
        }
        done += got;
    }
    return true;
}

void far_side_take_request(struct far_side *far)
{
    far->head_len = 0;
    far->head[0] = '\0';
    while (strstr(far->head, "\r\n\r\n") == NULL && far->head_len < sizeof far->head - 1) {
        const size_t got =
            receive(far, far->head + far->head_len, sizeof far->head - 1 - far->head_len);
        if (got == 0) {
            return;
        }
        far->head_len += got;
        far->head[far->head_len] = '\0';
    }
}

void far_side_take_bytes(struct far_side *far)
{
    uint8_t dropped[64];

    (void)receive(far, dropped, sizeof dropped);
}

size_t far_side_answer(struct far_side *far, uint8_t out[FAR_SIDE_ANSWER_MAX])
{
    static const char name[] = "Sec-WebSocket-Key: ";
    static const char id[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455 section 1.3
    uint8_t text[KEY_LEN + sizeof id - 1];
    uint8_t digest[SHA_DIGEST_LENGTH];
    struct wr wr = wr_init(out, FAR_SIDE_ANSWER_MAX);
    const char *key = strstr(far->head, name);

    if (key == NULL) {
        return 0;
    }
    memcpy(text, key + sizeof name - 1, KEY_LEN);
    memcpy(text + KEY_LEN, id, sizeof id - 1);
    SHA1(text, sizeof text, digest);
    wr_text(&wr, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    base64_write(&wr, (struct bytes){digest, sizeof digest}, true);
    wr_text(&wr, "\r\n\r\n");
    assert(wr_ok(&wr));
    return wr.len;
}

void far_side_agree(struct far_side *far)
{
    uint8_t answer[FAR_SIDE_ANSWER_MAX];

    far_side_take_request(far);
    far_side_write(far, (struct bytes){answer, far_side_answer(far, answer)});
}

void far_side_write(struct far_side *far, struct bytes text)
{
    while (text.len > 0) {
        const ssize_t sent = far->ssl != NULL ? SSL_write(far->ssl, text.ptr, (int)text.len)
                                              : send(far->fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        text = bytes_from(text, (size_t)sent);
    }
}

void far_side_frame(struct far_side *far, uint8_t first, struct bytes payload)
{
    enum { SHORT_MAX = 125, IN_16_BITS = 126, IN_64_BITS = 127 };
    uint8_t head[10];
    struct wr wr = wr_init(head, sizeof head);

    wr_u8(&wr, first);
    if (payload.len <= SHORT_MAX) {
        wr_u8(&wr, (uint8_t)payload.len);
    } else if (payload.len <= UINT16_MAX) {
        wr_u8(&wr, IN_16_BITS);
        wr_u16(&wr, (uint16_t)payload.len);
    } else {
        wr_u8(&wr, IN_64_BITS);
        wr_u64(&wr, payload.len);
    }
    far_side_write(far, wr_done(&wr));
    far_side_write(far, payload);
}

bool far_side_read_frame(struct far_side *far, struct far_side_frame *out)
{
    uint8_t head[2];
    uint8_t mask[MASK_LEN];
    uint8_t longer[2];

    if (!read_all(far, head, sizeof head)) {
        return false;
    }
    assert((head[1] & 0x80) != 0); // RFC 6455 section 5.1
    out->first = head[0];
    out->len = head[1] & 0x7f;
    if (out->len == 126) {
        if (!read_all(far, longer, sizeof longer)) {
            return false;
        }
        out->len = (size_t)longer[0] << 8 | longer[1];
    }
    assert(out->len <= sizeof out->payload);
    if (!read_all(far, mask, sizeof mask) || !read_all(far, out->payload, out->len)) {
        return false;
    }
    for (size_t i = 0; i < out->len; i++) {
        out->payload[i] ^= mask[i % MASK_LEN];
    }
    return true;
}

void far_side_expect_frame(struct far_side *far, uint8_t first, struct bytes payload)
{
    struct far_side_frame frame;
    const bool is_read = far_side_read_frame(far, &frame);

    assert(is_read);
    assert(frame.first == first);
    assert(bytes_equal((struct bytes){frame.payload, frame.len}, payload));
}

void far_side_expect_close(struct far_side *far, uint16_t code)
{
    struct far_side_frame frame;
    const bool is_read = far_side_read_frame(far, &frame);

    assert(is_read);
    assert(frame.first == (FAR_SIDE_FINAL | FAR_SIDE_CLOSE));
    assert(frame.len >= 2);
    assert((frame.payload[0] << 8 | frame.payload[1]) == code);
}

void far_side_wait_for_end(struct far_side *far)
{
    uint8_t dropped[4096];

    while (receive(far, dropped, sizeof dropped) > 0) {
    }
}

void far_side_reset(struct far_side *far)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    const int error = setsockopt(far->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);

    assert(error == 0);
}

// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hello.h"

#include "base/ascii.h"

enum {
    RECORD_HANDSHAKE = 22,
    RECORD_LEN_MAX = 16384, // bytes of a record (RFC 8446 section 5.1)
    MAJOR_VERSION = 3,      // of SSL 3.0 and all of TLS
    CLIENT_HELLO = 1,
    MESSAGE_HEAD_LEN = 4, // bytes: type and length
    RANDOM_LEN = 32,      // bytes
    SESSION_ID_MAX = 32,  // bytes
    SERVER_NAME = 0,      // extensions
    ALPN = 16,
    ENCRYPTED_CLIENT_HELLO = 0xfe0d,
    HOST_NAME = 0, // in SERVER_NAME
};

bool revtun_hello_is_likely(struct bytes start)
{
    return start.len == 0 ||
           (start.ptr[0] == RECORD_HANDSHAKE && (start.len < 2 || start.ptr[1] == MAJOR_VERSION));
}

static uint32_t u24_read(struct rd *rd)
{
    const uint32_t high = rd_u8(rd);
    return high << 16 | rd_u16(rd);
}

// --- the message out of its records -------------------------------------------------------------

// How long the message is with its head, once that is there; 0 while it is not.
static size_t message_len(const struct wr *message)
{
    struct rd rd = rd_init(wr_done(message));

    rd_skip(&rd, 1);
    const uint32_t body_len = u24_read(&rd);
    return rd_ok(&rd) ? MESSAGE_HEAD_LEN + (size_t)body_len : 0;
}

// Appends what there is of the next record to the message.
static enum revtun_hello_outcome record_read(struct rd *rd, struct wr *message)
{
    struct rd start = *rd;
    const uint8_t type = rd_u8(&start);
    const uint8_t major = rd_u8(&start);

    rd_skip(&start, 1);
    const uint16_t len = rd_u16(&start);
    if ((rd->left > 0 && type != RECORD_HANDSHAKE) || (rd->left > 1 && major != MAJOR_VERSION)) {
        return REVTUN_HELLO_BAD;
    }
    if (!rd_ok(&start)) {
        return REVTUN_HELLO_PART;
    }
    if (len == 0 || len > RECORD_LEN_MAX) {
        return REVTUN_HELLO_BAD;
    }
    const bool is_whole = start.left >= len;
    wr_bytes(message, rd_bytes(&start, is_whole ? len : start.left));
    *rd = start;
    return is_whole ? REVTUN_HELLO_WHOLE : REVTUN_HELLO_PART;
}

// Puts the message together from its records, until it is whole or nothing is left.
static enum revtun_hello_outcome records_read(struct bytes received, struct wr *message)
{
    struct rd rd = rd_init(received);
    enum revtun_hello_outcome outcome = REVTUN_HELLO_WHOLE;
    size_t record_count = 0;

    while (outcome == REVTUN_HELLO_WHOLE) {
        if (record_count++ == REVTUN_HELLO_RECORD_MAX) {
            return REVTUN_HELLO_LONG;
        }
        outcome = record_read(&rd, message);
        const size_t len = message_len(message);
        if (message->len > 0 && message->ptr[0] != CLIENT_HELLO) {
            return REVTUN_HELLO_BAD;
        }
        if (len > REVTUN_HELLO_MAX) {
            return REVTUN_HELLO_LONG;
        }
        if (len > 0 && message->len >= len) {
            message->len = len; // what follows it in the record is another message
            return REVTUN_HELLO_WHOLE;
        }
    }
    return outcome;
}

// --- the message --------------------------------------------------------------------------------

static struct bytes vector8_read(struct rd *rd)
{
    const uint8_t len = rd_u8(rd);
    return rd_bytes(rd, len);
}

static struct bytes vector16_read(struct rd *rd)
{
    const uint16_t len = rd_u16(rd);
    return rd_bytes(rd, len);
}

// Keeps a host name in lower case, if it is one.
static void host_keep(struct bytes name, struct revtun_hello *hello)
{
    uint8_t *host = hello->host;

    if (name.len > sizeof hello->host) {
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        host[i] = ascii_lower(name.ptr[i]);
    }
    if (revtun_pattern_is_host((struct bytes){host, name.len})) {
        hello->host_len = (uint8_t)name.len;
    }
}

static bool server_name_read(struct bytes value, struct revtun_hello *hello)
{
    struct rd outer = rd_init(value);
    struct rd list = rd_init(vector16_read(&outer));
    bool has_host = false;

    if (!rd_is_done(&outer) || list.left == 0) {
        return false;
    }
    while (list.left > 0) {
        const uint8_t type = rd_u8(&list);
        const struct bytes name = vector16_read(&list);
        if (!rd_ok(&list) || name.len == 0 || (type == HOST_NAME && has_host)) {
            return false;
        }
        if (type == HOST_NAME) {
            has_host = true;
            host_keep(name, hello);
        }
    }
    return true;
}

static bool protocols_read(struct bytes value, struct revtun_hello *hello)
{
    struct rd outer = rd_init(value);
    const struct bytes protocols = vector16_read(&outer);
    struct rd list = rd_init(protocols);

    if (!rd_is_done(&outer) || list.left == 0) {
        return false;
    }
    while (list.left > 0) {
        if (vector8_read(&list).len == 0) {
            return false; // empty, or longer than the list
        }
    }
    hello->protocols = protocols;
    return true;
}

static bool extensions_read(struct bytes extensions, struct revtun_hello *hello)
{
    struct rd rd = rd_init(extensions);
    bool has_host = false;
    bool has_protocols = false;

    while (rd.left > 0) {
        const uint16_t type = rd_u16(&rd);
        const struct bytes value = vector16_read(&rd);
        if (!rd_ok(&rd)) {
            return false;
        }
        if (type == SERVER_NAME) {
            if (has_host || !server_name_read(value, hello)) {
                return false;
            }
            has_host = true;
        } else if (type == ALPN) {
            if (has_protocols || !protocols_read(value, hello)) {
                return false;
            }
            has_protocols = true;
        } else if (type == ENCRYPTED_CLIENT_HELLO) {
            hello->is_encrypted = true;
        }
    }
    return true;
}

static bool message_read(struct bytes message, struct revtun_hello *hello)
{
    struct rd rd = rd_init(message);

    rd_skip(&rd, MESSAGE_HEAD_LEN);
    const uint8_t major = rd_u8(&rd);
    rd_skip(&rd, 1 + RANDOM_LEN);
    const struct bytes session_id = vector8_read(&rd);
    const struct bytes cipher_suites = vector16_read(&rd);
    const struct bytes compressions = vector8_read(&rd);
    if (!rd_ok(&rd) || major != MAJOR_VERSION || session_id.len > SESSION_ID_MAX ||
        cipher_suites.len < 2 || cipher_suites.len % 2 != 0 || compressions.len == 0) {
        return false;
    }
    if (rd.left == 0) {
        return true; // as before TLS had extensions
    }
    const struct bytes extensions = vector16_read(&rd);
    return rd_is_done(&rd) && extensions_read(extensions, hello);
}

enum revtun_hello_outcome revtun_hello_read(struct bytes received,
                                            uint8_t scratch[REVTUN_HELLO_MAX],
                                            struct revtun_hello *out)
{
    const struct bytes looked_at = bytes_first(received, REVTUN_HELLO_MAX);
    struct wr message = wr_init(scratch, REVTUN_HELLO_MAX);
    struct revtun_hello hello = {0};

    if (!revtun_hello_is_likely(looked_at)) {
        return REVTUN_HELLO_NONE;
    }
    const enum revtun_hello_outcome outcome = records_read(looked_at, &message);
    if (outcome != REVTUN_HELLO_WHOLE) {
        return outcome == REVTUN_HELLO_PART && looked_at.len == REVTUN_HELLO_MAX ? REVTUN_HELLO_LONG
                                                                                 : outcome;
    }
    if (!message_read(wr_done(&message), &hello)) {
        return REVTUN_HELLO_BAD;
    }
    *out = hello;
    return REVTUN_HELLO_WHOLE;
}

struct bytes revtun_hello_host(const struct revtun_hello *hello)
{
    return (struct bytes){hello->host, hello->host_len};
}

bool revtun_hello_offers(const struct revtun_hello *hello, const char *protocol)
{
    struct rd list = rd_init(hello->protocols);

    while (list.left > 0) {
        if (bytes_equal_text(vector8_read(&list), protocol)) {
            return true;
        }
    }
    return false;
}

// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_words.h"

#include "base/addr.h"
#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_chandata.h"
#include "stun/stun_error.h"
#include "stun/stun_header.h"
#include "stun/stun_icmp.h"

enum {
    HEX_MAX = 16,  // bytes of a value that are shown
    TEXT_MAX = 64, // characters of a text that are shown
};

enum form {
    FORM_HEX,
    FORM_TEXT,
    FORM_U8,
    FORM_U16,
    FORM_U32,
    FORM_ADDR,
    FORM_XOR_ADDR,
    FORM_ERROR,
    FORM_ICMP,
    FORM_LENGTH, // of what it holds only this
};

static const struct {
    uint16_t type;
    enum form form;
    const char *name;
} attrs[] = {
    {STUN_ATTR_MAPPED_ADDRESS, FORM_ADDR, "MAPPED-ADDRESS"},
    {STUN_ATTR_USERNAME, FORM_TEXT, "USERNAME"},
    {STUN_ATTR_MESSAGE_INTEGRITY, FORM_LENGTH, "MESSAGE-INTEGRITY"},
    {STUN_ATTR_ERROR_CODE, FORM_ERROR, "ERROR-CODE"},
    {STUN_ATTR_UNKNOWN_ATTRIBUTES, FORM_HEX, "UNKNOWN-ATTRIBUTES"},
    {STUN_ATTR_CHANNEL_NUMBER, FORM_U16, "CHANNEL-NUMBER"},
    {STUN_ATTR_LIFETIME, FORM_U32, "LIFETIME"},
    {STUN_ATTR_XOR_PEER_ADDRESS, FORM_XOR_ADDR, "XOR-PEER-ADDRESS"},
    {STUN_ATTR_DATA, FORM_LENGTH, "DATA"},
    {STUN_ATTR_REALM, FORM_TEXT, "REALM"},
    {STUN_ATTR_NONCE, FORM_TEXT, "NONCE"},
    {STUN_ATTR_XOR_RELAYED_ADDRESS, FORM_XOR_ADDR, "XOR-RELAYED-ADDRESS"},
    {STUN_ATTR_REQUESTED_ADDRESS_FAMILY, FORM_U8, "REQUESTED-ADDRESS-FAMILY"},
    {STUN_ATTR_EVEN_PORT, FORM_U8, "EVEN-PORT"},
    {STUN_ATTR_REQUESTED_TRANSPORT, FORM_U8, "REQUESTED-TRANSPORT"},
    {STUN_ATTR_DONT_FRAGMENT, FORM_LENGTH, "DONT-FRAGMENT"},
    {STUN_ATTR_MESSAGE_INTEGRITY_SHA256, FORM_LENGTH, "MESSAGE-INTEGRITY-SHA256"},
    {STUN_ATTR_PASSWORD_ALGORITHM, FORM_HEX, "PASSWORD-ALGORITHM"},
    {STUN_ATTR_USERHASH, FORM_HEX, "USERHASH"},
    {STUN_ATTR_XOR_MAPPED_ADDRESS, FORM_XOR_ADDR, "XOR-MAPPED-ADDRESS"},
    {STUN_ATTR_RESERVATION_TOKEN, FORM_HEX, "RESERVATION-TOKEN"},
    {STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, FORM_U8, "ADDITIONAL-ADDRESS-FAMILY"},
    {STUN_ATTR_ADDRESS_ERROR_CODE, FORM_HEX, "ADDRESS-ERROR-CODE"},
    {STUN_ATTR_PASSWORD_ALGORITHMS, FORM_HEX, "PASSWORD-ALGORITHMS"},
    {STUN_ATTR_ALTERNATE_DOMAIN, FORM_TEXT, "ALTERNATE-DOMAIN"},
    {STUN_ATTR_ICMP, FORM_ICMP, "ICMP"},
    {STUN_ATTR_SOFTWARE, FORM_TEXT, "SOFTWARE"},
    {STUN_ATTR_ALTERNATE_SERVER, FORM_ADDR, "ALTERNATE-SERVER"},
    {STUN_ATTR_FINGERPRINT, FORM_LENGTH, "FINGERPRINT"},
};

const char *talk_words_attr(uint16_t type)
{
    for (size_t i = 0; i < COUNT_OF(attrs); i++) {
        if (attrs[i].type == type) {
            return attrs[i].name;
        }
    }
    return NULL;
}

static void hex16_write(struct wr *wr, uint16_t number)
{
    const uint8_t both[2] = {(uint8_t)(number >> 8), (uint8_t)number};

    wr_text(wr, "0x");
    wr_hex(wr, (struct bytes){both, sizeof both});
}

// Writes what can be printed and is harmless anywhere; the rest as dots.
static void text_write(struct wr *wr, struct bytes text)
{
    struct bytes shown = bytes_first(text, TEXT_MAX);

    wr_text(wr, " \"");
    for (size_t i = 0; i < shown.len; i++) {
        uint8_t byte = shown.ptr[i];
        wr_u8(wr, byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\' ? byte : '.');
    }
    wr_text(wr, shown.len < text.len ? "...\"" : "\"");
}

static void hex_write(struct wr *wr, struct bytes value)
{
    if (value.len > 0) {
        wr_text(wr, " ");
        wr_hex(wr, bytes_first(value, HEX_MAX));
        wr_text(wr, value.len > HEX_MAX ? "..." : "");
    }
}

static bool addr_value_write(struct wr *wr, const struct stun_attr *attr,
                             const struct stun_header *header, bool is_xor)
{
    struct addr addr;

    if (is_xor ? !stun_attr_xor_addr_read(attr->value, &header->transaction, &addr)
               : !stun_attr_addr_read(attr->value, &addr)) {
        return false;
    }
    wr_text(wr, " ");
    addr_write(wr, &addr);
    return true;
}

static bool number_write(struct wr *wr, const struct stun_attr *attr, enum form form)
{
    uint32_t number32 = 0;
    uint16_t number16 = 0;
    uint8_t number8 = 0;
    bool is_good = form == FORM_U8    ? stun_attr_u8_read(attr->value, &number8)
                   : form == FORM_U16 ? stun_attr_u16_read(attr->value, &number16)
                                      : stun_attr_u32_read(attr->value, &number32);

    if (is_good && form == FORM_U16) {
        wr_text(wr, " ");
        hex16_write(wr, number16);
    } else if (is_good) {
        wr_text(wr, " ");
        wr_decimal(wr, form == FORM_U8 ? number8 : number32);
    }
    return is_good;
}

static bool error_write(struct wr *wr, const struct stun_attr *attr)
{
    struct bytes reason;
    uint16_t code = 0;

    if (!stun_error_read(attr->value, &code, &reason)) {
        return false;
    }
    wr_text(wr, " ");
    wr_decimal(wr, code);
    text_write(wr, reason);
    return true;
}

static bool icmp_write(struct wr *wr, const struct stun_attr *attr)
{
    struct stun_icmp icmp;

    if (!stun_icmp_read(attr->value, &icmp)) {
        return false;
    }
    wr_text(wr, " type ");
    wr_decimal(wr, icmp.type);
    wr_text(wr, " code ");
    wr_decimal(wr, icmp.code);
    return true;
}

static bool value_write(struct wr *wr, const struct stun_attr *attr,
                        const struct stun_header *header, enum form form)
{
    switch (form) {
    case FORM_HEX:
        hex_write(wr, attr->value);
        return true;
    case FORM_TEXT:
        text_write(wr, attr->value);
        return true;
    case FORM_U8:
    case FORM_U16:
    case FORM_U32:
        return number_write(wr, attr, form);
    case FORM_ADDR:
        return addr_value_write(wr, attr, header, false);
    case FORM_XOR_ADDR:
        return addr_value_write(wr, attr, header, true);
    case FORM_ERROR:
        return error_write(wr, attr);
    case FORM_ICMP:
        return icmp_write(wr, attr);
    case FORM_LENGTH:
        if (attr->value.len > 0) {
            wr_text(wr, " (");
            wr_decimal(wr, attr->value.len);
            wr_text(wr, " bytes)");
        }
        return true;
    }
    return false;
}

static void attr_words_write(struct wr *wr, const struct stun_attr *attr,
                             const struct stun_header *header)
{
    enum form form = FORM_HEX;
    const char *name = NULL;

    for (size_t i = 0; i < COUNT_OF(attrs) && name == NULL; i++) {
        if (attrs[i].type == attr->type) {
            name = attrs[i].name;
            form = attrs[i].form;
        }
    }
    wr_text(wr, ", ");
    if (name == NULL) {
        wr_text(wr, "attribute ");
        hex16_write(wr, attr->type);
    } else {
        wr_text(wr, name);
    }
    if (!value_write(wr, attr, header, form)) {
        wr_text(wr, " (malformed)");
        hex_write(wr, attr->value);
    }
}

static void message_write(struct wr *wr, struct rd *rd, const struct stun_header *header)
{
    static const char *const classes[] = {" request", " indication", " success response",
                                          " error response"};
    const char *method = stun_header_method_name(header->method);
    struct stun_attr attr;

    if (method != NULL) {
        wr_text(wr, method);
    } else {
        wr_text(wr, "method ");
        hex16_write(wr, header->method);
    }
    wr_text(wr, classes[header->class]);
    if (header->body_len != rd->left) {
        wr_text(wr, " (of other length than it says)");
    }
    while (rd->left > 0) {
        if (!stun_attr_read(rd, &attr)) {
            wr_text(wr, ", and attributes that are malformed");
            return;
        }
        attr_words_write(wr, &attr, header);
    }
}

void talk_words_write(struct wr *wr, struct bytes datagram)
{
    struct rd rd = rd_init(datagram);
    struct stun_header header;
    struct bytes data;
    uint16_t number = 0;

    if (stun_header_is_likely(datagram) && stun_header_read(&rd, &header)) {
        message_write(wr, &rd, &header);
    } else if (stun_chandata_read(datagram, &number, &data)) {
        wr_text(wr, "ChannelData ");
        hex16_write(wr, number);
        wr_text(wr, ", ");
        wr_decimal(wr, data.len);
        wr_text(wr, " bytes");
    } else {
        wr_decimal(wr, datagram.len);
        wr_text(wr, " bytes that are neither STUN nor ChannelData");
        hex_write(wr, datagram);
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "revtun/wire.h"

#include <assert.h>

#include "revtun/revtun_fields.h"

const char wire_token_text[] =
    "flt1.laptop.AAECAwQFBgcICQoLDA0ODxARZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1-f4CBgoOT"
    "RKzo";
const char wire_verifier[] = "bc145a67933ad77d5aab73d7362a91a6971136780e712d7df79484eb4839becc";
const char wire_proof[] = "453d7a94f10c4063fd6c980c51c68951fe26dd956d5210c452020df9f6516bde";
const char wire_accept[] =
    "5452443201000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf000000000000002a8262ef75089bae86"
    "3c130b2b9e4a7a796a9ae854855fc78829ae583c02369dd4";
const char wire_standby[] =
    "5452443202000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf000000000000002b500b1c89f31fa08b"
    "5a97b37cfabfb93d5d389ea0312aeee086ad7e0e105201ec";
const char wire_head[] =
    "5452533200476e65775f636f6e6e656374696f6e2069643d3434206e616d653d776562207372633d"
    "3139322e302e322e373a3530303030206473743d5b323030313a6462383a3a315d3a3434336d0938"
    "800f5b296e95e343a9cb6779f2c9958f4fc21a9b634068b418a9e15a0c";
const char wire_head_line[] =
    "new_connection id=44 name=web src=192.0.2.7:50000 dst=[2001:db8::1]:443";

static void count_up(uint8_t *to, size_t len, uint8_t from)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = (uint8_t)(from + i);
    }
}

struct revtun_secrets wire_secrets(void)
{
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];

    count_up(exported, sizeof exported, 0);
    return revtun_secrets_read(exported);
}

struct revtun_token wire_token(void)
{
    uint8_t secret[REVTUN_TOKEN_SECRET_LEN];
    uint8_t pin[REVTUN_TOKEN_PIN_LEN];
    struct revtun_token token;

    count_up(secret, sizeof secret, 0);
    count_up(pin, sizeof pin, 100);
    revtun_token_init(&token, bytes_of_text("laptop"), secret, pin);
    return token;
}

void wire_unhex(const char *text, uint8_t *to, size_t len)
{
    const bool is_read = revtun_fields_read_hex(bytes_of_text(text), to, len);
    assert(is_read);
}

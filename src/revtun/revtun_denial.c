// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_denial.h"

#include <assert.h>
#include <stddef.h>

enum { GIVEN_MAX = 128 }; // bytes of what was given that the words repeat

struct kind {
    enum revtun_message_code code;
    const char *key;
};

static const struct kind kinds[] = {
#define KIND(NAME, name, code, key, words)                                                         \
    [REVTUN_DENIAL_##NAME] = {REVTUN_MESSAGE_CODE_##code, key},
    REVTUN_DENIALS(KIND)
#undef KIND
};

static const struct kind *kind_of(enum revtun_denial_kind kind)
{
    assert(kind > REVTUN_DENIAL_NONE);
    assert(kind < REVTUN_DENIAL_END);
    return &kinds[kind];
}

enum revtun_message_code revtun_denial_code(enum revtun_denial_kind kind)
{
    return kind_of(kind)->code;
}

const char *revtun_denial_key(enum revtun_denial_kind kind)
{
    return kind_of(kind)->key;
}

static void given_write(struct wr *wr, const char *before, struct bytes given, const char *after)
{
    wr_text(wr, before);
    wr_bytes(wr, bytes_first(given, GIVEN_MAX));
    wr_text(wr, given.len > GIVEN_MAX ? "..." : "");
    wr_text(wr, after);
}

static void number_write(struct wr *wr, const char *before, uint64_t number, const char *after)
{
    wr_text(wr, before);
    wr_decimal(wr, number);
    wr_text(wr, after);
}

void revtun_denial_write(struct wr *wr, const struct revtun_denial *denial)
{
    switch (denial->kind) {
    case REVTUN_DENIAL_NAME:
        given_write(wr, "this agent may not have the name ", denial->given, "");
        return;
    case REVTUN_DENIAL_PORT:
        if (denial->number != 0) {
            number_write(wr, "this agent may not have the port ", denial->number, "");
        } else {
            wr_text(wr, "this agent may have no ports");
        }
        return;
    case REVTUN_DENIAL_HOST:
        if (denial->given.len > 0) {
            given_write(wr, "this agent may not have the host ", denial->given, "");
        } else {
            wr_text(wr, "this agent may have no hosts");
        }
        return;
    case REVTUN_DENIAL_PORT_TAKEN:
        number_write(wr, "the port ", denial->number, " is somebody else's");
        return;
    case REVTUN_DENIAL_HOST_TAKEN:
        given_write(wr, "the host ", denial->given, " is another tunnel's");
        return;
    case REVTUN_DENIAL_TUNNELS:
        number_write(wr, "this agent may have no more tunnels than ", denial->number, " at a time");
        return;
    case REVTUN_DENIAL_HOSTS:
        number_write(wr, "this agent may have no more hosts than ", denial->number, " at a time");
        return;
    case REVTUN_DENIAL_PACE:
        wr_text(wr, "this agent asks for names too often");
        return;
    case REVTUN_DENIAL_ENDED:
        wr_text(wr, "too many tunnels of this agent have ended and still have clients");
        return;
    case REVTUN_DENIAL_NAME_TAKEN:
    case REVTUN_DENIAL_NO_PORT:
    case REVTUN_DENIAL_ROOM:
    case REVTUN_DENIAL_UNSUPPORTED:
    case REVTUN_DENIAL_NONE:
    case REVTUN_DENIAL_END:
        break;
    }
    wr_text(wr, revtun_message_code_meaning(revtun_denial_code(denial->kind)));
}

// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_place.h"

#include <assert.h>

#include "stun/stun_attr.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"

enum {
    PORT = 80,
    LOWEST = 0x4000,  // of channel numbers
    SILENCES_MAX = 2, // after which a server is not asked on
};

// How a server went about one address.
struct grant {
    bool is_permitted;
    bool is_bound;
};

static bool ask_permission(struct talk *talk, const struct addr *addr)
{
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    if (addr != NULL) {
        talk_request_addr(talk, addr);
    }
    talk_ask(talk);
    return talk_answer_is_success(talk);
}

static bool ask_channel(struct talk *talk, const struct addr *addr, uint16_t number)
{
    stun_attr_u16_write(talk_request(talk, STUN_CHANNEL_BIND), STUN_ATTR_CHANNEL_NUMBER, number);
    talk_request_addr(talk, addr);
    talk_ask(talk);
    return talk_answer_is_success(talk);
}

// Where permissions are nothing, as in Firezone's manner, a request without any peer succeeds too.
static bool has_permissions(struct talk *talk)
{
    return !ask_permission(talk, NULL);
}

// Peers of this inquiry are there, or other clients of the server, whose relayed addresses may be
// peers of one another.
static bool is_own(const struct talk *talk, const struct addr *addr)
{
    const struct talk_target *target = talk->target;
    const struct addr *at = addr->family == ADDR_IP4 ? &target->peer_ip4 : &target->peer_ip6;
    const struct addr plain = addr_unmapped(addr);

    return addr_same_ip(addr, at) || addr_same_ip(addr, &talk->clients[talk->me].relayed) ||
           (at->family == ADDR_NONE && addr_same_ip(&plain, &talk->clients[talk->me].local));
}

static void grant_write(struct wr *wr, const struct addr *addr, const struct grant *grant)
{
    wr_text(wr, wr->len > 0 ? ", " : "");
    addr_ip_write(wr, addr);
    wr_text(wr, grant->is_permitted && grant->is_bound ? " (permission and channel)"
                : grant->is_permitted                  ? " (permission)"
                                                       : " (channel)");
}

void attack_place_try(struct talk *talk, const char *const *places, size_t count)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    uint32_t silences = 0;

    assert(count <= ATTACK_PLACES_MAX);
    if (talk->is_decided) {
        return;
    }
    const bool has_permission = has_permissions(talk);
    for (size_t i = 0; i < count && silences < SILENCES_MAX; i++) {
        struct grant grant = {0};
        struct addr addr = {0};
        bool is_read = addr_read(bytes_of_text(places[i]), &addr);

        assert(is_read);
        if (is_own(talk, &addr)) {
            continue;
        }
        addr = addr_with_port(addr, PORT);
        grant.is_permitted = has_permission && ask_permission(talk, &addr);
        grant.is_bound = ask_channel(talk, &addr, (uint16_t)(LOWEST + i));
        silences += !talk->has_answer;
        if (grant.is_permitted || grant.is_bound) {
            grant_write(&wr, &addr, &grant);
        }
    }
    if (wr.len > 0) {
        talk_fail(talk, bytes_of_text("these peers are forbidden"), wr_done(&wr));
    } else if (silences == SILENCES_MAX) {
        talk_skip(talk, "the server does not answer whether the peers are forbidden");
    }
}

bool attack_place_is_bound(struct talk *talk, const struct addr *addr)
{
    return !talk->is_decided && ask_channel(talk, addr, LOWEST);
}

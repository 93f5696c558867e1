// SPDX-License-Identifier: Apache-2.0
// The naive server's Allocate, and the opening of ports (RFC 8656 section 7).
#include <assert.h>
#include <string.h>

#include "sim/sim_oracle.h"

enum {
    EVEN_PORT = 0x18,
    REQUESTED_TRANSPORT = 0x19,
    RESERVATION_TOKEN = 0x22,
    ADDITIONAL_ADDRESS_FAMILY = 0x8000,
    REFUSED_S = 60,
    RESERVATION_S = 30,
};

static unsigned redeem(struct sim_oracle *oracle, struct bytes token, struct sim_expect *out)
{
    for (size_t i = 0; i < SIM_SETUP_RESERVATIONS; i++) {
        struct sim_oracle_reservation *reservation = &oracle->reservations[i];
        if (reservation->until_ns == 0 ||
            !bytes_equal(token, (struct bytes){reservation->token, sizeof reservation->token})) {
            continue;
        }
        if (reservation->user != out->user) {
            return sim_oracle_full(oracle, SIM_COVER_TOKEN_FOREIGN, TURN_REFUSAL_TOKEN, out);
        }
        reservation->until_ns = 0;
        out->is_reserved = true;
        out->reserved_port = reservation->port;
        out->families = sim_oracle_bit(reservation->family);
        sim_cover_point(oracle->cover, reservation->home == oracle->home
                                           ? SIM_COVER_REDEEMED
                                           : SIM_COVER_REDEEMED_ELSEWHERE);
        return 0;
    }
    return sim_oracle_full(oracle, SIM_COVER_TOKEN_UNKNOWN, TURN_REFUSAL_TOKEN, out);
}

// What a user holds: a reserved port counts like an allocation.
static size_t count_of(const struct sim_oracle *oracle, unsigned user)
{
    size_t count = 0;

    for (size_t i = 0; i < SIM_SETUP_ALLOCATIONS; i++) {
        count += oracle->allocations[i].is_live && oracle->allocations[i].user == user;
    }
    for (size_t i = 0; i < SIM_SETUP_RESERVATIONS; i++) {
        count += oracle->reservations[i].until_ns != 0 && oracle->reservations[i].user == user;
    }
    return count;
}

static unsigned first_of(const struct sim_oracle *oracle, unsigned user)
{
    for (unsigned i = 0; i < SIM_SETUP_ALLOCATIONS; i++) {
        if (oracle->allocations[i].is_live && oracle->allocations[i].user == user) {
            return i;
        }
    }
    return SIM_ORACLE_NONE;
}

// What families a request asks for; of two, either will do (RFC 8656 section 7.2).
static unsigned read_families(const struct sim_oracle *oracle, const struct sim_naive *message,
                              struct sim_expect *out)
{
    const struct turn_config *config = &oracle->setup->config;
    const struct sim_naive_attr *additional = sim_naive_find(message, ADDITIONAL_ADDRESS_FAMILY);
    bool has_token = sim_naive_find(message, RESERVATION_TOKEN) != NULL;
    unsigned family = sim_oracle_family(message);
    unsigned served =
        sim_oracle_bit(config->public_ip4.family) | sim_oracle_bit(config->public_ip6.family);

    if (has_token && (family != 0 || additional != NULL)) {
        return 400;
    }
    if (additional != NULL) {
        out->families = served;
        out->refused_family = served == 1 ? ADDR_IP6 : served == 2 ? ADDR_IP4 : ADDR_NONE;
        out->refused_code = 440;
        return family != 0 || out->port == SIM_EXPECT_PAIR || additional->value.ptr[0] != 2 ? 400
                                                                                            : 0;
    }
    if (family == 400) {
        return 440;
    }
    out->families = family == ADDR_IP6 ? 2 : 1;
    return has_token || (out->families & served) != 0 ? 0 : 440;
}

// The old allocation counts no more. Its port is free once its home has closed the socket.
static void take_over(struct sim_oracle *oracle, unsigned old, struct sim_expect *out)
{
    const struct sim_oracle_allocation *allocation = &oracle->allocations[old];

    out->is_waking = allocation->name.home != oracle->home;
    out->woken = allocation->name.home;
    oracle->closing_port = allocation->port;
    sim_cover_point(oracle->cover, out->is_waking ? SIM_COVER_FIREZONE_TAKEOVER_ELSEWHERE
                                                  : SIM_COVER_FIREZONE_TAKEOVER);
    sim_oracle_delete(oracle, old);
}

// No port, though there would be one if the old allocation's socket were closed already.
static bool is_closing_only(struct sim_oracle *oracle, enum sim_expect_port wish)
{
    const uint16_t port = oracle->closing_port;

    oracle->closing_port = 0;
    bool is_only = sim_oracle_has_port(oracle, wish);
    oracle->closing_port = port;
    return is_only;
}

static unsigned find_room(struct sim_oracle *oracle, const struct sim_naive_attr *token,
                          struct sim_expect *out)
{
    const struct turn_config *config = &oracle->setup->config;
    unsigned old = first_of(oracle, out->user);

    if (oracle->is_draining) { // nobody loses what he has for nothing
        return sim_oracle_full(oracle, SIM_COVER_DRAINING, TURN_REFUSAL_DRAINING, out);
    }
    if (out->is_firezone && old != SIM_ORACLE_NONE) {
        take_over(oracle, old, out);
    }
    size_t more = token != NULL ? 0 : out->port == SIM_EXPECT_PAIR ? 2 : 1;
    if (count_of(oracle, out->user) + more > config->allocations_per_user) {
        out->refusal = TURN_REFUSAL_USER_QUOTA;
        return 486;
    }
    struct turn_gauges gauges = sim_oracle_gauges(oracle);
    if (gauges.allocations == config->max_allocations) {
        return sim_oracle_full(oracle, SIM_COVER_FULL_ALLOCATIONS, TURN_REFUSAL_ALLOCATIONS, out);
    }
    if (out->port == SIM_EXPECT_PAIR && gauges.reservations == config->max_reservations) {
        return sim_oracle_full(oracle, SIM_COVER_FULL_RESERVATIONS, TURN_REFUSAL_RESERVATIONS, out);
    }
    if (token != NULL) {
        return redeem(oracle, token->value, out);
    }
    if (sim_oracle_has_port(oracle, out->port)) {
        return 0;
    }
    const bool is_closing = is_closing_only(oracle, out->port);
    if (is_closing && !out->is_waking && out->port != SIM_EXPECT_PAIR) {
        // It is closed in this home before the new one is opened.
        sim_cover_point(oracle->cover, SIM_COVER_KEPT_PORT);
        oracle->closing_port = 0;
        return 0;
    }
    return sim_oracle_full(oracle, is_closing ? SIM_COVER_CLOSING_PORT : SIM_COVER_FULL_PORTS,
                           TURN_REFUSAL_PORTS, out);
}

unsigned sim_oracle_allocate(struct sim_oracle *oracle, const struct sim_naive *message,
                             struct sim_expect *out)
{
    const struct turn_config *config = &oracle->setup->config;
    const struct sim_naive_attr *transport = sim_naive_find(message, REQUESTED_TRANSPORT);
    const struct sim_naive_attr *token = sim_naive_find(message, RESERVATION_TOKEN);
    const struct sim_naive_attr *even = sim_naive_find(message, EVEN_PORT);
    unsigned old = sim_oracle_find(oracle, &out->tuple);

    if (old != SIM_ORACLE_NONE) {
        out->allocation = old;
        out->lifetime_s = oracle->allocations[old].granted_s;
        bool is_same = oracle->allocations[old].user == out->user &&
                       memcmp(oracle->allocations[old].transaction, out->transaction, 12) == 0;
        if (is_same) {
            sim_cover_point(oracle->cover, SIM_COVER_ALLOCATED_AGAIN);
        }
        return is_same ? 0 : 437;
    }
    if (transport == NULL) {
        return 400;
    }
    if (transport->value.ptr[0] != 17) {
        return 442;
    }
    if (even != NULL && token != NULL) {
        return 400;
    }
    if (even != NULL) {
        out->port = even->value.ptr[0] >= 0x80 ? SIM_EXPECT_PAIR : SIM_EXPECT_EVEN_PORT;
    }
    unsigned code = read_families(oracle, message, out);
    if (code != 0) {
        return code;
    }
    out->lifetime_s = sim_oracle_lifetime(oracle, message);
    out->lifetime_s = out->lifetime_s != 0 ? out->lifetime_s : config->min_lifetime_s;
    code = find_room(oracle, token, out);
    if (code == 0) {
        out->kind = SIM_EXPECT_OPEN;
    }
    return code;
}

// The family whose socket is to be opened next: IPv4 comes first.
static unsigned family_of(const struct sim_expect *expect)
{
    return ((expect->families & ~expect->bound) & 1) != 0 ? ADDR_IP4 : ADDR_IP6;
}

const char *sim_oracle_port_fault(const struct sim_oracle *oracle, const struct sim_expect *expect,
                                  const struct addr *relayed)
{
    const struct turn_config *config = &oracle->setup->config;
    const struct addr *public =
        family_of(expect) == ADDR_IP4 ? &config->public_ip4 : &config->public_ip6;

    if (expect->bound != 0 && relayed->port != expect->opening_port) {
        return "another port for the second family";
    }
    if (!addr_same_ip(relayed, public)) {
        return "a relayed address that is not the public one";
    }
    if (!sim_oracle_is_free(oracle, relayed->port)) {
        return "a port that is in use, closing, or out of range";
    }
    if (expect->is_reserved && relayed->port != expect->reserved_port) {
        return "not the port that was reserved";
    }
    if (expect->port != SIM_EXPECT_ANY_PORT && relayed->port % 2 != 0) {
        return "an odd port";
    }
    if (expect->port == SIM_EXPECT_PAIR && !sim_oracle_is_free(oracle, relayed->port + 1U)) {
        return "a port whose neighbour is not free";
    }
    return NULL;
}

static void settle(struct sim_oracle *oracle, struct now now, struct sim_name name,
                   struct sim_expect *expect)
{
    unsigned index = 0;

    while (oracle->allocations[index].is_live) {
        index++;
        assert(index < SIM_SETUP_ALLOCATIONS);
    }
    struct sim_oracle_allocation *allocation = &oracle->allocations[index];
    *allocation = (struct sim_oracle_allocation){
        .is_live = true,
        .tuple = expect->tuple,
        .user = expect->user,
        .is_firezone = expect->is_firezone,
        .bound = expect->bound,
        .granted = expect->bound,
        .refused_family = expect->refused_family,
        .refused_code = expect->refused_code,
        .port = expect->opening_port,
        .until_ns = now.mono_ns + expect->lifetime_s * SECOND_NS,
        .granted_s = expect->lifetime_s,
        .has_token = expect->port == SIM_EXPECT_PAIR,
        .name = name,
    };
    memcpy(allocation->transaction, expect->transaction, sizeof allocation->transaction);
    expect->allocation = index;
    expect->kind = SIM_EXPECT_RESPONSE;
    expect->code = 0;
    if (expect->bound == 3) {
        sim_cover_point(oracle->cover, SIM_COVER_DUAL);
    } else if (expect->refused_family != ADDR_NONE) {
        sim_cover_point(oracle->cover, expect->refused_code == 440 ? SIM_COVER_DUAL_NOT_SERVED
                                                                   : SIM_COVER_DUAL_NO_SOCKET);
    }
    if (expect->tries > 0) {
        sim_cover_point(oracle->cover, SIM_COVER_PORT_SECOND);
    }
}

// The refused port rests for a minute.
static void rest(struct sim_oracle *oracle, struct now now, uint16_t port)
{
    if (oracle->resting_count == SIM_ORACLE_RESTING) {
        oracle->resting_count--;
        memmove(oracle->resting, oracle->resting + 1,
                oracle->resting_count * sizeof oracle->resting[0]);
    }
    oracle->resting[oracle->resting_count].port = port;
    oracle->resting[oracle->resting_count].until_ns = now.mono_ns + REFUSED_S * SECOND_NS;
    oracle->resting_count++;
}

void sim_oracle_opened(struct sim_oracle *oracle, struct now now, enum turn_opened opened,
                       struct sim_name name, struct sim_expect *expect)
{
    unsigned family = family_of(expect);

    if (opened == TURN_OPENED) {
        expect->bound |= sim_oracle_bit(family);
        if (expect->bound == expect->families) {
            settle(oracle, now, name, expect);
        }
        return;
    }
    if (opened == TURN_SYSTEM_REFUSED && expect->bound != 0) { // better one than none
        expect->refused_family = family;
        expect->refused_code = 508;
        settle(oracle, now, name, expect);
        return;
    }
    if (expect->bound != 0) {
        sim_cover_point(oracle->cover, SIM_COVER_DUAL_REFUSED);
    }
    expect->bound = 0;
    if (expect->woken == oracle->home) { // what it was ordered before is done
        oracle->closing_port = 0;
    }
    if (opened == TURN_PORT_REFUSED) {
        sim_cover_point(oracle->cover, SIM_COVER_PORT_REFUSED);
        rest(oracle, now, expect->opening_port);
        bool is_last = ++expect->tries == SIM_ORACLE_TRIES;
        if (is_last) {
            sim_cover_point(oracle->cover, SIM_COVER_PORT_TRIES);
        }
        if (!expect->is_reserved && !is_last && sim_oracle_has_port(oracle, expect->port)) {
            return; // the next one, please
        }
        expect->refusal = TURN_REFUSAL_BINDS;
    } else {
        expect->refusal = TURN_REFUSAL_SOCKETS;
        sim_cover_point(oracle->cover, SIM_COVER_SYSTEM_REFUSED);
    }
    expect->kind = SIM_EXPECT_RESPONSE;
    expect->code = 508;
}

void sim_oracle_learn_token(struct sim_oracle *oracle, struct now now, unsigned allocation,
                            struct bytes token)
{
    struct sim_oracle_allocation *owner = &oracle->allocations[allocation];
    size_t i = 0;

    while (oracle->reservations[i].until_ns != 0) {
        i++;
        assert(i < SIM_SETUP_RESERVATIONS);
    }
    assert(token.len == sizeof owner->token);
    memcpy(owner->token, token.ptr, token.len);
    oracle->reservations[i] = (struct sim_oracle_reservation){
        .until_ns = now.mono_ns + RESERVATION_S * SECOND_NS,
        .user = owner->user,
        .family = owner->granted == 1 ? ADDR_IP4 : ADDR_IP6,
        .home = owner->name.home,
        .port = (uint16_t)(owner->port + 1),
    };
    memcpy(oracle->reservations[i].token, token.ptr, token.len);
    sim_cover_point(oracle->cover, SIM_COVER_RESERVED);
}

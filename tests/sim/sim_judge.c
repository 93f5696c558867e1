// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_judge.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum {
    BINDING = 0x001,
    ALLOCATE = 0x003,
    REFRESH = 0x004,
    DATA_METHOD = 0x007,

    MESSAGE_INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    UNKNOWN_ATTRIBUTES = 0x000a,
    LIFETIME = 0x000d,
    XOR_PEER_ADDRESS = 0x0012,
    DATA = 0x0013,
    REALM = 0x0014,
    NONCE = 0x0015,
    XOR_RELAYED_ADDRESS = 0x0016,
    XOR_MAPPED_ADDRESS = 0x0020,
    RESERVATION_TOKEN = 0x0022,
    ADDRESS_ERROR_CODE = 0x8001,
    PASSWORD_ALGORITHMS = 0x8002,
    ICMP = 0x8004,
    SOFTWARE = 0x8022,
    FINGERPRINT = 0x8028,
};

#define REQUIRE(judge, condition, ...)                                                             \
    ((condition) ? (void)0 : sim_trace_fail((judge)->trace, __VA_ARGS__))

static const char *const kinds[] = {
    [SIM_EXPECT_NOTHING] = "nothing",
    [SIM_EXPECT_SILENCE] = "silence",
    [SIM_EXPECT_WITHHELD] = "a response that is withheld",
    [SIM_EXPECT_RESPONSE] = "a response",
    [SIM_EXPECT_OPEN] = "an opening",
    [SIM_EXPECT_TO_PEER] = "data to a peer",
    [SIM_EXPECT_TO_CLIENT] = "data to a client",
};

void sim_judge_verdict(const struct sim_judge *judge, const struct sim_expect *expect,
                       enum turn_verdict verdict)
{
    bool is_reported = expect->refusal != TURN_REFUSAL_NONE;
    enum turn_verdict expected = is_reported ? TURN_COMMANDS : TURN_DROP;

    switch (expect->kind) {
    case SIM_EXPECT_NOTHING:
    case SIM_EXPECT_SILENCE:
    case SIM_EXPECT_WITHHELD:
        break;
    case SIM_EXPECT_RESPONSE:
    case SIM_EXPECT_OPEN:
        expected = TURN_COMMANDS;
        break;
    case SIM_EXPECT_TO_PEER:
    case SIM_EXPECT_TO_CLIENT:
        expected = TURN_FORWARD;
        break;
    }
    REQUIRE(judge, verdict == expected, "verdict %d, but %s (code %u) was expected", verdict,
            kinds[expect->kind], expect->code);
}

static void check_data_indication(const struct sim_judge *judge, const struct sim_expect *expect,
                                  struct bytes whole)
{
    struct sim_naive message;
    struct addr peer = {0};

    REQUIRE(judge, sim_naive_read(whole, &message) == SIM_NAIVE_GOOD, "no STUN to the client");
    REQUIRE(judge, message.class == SIM_NAIVE_INDICATION && message.method == DATA_METHOD,
            "no Data indication");
    const struct sim_naive_attr *where = sim_naive_find(&message, XOR_PEER_ADDRESS);
    const struct sim_naive_attr *data = sim_naive_find(&message, expect->is_icmp ? ICMP : DATA);
    REQUIRE(judge, message.attr_count == 2 && where != NULL && data != NULL,
            "a Data indication has XOR-PEER-ADDRESS and DATA or ICMP");
    REQUIRE(judge, sim_naive_addr(&message, where, &peer) && addr_equal(&peer, &expect->peer),
            "a Data indication with another peer");
    if (!expect->is_icmp) {
        REQUIRE(judge, bytes_equal(data->value, expect->payload), "the payload has changed");
        return;
    }
    const uint8_t *value = data->value.ptr;
    const uint8_t error[] = {(uint8_t)(expect->icmp.data >> 24), (uint8_t)(expect->icmp.data >> 16),
                             (uint8_t)(expect->icmp.data >> 8), (uint8_t)expect->icmp.data};
    REQUIRE(judge,
            value[0] == 0 && value[1] == 0 && value[2] / 2 == expect->icmp.type &&
                value[2] % 2 * 256U + value[3] == expect->icmp.code &&
                memcmp(value + 4, error, sizeof error) == 0,
            "another ICMP error");
}

void sim_judge_forward(const struct sim_judge *judge, const struct sim_expect *expect,
                       const struct turn_forward *forward, struct bytes whole)
{
    struct pool_ref ref = judge->oracle->allocations[expect->allocation].name.ref;

    REQUIRE(judge, forward->is_to_peer == (expect->kind == SIM_EXPECT_TO_PEER),
            "forwarded in the wrong direction");
    REQUIRE(judge,
            forward->allocation.index == ref.index &&
                forward->allocation.generation == ref.generation,
            "forwarded for another allocation");
    REQUIRE(judge, forward->payload.ptr == expect->payload.ptr || expect->payload.len == 0,
            "the payload does not lie where it came in");
    if (forward->is_to_peer) {
        REQUIRE(judge, addr_equal(&forward->peer, &expect->peer), "forwarded to another peer");
        REQUIRE(judge, bytes_equal(whole, expect->payload), "the payload has changed");
        REQUIRE(judge, forward->is_unfragmented == expect->is_unfragmented, "DF is wrong");
        return;
    }
    REQUIRE(judge,
            addr_equal(&forward->tuple.client, &expect->tuple.client) &&
                addr_equal(&forward->tuple.server, &expect->tuple.server),
            "forwarded to another client");
    REQUIRE(judge, !forward->is_unfragmented, "DF to a client");
    if (expect->channel == 0) {
        check_data_indication(judge, expect, whole);
        return;
    }
    size_t len = expect->payload.len;
    REQUIRE(judge, whole.len == len + 4, "ChannelData of a wrong length");
    REQUIRE(judge, whole.ptr[0] * 256U + whole.ptr[1] == expect->channel, "another channel");
    REQUIRE(judge, whole.ptr[2] * 256U + whole.ptr[3] == len, "a wrong length in ChannelData");
    REQUIRE(judge, bytes_equal(bytes_from(whole, 4), expect->payload), "the payload has changed");
}

static void check_addr(const struct sim_judge *judge, const struct sim_naive *message,
                       unsigned type, const struct addr *expected)
{
    const struct sim_naive_attr *attr = sim_naive_find(message, type);
    struct addr addr = {0};

    REQUIRE(judge,
            attr != NULL && sim_naive_addr(message, attr, &addr) && addr_equal(&addr, expected),
            "the address in attribute 0x%04x is wrong or missing", type);
}

static void check_lifetime(const struct sim_judge *judge, const struct sim_naive *message,
                           uint32_t expected_s)
{
    const struct sim_naive_attr *attr = sim_naive_find(message, LIFETIME);

    REQUIRE(judge, attr != NULL && sim_naive_number(attr, 4) == expected_s,
            "LIFETIME %u, but %u was expected", attr != NULL ? sim_naive_number(attr, 4) : 0,
            expected_s);
}

// One relayed address for each family that is granted, IPv4 first, and what became of the other.
static void check_relayed(const struct sim_judge *judge,
                          const struct sim_oracle_allocation *allocation,
                          const struct sim_naive *message)
{
    const struct turn_config *config = &judge->oracle->setup->config;
    const struct addr *publics[] = {&config->public_ip4, &config->public_ip6};
    const struct sim_naive_attr *error = sim_naive_find(message, ADDRESS_ERROR_CODE);
    bool is_error = allocation->refused_family != ADDR_NONE;
    size_t at = 0;

    for (unsigned i = 0; i < COUNT_OF(publics); i++) {
        struct addr expected = addr_with_port(*publics[i], allocation->port);
        struct addr addr = {0};
        while (at < message->attr_count && message->attrs[at].type != XOR_RELAYED_ADDRESS) {
            at++;
        }
        if ((allocation->granted >> i & 1) != 0) {
            REQUIRE(judge,
                    at < message->attr_count &&
                        sim_naive_addr(message, &message->attrs[at], &addr) &&
                        addr_equal(&addr, &expected),
                    "a relayed address is wrong or missing");
            at++;
        }
    }
    REQUIRE(judge, at >= message->attr_count || message->attrs[at].type != XOR_RELAYED_ADDRESS,
            "a relayed address too many");
    REQUIRE(judge, (error != NULL) == is_error, "ADDRESS-ERROR-CODE is there or not");
    if (error != NULL) {
        const uint8_t *value = error->value.ptr;
        REQUIRE(judge,
                value[0] == sim_oracle_bit(allocation->refused_family) &&
                    value[2] % 8U * 100 + value[3] == allocation->refused_code,
                "another ADDRESS-ERROR-CODE");
    }
}

static void check_allocated(const struct sim_judge *judge, const struct sim_expect *expect,
                            const struct sim_naive *message)
{
    struct sim_oracle_allocation *allocation = &judge->oracle->allocations[expect->allocation];
    const struct sim_naive_attr *token = sim_naive_find(message, RESERVATION_TOKEN);
    static const uint8_t none[8];

    check_relayed(judge, allocation, message);
    check_addr(judge, message, XOR_MAPPED_ADDRESS, &expect->tuple.client);
    check_lifetime(judge, message, expect->lifetime_s);
    REQUIRE(judge, (token != NULL) == allocation->has_token, "RESERVATION-TOKEN %s",
            token != NULL ? "that nobody asked for" : "is missing");
    if (token != NULL && memcmp(allocation->token, none, sizeof none) == 0) {
        sim_oracle_learn_token(judge->oracle, judge->now, expect->allocation, token->value);
    } else if (token != NULL) {
        REQUIRE(judge, memcmp(token->value.ptr, allocation->token, sizeof none) == 0,
                "another token for the same request");
    }
}

static void check_success(const struct sim_judge *judge, const struct sim_expect *expect,
                          const struct sim_naive *message)
{
    switch (expect->method) {
    case BINDING:
        check_addr(judge, message, XOR_MAPPED_ADDRESS, &expect->tuple.client);
        break;
    case ALLOCATE:
        check_allocated(judge, expect, message);
        break;
    case REFRESH:
        check_lifetime(judge, message, expect->lifetime_s);
        break;
    default:
        break;
    }
}

// The nonce begins with what nobody can take away: which features of RFC 8489 there are. They are
// those of the whole server, and usernames can be hidden only where all of them are known.
static void check_challenge(const struct sim_judge *judge, const struct sim_expect *expect,
                            const struct sim_naive *message)
{
    static const uint8_t offer[] = {0, 2, 0, 0, 0, 1, 0, 0};
    const struct turn_config *config = &judge->oracle->setup->config;
    bool has_anonymity =
        config->user_count > 0 && config->auth_secret_count == 0 && config->stamp_secret.len == 0;
    struct bytes cookie = bytes_of_text(has_anonymity ? "obMatJos2AAAD" : "obMatJos2AAAB");
    struct bytes nonce = sim_naive_find(message, NONCE)->value;

    REQUIRE(judge, bytes_equal(sim_naive_find(message, REALM)->value, expect->realm),
            "a wrong realm");
    REQUIRE(judge, bytes_equal(bytes_first(nonce, cookie.len), cookie), "a wrong nonce cookie");
    REQUIRE(judge,
            bytes_equal(sim_naive_find(message, PASSWORD_ALGORITHMS)->value,
                        (struct bytes){offer, sizeof offer}),
            "wrong PASSWORD-ALGORITHMS");
    sim_oracle_learn_nonce(judge->oracle, judge->now, &expect->tuple.client, nonce);
}

static void check_error(const struct sim_judge *judge, const struct sim_expect *expect,
                        const struct sim_naive *message)
{
    const struct sim_naive_attr *realm = sim_naive_find(message, REALM);
    const struct sim_naive_attr *nonce = sim_naive_find(message, NONCE);
    const struct sim_naive_attr *unknown = sim_naive_find(message, UNKNOWN_ATTRIBUTES);
    bool is_challenge = expect->code == 401 || expect->code == 438;

    REQUIRE(judge, (realm != NULL && nonce != NULL) == is_challenge, "REALM and NONCE with %u",
            expect->code);
    REQUIRE(judge, (sim_naive_find(message, PASSWORD_ALGORITHMS) != NULL) == is_challenge,
            "PASSWORD-ALGORITHMS with %u", expect->code);
    if (is_challenge) {
        check_challenge(judge, expect, message);
    }
    REQUIRE(judge, (unknown != NULL) == (expect->code == 420), "UNKNOWN-ATTRIBUTES with %u",
            expect->code);
    if (unknown != NULL) {
        REQUIRE(judge, unknown->value.len == 2 * expect->unknown_count,
                "%zu bytes of UNKNOWN-ATTRIBUTES", unknown->value.len);
        for (size_t i = 0; i < expect->unknown_count; i++) {
            const uint8_t *at = unknown->value.ptr + 2 * i;
            REQUIRE(judge, at[0] * 256U + at[1] == expect->unknown[i],
                    "another attribute in UNKNOWN-ATTRIBUTES");
        }
    }
}

static unsigned code_of(const struct sim_judge *judge, const struct sim_naive *message)
{
    const struct sim_naive_attr *attr = sim_naive_find(message, ERROR_CODE);

    if (message->class == SIM_NAIVE_SUCCESS) {
        return 0;
    }
    REQUIRE(judge, message->class == SIM_NAIVE_ERROR && attr != NULL, "no error code");
    return attr->value.ptr[2] % 8U * 100 + attr->value.ptr[3];
}

// What all responses have around what they say.
static void check_frame(const struct sim_judge *judge, const struct sim_expect *expect,
                        const struct sim_naive *message)
{
    const struct turn_config *config = &judge->oracle->setup->config;
    const struct sim_naive_attr *software = sim_naive_find(message, SOFTWARE);
    const struct sim_naive_attr *error = sim_naive_find(message, ERROR_CODE);

    REQUIRE(judge, sim_naive_proof(message) == expect->proof, "signed by %d, but %d was expected",
            sim_naive_proof(message), expect->proof);
    REQUIRE(judge,
            sim_naive_find(message, MESSAGE_INTEGRITY) == NULL || expect->proof == SIM_NAIVE_SHA1,
            "signed twice");
    REQUIRE(judge,
            expect->proof == SIM_NAIVE_UNSIGNED || sim_naive_is_intact(message, &expect->key),
            "the response is signed wrongly");
    REQUIRE(judge, (sim_naive_find(message, FINGERPRINT) != NULL) == expect->has_fingerprint,
            "FINGERPRINT is there or not, unlike in the request");
    REQUIRE(judge,
            software != NULL ? bytes_equal(software->value, config->software)
                             : config->software.len == 0 || !expect->is_authentic,
            "SOFTWARE is there or not");
    REQUIRE(judge,
            expect->is_authentic ||
                message->whole.len <= config->max_amplification * judge->request_len,
            "%zu bytes answer a stranger's %zu", message->whole.len, judge->request_len);
    REQUIRE(judge, error == NULL || !expect->is_authentic || error->value.len > 4,
            "an error without words");
}

void sim_judge_response(const struct sim_judge *judge, const struct sim_expect *expect,
                        const struct turn_command_send *send)
{
    struct sim_naive message;

    REQUIRE(judge, sim_naive_read(send->message, &message) == SIM_NAIVE_GOOD, "no STUN is sent");
    REQUIRE(judge,
            addr_equal(&send->tuple.client, &expect->tuple.client) &&
                addr_equal(&send->tuple.server, &expect->tuple.server),
            "the response goes to somebody else");
    REQUIRE(judge, message.method == expect->method, "a response of another method");
    REQUIRE(judge, memcmp(message.transaction, expect->transaction, 12) == 0,
            "a response of another transaction");
    unsigned code = code_of(judge, &message);
    REQUIRE(judge, code == expect->code, "%u was answered, but %u was expected", code,
            expect->code);
    check_frame(judge, expect, &message);
    sim_cover_response(judge->oracle->cover, message.method, code);
    if (code == 0) {
        check_success(judge, expect, &message);
    } else {
        check_error(judge, expect, &message);
    }
}

static uint64_t sum(const uint64_t *counters, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += counters[i];
    }
    return sum;
}

static enum turn_event event_of(enum turn_refusal refusal)
{
    if (refusal < TURN_REFUSAL_RULE) {
        return TURN_EVENT_UNPROVEN;
    }
    if (refusal >= TURN_REFUSAL_NO_ALLOCATION && refusal <= TURN_REFUSAL_MALFORMED) {
        return TURN_EVENT_MISTAKEN;
    }
    if (refusal > TURN_REFUSAL_DOCUMENTATION) {
        return TURN_EVENT_EXHAUSTED;
    }
    return refusal == TURN_REFUSAL_RULE || refusal == TURN_REFUSAL_LISTENER ||
                   refusal == TURN_REFUSAL_TUNNEL
               ? TURN_EVENT_PEER_BARRED
               : TURN_EVENT_PEER_DENIED;
}

void sim_judge_report(const struct sim_judge *judge, struct sim_expect *expect,
                      const struct turn_command_report *report)
{
    if (report->refusal == TURN_REFUSAL_NONE) {
        return;
    }
    REQUIRE(judge, expect != NULL && report->refusal == expect->refusal,
            "reported: %s; expected: %s", turn_refusal_words(report->refusal),
            expect != NULL && expect->refusal != TURN_REFUSAL_NONE
                ? turn_refusal_words(expect->refusal)
                : "nothing");
    REQUIRE(judge, !expect->is_reported, "a refusal is reported twice");
    expect->is_reported = true;
    REQUIRE(judge, report->event == event_of(report->refusal), "a refusal under a wrong event");
    REQUIRE(judge, addr_equal(&report->tuple.client, &expect->tuple.client),
            "a refusal of somebody else");
    if (report->event == TURN_EVENT_UNPROVEN) {
        REQUIRE(judge, bytes_equal(report->username, expect->name), "a report of another user");
        REQUIRE(judge, report->is_client_certain == expect->is_client_certain,
                "a report vouches wrongly for an address");
    }
}

// Each drop counts once, under one reason; nothing else does. So does each refusal, but for one
// that comes later, when a socket was to be opened.
void sim_judge_counters(const struct sim_judge *judge, const struct turn_stats *before,
                        const struct turn_stats *after, const struct sim_expect *expect,
                        enum turn_verdict verdict)
{
    const size_t drop_count =
        (offsetof(struct turn_stats, refused) - offsetof(struct turn_stats, dropped_malformed)) /
        sizeof(uint64_t);
    uint64_t dropped =
        sum(&after->dropped_malformed, drop_count) - sum(&before->dropped_malformed, drop_count);
    uint64_t refused = sum(after->refused, COUNT_OF(after->refused)) -
                       sum(before->refused, COUNT_OF(before->refused));
    uint64_t forwarded = after->packets_to_peer - before->packets_to_peer +
                         (after->packets_to_client - before->packets_to_client);
    uint64_t bytes = after->bytes_to_peer - before->bytes_to_peer +
                     (after->bytes_to_client - before->bytes_to_client);

    bool is_withheld = expect->kind == SIM_EXPECT_WITHHELD;
    bool is_data = verdict == TURN_FORWARD && !expect->is_icmp;
    REQUIRE(judge,
            dropped == (verdict == TURN_DROP && !is_withheld && expect->kind != SIM_EXPECT_SILENCE),
            "%" PRIu64 " drops are counted", dropped);
    REQUIRE(judge, refused == (expect->refusal != TURN_REFUSAL_NONE),
            "%" PRIu64 " refusals are counted", refused);
    REQUIRE(judge,
            refused == 0 ||
                after->refused[expect->refusal - 1] - before->refused[expect->refusal - 1] == 1,
            "a refusal is counted under another reason");
    REQUIRE(judge, after->responses_withheld - before->responses_withheld == is_withheld,
            "a response is withheld or not");
    REQUIRE(judge,
            after->errors_to_client - before->errors_to_client ==
                (verdict == TURN_FORWARD && expect->is_icmp),
            "ICMP errors are counted wrongly");
    REQUIRE(judge, forwarded == is_data, "%" PRIu64 " packets are counted", forwarded);
    REQUIRE(judge, bytes == (is_data ? expect->payload.len : 0), "%" PRIu64 " bytes are counted",
            bytes);
    REQUIRE(judge,
            sum(after->packet_sizes, TURN_STATS_SIZE_COUNT + 1) -
                    sum(before->packet_sizes, TURN_STATS_SIZE_COUNT + 1) ==
                forwarded,
            "packets are not counted by size");
    REQUIRE(judge,
            after->packet_sizes[TURN_STATS_SIZE_COUNT + 1] -
                    before->packet_sizes[TURN_STATS_SIZE_COUNT + 1] ==
                bytes,
            "the sum of sizes is not that of the bytes");
}

void sim_judge_state(const struct sim_judge *judge, const struct turn_gauges *has,
                     uint64_t deadline_ns)
{
    struct turn_gauges should = sim_oracle_gauges(judge->oracle);

    REQUIRE(judge, has->allocations == should.allocations, "%u allocations, but %u were expected",
            has->allocations, should.allocations);
    REQUIRE(judge, has->permissions == should.permissions, "%u permissions, but %u were expected",
            has->permissions, should.permissions);
    REQUIRE(judge, has->channels == should.channels, "%u channels, but %u were expected",
            has->channels, should.channels);
    REQUIRE(judge, has->reservations == should.reservations,
            "%u reservations, but %u were expected", has->reservations, should.reservations);
    REQUIRE(judge, has->ports_in_use == should.ports_in_use,
            "%u ports in use, but %u were expected", has->ports_in_use, should.ports_in_use);
    REQUIRE(judge, has->timers == should.timers, "%u timers, but %u were expected", has->timers,
            should.timers);
    REQUIRE(judge, deadline_ns > judge->now.mono_ns, "the deadline is past");
    REQUIRE(judge, deadline_ns == sim_oracle_deadline(judge->oracle),
            "the deadline is %" PRIu64 " ns, but %" PRIu64 " was expected", deadline_ns,
            sim_oracle_deadline(judge->oracle));
}

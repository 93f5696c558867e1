// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/oracle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void expect(struct oracle *oracle, const char *format,
                                                         ...)
{
    va_list arguments;

    assert(oracle->expected_count < ORACLE_COMMANDS);
    va_start(arguments, format);
    vsnprintf(oracle->expected[oracle->expected_count++], REVTUN_TEXT_MAX, format, arguments);
    va_end(arguments);
}

void oracle_begin(struct oracle *oracle, const struct revtun_config *config)
{
    memset(oracle, 0, sizeof *oracle);
    oracle->config = *config;
    assert(config->pair_count <= ORACLE_PAIRS);
    for (uint32_t i = 0; i < config->pair_count; i++) {
        oracle->free[oracle->free_count++] = i;
    }
}

void oracle_end(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->control_count; i++) {
        free(oracle->controls[i].said);
    }
}

// The control connection that has a pair now, or NULL.
static struct oracle_control *owner_of(struct oracle *oracle, uint32_t pair)
{
    for (size_t i = 0; i < oracle->control_count; i++) {
        if (oracle->controls[i].is_up && oracle->controls[i].pair == pair) {
            return &oracle->controls[i];
        }
    }
    return NULL;
}

static struct oracle_control *control_of(struct oracle *oracle, uint64_t conn)
{
    for (size_t i = 0; i < oracle->control_count; i++) {
        if (oracle->controls[i].is_up && oracle->controls[i].conn == conn) {
            return &oracle->controls[i];
        }
    }
    return NULL;
}

const struct oracle_client *oracle_find(const struct oracle *oracle, uint64_t conn)
{
    for (size_t i = 0; i < oracle->client_count; i++) {
        if (oracle->clients[i].conn == conn) {
            return &oracle->clients[i];
        }
    }
    return NULL;
}

// How many clients are in a state; of one control connection, or of all (NULL).
static uint32_t count(const struct oracle *oracle, enum oracle_state state,
                      const struct oracle_control *control)
{
    uint32_t n = 0;

    for (size_t i = 0; i < oracle->client_count; i++) {
        const struct oracle_client *client = &oracle->clients[i];
        n += client->state == state &&
             (control == NULL || &oracle->controls[client->control] == control);
    }
    return n;
}

// Who has waited for the longest time, or NULL.
static struct oracle_client *oldest(struct oracle *oracle, const struct oracle_control *control)
{
    for (size_t i = 0; i < oracle->client_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (client->state == ORACLE_WAITS && &oracle->controls[client->control] == control) {
            return client;
        }
    }
    return NULL;
}

void oracle_up(struct oracle *oracle, uint64_t conn, const struct addr *peer)
{
    const struct revtun_config *config = &oracle->config;

    oracle->expected_count = 0;
    if (oracle->free_count == 0) {
        expect(oracle, "send %" PRIu64 " no_available_listeners\r\n", conn);
        expect(oracle, "close %" PRIu64, conn);
        expect(oracle, "report full %" PRIu64, conn);
        return;
    }
    assert(oracle->control_count < ORACLE_CONTROLS);
    struct oracle_control *control = &oracle->controls[oracle->control_count++];
    *control = (struct oracle_control){
        .conn = conn, .peer = *peer, .is_up = true, .pair = oracle->free[0]};
    oracle->free_count--;
    memmove(oracle->free, oracle->free + 1, oracle->free_count * sizeof oracle->free[0]);
    expect(oracle,
           "send %" PRIu64 " public_listener %.*s:%" PRIu32 "\r\nreverse_listener %.*s:%" PRIu32
           "\r\n",
           conn, (int)config->host.len, (const char *)config->host.ptr,
           config->control_port + 1 + config->pair_count + control->pair, (int)config->host.len,
           (const char *)config->host.ptr, config->control_port + 1 + control->pair);
    expect(oracle, "report linked %" PRIu64 " pair %" PRIu32, conn, control->pair);
}

// A control connection ends with all that it has.
static void lose(struct oracle *oracle, struct oracle_control *control, const char *event)
{
    char tail[64] = "";
    size_t len = 0;
    const uint32_t waiting = count(oracle, ORACLE_WAITS, control);
    const uint32_t joined = count(oracle, ORACLE_JOINED, control);

    if (waiting > 0) {
        len += (size_t)snprintf(tail, sizeof tail, " waiting %" PRIu32, waiting);
    }
    if (joined > 0) {
        snprintf(tail + len, sizeof tail - len, " sessions %" PRIu32, joined);
    }
    expect(oracle, "report %s %" PRIu64 " pair %" PRIu32 "%s", event, control->conn, control->pair,
           tail);
    for (size_t i = 0; i < oracle->client_count; i++) {
        struct oracle_client *client = &oracle->clients[i];
        if (&oracle->controls[client->control] == control && client->state == ORACLE_WAITS) {
            expect(oracle, "refuse %" PRIu64 " ", client->conn);
            client->state = ORACLE_OVER;
        } else if (&oracle->controls[client->control] == control &&
                   client->state == ORACLE_JOINED) {
            expect(oracle, "end %" PRIu64, client->conn);
            client->state = ORACLE_CUT;
        }
    }
    control->is_up = false;
    oracle->free[oracle->free_count++] = control->pair;
}

void oracle_read(struct oracle *oracle, uint64_t conn, struct bytes bytes)
{
    struct oracle_control *control = control_of(oracle, conn);

    oracle->expected_count = 0;
    if (control == NULL || bytes.len == 0) {
        return;
    }
    if (control->said == NULL) {
        control->said = malloc(ORACLE_SAID_MAX);
        assert(control->said != NULL);
    }
    assert(control->said_len + bytes.len <= ORACLE_SAID_MAX);
    memcpy(control->said + control->said_len, bytes.ptr, bytes.len);
    control->said_len += bytes.len;
    bool has_line = false;
    for (size_t i = 1; i < control->said_len; i++) {
        has_line = has_line || (control->said[i - 1] == '\r' && control->said[i] == '\n');
    }
    if (has_line || control->said_len > 16384) {
        expect(oracle, "close %" PRIu64, conn);
        lose(oracle, control, "spoke");
    }
}

void oracle_down(struct oracle *oracle, uint64_t conn)
{
    struct oracle_control *control = control_of(oracle, conn);

    oracle->expected_count = 0;
    if (control != NULL) {
        lose(oracle, control, "lost");
    }
}

// The IPv4 address that an address is or holds, or NULL of another.
static const uint8_t *ip4_in(const struct addr *addr)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (addr->family == ADDR_IP4) {
        return addr->ip;
    }
    return memcmp(addr->ip, mapped, sizeof mapped) == 0 ? addr->ip + 12 : NULL;
}

static bool is_same_family(const struct addr *a, const struct addr *b)
{
    return (ip4_in(a) != NULL) == (ip4_in(b) != NULL);
}

// Of one host, as far as one can know: the /64 is what counts of IPv6.
static bool is_same_host(const struct addr *a, const struct addr *b)
{
    if (!is_same_family(a, b)) {
        return false;
    }
    if (ip4_in(a) != NULL) {
        return memcmp(ip4_in(a), ip4_in(b), 4) == 0;
    }
    return memcmp(a->ip, b->ip, 8) == 0;
}

static const char *refusal_for(const struct oracle *oracle, const struct oracle_control *control,
                               const struct addr *from)
{
    const struct revtun_config *config = &oracle->config;
    const uint32_t waiting = count(oracle, ORACLE_WAITS, NULL);
    uint32_t of_host = 0;

    for (size_t i = 0; i < oracle->client_count; i++) {
        of_host += oracle->clients[i].state == ORACLE_WAITS &&
                   is_same_host(&oracle->clients[i].from, from);
    }
    if (waiting + count(oracle, ORACLE_JOINED, NULL) + count(oracle, ORACLE_CUT, NULL) >=
        config->max_sessions) {
        return "sessions";
    }
    if (count(oracle, ORACLE_WAITS, control) + count(oracle, ORACLE_JOINED, control) >=
        config->max_sessions_per_pair) {
        return "pair_sessions";
    }
    if (waiting >= config->max_waiting) {
        return "waiting";
    }
    if (count(oracle, ORACLE_WAITS, control) >= config->max_waiting_per_pair) {
        return "pair_waiting";
    }
    return of_host >= config->max_waiting_per_address ? "address_waiting" : NULL;
}

void oracle_client(struct oracle *oracle, uint64_t now_ns, uint32_t pair, uint64_t conn,
                   const struct addr *from)
{
    struct oracle_control *control = owner_of(oracle, pair);

    oracle->expected_count = 0;
    if (control == NULL) {
        expect(oracle, "refuse %" PRIu64 " no controller linked", conn);
        return;
    }
    const char *refusal = refusal_for(oracle, control, from);
    if (refusal != NULL) {
        expect(oracle, "reset %" PRIu64, conn);
        expect(oracle, "report refused %" PRIu64 " pair %" PRIu32 " %s", control->conn, pair,
               refusal);
        return;
    }
    if (count(oracle, ORACLE_WAITS, control) == 0) {
        control->again_wait_ns = 5 * SECOND_NS;
        control->again_ns = now_ns + control->again_wait_ns;
        control->is_answered = false;
    }
    assert(oracle->client_count < ORACLE_CLIENTS);
    oracle->clients[oracle->client_count++] = (struct oracle_client){
        .conn = conn,
        .from = *from,
        .control = (size_t)(control - oracle->controls),
        .since_ns = now_ns,
        .state = ORACLE_WAITS,
    };
    if (control->outstanding < 2 * oracle->config.max_waiting_per_pair) {
        control->outstanding++;
        expect(oracle, "send %" PRIu64 " new_connection\r\n", control->conn);
    }
}

void oracle_reverse(struct oracle *oracle, uint32_t pair, uint64_t conn, const struct addr *from)
{
    struct oracle_control *control = owner_of(oracle, pair);

    oracle->expected_count = 0;
    if (control == NULL) {
        expect(oracle, "refuse %" PRIu64 " no controller linked", conn);
        return;
    }
    if (oracle->config.reverse_policy == REVTUN_CONFIG_SAME_IP) {
        if (!is_same_family(from, &control->peer)) {
            if (!control->is_family_told) {
                expect(oracle, "report other family %" PRIu64 " pair %" PRIu32, control->conn,
                       pair);
            }
            control->is_family_told = true;
        } else if (!is_same_host(from, &control->peer)) {
            expect(oracle, "reset %" PRIu64, conn);
            expect(oracle, "report foreign %" PRIu64 " pair %" PRIu32, control->conn, pair);
            return;
        }
    }
    struct oracle_client *client = oldest(oracle, control);
    control->is_answered = true;
    control->outstanding -= control->outstanding > 0;
    if (client == NULL) {
        expect(oracle, "refuse %" PRIu64 " ", conn);
        return;
    }
    client->state = ORACLE_JOINED;
    expect(oracle, "join %" PRIu64 " %" PRIu64, client->conn, conn);
}

void oracle_gone(struct oracle *oracle, uint64_t conn)
{
    oracle->expected_count = 0;
    for (size_t i = 0; i < oracle->client_count; i++) {
        if (oracle->clients[i].conn == conn) {
            oracle->clients[i].state = ORACLE_OVER;
        }
    }
}

static void announce_again(struct oracle *oracle, struct oracle_control *control, uint64_t now_ns)
{
    const uint32_t waiting = count(oracle, ORACLE_WAITS, control);
    char lines[16 * 16 + 1] = "";
    uint32_t n = 0;

    for (size_t i = 0; i < oracle->client_count; i++) {
        const struct oracle_client *client = &oracle->clients[i];
        n += client->state == ORACLE_WAITS && &oracle->controls[client->control] == control &&
             client->since_ns + 5 * SECOND_NS <= now_ns;
    }
    n = n < 1 ? 1 : n;
    n = n > 16 ? 16 : n;
    for (uint32_t i = 0; i < n; i++) {
        strcat(lines, "new_connection\r\n");
    }
    expect(oracle, "send %" PRIu64 " %s", control->conn, lines);
    expect(oracle, "report again %" PRIu64 " pair %" PRIu32 " count %" PRIu32 " waiting %" PRIu32,
           control->conn, control->pair, n, waiting);
    control->outstanding = waiting + n;
    control->again_wait_ns = control->is_answered ? 5 * SECOND_NS : control->again_wait_ns * 2;
    if (control->again_wait_ns > 60 * SECOND_NS) {
        control->again_wait_ns = 60 * SECOND_NS;
    }
    control->is_answered = false;
    control->again_ns = now_ns + control->again_wait_ns;
}

void oracle_tick(struct oracle *oracle, uint64_t now_ns)
{
    const uint64_t timeout_ns = oracle->config.pending_timeout_ns;

    oracle->expected_count = 0;
    for (size_t i = 0; i < oracle->control_count; i++) {
        struct oracle_control *control = &oracle->controls[i];
        struct oracle_client *client = oldest(oracle, control);
        while (control->is_up && client != NULL && timeout_ns > 0 &&
               client->since_ns + timeout_ns <= now_ns) {
            client->state = ORACLE_OVER;
            expect(oracle, "refuse %" PRIu64 " ", client->conn);
            expect(oracle, "report timed out %" PRIu64 " pair %" PRIu32, control->conn,
                   control->pair);
            client = oldest(oracle, control);
        }
        if (control->is_up && client != NULL && control->again_ns <= now_ns) {
            announce_again(oracle, control, now_ns);
        }
    }
}

uint64_t oracle_deadline(const struct oracle *oracle)
{
    uint64_t deadline_ns = NEVER;

    for (size_t i = 0; i < oracle->client_count; i++) {
        const struct oracle_client *client = &oracle->clients[i];
        if (client->state != ORACLE_WAITS) {
            continue;
        }
        const uint64_t again_ns = oracle->controls[client->control].again_ns;
        const uint64_t pending_ns = client->since_ns + oracle->config.pending_timeout_ns;
        deadline_ns = again_ns < deadline_ns ? again_ns : deadline_ns;
        if (oracle->config.pending_timeout_ns > 0 && pending_ns < deadline_ns) {
            deadline_ns = pending_ns;
        }
    }
    return deadline_ns;
}

struct revtun_gauges oracle_gauges(const struct oracle *oracle)
{
    return (struct revtun_gauges){
        .controls = oracle->config.pair_count - oracle->free_count,
        .pairs_free = oracle->free_count,
        .waiting = count(oracle, ORACLE_WAITS, NULL),
        .sessions = count(oracle, ORACLE_JOINED, NULL) + count(oracle, ORACLE_CUT, NULL),
    };
}

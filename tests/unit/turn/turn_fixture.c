// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_chandata.h"
#include "stun/stun_error.h"
#include "stun/stun_password.h"
#include "stun/stun_userhash.h"
#include "turn/turn_manner.h"

const char turn_fixture_stamp[] =
    "4c98bf59c99b3e467ecd7cf9d6b3e5279645fca59be67bc5bb4af3cf653761ab";

static const struct turn_user users[] = {
    {BYTES_LITERAL("alice"), BYTES_LITERAL("secret")},
    {BYTES_LITERAL("bob"), BYTES_LITERAL("hidden")},
};

struct addr turn_fixture_addr(const char *ip, uint16_t port)
{
    struct addr addr = {0};

    assert_true(addr_read(bytes_of_text(ip), &addr));
    return addr_with_port(addr, port);
}

static const struct turn_peer_rule rules[] = {
    {{{{192, 0, 2}, 0, ADDR_IP4, 0}, 24}, true},
    {{{{198, 51, 100}, 0, ADDR_IP4, 0}, 24}, true},
    {{{{0x20, 0x01, 0x0d, 0xb8}, 0, ADDR_IP6, 0}, 32}, true},
};

static const struct addr own_addrs[] = {
    {{203, 0, 113, 7}, 0, ADDR_IP4, 0},
    {{0x20, 0x01, 0x0d, 0xb8, 0, 7, [15] = 7}, 0, ADDR_IP6, 0},
};

struct turn_config turn_fixture_config(void)
{
    struct turn_config config = turn_config_default();

    config.public_ip4 = turn_fixture_addr("203.0.113.7", 0);
    config.public_ip6 = turn_fixture_addr("2001:db8:7::7", 0);
    config.lowest_port = 50000;
    config.highest_port = 50099;
    config.realm = bytes_of_text("fairlead");
    config.users = users;
    config.user_count = COUNT_OF(users);
    config.rules = rules;
    config.rule_count = COUNT_OF(rules);
    config.own_addrs = own_addrs;
    config.own_addr_count = COUNT_OF(own_addrs);
    config.max_allocations = 8;
    config.max_permissions = 16;
    config.max_channels = 16;
    config.max_reservations = 4;
    config.permissions_per_allocation = 6;
    config.channels_per_allocation = 4;
    return config;
}

static void start(struct turn_fixture *f, const struct turn_config *config)
{
    uint8_t seed[TURN_SERVER_SEED_LEN];

    memset(seed, 0x5e, sizeof seed);
    f->config = *config;
    if (config->shard_count > 1 && config->commons == NULL) {
        void *common = calloc(1, turn_commons_size(config));
        assert_non_null(common);
        f->commons = turn_commons_init(common, config, NULL, seed);
        f->config.commons = f->commons;
    }
    void *memory = calloc(1, turn_server_size(&f->config));
    assert_non_null(memory);
    f->server = turn_server_init(memory, &f->config, seed);
}

// Of the last policy nothing may be left where it was, and nobody looks into it.
static void free_policy(struct turn_policy *policy)
{
    if (policy != NULL) {
        const size_t len = policy->size;
        turn_policy_deinit(policy);
        for (size_t i = 0; i < len; i++) {
            assert_int_equal(((const uint8_t *)policy)[i], 0);
        }
        free(policy);
    }
}

static void stop(struct turn_fixture *f)
{
    turn_server_deinit(f->server);
    free(f->server);
    f->server = NULL;
    free_policy(f->policy);
    f->policy = NULL;
    if (f->commons != NULL) {
        turn_commons_deinit(f->commons);
        free(f->commons);
        f->commons = NULL;
        f->config.commons = NULL;
    }
}

int turn_fixture_setup(void **state)
{
    struct turn_fixture *f = calloc(1, sizeof *f);
    struct turn_config config = turn_fixture_config();

    assert_non_null(f);
    f->now = (struct now){.mono_ns = 100000 * SECOND_NS, .wall_s = 1700000000};
    f->tuple.client = turn_fixture_addr("198.51.100.1", 4001);
    f->tuple.server = turn_fixture_addr("203.0.113.7", 3478);
    f->user = "alice";
    f->password = "secret";
    f->signing = TURN_FIXTURE_SHA1;
    start(f, &config);
    *state = f;
    return 0;
}

int turn_fixture_teardown(void **state)
{
    struct turn_fixture *f = *state;

    stop(f);
    free(f->datagram);
    free(f);
    return 0;
}

void turn_fixture_restart(struct turn_fixture *f, const struct turn_config *config)
{
    stop(f);
    start(f, config);
}

static struct bytes realm_of(const struct turn_fixture *f)
{
    return f->realm != NULL ? bytes_of_text(f->realm) : f->config.realm;
}

struct turn_key turn_fixture_key(const struct turn_fixture *f)
{
    bool is_sha256 = (f->signing & TURN_FIXTURE_SHA_NAMED) != 0;

    return turn_key_make(is_sha256 ? STUN_PASSWORD_SHA256 : STUN_PASSWORD_MD5,
                         bytes_of_text(f->user), realm_of(f), bytes_of_text(f->password));
}

void turn_fixture_use_firezone(struct turn_fixture *f, const char *username)
{
    uint8_t text[TURN_CREDENTIAL_FIREZONE_LEN];

    assert_true(turn_credential_firezone_password(bytes_of_text(turn_fixture_stamp),
                                                  bytes_of_text(username), text));
    memcpy(f->firezone_password, text, sizeof text);
    f->firezone_password[sizeof text] = 0;
    f->user = username;
    f->password = f->firezone_password;
    f->realm = "firezone";
}

void turn_fixture_become_firezone(struct turn_fixture *f)
{
    struct turn_config config = turn_fixture_config();

    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    turn_fixture_restart(f, &config);
    turn_fixture_use_firezone(f, "1892160000:n23JJ2wKKtt30oXi");
}

// --- Writing ------------------------------------------------------------------------------------

void turn_fixture_begin(struct turn_fixture *f, struct turn_fixture_draft *draft,
                        enum stun_class class, uint16_t method)
{
    struct stun_header header = {.method = method, .class = (uint8_t) class};
    struct wr id = wr_init(header.transaction.id, sizeof header.transaction.id);

    wr_text(&id, "turn");
    wr_u64(&id, ++f->transaction);
    draft->transaction = header.transaction;
    stun_writer_init(&draft->writer, draft->raw, sizeof draft->raw, &header);
}

void turn_fixture_add_peer(struct turn_fixture_draft *draft, const struct addr *peer)
{
    stun_attr_xor_addr_write(&draft->writer.wr, STUN_ATTR_XOR_PEER_ADDRESS, &draft->transaction,
                             peer);
}

void turn_fixture_nonce(struct turn_fixture *f, uint8_t out[TURN_FIXTURE_NONCE_LEN])
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
    struct bytes nonce = turn_fixture_value(f, STUN_ATTR_NONCE);
    assert_int_equal(nonce.len, TURN_FIXTURE_NONCE_LEN);
    memcpy(out, nonce.ptr, TURN_FIXTURE_NONCE_LEN);
}

void turn_fixture_sign_with(const struct turn_fixture *f, struct turn_fixture_draft *draft,
                            struct bytes nonce)
{
    struct wr *wr = &draft->writer.wr;
    struct turn_key key = turn_fixture_key(f);
    uint8_t hash[STUN_USERHASH_LEN];

    if ((f->signing & TURN_FIXTURE_HIDDEN) != 0) {
        stun_userhash(bytes_of_text(f->user), realm_of(f), hash);
        stun_attr_write(wr, STUN_ATTR_USERHASH, (struct bytes){hash, sizeof hash});
    } else {
        stun_attr_write(wr, STUN_ATTR_USERNAME, bytes_of_text(f->user));
    }
    stun_attr_write(wr, STUN_ATTR_REALM, realm_of(f));
    if (nonce.len > 0) {
        stun_attr_write(wr, STUN_ATTR_NONCE, nonce);
    }
    if ((f->signing & (TURN_FIXTURE_MD5_NAMED | TURN_FIXTURE_SHA_NAMED)) != 0) {
        stun_password_offer_write(wr);
        stun_password_write(wr, (f->signing & TURN_FIXTURE_SHA_NAMED) != 0 ? STUN_PASSWORD_SHA256
                                                                           : STUN_PASSWORD_MD5);
    }
    if ((f->signing & TURN_FIXTURE_SHA1) != 0) {
        stun_writer_integrity(&draft->writer, turn_key_bytes(&key));
    }
    if ((f->signing & TURN_FIXTURE_SHA256) != 0) {
        stun_writer_integrity_sha256(&draft->writer, turn_key_bytes(&key));
    }
}

void turn_fixture_sign(struct turn_fixture *f, struct turn_fixture_draft *draft)
{
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    turn_fixture_nonce(f, nonce);
    turn_fixture_sign_with(f, draft, (struct bytes){nonce, sizeof nonce});
}

struct bytes turn_fixture_finish(struct turn_fixture_draft *draft)
{
    struct bytes whole = {0};

    assert_true(stun_writer_finish(&draft->writer, &whole));
    return whole;
}

// --- The owner of the sockets -------------------------------------------------------------------

static void keep_response(struct turn_fixture *f, struct turn_command_send *send)
{
    assert_true(addr_equal(&send->tuple.client, &f->tuple.client));
    assert_true(addr_equal(&send->tuple.server, &f->tuple.server));
    assert_true(send->message.len <= sizeof f->raw_response);
    memcpy(f->raw_response, send->message.ptr, send->message.len);
    send->message.ptr = f->raw_response;
    assert_int_equal(stun_message_read(send->message, &f->response), STUN_MESSAGE_OK);
}

static enum turn_opened next_opened(struct turn_fixture *f)
{
    if (f->refusals == 0) {
        return TURN_OPENED;
    }
    f->refusals--;
    return f->refusal;
}

static void tell_socket(struct turn_fixture *f, const struct turn_command *command)
{
    if (f->on_socket != NULL) {
        f->on_socket(f->on_socket_context, command);
    }
}

static void open_socket(struct turn_fixture *f, const struct turn_command *command)
{
    enum turn_opened opened = next_opened(f);

    if (opened == TURN_OPENED) {
        tell_socket(f, command);
    }
    turn_server_opened(f->server, f->now, command->socket.allocation, opened);
}

// Takes and carries out all commands, and keeps them.
static void carry_out(struct turn_fixture *f)
{
    struct turn_command command;

    while (turn_server_take(f->server, &command)) {
        assert_true(f->command_count < TURN_FIXTURE_COMMANDS_MAX);
        switch (command.type) {
        case TURN_COMMAND_SEND:
            keep_response(f, &command.send);
            break;
        case TURN_COMMAND_OPEN:
            open_socket(f, &command);
            break;
        case TURN_COMMAND_CLOSE:
            tell_socket(f, &command);
            break;
        case TURN_COMMAND_BIND:
        case TURN_COMMAND_UNBIND:
        case TURN_COMMAND_WAKE:
        case TURN_COMMAND_REPORT:
            break;
        }
        f->commands[f->command_count++] = command;
    }
}

static int code_of(const struct turn_fixture *f)
{
    struct bytes value = {0};
    struct bytes reason = {0};
    uint16_t code = 0;

    if (turn_fixture_count(f, TURN_COMMAND_SEND) == 0) {
        return TURN_FIXTURE_SILENCE;
    }
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_SEND), 1);
    if (f->response.header.class == STUN_SUCCESS) {
        return TURN_FIXTURE_SUCCESS;
    }
    assert_int_equal(f->response.header.class, STUN_ERROR);
    assert_true(stun_message_find(&f->response, STUN_ATTR_ERROR_CODE, &value));
    assert_true(stun_error_read(value, &code, &reason));
    return code;
}

// Lays a datagram into a block of exactly its length.
static struct bytes lay(struct turn_fixture *f, struct bytes datagram)
{
    free(f->datagram);
    f->datagram = malloc(datagram.len);
    assert_non_null(f->datagram);
    if (datagram.len > 0) {
        memcpy(f->datagram, datagram.ptr, datagram.len);
    }
    return (struct bytes){f->datagram, datagram.len};
}

static void begin_call(struct turn_fixture *f)
{
    f->command_count = 0;
    f->response = (struct stun_message){0};
    memset(&f->forward, 0xee, sizeof f->forward);
}

// *out is written with TURN_FORWARD only.
static void check_forward(const struct turn_fixture *f)
{
    uint8_t untouched[sizeof f->forward];

    memset(untouched, 0xee, sizeof untouched);
    if (f->verdict != TURN_FORWARD && f->verdict != TURN_HAND_OVER) {
        assert_memory_equal(&f->forward, untouched, sizeof untouched);
    }
}

int turn_fixture_send(struct turn_fixture *f, struct bytes datagram)
{
    begin_call(f);
    datagram = lay(f, datagram);
    f->verdict = turn_server_from_client(f->server, f->now, &f->tuple, datagram, &f->forward);
    carry_out(f);
    check_forward(f);
    assert_int_equal(f->verdict == TURN_COMMANDS, f->command_count > 0);
    return code_of(f);
}

int turn_fixture_ask(struct turn_fixture *f, struct turn_fixture_draft *draft)
{
    turn_fixture_sign(f, draft);
    return turn_fixture_send(f, turn_fixture_finish(draft));
}

// --- Requests -----------------------------------------------------------------------------------

void turn_fixture_begin_allocate(struct turn_fixture *f, struct turn_fixture_draft *draft)
{
    turn_fixture_begin(f, draft, STUN_REQUEST, STUN_ALLOCATE);
    stun_attr_u8_write(&draft->writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
}

struct pool_ref turn_fixture_allocate(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    uint32_t first = 0;
    while (f->commands[first].type != TURN_COMMAND_OPEN) {
        first++;
        assert_true(first < f->command_count);
    }
    return f->commands[first].socket.allocation;
}

int turn_fixture_refresh(struct turn_fixture *f, uint32_t lifetime_s)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, lifetime_s);
    return turn_fixture_ask(f, &draft);
}

int turn_fixture_permit(struct turn_fixture *f, const struct addr *peer)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
    turn_fixture_add_peer(&draft, peer);
    return turn_fixture_ask(f, &draft);
}

int turn_fixture_bind(struct turn_fixture *f, uint16_t number, const struct addr *peer)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CHANNEL_BIND);
    stun_attr_u16_write(&draft.writer.wr, STUN_ATTR_CHANNEL_NUMBER, number);
    turn_fixture_add_peer(&draft, peer);
    return turn_fixture_ask(f, &draft);
}

// --- Data ---------------------------------------------------------------------------------------

enum turn_verdict turn_fixture_send_data(struct turn_fixture *f, const struct addr *peer,
                                         const char *data)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_INDICATION, STUN_SEND);
    turn_fixture_add_peer(&draft, peer);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, bytes_of_text(data));
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SILENCE);
    return f->verdict;
}

enum turn_verdict turn_fixture_chandata(struct turn_fixture *f, uint16_t number, const char *data)
{
    uint8_t raw[1024];
    struct wr wr = wr_init(raw, sizeof raw);

    wr_u16(&wr, number);
    wr_u16(&wr, (uint16_t)strlen(data));
    wr_text(&wr, data);
    assert_true(wr_ok(&wr));
    assert_int_equal(turn_fixture_send(f, wr_done(&wr)), TURN_FIXTURE_SILENCE);
    return f->verdict;
}

enum turn_verdict turn_fixture_from_peer(struct turn_fixture *f, struct pool_ref allocation,
                                         const struct addr *peer, struct bytes data)
{
    begin_call(f);
    data = lay(f, data);
    f->verdict = turn_server_from_peer(f->server, f->now, allocation, peer, data, &f->forward);
    check_forward(f);
    assert_int_not_equal(f->verdict, TURN_COMMANDS);
    return f->verdict;
}

void turn_fixture_wait(struct turn_fixture *f, uint64_t ns)
{
    begin_call(f);
    f->now.mono_ns += ns;
    f->now.wall_s += (int64_t)(ns / SECOND_NS);
    while (turn_server_deadline(f->server) <= f->now.mono_ns) {
        turn_server_tick(f->server, f->now);
        carry_out(f);
    }
}

void turn_fixture_adopt(struct turn_fixture *f, const struct turn_config *config)
{
    static const uint8_t seed[SIPHASH_KEY_LEN] = {0x7e};
    struct turn_policy *former = f->policy;
    void *memory = calloc(1, turn_policy_size(config));

    assert_non_null(memory);
    f->policy = turn_policy_init(memory, config, seed);
    turn_fixture_wait(f, 0);
    begin_call(f);
    turn_server_adopt(f->server, f->now, f->policy);
    carry_out(f);
    free_policy(former);
}

// --- Looking ------------------------------------------------------------------------------------

struct bytes turn_fixture_value(const struct turn_fixture *f, enum stun_attr_type type)
{
    struct bytes value = {0};

    assert_true(stun_message_find(&f->response, type, &value));
    return value;
}

uint32_t turn_fixture_number(const struct turn_fixture *f, enum stun_attr_type type)
{
    uint32_t number = 0;

    assert_true(stun_attr_u32_read(turn_fixture_value(f, type), &number));
    return number;
}

struct addr turn_fixture_address(const struct turn_fixture *f, enum stun_attr_type type)
{
    struct addr addr = {0};

    assert_true(stun_attr_xor_addr_read(turn_fixture_value(f, type),
                                        &f->response.header.transaction, &addr));
    return addr;
}

uint32_t turn_fixture_count(const struct turn_fixture *f, enum turn_command_type type)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < f->command_count; i++) {
        count += f->commands[i].type == type;
    }
    return count;
}

const struct turn_command_report *turn_fixture_report(const struct turn_fixture *f,
                                                      enum turn_event event)
{
    for (uint32_t i = 0; i < f->command_count; i++) {
        if (f->commands[i].type == TURN_COMMAND_REPORT && f->commands[i].report.event == event) {
            return &f->commands[i].report;
        }
    }
    return NULL;
}

bool turn_fixture_is_signed(const struct turn_fixture *f, unsigned way)
{
    struct turn_key key = turn_fixture_key(f);

    return way == TURN_FIXTURE_SHA1
               ? stun_message_is_intact(&f->response, turn_key_bytes(&key))
               : stun_message_is_intact_sha256(&f->response, turn_key_bytes(&key));
}

uint64_t turn_fixture_refused(struct turn_fixture *f, enum turn_refusal refusal)
{
    struct turn_stats stats = *turn_server_stats(f->server);
    return *turn_stats_refused(&stats, refusal);
}

struct turn_gauges turn_fixture_gauges(const struct turn_fixture *f)
{
    return turn_server_gauges(f->server, f->now);
}

bool turn_fixture_is_empty(const struct turn_fixture *f)
{
    static const struct turn_gauges empty;
    struct turn_gauges gauges = turn_server_gauges(f->server, f->now);

    return memcmp(&gauges, &empty, sizeof gauges) == 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any events of version 2 in any order: no assertion fails, nothing is held beyond its limits, each
// connection gets one answer and no more, no client is joined without an authentic preface that was
// asked for and not used before, and when all have left nothing stays.
//
// An input is a list of events of three bytes: what happens, whom it is about, and an argument.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "revtun/revtun_head.h"
#include "revtun/revtun_hub.h"
#include "revtun/revtun_message.h"
#include "revtun/revtun_stream.h"
#include "revtun/revtun_token.h"

enum { LINKS = 4, CLIENTS = 16, STANDS = 8, TOKENS = 2, IDS = 32, TICKS_MAX = 2000 };
enum { LINK_BASE = 1000, CLIENT_BASE = 2000, STAND_BASE = 3000, DATA = 4000, FIRST_PORT = 12101 };

// What has become of a data connection.
enum fate { UNBORN, WAITS, JOINED, ENDING, OVER };

// What the agent of a slot has heard: ids that are outstanding, as far as it knows.
struct agent {
    struct pool_ref link;
    bool is_up;
    uint8_t sid[REVTUN_MESSAGE_SID_LEN];
    struct revtun_secrets secrets;
    uint64_t ids[IDS];
    bool is_standby[IDS];
    bool is_used[IDS]; // a good preface was shown for it
    size_t count;
};

struct story {
    struct revtun_hub *hub;
    struct revtun_hub_config config;
    struct revtun_access access;
    struct revtun_access nobody;
    struct revtun_access_entry entries[TOKENS];
    struct revtun_token tokens[TOKENS];
    struct now now;
    struct agent agents[LINKS];
    uint8_t lives;
    struct pool_ref clients[CLIENTS];
    enum fate fates[CLIENTS];
    struct pool_ref stands[STANDS];
    bool is_standing[STANDS];
    uint64_t newcomer; // the number of the data connection or client that just came, or 0
    bool is_answered;  // it
    bool may_join;     // the newcomer is a data connection that has shown a good preface
};

// --- what the hub says ---------------------------------------------------------------------------

static void hear(struct agent *agent, struct bytes text)
{
    struct revtun_stream stream;
    struct bytes line;

    revtun_stream_init(&stream);
    while (revtun_stream_take(&stream, &text, &line) == REVTUN_STREAM_LINE) {
        struct revtun_fields fields;
        struct revtun_message message;
        struct revtun_message_fault fault;
        const bool is_read = revtun_fields_read(line, &fields);
        assert(is_read);
        const enum revtun_message_outcome outcome =
            revtun_message_read(&fields, REVTUN_MESSAGE_RELAY, &message, &fault);
        assert(outcome == REVTUN_MESSAGE_OK);
        const bool is_new = message.verb == REVTUN_MESSAGE_NEW_CONNECTION;
        if (is_new || message.verb == REVTUN_MESSAGE_STANDBY) {
            const size_t at = agent->count++ % IDS;
            agent->ids[at] = is_new ? message.new_connection.id : message.standby.id;
            agent->is_standby[at] = !is_new;
            agent->is_used[at] = false;
        }
    }
    assert(text.len == 0);
}

static struct agent *agent_of(struct story *story, uint64_t conn)
{
    assert(conn >= LINK_BASE);
    assert(conn < LINK_BASE + LINKS);
    return &story->agents[conn - LINK_BASE];
}

static void close_data(struct story *story, uint64_t conn)
{
    if (conn == story->newcomer) {
        assert(!story->is_answered);
        story->is_answered = true;
    } else if (conn >= STAND_BASE) {
        assert(story->is_standing[conn - STAND_BASE]);
        story->is_standing[conn - STAND_BASE] = false;
    } else {
        assert(story->fates[conn - CLIENT_BASE] == WAITS);
        story->fates[conn - CLIENT_BASE] = OVER;
    }
}

static void join(struct story *story, const struct revtun_command_join *join)
{
    enum fate *fate = &story->fates[join->client - CLIENT_BASE];

    if (join->reverse == DATA || join->head.len == 0) {
        assert(join->reverse == story->newcomer);
        assert(story->may_join);
        assert(!story->is_answered);
        assert(join->head.len == 0);
        assert(*fate == WAITS);
        story->is_answered = true;
    } else {
        assert(join->client == story->newcomer); // who comes gets it, and nobody later
        assert(story->is_standing[join->reverse - STAND_BASE]);
        assert(join->head.len <= REVTUN_HEAD_MAX);
        story->is_standing[join->reverse - STAND_BASE] = false;
    }
    *fate = JOINED;
}

static void obey(struct story *story, const struct revtun_command *command)
{
    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        assert(agent_of(story, command->send.control)->is_up);
        hear(agent_of(story, command->send.control), command->send.text);
        return;
    case REVTUN_COMMAND_CLOSE:
        assert(agent_of(story, command->close.control)->is_up);
        agent_of(story, command->close.control)->is_up = false;
        return;
    case REVTUN_COMMAND_REFUSE:
        assert(command->refuse.text.len == 0);
        close_data(story, command->refuse.conn);
        return;
    case REVTUN_COMMAND_RESET:
        close_data(story, command->reset.conn);
        return;
    case REVTUN_COMMAND_JOIN:
        join(story, &command->join);
        return;
    case REVTUN_COMMAND_END:
        assert(story->fates[command->end.client - CLIENT_BASE] == JOINED);
        story->fates[command->end.client - CLIENT_BASE] = ENDING;
        return;
    case REVTUN_COMMAND_REPORT:
        return;
    }
}

static void take(struct story *story)
{
    struct revtun_command command;

    while (revtun_hub_take(story->hub, &command)) {
        obey(story, &command);
    }
}

// The commands of a call, and then all that is due.
static void settle(struct story *story)
{
    take(story);
    story->newcomer = 0;
    for (int i = 0; revtun_hub_deadline(story->hub) <= story->now.mono_ns; i++) {
        assert(i < TICKS_MAX);
        revtun_hub_tick(story->hub, story->now);
        take(story);
    }
}

static uint32_t count(const struct story *story, enum fate fate)
{
    uint32_t n = 0;

    for (size_t i = 0; i < CLIENTS; i++) {
        n += story->fates[i] == fate;
    }
    return n;
}

static void check(const struct story *story)
{
    const struct revtun_hub_gauges gauges = revtun_hub_gauges(story->hub);
    uint32_t links = 0;

    for (size_t i = 0; i < LINKS; i++) {
        links += story->agents[i].is_up;
    }
    assert(gauges.links == links);
    assert(gauges.agents <= TOKENS);
    assert(gauges.waiting == count(story, WAITS));
    assert(gauges.sessions == count(story, JOINED) + count(story, ENDING));
    assert(gauges.waiting <= story->config.max_waiting);
    assert(gauges.standing <= story->config.max_standing);
}

// --- what happens --------------------------------------------------------------------------------

static void up(struct story *story, size_t slot)
{
    struct agent *agent = &story->agents[slot];
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];

    if (agent->is_up) {
        return;
    }
    memset(exported, ++story->lives, sizeof exported);
    *agent = (struct agent){.is_up = true};
    memset(agent->sid, story->lives, sizeof agent->sid);
    agent->secrets = revtun_secrets_read(exported);
    agent->link = revtun_hub_link_up(
        story->hub, story->now,
        &(struct revtun_hub_arrival){.conn = LINK_BASE + slot,
                                     .peer = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 1),
                                     .exported = exported,
                                     .sid = agent->sid});
    settle(story);
}

static void down(struct story *story, size_t slot)
{
    story->agents[slot].is_up = false;
    revtun_hub_link_down(story->hub, story->now, story->agents[slot].link);
    settle(story);
}

static void say(struct story *story, size_t slot, struct bytes text)
{
    while (text.len > 0) {
        revtun_hub_link_read(story->hub, story->now, story->agents[slot].link, &text);
        settle(story);
    }
}

static void say_message(struct story *story, size_t slot, const struct revtun_message *message)
{
    uint8_t line[REVTUN_STREAM_LINE_MAX];
    struct wr wr = wr_init(line, sizeof line);

    revtun_message_write(&wr, message);
    say(story, slot, wr_done(&wr));
}

static void hello(struct story *story, size_t slot, uint8_t argument)
{
    const struct revtun_token *token = &story->tokens[argument % TOKENS];
    struct revtun_message message = {
        .verb = REVTUN_MESSAGE_HELLO,
        .hello = {.auth = REVTUN_MESSAGE_AUTH_TOKEN,
                  .id = revtun_token_id(token),
                  .instance = 1 + argument / 2 % 2,
                  .pool = argument / 4 % 4,
                  .caps = REVTUN_MESSAGE_CAP_STANDBY},
    };

    revtun_token_proof(token, &story->agents[slot].secrets, message.hello.proof);
    message.hello.proof[0] ^= argument == UINT8_MAX;
    say_message(story, slot, &message);
}

static void bind(struct story *story, size_t slot, uint8_t argument)
{
    static const char *const names[] = {"a", "b", "c"};
    static const char *const hosts[] = {"a.test", "a.test,*.b.test", "*"};
    const bool is_sni = argument & 1;
    const uint8_t choice = argument / 2 % 3;

    say_message(
        story, slot,
        &(struct revtun_message){
            .verb = REVTUN_MESSAGE_BIND,
            .bind = {.rid = 1,
                     .name = bytes_of_text(names[choice]),
                     .kind = is_sni ? REVTUN_MESSAGE_KIND_SNI : REVTUN_MESSAGE_KIND_TCP,
                     .port = is_sni         ? 0
                             : argument & 8 ? FIRST_PORT + argument / 64
                                            : 0,
                     .hosts = is_sni ? bytes_of_text(hosts[argument / 8 % 3]) : (struct bytes){0},
                     .max = argument & 16 ? 2 : 0,
                     .take = argument & 32 ? 1 : 0},
        });
}

static void say_text(struct story *story, size_t slot, uint8_t argument)
{
    static const char *const texts[] = {
        "ping n=1\r\n",
        "pong n=1\r\n",
        "x\r\n",
        "bye code=shutdown\r\n",
        "unbind rid=1 name=a\r\n",
        "unbind rid=2 name=b\r\n",
        "bind rid=1\r\n",
        "Bad\r\n",
        "unbind",
        " rid=1 name=c\r\n",
        "welcome sid=1\r\n",
    };

    say(story, slot, bytes_of_text(texts[argument % (sizeof texts / sizeof *texts)]));
}

static void refuse(struct story *story, size_t slot, uint8_t argument)
{
    say_message(story, slot,
                &(struct revtun_message){
                    .verb = REVTUN_MESSAGE_REFUSE,
                    .refuse = {.id = story->agents[slot].ids[argument % IDS],
                               .code = REVTUN_MESSAGE_CODE_BUSY},
                });
}

static void client(struct story *story, uint8_t where, uint8_t argument)
{
    struct revtun_hub_client arrival = {
        .from = addr_ip4((const uint8_t[]){198, 51, 100, argument % 3}, 1),
        .dst = addr_ip4((const uint8_t[]){203, 0, 113, 1}, (uint16_t)(FIRST_PORT + where % 4)),
    };
    size_t slot = 0;

    while (slot < CLIENTS && story->fates[slot] != UNBORN && story->fates[slot] != OVER) {
        slot++;
    }
    if (slot == CLIENTS) {
        return;
    }
    arrival.host = bytes_of_text(argument & 4 ? "x.b.test" : argument & 8 ? "a.test" : "");
    arrival.conn = CLIENT_BASE + slot;
    story->newcomer = arrival.conn;
    story->is_answered = false;
    story->fates[slot] = UNBORN;
    story->clients[slot] = revtun_hub_client(story->hub, story->now, &arrival);
    const bool is_in = story->clients[slot].index != POOL_NONE;
    take(story);
    assert(story->is_answered == !is_in);
    if (is_in && story->fates[slot] == UNBORN) {
        story->fates[slot] = WAITS;
    }
    settle(story);
}

// A preface of an agent's: right, for an id that was used, or forged.
static void data(struct story *story, size_t slot, uint8_t argument)
{
    struct agent *agent = &story->agents[slot];
    const size_t at = argument % IDS;
    const uint8_t forgery = argument / IDS;
    struct revtun_preface preface = {
        .type = agent->is_standby[at] != (forgery == 1) ? REVTUN_PREFACE_STANDBY
                                                        : REVTUN_PREFACE_ACCEPT,
        .id = agent->ids[at] + (forgery == 2),
    };
    uint8_t raw[REVTUN_PREFACE_LEN];
    size_t free = 0;

    while (free < STANDS && story->is_standing[free]) {
        free++;
    }
    if (free == STANDS) {
        return;
    }
    memcpy(preface.sid, agent->sid, sizeof preface.sid);
    revtun_preface_write(&preface, agent->secrets.preface, raw);
    raw[argument % REVTUN_PREFACE_LEN] ^= forgery == 3;
    story->newcomer = agent->is_standby[at] ? STAND_BASE + free : DATA;
    story->is_answered = false;
    story->may_join =
        (forgery == 0 || forgery > 3) && agent->is_up && agent->ids[at] != 0 && !agent->is_used[at];
    agent->is_used[at] = agent->is_used[at] || story->may_join;
    const struct pool_ref ref =
        revtun_hub_data(story->hub, story->now, story->newcomer, raw, false);
    take(story);
    const bool stands = ref.index != POOL_NONE;
    assert(story->is_answered == !stands);
    assert(!stands || story->may_join);
    if (stands) {
        story->stands[free] = ref;
        story->is_standing[free] = true;
    }
    settle(story);
}

static void gone(struct story *story, size_t slot)
{
    if (story->fates[slot] != UNBORN && story->fates[slot] != OVER) {
        story->fates[slot] = OVER;
        revtun_hub_gone(story->hub, story->now, story->clients[slot]);
        settle(story);
    }
}

static void standing_gone(struct story *story, size_t slot)
{
    story->is_standing[slot] = false;
    revtun_hub_standing_gone(story->hub, story->now, story->stands[slot]);
    settle(story);
}

static void pass(struct story *story, uint64_t ns)
{
    story->now.mono_ns += ns;
    story->now.wall_s += (int64_t)(ns / SECOND_NS);
    settle(story);
}

static void happen(struct story *story, const uint8_t event[3])
{
    const size_t slot = event[1] % LINKS;

    switch (event[0] % 14) {
    case 0:
        up(story, slot);
        hello(story, slot, event[2]);
        break;
    case 1:
        up(story, slot);
        break;
    case 2:
        down(story, slot);
        break;
    case 3:
    case 4:
        bind(story, slot, event[2]);
        break;
    case 5:
        say_text(story, slot, event[2]);
        break;
    case 6:
        refuse(story, slot, event[2]);
        break;
    case 7:
    case 8:
        client(story, event[1], event[2]);
        break;
    case 9:
    case 10:
        data(story, slot, event[2]);
        break;
    case 11:
        gone(story, event[1] % CLIENTS);
        standing_gone(story, event[2] % STANDS);
        break;
    case 12:
        pass(story, (uint64_t)event[1] * event[2] * (SECOND_NS / 1000));
        break;
    default:
        revtun_hub_adopt(story->hub, story->now, event[2] & 1 ? &story->access : &story->nobody);
        settle(story);
    }
    check(story);
}

// --- its frame -----------------------------------------------------------------------------------

static void begin(struct story *story)
{
    static const uint8_t seed[REVTUN_HUB_SEED_LEN] = {1};
    static const uint8_t pin[REVTUN_TOKEN_PIN_LEN] = {0};
    static const char *const ids[TOKENS] = {"one", "two"};
    static const char *const terms[TOKENS] = {
        " ports=* sni=*\n", " ports=12101-12102 sni=a.test,*.b.test tunnels=2 connections=5\n"};
    static uint8_t text[512]; // borrowed by the list
    struct wr list = wr_init(text, sizeof text);
    struct revtun_access_mistakes mistakes;
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];

    for (uint8_t i = 0; i < TOKENS; i++) {
        revtun_token_init(&story->tokens[i], bytes_of_text(ids[i]),
                          (const uint8_t[REVTUN_TOKEN_SECRET_LEN]){i}, pin);
        revtun_token_verifier(&story->tokens[i], verifier);
        revtun_access_token_write(&list, bytes_of_text(ids[i]), verifier);
        wr_text(&list, terms[i]);
    }
    story->access = (struct revtun_access){.entries = story->entries, .capacity = TOKENS};
    const bool is_read = revtun_access_read(wr_done(&list), &story->access, &mistakes);
    assert(is_read);
    story->config = revtun_hub_config_default();
    story->config.host = bytes_of_text("[2001:db8::1]");
    story->config.first_port = FIRST_PORT;
    story->config.port_count = 3;
    story->config.tls_port = 443;
    story->config.max_links = LINKS;
    story->config.max_links_per_agent = 3;
    story->config.max_services = 5;
    story->config.max_hosts = 3;
    story->config.max_standing = 6;
    story->config.max_sessions = CLIENTS - 4;
    story->config.max_waiting = 8;
    story->config.max_waiting_per_name = 6;
    story->config.max_waiting_per_address = 5;
    story->now = (struct now){.mono_ns = SECOND_NS, .wall_s = 1000000};
    void *memory = calloc(1, revtun_hub_size(&story->config));
    assert(memory != NULL);
    story->hub = revtun_hub_init(memory, &story->config, &story->access, seed);
}

static void end(struct story *story)
{
    const struct revtun_hub_gauges none = {0};

    for (size_t i = 0; i < LINKS; i++) {
        down(story, i);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        gone(story, i);
    }
    pass(story, 3600 * SECOND_NS);
    const struct revtun_hub_gauges gauges = revtun_hub_gauges(story->hub);
    assert(memcmp(&gauges, &none, sizeof none) == 0);
    assert(revtun_hub_deadline(story->hub) == NEVER);
    for (size_t i = 0; i < STANDS; i++) {
        assert(!story->is_standing[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data_ptr, size_t size)
{
    struct story *story = calloc(1, sizeof *story);

    assert(story != NULL);
    begin(story);
    for (size_t at = 0; size - at >= 3; at += 3) {
        happen(story, data_ptr + at);
    }
    end(story);
    free(story->hub);
    free(story);
    return 0;
}

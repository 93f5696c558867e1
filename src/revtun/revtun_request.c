// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_request.h"

#include <string.h>

#include "revtun/revtun_account.h"
#include "revtun/revtun_bind.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_link.h"
#include "revtun/revtun_stand.h"
#include "revtun/revtun_token.h"
#include "revtun/revtun_visit.h"

// What comes of a hello.
struct judgement {
    const struct revtun_access_entry *entry; // who has proven to be whom, or NULL
    const char *wrong;                       // then what is wrong, for the log
    bool is_unknown;                         // and it is that it is not on the list
};

static struct judgement judge_cert(const struct revtun_hub *hub, const struct revtun_link *link)
{
    if (!link->has_cert) {
        return (struct judgement){.wrong = "it has shown no certificate", .is_unknown = true};
    }
    return (struct judgement){
        .entry = revtun_access_find_cert(hub->access, link->cert),
        .wrong = "its certificate is not on the access list",
        .is_unknown = true,
    };
}

static struct judgement judge_token(const struct revtun_hub *hub, const struct revtun_link *link,
                                    const struct revtun_message *hello)
{
    static const uint8_t nobody[REVTUN_ACCESS_HASH_LEN];
    const struct revtun_access_entry *entry =
        revtun_access_find_token(hub->access, hello->hello.id);
    // An unknown one costs the same time.
    const bool is_proven = revtun_token_is_proven(entry != NULL ? entry->hash : nobody,
                                                  &link->secrets, hello->hello.proof);
    if (entry == NULL) {
        return (struct judgement){.wrong = "its token is not on the access list",
                                  .is_unknown = true};
    }
    return (struct judgement){
        .entry = is_proven ? entry : NULL,
        .wrong = "its token is another one than that of this name on the access list",
    };
}

// Keeps for the log who it says it is, and what is wrong with that.
static void doubt(struct revtun_hub *hub, uint32_t index, const struct revtun_message *hello,
                  const char *wrong)
{
    const struct revtun_link *link = revtun_link_at(hub, index);
    const bool is_token = hello->hello.auth == REVTUN_MESSAGE_AUTH_TOKEN;
    uint8_t text[REVTUN_NAMES_OWNER_MAX];
    struct wr wr = wr_init(text, sizeof text);

    if (is_token || link->has_cert) {
        revtun_account_owner_write(&wr, is_token ? hello->hello.id : (struct bytes){0}, link->cert);
    }
    revtun_link_doubt(hub, index, wr_done(&wr), wrong);
}

static void welcome(struct revtun_hub *hub, struct now now, uint32_t index)
{
    const struct revtun_hub_config *config = &hub->config;
    const struct revtun_link *link = revtun_link_at(hub, index);
    struct revtun_message message = {
        .verb = REVTUN_MESSAGE_WELCOME,
        .welcome = {.you = link->peer,
                    .ping_s = config->ping_s,
                    .dead_s = config->dead_s,
                    .ttl_s = config->ttl_s,
                    .grace_s = config->grace_s,
                    .data = config->data,
                    .caps =
                        (config->tls_port != 0 ? REVTUN_MESSAGE_CAP_SNI : 0U) |
                        (config->max_standing > 0 ? REVTUN_MESSAGE_CAP_STANDBY : 0U) |
                        (config->data != REVTUN_MESSAGE_DATA_PLAIN ? REVTUN_MESSAGE_CAP_TLS : 0U),
                    .relay = config->program},
    };

    memcpy(message.welcome.sid, link->sid, sizeof link->sid);
    revtun_link_say(hub, now, index, &message);
    revtun_outbox_report(&hub->outbox, &(struct revtun_command_report){
                                           .event = REVTUN_EVENT_AGENT_UP,
                                           .control = link->conn,
                                           .pair = POOL_NONE,
                                           .from = link->peer,
                                           .owner = revtun_link_owner(hub, link),
                                       });
}

static void greet(struct revtun_hub *hub, struct now now, uint32_t index,
                  const struct revtun_message *message)
{
    struct revtun_link *link = revtun_link_at(hub, index);
    const bool is_token = message->hello.auth == REVTUN_MESSAGE_AUTH_TOKEN;
    const struct judgement judgement =
        is_token ? judge_token(hub, link, message) : judge_cert(hub, link);
    const struct revtun_access_entry *entry = judgement.entry;

    if (entry == NULL) {
        hub->stats.agents_denied++;
        hub->stats.agents_unknown += judgement.is_unknown;
        hub->stats.agents_unproven += !judgement.is_unknown;
        doubt(hub, index, message, judgement.wrong);
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_DENIED);
        return;
    }
    if (hub->drain_ns != NEVER) {
        doubt(hub, index, message, "the relay ends");
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_SHUTDOWN);
        return;
    }
    const uint32_t account =
        revtun_account_open(hub, entry, is_token ? message->hello.id : (struct bytes){0},
                            is_token ? entry->hash : link->cert);
    struct revtun_account *owner = revtun_account_at(hub, account);
    if (owner->link_count >= hub->config.max_links_per_agent) {
        hub->stats.agents_crowded++;
        doubt(hub, index, message, "the agent has as many control connections as one may");
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_BUSY);
        return;
    }
    owner->link_count++;
    link->account = account;
    link->instance = message->hello.instance;
    link->state = REVTUN_LINK_OPEN;
    hub->stats.agents_welcomed++;
    welcome(hub, now, index);
    if (hub->config.max_standing > 0 && message->hello.caps & REVTUN_MESSAGE_CAP_STANDBY) {
        link->wanted_count = (uint32_t)message->hello.pool;
        link->want_ns = now.mono_ns;
        revtun_link_set_timer(hub, index);
    }
}

// The agent has no data connection for an id.
static void be_refused(struct revtun_hub *hub, struct now now, uint32_t index, uint64_t id)
{
    const uint32_t wait = revtun_visit_find(hub, index, id);
    const uint32_t stand = revtun_stand_find(hub, index, id);

    if (wait != POOL_NONE) {
        revtun_visit_deny(hub, wait);
    } else if (stand != POOL_NONE) {
        revtun_stand_forget(hub, now, stand);
    }
}

static void obey(struct revtun_hub *hub, struct now now, uint32_t index,
                 const struct revtun_message *message)
{
    switch (message->verb) {
    case REVTUN_MESSAGE_BIND:
        revtun_bind(hub, now, index, message);
        return;
    case REVTUN_MESSAGE_UNBIND:
        revtun_bind_unbind(hub, now, index, message);
        return;
    case REVTUN_MESSAGE_REFUSE:
        be_refused(hub, now, index, message->refuse.id);
        return;
    case REVTUN_MESSAGE_PING:
        revtun_link_say(hub, now, index,
                        &(struct revtun_message){
                            .verb = REVTUN_MESSAGE_PONG,
                            .pong = {.n = message->ping.n},
                        });
        return;
    case REVTUN_MESSAGE_PONG:
        revtun_link_acknowledge(hub, index, message->pong.n);
        return;
    case REVTUN_MESSAGE_BYE:
        revtun_link_bye(hub, now, index, (enum revtun_message_code)message->bye.code);
        return;
    case REVTUN_MESSAGE_HELLO: // a second one
    case REVTUN_MESSAGE_WELCOME:
    case REVTUN_MESSAGE_BOUND:
    case REVTUN_MESSAGE_UNBOUND:
    case REVTUN_MESSAGE_ERROR:
    case REVTUN_MESSAGE_NEW_CONNECTION:
    case REVTUN_MESSAGE_STANDBY:
    case REVTUN_MESSAGE_GONE:
    case REVTUN_MESSAGE_DRAIN:
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_PROTOCOL);
        return;
    }
}

static void read_line(struct revtun_hub *hub, struct now now, uint32_t index, struct bytes line)
{
    const bool is_up = revtun_link_at(hub, index)->state == REVTUN_LINK_UP;
    struct revtun_fields fields;
    struct revtun_message message;
    struct revtun_message_fault fault = {0};

    if (!revtun_fields_read(line, &fields)) {
        hub->stats.lines_bad++;
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_PROTOCOL);
        return;
    }
    const enum revtun_message_outcome outcome =
        revtun_message_read(&fields, REVTUN_MESSAGE_AGENT, &message, &fault);
    hub->stats.lines_bad += outcome != REVTUN_MESSAGE_OK;
    if (is_up) {
        if (outcome == REVTUN_MESSAGE_OK && message.verb == REVTUN_MESSAGE_HELLO) {
            greet(hub, now, index, &message);
        } else {
            const bool is_hello =
                bytes_equal_text(fields.verb, revtun_message_verb_word(REVTUN_MESSAGE_HELLO));
            revtun_link_end(hub, now, index,
                            is_hello ? REVTUN_MESSAGE_CODE_BAD_VALUE
                                     : REVTUN_MESSAGE_CODE_PROTOCOL);
        }
        return;
    }
    switch (outcome) {
    case REVTUN_MESSAGE_OK:
        obey(hub, now, index, &message);
        break;
    case REVTUN_MESSAGE_UNKNOWN:
        revtun_link_say_error(hub, now, index, &fault, REVTUN_MESSAGE_CODE_UNKNOWN_VERB, 0);
        break;
    case REVTUN_MESSAGE_BAD:
        revtun_link_say_error(hub, now, index, &fault, REVTUN_MESSAGE_CODE_BAD_VALUE, 0);
        break;
    }
}

// What an agent says is paid for, so that it is read more slowly if that is too much.
static void pay(struct revtun_hub *hub, struct now now, uint32_t account, size_t len)
{
    const struct bucket_rate rate = bucket_rate_of(hub->config.bytes_per_second);

    bucket_take(&revtun_account_at(hub, account)->bytes, &rate, now.mono_ns,
                len < REVTUN_STREAM_LINE_MAX ? len : REVTUN_STREAM_LINE_MAX);
}

void revtun_request_read(struct revtun_hub *hub, struct now now, uint32_t index,
                         struct bytes *received)
{
    struct revtun_link *link = revtun_link_at(hub, index);
    struct bytes line = {0};
    const size_t before = received->len;
    const enum revtun_stream_outcome outcome = revtun_stream_take(&link->stream, received, &line);

    if (link->state == REVTUN_LINK_OPEN) {
        link->heard_ns = now.mono_ns;
        revtun_link_set_timer(hub, index);
        pay(hub, now, link->account, before - received->len);
    }
    switch (outcome) {
    case REVTUN_STREAM_LINE:
        read_line(hub, now, index, line);
        break;
    case REVTUN_STREAM_PART:
        break;
    case REVTUN_STREAM_LONG:
        hub->stats.lines_bad++;
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_PROTOCOL);
        break;
    }
}

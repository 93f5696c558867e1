// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_spoke_link.h"

#include <assert.h>
#include <string.h>

#include "revtun/revtun_spoke_bond.h"
#include "revtun/revtun_spoke_out.h"

#define WAIT_FIRST_NS (REVTUN_SPOKE_WAIT_FIRST_MS * (SECOND_NS / 1000))
#define WAIT_MAX_NS (REVTUN_SPOKE_WAIT_MAX_S * SECOND_NS)

bool revtun_spoke_link_is_up(const struct revtun_spoke_link *link)
{
    return link->state == REVTUN_SPOKE_LINK_HELLO || link->state == REVTUN_SPOKE_LINK_OPEN;
}

static bool is_legal(enum revtun_spoke_link_state from, enum revtun_spoke_link_state to)
{
    switch (to) {
    case REVTUN_SPOKE_LINK_FREE:
        return from != REVTUN_SPOKE_LINK_FREE;
    case REVTUN_SPOKE_LINK_DIALLED:
        return from == REVTUN_SPOKE_LINK_FREE;
    case REVTUN_SPOKE_LINK_HELLO:
        return from == REVTUN_SPOKE_LINK_DIALLED;
    case REVTUN_SPOKE_LINK_OPEN:
        return from == REVTUN_SPOKE_LINK_HELLO;
    case REVTUN_SPOKE_LINK_CLOSING:
        return from != REVTUN_SPOKE_LINK_FREE && from != REVTUN_SPOKE_LINK_CLOSING;
    }
    return false;
}

static void enter(struct revtun_spoke_link *link, enum revtun_spoke_link_state state)
{
    assert(is_legal(link->state, state));
    link->state = state;
}

// --- its beginning -------------------------------------------------------------------------------

static uint32_t find_free(const struct revtun_spoke *spoke)
{
    uint32_t i = 0;

    while (i < REVTUN_SPOKE_LINK_MAX && spoke->links[i].state != REVTUN_SPOKE_LINK_FREE) {
        i++;
    }
    _Static_assert((int)REVTUN_SPOKE_NOWHERE == (int)REVTUN_SPOKE_LINK_MAX, "if none is");
    return i;
}

void revtun_spoke_link_connect(struct revtun_spoke *spoke)
{
    const uint32_t index = find_free(spoke);

    assert(spoke->main == REVTUN_SPOKE_NOWHERE);
    assert(index != REVTUN_SPOKE_NOWHERE);
    enter(&spoke->links[index], REVTUN_SPOKE_LINK_DIALLED);
    spoke->main = index;
    spoke->connect_ns = NEVER;
    revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                    .type = REVTUN_SPOKE_CONNECT,
                                    .link = index,
                                });
}

uint64_t revtun_spoke_link_connect_deadline(const struct revtun_spoke *spoke)
{
    return find_free(spoke) == REVTUN_SPOKE_NOWHERE ? NEVER : spoke->connect_ns;
}

static void say_hello(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index)
{
    const struct revtun_spoke_config *config = &spoke->config;
    struct revtun_message message = {
        .verb = REVTUN_MESSAGE_HELLO,
        .hello = {.auth = REVTUN_MESSAGE_AUTH_CERT,
                  .instance = config->instance,
                  .pool = config->pool,
                  .caps = config->pool > 0 ? (uint64_t)REVTUN_MESSAGE_CAP_STANDBY : 0,
                  .agent = config->program},
    };

    if (config->token != NULL) {
        message.hello.auth = REVTUN_MESSAGE_AUTH_TOKEN;
        message.hello.id = revtun_token_id(config->token);
        revtun_token_proof(config->token, &spoke->links[index].secrets, message.hello.proof);
    }
    revtun_spoke_out_say(spoke, now_ns, index, &message);
}

void revtun_spoke_link_up(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                          const uint8_t exported[REVTUN_SECRETS_EXPORT_LEN])
{
    struct revtun_spoke_link *link = &spoke->links[index];

    assert(index == spoke->main);
    assert(link->loose_count == 0);
    enter(link, REVTUN_SPOKE_LINK_HELLO);
    revtun_stream_init(&link->stream);
    link->secrets = revtun_secrets_read(exported);
    link->since_ns = now_ns;
    link->heard_ns = now_ns;
    link->end_ns = NEVER;
    link->ping_count = 0;
    link->is_crowded_told = false;
    say_hello(spoke, now_ns, index);
    revtun_spoke_bond_ask_all(spoke, now_ns);
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t at_least(uint64_t a, uint64_t b)
{
    return a < b ? b : a;
}

void revtun_spoke_link_welcome(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                               const struct revtun_message *message)
{
    struct revtun_spoke_link *link = &spoke->links[index];
    const uint64_t data = message->welcome.data;
    const uint64_t ping_s =
        at_most(at_least(message->welcome.ping_s, 1), REVTUN_SPOKE_SILENCE_MAX_S);
    const uint64_t dead_s = at_most(message->welcome.dead_s, REVTUN_SPOKE_SILENCE_MAX_S);

    const enum revtun_message_data wanted = spoke->config.data;
    const bool is_offered =
        data == REVTUN_MESSAGE_DATA_TLS ||
        (data == REVTUN_MESSAGE_DATA_ANY && (message->welcome.caps & REVTUN_MESSAGE_CAP_TLS) != 0);

    if ((wanted == REVTUN_MESSAGE_DATA_PLAIN && data == REVTUN_MESSAGE_DATA_TLS) ||
        (wanted == REVTUN_MESSAGE_DATA_TLS && !is_offered)) {
        revtun_spoke_link_end(spoke, now_ns, index,
                              is_offered ? REVTUN_SPOKE_SEALED : REVTUN_SPOKE_UNSEALED,
                              REVTUN_MESSAGE_CODE_UNSUPPORTED);
        return;
    }
    enter(link, REVTUN_SPOKE_LINK_OPEN);
    memcpy(link->sid, message->welcome.sid, sizeof link->sid);
    link->since_ns = now_ns;
    link->ping_ns = ping_s * SECOND_NS;
    link->dead_ns = at_least(dead_s, ping_s + 1) * SECOND_NS;
    link->is_tls = data == REVTUN_MESSAGE_DATA_TLS || wanted == REVTUN_MESSAGE_DATA_TLS;
    revtun_spoke_out_tell(spoke, &(struct revtun_spoke_news){
                                     .event = REVTUN_SPOKE_WELCOME,
                                     .address = message->welcome.you,
                                     .text = message->welcome.relay,
                                 });
}

// --- its end -------------------------------------------------------------------------------------

static void keep_why(struct revtun_spoke *spoke, enum revtun_spoke_why why,
                     enum revtun_message_code code, struct bytes text)
{
    assert(text.len <= sizeof spoke->text);
    spoke->why = why;
    spoke->code = code;
    spoke->text_len = (uint32_t)text.len;
    if (text.len > 0) {
        memcpy(spoke->text, text.ptr, text.len);
    }
}

// What has worked for a while is tried again soon.
static void note_steady(struct revtun_spoke *spoke, uint64_t now_ns,
                        const struct revtun_spoke_link *link)
{
    if (link->state == REVTUN_SPOKE_LINK_OPEN &&
        now_ns - link->since_ns >= REVTUN_SPOKE_STEADY_S * SECOND_NS) {
        spoke->interval_ns = 0;
    }
}

static void close_link(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index)
{
    note_steady(spoke, now_ns, &spoke->links[index]);
    enter(&spoke->links[index], REVTUN_SPOKE_LINK_CLOSING);
    revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                    .type = REVTUN_SPOKE_CLOSE,
                                    .link = index,
                                });
}

// What is told is why the main link has ended, or what came before that.
void revtun_spoke_link_end(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                           enum revtun_spoke_why why, enum revtun_message_code code)
{
    if (revtun_spoke_link_is_up(&spoke->links[index])) {
        revtun_spoke_out_say(spoke, now_ns, index,
                             &(struct revtun_message){
                                 .verb = REVTUN_MESSAGE_BYE,
                                 .bye = {.code = code},
                             });
    }
    if (index == spoke->main && spoke->phase == REVTUN_SPOKE_PHASE_SERVING) {
        keep_why(spoke, why, code, (struct bytes){0});
    }
    close_link(spoke, now_ns, index);
}

void revtun_spoke_link_hear_bye(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                                const struct revtun_message *message)
{
    if (index == spoke->main && spoke->phase == REVTUN_SPOKE_PHASE_SERVING) {
        keep_why(spoke, REVTUN_SPOKE_BYE, (enum revtun_message_code)message->bye.code,
                 message->bye.text);
        spoke->retry_s = at_most(message->bye.retry_s, REVTUN_SPOKE_RETRY_MAX_S);
    }
    close_link(spoke, now_ns, index);
}

static uint64_t next_wait(struct revtun_spoke *spoke)
{
    const uint64_t grown_ns = spoke->interval_ns + spoke->interval_ns / 2;

    spoke->interval_ns = at_most(at_least(grown_ns, WAIT_FIRST_NS), WAIT_MAX_NS);
    return at_most(revtun_spoke_about(spoke, spoke->interval_ns), WAIT_MAX_NS);
}

static bool is_to_come_again(const struct revtun_spoke *spoke)
{
    const bool is_forbidden = (spoke->why == REVTUN_SPOKE_BYE && spoke->retry_s == 0) ||
                              spoke->why == REVTUN_SPOKE_SEALED ||
                              spoke->why == REVTUN_SPOKE_UNSEALED;

    switch (spoke->config.retry) {
    case REVTUN_SPOKE_RETRY_NEVER:
        return false;
    case REVTUN_SPOKE_RETRY_LOST:
        return spoke->was_bound && !is_forbidden;
    case REVTUN_SPOKE_RETRY_ALWAYS:
        return true;
    }
    return false;
}

static struct revtun_spoke_news news_of_end(const struct revtun_spoke *spoke,
                                            enum revtun_spoke_event event)
{
    return (struct revtun_spoke_news){
        .event = event,
        .why = spoke->why,
        .code = spoke->code,
        .text = {spoke->text, spoke->text_len},
        .wait_ns = NEVER,
    };
}

static void fade(struct revtun_spoke *spoke)
{
    spoke->phase = REVTUN_SPOKE_PHASE_FADING;
    spoke->connect_ns = NEVER;
    const struct revtun_spoke_news news = news_of_end(spoke, REVTUN_SPOKE_STOPPING);
    revtun_spoke_out_tell(spoke, &news);
}

void revtun_spoke_link_fade(struct revtun_spoke *spoke, enum revtun_spoke_why why,
                            enum revtun_message_code code)
{
    keep_why(spoke, why, code, (struct bytes){0});
    fade(spoke);
}

static void wait(struct revtun_spoke *spoke, uint64_t now_ns)
{
    uint64_t wait_ns = next_wait(spoke);
    const bool is_bye = spoke->why == REVTUN_SPOKE_BYE;

    if (is_bye && spoke->retry_s == 0) {
        wait_ns = revtun_spoke_about(spoke, WAIT_MAX_NS); // we were not to come by ourselves
    } else if (is_bye) {
        wait_ns = at_least(wait_ns, spoke->retry_s * SECOND_NS + wait_ns / 4);
    }
    struct revtun_spoke_news news = news_of_end(spoke, REVTUN_SPOKE_WAITING);
    news.wait_ns = wait_ns;
    spoke->connect_ns = now_ns + wait_ns;
    revtun_spoke_out_tell(spoke, &news);
}

// The main link is gone.
static void decide(struct revtun_spoke *spoke, uint64_t now_ns)
{
    if (spoke->phase != REVTUN_SPOKE_PHASE_SERVING) {
        return;
    }
    if (is_to_come_again(spoke)) {
        wait(spoke, now_ns);
    } else {
        fade(spoke);
    }
}

void revtun_spoke_link_down(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index)
{
    struct revtun_spoke_link *link = &spoke->links[index];

    if (link->loose_count > 0) {
        revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                        .type = REVTUN_SPOKE_ABANDON,
                                        .link = index,
                                    });
    }
    note_steady(spoke, now_ns, link);
    const bool is_by_itself = link->state != REVTUN_SPOKE_LINK_CLOSING;
    enter(link, REVTUN_SPOKE_LINK_FREE);
    revtun_secrets_deinit(&link->secrets);
    revtun_spoke_bond_lose_all(spoke, index);
    if (index == spoke->main) {
        spoke->main = REVTUN_SPOKE_NOWHERE;
        if (is_by_itself && spoke->phase == REVTUN_SPOKE_PHASE_SERVING) {
            keep_why(spoke, REVTUN_SPOKE_LOST, REVTUN_MESSAGE_CODE_OTHER, (struct bytes){0});
        }
        decide(spoke, now_ns);
    }
}

// --- a relay that drains -------------------------------------------------------------------------

// Another link is to be had: the one that drained before has nothing any more that is not here.
static void make_room(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index)
{
    const uint32_t other = 1 - index;

    _Static_assert(REVTUN_SPOKE_LINK_MAX == 2, "there is one other");
    if (revtun_spoke_link_is_up(&spoke->links[other])) {
        revtun_spoke_link_end(spoke, now_ns, other, REVTUN_SPOKE_LOST,
                              REVTUN_MESSAGE_CODE_REPLACED);
    }
}

void revtun_spoke_link_drain(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index,
                             uint64_t in_s)
{
    struct revtun_spoke_link *link = &spoke->links[index];
    const uint64_t left_ns = at_most(in_s, REVTUN_SPOKE_SILENCE_MAX_S) * SECOND_NS;

    link->end_ns = now_ns + left_ns + link->dead_ns;
    if (index != spoke->main || spoke->phase != REVTUN_SPOKE_PHASE_SERVING) {
        return;
    }
    note_steady(spoke, now_ns, link);
    spoke->main = REVTUN_SPOKE_NOWHERE;
    spoke->connect_ns = now_ns + next_wait(spoke);
    make_room(spoke, now_ns, index);
    revtun_spoke_out_tell(spoke, &(struct revtun_spoke_news){
                                     .event = REVTUN_SPOKE_DRAINING,
                                     .wait_ns = left_ns,
                                 });
}

// --- the end of all ------------------------------------------------------------------------------

bool revtun_spoke_link_is_to_stop(const struct revtun_spoke *spoke)
{
    if (spoke->phase != REVTUN_SPOKE_PHASE_FADING || spoke->session_count > 0) {
        return false;
    }
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        if (spoke->links[i].state == REVTUN_SPOKE_LINK_CLOSING) {
            return false;
        }
    }
    return true;
}

void revtun_spoke_link_stop(struct revtun_spoke *spoke, uint64_t now_ns)
{
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        if (spoke->links[i].state != REVTUN_SPOKE_LINK_FREE) {
            revtun_spoke_link_end(spoke, now_ns, i, spoke->why, REVTUN_MESSAGE_CODE_SHUTDOWN);
            return;
        }
    }
    spoke->phase = REVTUN_SPOKE_PHASE_STOPPED;
    revtun_spoke_out_add(spoke, &(struct revtun_spoke_command){
                                    .type = REVTUN_SPOKE_STOP,
                                    .news = news_of_end(spoke, REVTUN_SPOKE_STOPPING),
                                });
}

// --- its time ------------------------------------------------------------------------------------

uint64_t revtun_spoke_link_deadline(const struct revtun_spoke_link *link)
{
    switch (link->state) {
    case REVTUN_SPOKE_LINK_HELLO:
        return link->since_ns + REVTUN_SPOKE_HELLO_S * SECOND_NS;
    case REVTUN_SPOKE_LINK_OPEN:
        return at_most(at_most(link->heard_ns + link->dead_ns, link->said_ns + link->ping_ns),
                       link->end_ns);
    case REVTUN_SPOKE_LINK_FREE:
    case REVTUN_SPOKE_LINK_DIALLED:
    case REVTUN_SPOKE_LINK_CLOSING:
        break;
    }
    return NEVER;
}

void revtun_spoke_link_expire(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index)
{
    struct revtun_spoke_link *link = &spoke->links[index];

    if (link->state == REVTUN_SPOKE_LINK_HELLO || now_ns - link->heard_ns >= link->dead_ns ||
        now_ns >= link->end_ns) {
        revtun_spoke_link_end(spoke, now_ns, index, REVTUN_SPOKE_SILENT,
                              REVTUN_MESSAGE_CODE_SILENT);
        return;
    }
    revtun_spoke_out_say(spoke, now_ns, index,
                         &(struct revtun_message){
                             .verb = REVTUN_MESSAGE_PING,
                             .ping = {.n = ++link->ping_count},
                         });
}

// SPDX-License-Identifier: Apache-2.0
#include "talk/talk.h"

#include <assert.h>
#include <string.h>

#include "talk/talk_hindrance.h"
#include "talk/talk_need.h"
#include "talk/talk_words.h"

const char *const talk_verdict_names[] = {"pass", "fail", "warn", "lacks", "skip"};
const char *const talk_severity_names[] = {"", "info", "low", "medium", "high"};

struct talk_client *talk_me(struct talk *talk)
{
    return &talk->clients[talk->me];
}

void talk_be(struct talk *talk, uint32_t client)
{
    assert(client < TALK_CLIENTS);
    talk->me = client;
}

struct bytes talk_payload(struct talk *talk, uint8_t *memory, size_t len)
{
    crypto_random_fill(&talk->random, memory, len);
    return (struct bytes){memory, len};
}

static void copy_text(char *to, struct bytes text)
{
    struct bytes fits = bytes_first(text, TALK_TEXT_MAX);

    if (fits.len > 0) {
        memcpy(to, fits.ptr, fits.len);
    }
    to[fits.len] = '\0';
}

void talk_decide(struct talk *talk, enum talk_verdict verdict, struct bytes expected,
                 struct bytes came)
{
    if (talk->is_decided) {
        return;
    }
    talk->is_decided = true;
    talk->verdict = verdict;
    talk->decided_by = talk->hindrance;
    copy_text(talk->expected, expected);
    copy_text(talk->came, came);
}

static enum talk_verdict verdict_of(enum talk_level level)
{
    switch (level) {
    case TALK_MUST:
        return TALK_FAIL;
    case TALK_SHOULD:
        return TALK_WARN;
    case TALK_MAY:
        return TALK_LACKS;
    }
    return TALK_FAIL;
}

void talk_fail(struct talk *talk, struct bytes expected, struct bytes came)
{
    talk_decide(talk, verdict_of(talk->check->level), expected, came);
}

void talk_weigh(struct talk *talk, enum talk_severity severity)
{
    if (!talk->is_decided) {
        talk->severity = severity;
    }
}

void talk_skip(struct talk *talk, const char *why)
{
    talk_decide(talk, TALK_SKIP, bytes_of_text(talk->check->rule), bytes_of_text(why));
}

void talk_open(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);

    if (client->is_open || talk->is_decided) {
        return;
    }
    client->has_held = false;
    client->is_open = talk->world->open(talk->world->self, &(struct addr){0}, &talk->target->server,
                                        &client->socket, &client->local);
    if (!client->is_open) {
        talk_skip(talk, "no socket can be opened");
    }
}

void talk_close(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);
    struct bytes username = client->username;
    struct bytes password = client->password;

    if (client->is_open) {
        talk->world->close(talk->world->self, client->socket);
    }
    *client = (struct talk_client){.username = username, .password = password};
}

static void note(struct talk *talk, bool is_sent, bool is_peer, uint32_t index,
                 const struct addr *with, struct bytes datagram)
{
    struct talk_log_entry entry;

    entry.is_sent = is_sent;
    entry.is_peer = is_peer;
    entry.index = (uint8_t)index;
    entry.at_ns = talk->world->now(talk->world->self).mono_ns - talk->begun_ns;
    entry.with = *with;
    talk_log_add(&talk->log, &entry, datagram);
}

void talk_send(struct talk *talk, struct bytes datagram)
{
    talk_open(talk);
    if (talk->is_decided) {
        return;
    }
    note(talk, true, false, talk->me, &talk->target->server, datagram);
    talk->world->send(talk->world->self, talk_me(talk)->socket, &talk->target->server, datagram);
}

void talk_send_from_peer(struct talk *talk, uint32_t peer, struct bytes data)
{
    const struct addr *relayed = &talk_me(talk)->relayed;

    assert(peer < TALK_PEERS);
    if (talk->is_decided) {
        return;
    }
    assert(talk->peers[peer].is_open);
    note(talk, true, true, peer, relayed, data);
    talk->world->send(talk->world->self, talk->peers[peer].socket, relayed, data);
}

// Which client or peer has the socket; false when none does.
static bool find_owner(const struct talk *talk, uint32_t socket, bool *is_peer, uint32_t *index)
{
    for (uint32_t i = 0; i < TALK_CLIENTS; i++) {
        if (talk->clients[i].is_open && talk->clients[i].socket == socket) {
            *is_peer = false;
            *index = i;
            return true;
        }
    }
    for (uint32_t i = 0; i < TALK_PEERS; i++) {
        if (talk->peers[i].is_open && talk->peers[i].socket == socket) {
            *is_peer = true;
            *index = i;
            return true;
        }
    }
    return false;
}

// Keeps a datagram until it is asked for; of too many the first is let go of.
static void keep(struct talk *talk, const struct talk_datagram *datagram)
{
    struct bytes fits = bytes_first(datagram->bytes, TALK_DATAGRAM_MAX);
    uint32_t index = 0;
    bool is_peer = false;
    size_t free_at = 0;

    if (!find_owner(talk, datagram->socket, &is_peer, &index)) {
        return;
    }
    note(talk, false, is_peer, index, &datagram->from, fits);
    talk->has_heard = talk->has_heard || addr_same_ip(&datagram->from, &talk->target->server);
    while (free_at < TALK_WAITING_MAX && talk->waiting[free_at].is_there) {
        free_at++;
    }
    if (free_at == TALK_WAITING_MAX) {
        free_at--;
        memmove(&talk->waiting[0], &talk->waiting[1], free_at * sizeof talk->waiting[0]);
    }
    struct talk_arrival *arrival = &talk->waiting[free_at];
    arrival->is_there = true;
    arrival->socket = datagram->socket;
    arrival->from = datagram->from;
    arrival->len = fits.len;
    if (fits.len > 0) {
        memcpy(arrival->bytes, fits.ptr, fits.len);
    }
}

static const struct talk_arrival *find(struct talk *talk, talk_match_fn is_it, void *arg)
{
    for (size_t i = 0; i < TALK_WAITING_MAX; i++) {
        struct talk_arrival *arrival = &talk->waiting[i];
        if (arrival->is_there && is_it(talk, arrival, arg)) {
            arrival->is_there = false;
            return arrival;
        }
    }
    return NULL;
}

const struct talk_arrival *talk_wait(struct talk *talk, uint64_t until_ns, talk_match_fn is_it,
                                     void *arg)
{
    struct talk_datagram datagram;
    const struct talk_arrival *found = find(talk, is_it, arg);

    while (found == NULL && talk->world->receive(talk->world->self, until_ns, &datagram)) {
        keep(talk, &datagram);
        found = find(talk, is_it, arg);
        // A server that never stops must not keep us for ever.
        if (found == NULL && talk->world->now(talk->world->self).mono_ns >= until_ns) {
            break;
        }
    }
    return found;
}

static bool is_nothing(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)talk;
    (void)arrival;
    (void)arg;
    return false;
}

void talk_sleep(struct talk *talk, uint64_t seconds)
{
    uint64_t until_ns = talk->world->now(talk->world->self).mono_ns + seconds * SECOND_NS;

    while (!talk->is_decided && talk->world->now(talk->world->self).mono_ns < until_ns) {
        IGNORE(talk_wait(talk, until_ns, is_nothing, NULL) != NULL); // nothing is waited for
    }
}

void talk_leftover_write(struct talk *talk, struct wr *wr)
{
    for (size_t i = 0; i < TALK_WAITING_MAX; i++) {
        const struct talk_arrival *arrival = &talk->waiting[i];
        if (!arrival->is_there) {
            continue;
        }
        wr_text(wr, "; there came from ");
        addr_write(wr, &arrival->from);
        wr_text(wr, ": ");
        talk_words_write(wr, (struct bytes){arrival->bytes, arrival->len});
        return;
    }
}

static void begin(struct talk *talk, const struct talk_check *check,
                  const struct talk_target *target, const struct talk_world *world)
{
    memset(talk, 0, sizeof *talk);
    talk->check = check;
    talk->severity = check->severity;
    talk->target = target;
    talk->world = world;
    talk->begun_ns = world->now(world->self).mono_ns;
    for (uint32_t i = 0; i < TALK_CLIENTS; i++) {
        talk->clients[i].username = target->username;
        talk->clients[i].password = target->password;
    }
}

static void close_all(struct talk *talk)
{
    for (uint32_t i = 0; i < TALK_CLIENTS; i++) {
        if (talk->clients[i].is_open) {
            talk->world->close(talk->world->self, talk->clients[i].socket);
            talk->clients[i].is_open = false;
        }
    }
    for (uint32_t i = 0; i < TALK_PEERS; i++) {
        if (talk->peers[i].is_open) {
            talk->world->close(talk->world->self, talk->peers[i].socket);
            talk->peers[i].is_open = false;
        }
    }
}

static void hold(struct talk *talk)
{
    talk->check->run(talk);
    talk_decide(talk, TALK_PASS, (struct bytes){0}, (struct bytes){0});
    const unsigned hindrances = talk->hindrances;
    talk_need_no_more(talk);
    talk->hindrances = hindrances;
    close_all(talk);
}

void talk_run(struct talk *talk, const struct talk_check *check, const struct talk_target *target,
              const struct talk_world *world, const uint8_t seed[CRYPTO_RANDOM_SEED_LEN])
{
    struct crypto_random random;
    uint32_t wait_s = 0;

    begin(talk, check, target, world);
    crypto_random_init(&talk->random, seed);
    hold(talk);
    for (uint32_t tries = 1; talk_hindrance_wants_more(talk, tries, &wait_s); tries++) {
        const bool asks_ip6 = talk->asks_ip6 || (talk->hindrances & 1U << TALK_IP4_MISSING) != 0;
        talk->is_decided = false;
        talk_sleep(talk, wait_s);
        random = talk->random; // no two requests have the same transaction
        begin(talk, check, target, world);
        talk->random = random;
        talk->asks_ip6 = asks_ip6;
        hold(talk);
    }
    talk_hindrance_tell(talk);
}

// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct world_server *server_of(struct world *w, uint64_t conn)
{
    for (size_t i = 0; i < WORLD_SERVERS; i++) {
        if (w->servers[i].is_up && w->servers[i].conn == conn) {
            return &w->servers[i];
        }
    }
    return NULL;
}

static uint32_t lines_in(const char *text)
{
    uint32_t count = 0;

    for (const char *at = strstr(text, "new_connection\r\n"); at != NULL;
         at = strstr(at + 1, "new_connection\r\n")) {
        count++;
    }
    return count;
}

static void obey_send(struct world *w, const struct revtun_command_send *send, const char *text)
{
    struct world_server *server = server_of(w, send->control);

    if (server == NULL) {
        return;
    }
    const size_t place = (size_t)(server - w->servers);
    for (uint32_t i = 0; i < lines_in(text); i++) {
        world_plan_life(w, world_below(w, 50) * MS, SERVER_READS, place);
    }
}

// The place of a client among the oracle's.
static size_t place_of(const struct world *w, uint64_t conn)
{
    const struct oracle_client *client = oracle_find(&w->oracle, conn);

    if (client == NULL) {
        world_fail(w, "there is no client %" PRIu64, conn);
    }
    return (size_t)(client - w->oracle.clients);
}

static void obey_join(struct world *w, const struct revtun_command_join *join)
{
    const size_t place = place_of(w, join->client);
    const struct oracle_client *client = &w->oracle.clients[place];

    if (memcmp(&join->session, &w->refs[place], sizeof join->session) != 0 ||
        join->pair != w->oracle.controls[client->control].pair ||
        join->waited_ns != w->now.mono_ns - client->since_ns ||
        !addr_equal(&join->from, &client->from)) {
        world_fail(w, "client %" PRIu64 " is not joined as what it is", join->client);
    }
    world_plan(w, world_below(w, 30 * SECOND_NS), CLIENT_GOES, place);
}

static void obey(struct world *w, const struct revtun_command *command, const char *text)
{
    struct world_server *server = NULL;

    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        obey_send(w, &command->send, text);
        return;
    case REVTUN_COMMAND_CLOSE:
        server = server_of(w, command->close.control);
        if (server != NULL) { // it learns of it later
            world_plan_life(w, world_below(w, 100) * MS, SERVER_LEAVES,
                            (size_t)(server - w->servers));
        }
        return;
    case REVTUN_COMMAND_JOIN:
        obey_join(w, &command->join);
        return;
    case REVTUN_COMMAND_END:
        if (memcmp(&command->end.session, &w->refs[place_of(w, command->end.client)],
                   sizeof command->end.session) != 0) {
            world_fail(w, "session %" PRIu64 " is ended as another", command->end.client);
        }
        world_plan(w, world_below(w, 5 * SECOND_NS), CLIENT_GOES, place_of(w, command->end.client));
        return;
    case REVTUN_COMMAND_REFUSE:
    case REVTUN_COMMAND_RESET:
    case REVTUN_COMMAND_REPORT:
        return;
    }
}

// Finds a command among those that are expected and have not come.
static void match(struct world *w, const struct revtun_command *command, const char *text,
                  bool is_ordered)
{
    for (size_t i = 0; i < w->oracle.expected_count; i++) {
        const char *expected = w->oracle.expected[i];
        if (!w->has_come[i] && strcmp(text, expected) == 0) {
            w->has_come[i] = true;
            return;
        }
        const bool is_end = strncmp(expected, "end ", 4) == 0;
        if (is_ordered && !w->has_come[i] && !is_end && command->type != REVTUN_COMMAND_END) {
            world_fail(w, "too early: %s", text);
        }
    }
    world_fail(w, "unexpected: %s", text);
}

// Takes the commands of a call. They come in the oracle's order, but for the ends of sessions, and
// for what several servers have due at once.
static void take(struct world *w, bool is_ordered)
{
    struct revtun_command command;
    char text[REVTUN_TEXT_MAX];

    while (revtun_relay_take(w->relay, &command)) {
        revtun_text_write(text, &command);
        if (w->is_verbose) {
            printf("              -> %s\n", text);
        }
        match(w, &command, text, is_ordered);
        cover_command(w->cover, text);
        obey(w, &command, text);
    }
}

// All that was expected has come; from here on nothing has.
static void check_all_came(struct world *w)
{
    for (size_t i = 0; i < w->oracle.expected_count; i++) {
        if (!w->has_come[i]) {
            world_fail(w, "did not come: %s", w->oracle.expected[i]);
        }
        w->has_come[i] = false;
    }
}

void judge_event(struct world *w)
{
    take(w, true);
    check_all_came(w);
}

void judge_state(const struct world *w)
{
    const struct revtun_gauges has = revtun_relay_gauges(w->relay);
    const struct revtun_gauges wanted = oracle_gauges(&w->oracle);

    if (memcmp(&has, &wanted, sizeof has) != 0) {
        world_fail(w,
                   "controls %" PRIu32 ", free %" PRIu32 ", waiting %" PRIu32 ", sessions %" PRIu32
                   "; not %" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32,
                   has.controls, has.pairs_free, has.waiting, has.sessions, wanted.controls,
                   wanted.pairs_free, wanted.waiting, wanted.sessions);
    }
    if (revtun_relay_deadline(w->relay) != oracle_deadline(&w->oracle)) {
        world_fail(w, "due at %" PRIu64 ", not %" PRIu64, revtun_relay_deadline(w->relay),
                   oracle_deadline(&w->oracle));
    }
    w->cover->events++;
}

// What is due happens; one call may not do all of it.
void judge_tick(struct world *w)
{
    int calls = 0;

    world_note(w, "due", 0);
    oracle_tick(&w->oracle, w->now.mono_ns);
    while (revtun_relay_deadline(w->relay) <= w->now.mono_ns) {
        revtun_relay_tick(w->relay, w->now);
        take(w, false);
        calls++;
    }
    check_all_came(w);
    w->cover->seen[COVER_TICK_TWICE] += calls > 1;
    judge_state(w);
}

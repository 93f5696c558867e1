// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/judge.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/revtun/hub/agents.h"

enum { TICKS_MAX = 2000 };

static bool is_of_version_2(enum revtun_event event)
{
    switch (event) {
    case REVTUN_EVENT_AGENT_UP:
    case REVTUN_EVENT_AGENT_DOWN:
    case REVTUN_EVENT_BOUND:
    case REVTUN_EVENT_UNBOUND:
    case REVTUN_EVENT_BIND_REFUSED:
    case REVTUN_EVENT_DENIED:
    case REVTUN_EVENT_NOBODY:
    case REVTUN_EVENT_FORGED:
    case REVTUN_EVENT_REFUSED:
    case REVTUN_EVENT_TIMED_OUT:
        return true;
    case REVTUN_EVENT_LINKED:
    case REVTUN_EVENT_FULL:
    case REVTUN_EVENT_SPOKE:
    case REVTUN_EVENT_LOST:
    case REVTUN_EVENT_AGAIN:
    case REVTUN_EVENT_FOREIGN:
    case REVTUN_EVENT_OTHER_FAMILY:
        break;
    }
    return false;
}

static struct bytes or_dash(struct bytes text)
{
    return text.len > 0 ? text : bytes_of_text("-");
}

// As revtun_text.h writes it, with more of reports, and a standing connection named as one.
static void describe(const struct revtun_command *command, char text[REVTUN_TEXT_MAX])
{
    const struct revtun_command_report *report = &command->report;

    if (command->type == REVTUN_COMMAND_JOIN && command->join.head.len > 0) {
        snprintf(text, REVTUN_TEXT_MAX, "join %" PRIu64 " standing=%" PRIu64, command->join.client,
                 command->join.reverse);
        return;
    }
    if (command->type == REVTUN_COMMAND_REPORT &&
        (report->event == REVTUN_EVENT_BOUND || report->event == REVTUN_EVENT_UNBOUND)) {
        snprintf(text, REVTUN_TEXT_MAX, "report %s %" PRIu64,
                 report->event == REVTUN_EVENT_BOUND ? "bound" : "unbound", report->control);
    } else {
        revtun_text_write(text, command);
    }
    if (command->type == REVTUN_COMMAND_REPORT && is_of_version_2(report->event)) {
        const bool has_code = report->event == REVTUN_EVENT_AGENT_DOWN ||
                              report->event == REVTUN_EVENT_UNBOUND ||
                              report->event == REVTUN_EVENT_BIND_REFUSED;
        const struct bytes owner = or_dash(report->owner);
        const struct bytes name = or_dash(report->name);
        const size_t len = strlen(text);
        snprintf(text + len, REVTUN_TEXT_MAX - len, " %.*s %.*s %u %s", (int)owner.len,
                 (const char *)owner.ptr, (int)name.len, (const char *)name.ptr, report->port,
                 has_code ? revtun_message_code_word(report->code) : "-");
    }
}

static void match(struct world *w, const char *text)
{
    for (size_t i = 0; i < w->oracle.expected_count; i++) {
        if (!w->has_come[i] && oracle_matches(w->oracle.expected[i], text)) {
            w->has_come[i] = true;
            return;
        }
    }
    world_fail(w, "unexpected: %s", text);
}

// Whether it is one of what the relay says when it likes.
static bool see(struct world *w, size_t link, const char *line)
{
    const char *wrong = NULL;
    uint64_t number = 0;

    if (strncmp(line, "new_connection ", strlen("new_connection ")) == 0) {
        char text[REVTUN_TEXT_MAX];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\r"), line);
        wrong = oracle_see_announcement(&w->oracle, link, text);
    } else if (sscanf(line, "standby id=%" SCNu64, &number) == 1) {
        wrong = oracle_see_standby(&w->oracle, link, number);
    } else if (sscanf(line, "ping n=%" SCNu64, &number) == 1) {
        wrong = number != w->oracle.links[link].said_len ? "a ping has another number"
                                                         : oracle_see_ping(&w->oracle, link);
    } else {
        return false;
    }
    if (wrong != NULL) {
        world_fail(w, "%s: %s", wrong, line);
    }
    return true;
}

static void obey_send(struct world *w, const struct revtun_command_send *send, const char *text)
{
    const size_t link = oracle_link_of(&w->oracle, send->control);
    const char *line = strchr(text + strlen("send "), ' ') + 1;

    if (link == ORACLE_NOBODY || !w->wires[link].is_up) {
        world_fail(w, "something is said to who is not there: %s", text);
    }
    if (strcmp(line + strlen(line) - 2, "\r\n") != 0 || strlen(line) != send->text.len) {
        world_fail(w, "not a line: %s", text);
    }
    if (!see(w, link, line)) {
        match(w, text);
    }
    oracle_see_line(&w->oracle, link, send->text.len);
    agents_are_told(w, link, line);
}

static void obey_join(struct world *w, const struct revtun_command_join *join, const char *text)
{
    const size_t place = oracle_client_of(&w->oracle, join->client);
    size_t link = 0;

    match(w, text);
    if (place == ORACLE_NOBODY) {
        world_fail(w, "there is no such client");
    }
    const struct oracle_client *client = &w->oracle.clients[place];
    if (memcmp(&join->session, &w->refs[place], sizeof join->session) != 0 ||
        join->waited_ns != w->now.mono_ns - client->since_ns ||
        !addr_equal(&join->from, &client->from)) {
        world_fail(w, "it is not joined as what it is: %s", text);
    }
    if (join->head.len > 0) {
        const struct oracle_stand *stand = oracle_stand_of(&w->oracle, join->reverse, &link);
        struct bytes line = {0};
        char line_text[REVTUN_TEXT_MAX];
        if (stand == NULL ||
            !seals_head(join->head, stand->preface, w->wires[link].exported, &line)) {
            world_fail(w, "the head is not authentic: %s", text);
        }
        snprintf(line_text, sizeof line_text, "%.*s", (int)line.len, (const char *)line.ptr);
        const char *wrong = oracle_see_standing(&w->oracle, join->client, join->reverse, line_text);
        if (wrong != NULL) {
            world_fail(w, "%s: %s with %s", wrong, text, line_text);
        }
    }
    world_plan(w, world_below(w, 40 * SECOND_NS), CLIENT_GOES, place);
}

static void obey(struct world *w, const struct revtun_command *command, const char *text)
{
    size_t place = 0;

    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        obey_send(w, &command->send, text);
        return;
    case REVTUN_COMMAND_JOIN:
        obey_join(w, &command->join, text);
        return;
    case REVTUN_COMMAND_CLOSE:
        match(w, text);
        place = oracle_link_of(&w->oracle, command->close.control);
        if (place != ORACLE_NOBODY) {
            agents_are_closed(w, place);
        }
        return;
    case REVTUN_COMMAND_END:
        match(w, text);
        place = oracle_client_of(&w->oracle, command->end.client);
        if (memcmp(&command->end.session, &w->refs[place], sizeof command->end.session) != 0) {
            world_fail(w, "it is ended as another: %s", text);
        }
        world_plan(w, world_below(w, 5 * SECOND_NS), CLIENT_GOES, place);
        return;
    case REVTUN_COMMAND_REFUSE:
    case REVTUN_COMMAND_RESET:
    case REVTUN_COMMAND_REPORT:
        match(w, text);
        return;
    }
}

static void take(struct world *w)
{
    struct revtun_command command;
    char text[REVTUN_TEXT_MAX];

    while (revtun_hub_take(w->hub, &command)) {
        describe(&command, text);
        if (w->is_verbose) {
            printf("              -> %s%s", text, text[strlen(text) - 1] == '\n' ? "" : "\n");
            fflush(stdout);
        }
        cover_command(w->cover, text);
        obey(w, &command, text);
    }
}

// --- what ends by itself before the hub has come to ending it ------------------------------------

// What is expected of an event and has not come, by its beginning; or NULL.
static char *find_open(struct world *w, const char *start)
{
    for (size_t i = 0; i < w->oracle.expected_count; i++) {
        if (!w->has_come[i] && strncmp(w->oracle.expected[i], start, strlen(start)) == 0) {
            return w->oracle.expected[i];
        }
    }
    return NULL;
}

// It is not to come any more.
static void drop(struct world *w, const char *expected)
{
    w->has_come[(expected - w->oracle.expected[0]) / ORACLE_TEXT_MAX] = true;
}

// Who was to be closed, or ended, has gone.
static bool client_forestalls(struct world *w)
{
    struct revtun_hub_stats *stats = &w->oracle.stats;
    const char *refuse = find_open(w, "refuse ");
    const char *end = find_open(w, "end ");
    const char *expected = refuse != NULL ? refuse : end;

    if (expected == NULL) {
        return false;
    }
    const size_t place = oracle_client_of(&w->oracle, strtoull(strchr(expected, ' '), NULL, 10));
    drop(w, expected);
    stats->hub_clients_cut -= refuse != NULL;
    stats->hub_clients_left += refuse != NULL;
    stats->hub_sessions_cut -= refuse == NULL;
    stats->hub_sessions_ended += refuse == NULL;
    w->oracle.clients[place].state = ORACLE_OVER;
    revtun_hub_gone(w->hub, w->now, w->refs[place]);
    return true;
}

// A control connection that was to be ended is lost.
static bool agent_forestalls(struct world *w)
{
    char start[32];
    char *down = find_open(w, "report agent down ");
    const char *code = down != NULL ? strrchr(down, ' ') : NULL;

    if (down == NULL || strcmp(code, " revoked") != 0) {
        return false;
    }
    const size_t link =
        oracle_link_of(&w->oracle, strtoull(down + strlen("report agent down "), NULL, 10));
    const struct world_wire *wire = &w->wires[link];
    snprintf(start, sizeof start, "send %" PRIu64 " bye ", wire->conn);
    drop(w, find_open(w, start));
    snprintf(start, sizeof start, "close %" PRIu64, wire->conn);
    drop(w, find_open(w, start));
    memcpy(strrchr(down, ' '), " other", sizeof " other");
    agents_are_closed(w, link);
    revtun_hub_link_down(w->hub, w->now, wire->link);
    return true;
}

static void forestall(struct world *w)
{
    const bool is_done = world_chance(w, 50) ? client_forestalls(w) : agent_forestalls(w);

    if (is_done) {
        world_note(w, "forestalled", 0);
        take(w);
        w->cover->seen[COVER_FORESTALLED]++;
    }
}

static void settle(struct world *w)
{
    int ticks = 0;

    while (revtun_hub_deadline(w->hub) <= w->now.mono_ns) {
        if (world_chance(w, 10) && !w->is_ticking) {
            forestall(w);
        }
        revtun_hub_tick(w->hub, w->now);
        take(w);
        if (++ticks > TICKS_MAX) {
            world_fail(w, "there is no end of what is due");
        }
    }
    w->cover->seen[COVER_TICK_TWICE] += ticks > 1;
}

static void check_gauges(const struct world *w)
{
    const struct revtun_hub_gauges has = revtun_hub_gauges(w->hub);
    const struct revtun_hub_gauges wants = oracle_gauges(&w->oracle);

    if (memcmp(&has, &wants, sizeof has) != 0) {
        world_fail(w,
                   "links %" PRIu32 ", agents %" PRIu32 ", services %" PRIu32 ", waiting %" PRIu32
                   ", sessions %" PRIu32 ", standing %" PRIu32 "; not %" PRIu32 ", %" PRIu32
                   ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32,
                   has.links, has.agents, has.services, has.waiting, has.sessions, has.standing,
                   wants.links, wants.agents, wants.services, wants.waiting, wants.sessions,
                   wants.standing);
    }
}

// The order in which ports rest that were left at once is the relay's.
static void learn_order(struct world *w)
{
    uint8_t text[ORACLE_PORTS * REVTUN_NAMES_LINE_MAX + 1];
    struct wr wr = wr_init(text, sizeof text - 1);
    struct oracle *oracle = &w->oracle;
    const uint64_t before = w->left_serial;
    uint64_t serial = oracle->left_serial;

    if (serial > before + 1) {
        revtun_names_write(revtun_hub_names(w->hub), w->now.wall_s, &wr);
        text[wr.len] = 0;
        for (const char *line = (const char *)text; *line != 0; line = strchr(line, '\n') + 1) {
            struct oracle_lease *lease = &oracle->leases[atoi(line) - WORLD_FIRST_PORT];
            lease->left = lease->left > before ? ++serial : lease->left;
        }
        oracle->left_serial = serial;
    }
    w->left_serial = oracle->left_serial;
}

static void check(struct world *w)
{
    const uint64_t *has = (const uint64_t *)revtun_hub_stats(w->hub);
    const uint64_t *wants = (const uint64_t *)&w->oracle.stats;

    for (size_t i = 0; i < w->oracle.expected_count; i++) {
        if (!w->has_come[i]) {
            world_fail(w, "did not come: %s", w->oracle.expected[i]);
        }
    }
    const char *missed = oracle_missed(&w->oracle);
    if (missed != NULL) {
        world_fail(w, "did not come: %s", missed);
    }
    for (size_t i = 0; i < REVTUN_HUB_STATS_COUNT; i++) {
        if (has[i] != wants[i]) {
            world_fail(w, "%s is %" PRIu64 ", not %" PRIu64, revtun_hub_stats_metrics[i].name,
                       has[i], wants[i]);
        }
    }
    check_gauges(w);
    learn_order(w);
    memset(w->has_come, 0, w->oracle.expected_count * sizeof w->has_come[0]);
    w->oracle.expected_count = 0;
    w->cover->events++;
}

void judge_event(struct world *w)
{
    take(w);
    settle(w);
    check(w);
}

void judge_tick(struct world *w)
{
    world_note(w, "due", 0);
    oracle_tick(&w->oracle);
    w->is_ticking = true;
    settle(w);
    w->is_ticking = false;
    check(w);
}

// --- leases --------------------------------------------------------------------------------------

static bool is_shown(const struct world *w, const struct oracle_lease *lease)
{
    const bool is_over = lease->state == ORACLE_RESTS && w->now.wall_s >= lease->released_s &&
                         w->now.wall_s - lease->released_s >= (int64_t)w->config.lease_s;
    return lease->state != ORACLE_FREE && !is_over;
}

size_t judge_leases(struct world *w, uint8_t *text, size_t room)
{
    struct wr wr = wr_init(text, room - 1);
    char line[REVTUN_NAMES_LINE_MAX + 1];
    size_t len = 0;

    revtun_names_write(revtun_hub_names(w->hub), w->now.wall_s, &wr);
    text[wr.len] = 0;
    for (size_t i = 0; i < w->config.port_count; i++) {
        const struct oracle_lease *lease = &w->oracle.leases[i];
        if (!is_shown(w, lease)) {
            continue;
        }
        snprintf(line, sizeof line, "%zu %s %s %" PRId64 "\n", WORLD_FIRST_PORT + i,
                 oracle_owner_names[lease->owner], lease->name,
                 lease->state == ORACLE_RESTS ? lease->released_s : 0);
        if (strstr((const char *)text, line) == NULL) {
            world_fail(w, "the leases are not these:\n%swithout %s", (const char *)text, line);
        }
        len += strlen(line);
    }
    if (!wr_ok(&wr) || len != wr.len) {
        world_fail(w, "there are more leases than these:\n%s", (const char *)text);
    }
    return wr.len;
}

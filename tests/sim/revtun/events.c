// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/events.h"

#include <inttypes.h>
#include <string.h>

#include "sim/revtun/judge.h"

static void server_comes(struct world *w, size_t place)
{
    struct world_server *server = &w->servers[place];

    if (server->is_up) {
        return;
    }
    server->is_up = true;
    server->is_stopped = false;
    server->unread_count = 0;
    server->conn = w->next_conn++;
    oracle_up(&w->oracle, server->conn, &server->addr);
    server->pair =
        w->oracle.controls[w->oracle.control_count > 0 ? w->oracle.control_count - 1 : 0].pair;
    server->control = revtun_relay_control_up(w->relay, w->now, server->conn, &server->addr);
    judge_event(w);
    if (server->control.index == POOL_NONE || w->is_calm) {
        return;
    }
    world_plan_life(w, world_below(w, 120 * SECOND_NS), SERVER_LEAVES, place);
    if (rng_chance(&w->rng, 30)) {
        world_plan_life(w, world_below(w, 60 * SECOND_NS), SERVER_STOPS, place);
    }
    if (rng_chance(&w->rng, 30)) {
        world_plan_life(w, world_below(w, 60 * SECOND_NS), SERVER_SPEAKS, place);
    }
}

void events_server_leaves(struct world *w, size_t place)
{
    struct world_server *server = &w->servers[place];

    oracle_down(&w->oracle, server->conn);
    w->cover->seen[COVER_STALE] += w->oracle.expected_count == 0;
    revtun_relay_control_down(w->relay, w->now, server->control);
    judge_event(w);
    server->is_up = false;
    world_plan(w, world_below(w, w->is_calm ? WORLD_CALM_S * SECOND_NS : 10 * SECOND_NS),
               SERVER_COMES, place);
}

static void server_speaks(struct world *w, size_t place)
{
    static uint8_t text[16400];
    const struct world_server *server = &w->servers[place];
    size_t len = 1 + world_below(w, 3);

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = 'x';
    }
    if (rng_chance(&w->rng, 10)) {
        len = 16380 + world_below(w, 10);
    }
    for (size_t i = 0; i < 3; i++) {
        text[i] = (uint8_t) "\r\nx"[world_below(w, 3)];
    }
    const struct bytes bytes = {text, len};
    // The oracle keeps up to ORACLE_SAID_MAX bytes.
    if (len > 3) {
        world_plan_life(w, world_below(w, SECOND_NS), SERVER_LEAVES, place);
    } else {
        world_plan_life(w, world_below(w, 10 * SECOND_NS), SERVER_SPEAKS, place);
    }
    oracle_read(&w->oracle, server->conn, bytes);
    revtun_relay_control_read(w->relay, w->now, server->control, bytes);
    judge_event(w);
}

// A line has been read: the server dials, or does not get through.
static void server_reads(struct world *w, size_t place)
{
    struct world_server *server = &w->servers[place];

    if (server->is_stopped) {
        server->unread_count++;
        return;
    }
    if (!w->is_calm && rng_chance(&w->rng, server->fail_percent)) {
        w->cover->seen[COVER_DIAL_FAILED]++;
        return;
    }
    const uint64_t slow_ns = rng_chance(&w->rng, 3) ? world_below(w, 30 * SECOND_NS) : 0;
    world_plan_life(w, world_below(w, 100) * MS + slow_ns, DIAL, place)->pair = server->pair;
}

void events_server_goes_on(struct world *w, size_t place)
{
    struct world_server *server = &w->servers[place];

    w->cover->seen[COVER_STOPPED]++;
    server->is_stopped = false;
    for (; server->unread_count > 0; server->unread_count--) {
        server_reads(w, place);
    }
}

static void reverse(struct world *w, uint32_t pair, const struct addr *from)
{
    const uint64_t conn = w->next_conn++;

    oracle_reverse(&w->oracle, pair, conn, from);
    const char *first = w->oracle.expected[0];
    w->cover->seen[COVER_UNEXPECTED] +=
        strncmp(first, "refuse ", 7) == 0 && first[strlen(first) - 1] == ' ';
    revtun_relay_reverse(w->relay, w->now, pair, conn, from);
    judge_event(w);
}

static void dial(struct world *w, const struct world_event *event)
{
    const struct world_server *server = &w->servers[event->who];

    w->cover->seen[COVER_DIAL_LATE] += !server->is_up || server->conn != event->life;
    reverse(w, event->pair, &server->dialer);
}

static void client_comes(struct world *w)
{
    const uint32_t pair = (uint32_t)world_below(w, w->config.pair_count);
    const struct addr from = world_any_host(w);
    const uint64_t conn = w->next_conn++;
    const size_t place = w->oracle.client_count;

    if (place == ORACLE_CLIENTS) {
        return;
    }
    oracle_client(&w->oracle, w->now.mono_ns, pair, conn, &from);
    const bool is_in = w->oracle.client_count > place;
    w->cover->seen[COVER_WITHHELD] += is_in && w->oracle.expected_count == 0;
    const struct pool_ref ref = revtun_relay_client(w->relay, w->now, pair, conn, &from);
    if ((ref.index != POOL_NONE) != is_in) {
        world_fail(w, "client %" PRIu64 " is named though it is refused, or the other way round",
                   conn);
    }
    if (is_in) {
        w->refs[place] = ref;
    }
    judge_event(w);
    if (is_in && rng_chance(&w->rng, 20)) {
        world_plan(w, world_below(w, 3) * world_below(w, 20 * SECOND_NS), CLIENT_GOES, place);
    }
}

static void crowd_comes(struct world *w)
{
    const uint64_t more = rng_chance(&w->rng, 5) ? world_below(w, 40) : 0;

    client_comes(w);
    for (uint64_t i = 0; i < more; i++) {
        world_plan(w, world_below(w, SECOND_NS), CLIENT_COMES, 0);
    }
    world_plan(w, world_below(w, w->pause_ns), CROWD_COMES, 0);
}

static void stray(struct world *w)
{
    const struct addr from = world_any_host(w);

    reverse(w, (uint32_t)world_below(w, w->config.pair_count), &from);
    world_plan(w, world_below(w, 20 * SECOND_NS), STRAY, 0);
}

void events_client_goes(struct world *w, size_t place)
{
    const struct oracle_client *client = &w->oracle.clients[place];

    w->cover->seen[COVER_STALE] += client->state == ORACLE_OVER;
    w->cover->seen[COVER_RESET_WAITING] += client->state == ORACLE_WAITS;
    oracle_gone(&w->oracle, client->conn);
    revtun_relay_gone(w->relay, w->now, w->refs[place]);
    judge_event(w);
}

static void reload(struct world *w)
{
    world_choose_terms(w, &w->config);
    w->config.host = bytes_of_text("192.0.2.77");
    revtun_relay_adopt(w->relay, w->now, &w->config);
    w->oracle.config = w->config;
    w->oracle.expected_count = 0;
    judge_event(w);
    w->cover->seen[COVER_RELOADED]++;
}

bool events_is_alive(const struct world *w, const struct world_event *event)
{
    switch (event->kind) {
    case SERVER_LEAVES:
    case SERVER_SPEAKS:
    case SERVER_STOPS:
    case SERVER_GOES_ON:
    case SERVER_READS:
        return w->servers[event->who].is_up && w->servers[event->who].conn == event->life;
    case SERVER_COMES:
    case DIAL:
    case CROWD_COMES:
    case CLIENT_COMES:
    case CLIENT_GOES:
    case STRAY:
    case RELOAD:
        break;
    }
    return true;
}

void events_happen(struct world *w, const struct world_event *event)
{
    static const char *const names[] = {"server comes", "server leaves",  "server speaks",
                                        "server stops", "server goes on", "server reads",
                                        "dial of",      "crowd comes",    "client comes",
                                        "client goes",  "stray",          "reload"};

    world_note(w, names[event->kind], event->who);
    switch (event->kind) {
    case SERVER_COMES:
        server_comes(w, event->who);
        break;
    case SERVER_LEAVES:
        events_server_leaves(w, event->who);
        break;
    case SERVER_SPEAKS:
        server_speaks(w, event->who);
        break;
    case SERVER_STOPS:
        w->servers[event->who].is_stopped = true;
        world_plan_life(w, world_below(w, 60 * SECOND_NS), SERVER_GOES_ON, event->who);
        break;
    case SERVER_GOES_ON:
        events_server_goes_on(w, event->who);
        break;
    case SERVER_READS:
        server_reads(w, event->who);
        break;
    case DIAL:
        dial(w, event);
        break;
    case CROWD_COMES:
        crowd_comes(w);
        break;
    case CLIENT_COMES:
        client_comes(w);
        break;
    case CLIENT_GOES:
        events_client_goes(w, event->who);
        break;
    case STRAY:
        stray(w);
        break;
    case RELOAD:
        reload(w);
        break;
    }
    judge_state(w);
}

// SPDX-License-Identifier: Apache-2.0
// revtun_meeting: a relay's core and the machines of its servers talk to one another, one world for
// each seed: what the one says in pieces of any size, the other understands, and whatever is lost
// on the way, all clients are served in the end.
//
// More servers than pairs come, connections break, dials fail, clients come and go; then, for
// CALM_S, nothing fails, and nobody new comes.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "revtun/revtun_agent.h"
#include "revtun/revtun_pairs.h"
#include "revtun/revtun_relay.h"
#include "support/rng.h"

enum {
    WORLDS = 400,
    AGENTS = 4,
    PAIRS = 3,
    CLIENTS = 48,
    CONNECTION_MAX = 8, // of an agent
    EVENTS = 2048,      // that are to happen at a time
    STORM_S = 120,
    CALM_S = 200,
    TEXT_MAX = 1024,
    PORT = 5000,
};

#define MS UINT64_C(1000000)

enum kind {
    CONNECTED, // an agent's control connection, or not
    HEARD,     // bytes from the relay, or its end if there are none
    HUNG_UP,   // the agent's end of it, at the relay
    DIALLED,   // a reverse connection arrives, or fails
    TURNED_AWAY,
    CLIENT_COMES,
    CLIENT_GOES,
    BREAKS, // a control connection
};

struct event {
    uint64_t at_ns;
    enum kind kind;
    size_t who;
    uint64_t life; // of the agent's control connection, or of the client
    uint16_t port;
    size_t text_len;
    char text[TEXT_MAX];
};

struct agent {
    struct revtun_agent core;
    struct addr addr;
    uint64_t conn; // of its control connection; 0: it has none
    uint64_t heard_ns;
    bool is_linked; // the relay knows it
    struct pool_ref control;
    uint32_t dialling;
    uint32_t turned_away; // at the relay, and have not heard it
    uint32_t joined;
};

struct client {
    uint64_t conn; // 0: it is not there
    struct pool_ref ref;
    uint32_t pair;
    size_t agent; // AGENTS: it waits
};

static struct {
    uint64_t seed;
    struct rng rng;
    struct now now;
    struct revtun_relay *relay;
    uint64_t next_conn;
    uint64_t dial_conn; // of the reverse connection that arrives just now
    size_t dial_agent;
    bool is_dial_settled;
    bool is_calm;
    struct agent agents[AGENTS];
    struct client clients[CLIENTS];
    struct event events[EVENTS];
    size_t event_count;
    uint64_t join_count;
} world;

static void hold(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "revtun_meeting --seed %" PRIu64 ": %s\n", world.seed, what);
        abort();
    }
}

static struct event *plan(uint64_t in_ns, enum kind kind, size_t who, uint64_t life)
{
    hold(world.event_count < EVENTS, "too many events");
    struct event *event = &world.events[world.event_count++];
    *event = (struct event){
        .at_ns = world.now.mono_ns + in_ns,
        .kind = kind,
        .who = who,
        .life = life,
    };
    return event;
}

static uint64_t delay(void)
{
    return 1 + rng_below(&world.rng, 200 * MS);
}

static bool fails(unsigned percent)
{
    return !world.is_calm && rng_chance(&world.rng, percent);
}

static struct agent *agent_of(uint64_t conn)
{
    for (size_t i = 0; i < AGENTS; i++) {
        if (world.agents[i].conn == conn) {
            return &world.agents[i];
        }
    }
    return NULL;
}

static struct client *client_of(uint64_t conn)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (world.clients[i].conn == conn) {
            return &world.clients[i];
        }
    }
    return NULL;
}

// --- an agent's commands -------------------------------------------------------------------------

static void obey_agents(void)
{
    for (size_t i = 0; i < AGENTS; i++) {
        struct agent *agent = &world.agents[i];
        struct revtun_agent_command command;

        while (revtun_agent_take(&agent->core, &command)) {
            switch (command.type) {
            case REVTUN_AGENT_CONNECT:
                hold(agent->conn == 0, "one connection at a time");
                agent->conn = ++world.next_conn;
                plan(delay(), CONNECTED, i, agent->conn);
                break;
            case REVTUN_AGENT_CLOSE:
                plan(delay(), HUNG_UP, i, agent->conn);
                agent->conn = 0;
                revtun_agent_down(&agent->core, world.now.mono_ns, (uint32_t)rng_next(&world.rng));
                break;
            case REVTUN_AGENT_DIAL:
                agent->dialling++;
                plan(delay(), DIALLED, i, agent->conn)->port = command.address.port;
                break;
            case REVTUN_AGENT_ABANDON:
                for (; agent->dialling > 0; agent->dialling--) {
                    revtun_agent_ended(&agent->core);
                }
                break;
            case REVTUN_AGENT_STOP:
                hold(false, "it never gives up");
                break;
            case REVTUN_AGENT_WAIT:
            case REVTUN_AGENT_PUBLISH:
            case REVTUN_AGENT_CROWDED:
                break;
            }
        }
        hold(agent->core.connection_count == agent->dialling + agent->turned_away + agent->joined,
             "each connection is known");
        hold(agent->core.connection_count <= CONNECTION_MAX, "no more than may be");
    }
}

// --- the relay's commands ------------------------------------------------------------------------

// Behind what was said before.
static struct event *plan_heard(struct agent *agent)
{
    const uint64_t at_ns = world.now.mono_ns + delay();

    agent->heard_ns = at_ns > agent->heard_ns ? at_ns : agent->heard_ns + 1;
    return plan(agent->heard_ns - world.now.mono_ns, HEARD, (size_t)(agent - world.agents),
                agent->conn);
}

// Its session is over.
static void end_client(struct client *client)
{
    if (client->agent < AGENTS) {
        world.agents[client->agent].joined--;
        revtun_agent_ended(&world.agents[client->agent].core);
    }
    revtun_relay_gone(world.relay, world.now, client->ref);
    *client = (struct client){.conn = 0, .agent = AGENTS};
}

static void refuse(uint64_t conn)
{
    struct client *client = client_of(conn);

    if (client != NULL) {
        *client = (struct client){.conn = 0, .agent = AGENTS};
        return;
    }
    hold(conn == world.dial_conn, "somebody is refused");
    world.agents[world.dial_agent].turned_away++;
    plan(delay(), TURNED_AWAY, world.dial_agent, 0);
    world.is_dial_settled = true;
}

static void join(const struct revtun_command_join *join)
{
    struct client *client = client_of(join->client);
    struct agent *agent = &world.agents[world.dial_agent];

    hold(join->reverse == world.dial_conn, "who arrives is joined");
    hold(client != NULL && client->agent == AGENTS, "a client that waits is joined");
    hold(client->pair == join->pair, "at its own pair");
    hold(agent->core.public.port == revtun_pairs_public_port(PORT, PAIRS, client->pair),
         "with the server of its public port");
    client->agent = world.dial_agent;
    agent->joined++;
    world.is_dial_settled = true;
    world.join_count++;
}

static void obey_relay(void)
{
    struct revtun_command command;

    while (revtun_relay_take(world.relay, &command)) {
        struct agent *agent = NULL;
        struct event *event = NULL;

        switch (command.type) {
        case REVTUN_COMMAND_SEND:
            agent = agent_of(command.send.control);
            if (agent != NULL) {
                event = plan_heard(agent);
                hold(command.send.text.len <= TEXT_MAX, "few words at a time");
                memcpy(event->text, command.send.text.ptr, command.send.text.len);
                event->text_len = command.send.text.len;
            }
            break;
        case REVTUN_COMMAND_CLOSE:
            agent = agent_of(command.close.control);
            if (agent != NULL) {
                agent->is_linked = false;
                plan_heard(agent);
            }
            break;
        case REVTUN_COMMAND_REFUSE:
            refuse(command.refuse.conn);
            break;
        case REVTUN_COMMAND_RESET:
            refuse(command.reset.conn);
            break;
        case REVTUN_COMMAND_JOIN:
            join(&command.join);
            break;
        case REVTUN_COMMAND_END:
            hold(client_of(command.end.client) != NULL, "a session ends");
            plan(1, CLIENT_GOES, (size_t)(client_of(command.end.client) - world.clients),
                 command.end.client);
            break;
        case REVTUN_COMMAND_REPORT:
            break;
        }
    }
}

// --- what happens --------------------------------------------------------------------------------

static void lose(struct agent *agent)
{
    if (agent->is_linked) {
        agent->is_linked = false;
        revtun_relay_control_down(world.relay, world.now, agent->control);
    }
    agent->conn = 0;
    revtun_agent_down(&agent->core, world.now.mono_ns, (uint32_t)rng_next(&world.rng));
}

static void connected(struct agent *agent)
{
    if (fails(20)) {
        lose(agent);
        return;
    }
    revtun_agent_up(&agent->core, world.now.mono_ns);
    agent->control = revtun_relay_control_up(world.relay, world.now, agent->conn, &agent->addr);
    agent->is_linked = agent->control.index != POOL_NONE;
    if (agent->is_linked && !world.is_calm) {
        plan(rng_below(&world.rng, 40 * SECOND_NS), BREAKS, (size_t)(agent - world.agents),
             agent->conn);
    }
}

static void heard(struct agent *agent, const struct event *event)
{
    struct bytes text = {(const uint8_t *)event->text, event->text_len};

    if (text.len == 0) {
        lose(agent);
        return;
    }
    while (text.len > 0) {
        const struct bytes part = bytes_first(text, 1 + rng_below(&world.rng, text.len));
        revtun_agent_read(&agent->core, world.now.mono_ns, part);
        text = bytes_from(text, part.len);
    }
}

static void dialled(struct agent *agent, uint16_t port)
{
    agent->dialling--;
    if (fails(30)) {
        revtun_agent_ended(&agent->core);
        return;
    }
    world.dial_conn = ++world.next_conn;
    world.dial_agent = (size_t)(agent - world.agents);
    world.is_dial_settled = false;
    revtun_relay_reverse(world.relay, world.now, port - PORT - 1U, world.dial_conn, &agent->addr);
    obey_relay();
    hold(world.is_dial_settled, "something becomes of a reverse connection");
}

static void client_comes(void)
{
    static const uint8_t ip[] = {198, 51, 100, 7};
    const struct addr from = addr_ip4(ip, 4711);
    struct client *client = client_of(0);

    if (client != NULL) {
        client->conn = ++world.next_conn;
        client->agent = AGENTS;
        client->pair = (uint32_t)rng_below(&world.rng, PAIRS);
        client->ref =
            revtun_relay_client(world.relay, world.now, client->pair, client->conn, &from);
        if (client->ref.index != POOL_NONE) {
            plan(rng_below(&world.rng, 60 * SECOND_NS), CLIENT_GOES,
                 (size_t)(client - world.clients), client->conn);
        }
    }
    if (!world.is_calm) {
        plan(rng_below(&world.rng, SECOND_NS), CLIENT_COMES, 0, 0);
    }
}

static void happen(const struct event *event)
{
    struct agent *agent = &world.agents[event->who % AGENTS];
    const bool is_former = agent->conn != event->life;

    switch (event->kind) {
    case CONNECTED:
        hold(!is_former, "who connects waits for it");
        connected(agent);
        break;
    case HEARD:
        if (!is_former) {
            heard(agent, event);
        }
        break;
    case HUNG_UP:
        if (agent->is_linked && agent->conn == 0) {
            agent->is_linked = false;
            revtun_relay_control_down(world.relay, world.now, agent->control);
        }
        break;
    case DIALLED:
        if (!is_former) {
            dialled(agent, event->port);
        }
        break;
    case TURNED_AWAY:
        agent->turned_away--;
        revtun_agent_ended(&agent->core);
        break;
    case CLIENT_COMES:
        client_comes();
        break;
    case CLIENT_GOES:
        if (world.clients[event->who].conn != event->life) {
            break;
        }
        if (world.is_calm && world.clients[event->who].agent == AGENTS) {
            plan(SECOND_NS, CLIENT_GOES, event->who, event->life); // not before it was served
        } else {
            end_client(&world.clients[event->who]);
        }
        break;
    case BREAKS:
        if (!is_former && !world.is_calm) {
            lose(agent);
        }
        break;
    }
}

// --- time ----------------------------------------------------------------------------------------

static size_t earliest(void)
{
    size_t first = 0;

    for (size_t i = 1; i < world.event_count; i++) {
        first = world.events[i].at_ns < world.events[first].at_ns ? i : first;
    }
    return first;
}

static void obey_all(void)
{
    obey_relay();
    obey_agents();
    obey_relay();
}

static void tick(void)
{
    while (revtun_relay_deadline(world.relay) <= world.now.mono_ns) {
        revtun_relay_tick(world.relay, world.now);
        obey_relay();
    }
    for (size_t i = 0; i < AGENTS; i++) {
        revtun_agent_tick(&world.agents[i].core, world.now.mono_ns);
    }
    obey_all();
}

static void live_until(uint64_t end_ns)
{
    while (true) {
        uint64_t next_ns = revtun_relay_deadline(world.relay);
        const size_t first = earliest();
        const uint64_t event_ns = world.event_count > 0 ? world.events[first].at_ns : NEVER;

        for (size_t i = 0; i < AGENTS; i++) {
            const uint64_t agent_ns = revtun_agent_deadline(&world.agents[i].core);
            next_ns = agent_ns < next_ns ? agent_ns : next_ns;
        }
        next_ns = event_ns < next_ns ? event_ns : next_ns;
        if (next_ns > end_ns) {
            world.now.mono_ns = end_ns;
            return;
        }
        world.now.mono_ns = next_ns > world.now.mono_ns ? next_ns : world.now.mono_ns;
        tick();
        if (event_ns <= world.now.mono_ns) {
            const struct event event = world.events[first];
            world.events[first] = world.events[--world.event_count];
            happen(&event);
            obey_all();
        }
    }
}

static void judge_the_end(void)
{
    uint32_t serving = 0;

    for (size_t i = 0; i < AGENTS; i++) {
        serving += world.agents[i].core.state == REVTUN_AGENT_SERVING;
        hold(world.agents[i].core.owed_count == 0, "nothing is owed");
        hold(world.agents[i].dialling == 0, "nobody is dialled for those who are gone");
    }
    hold(serving == PAIRS, "each pair has a server");
    hold(revtun_relay_gauges(world.relay).waiting == 0, "nobody waits");
}

static void run(uint64_t seed)
{
    struct revtun_config config = revtun_config_default();
    uint8_t secret[REVTUN_RELAY_SEED_LEN] = {7};

    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.rng = rng_init(seed);
    world.now.mono_ns = 1000 * SECOND_NS;
    config.control_port = PORT;
    config.pair_count = PAIRS;
    config.host = bytes_of_text("192.0.2.1");
    void *memory = calloc(1, revtun_relay_size(&config));
    assert(memory != NULL);
    world.relay = revtun_relay_init(memory, &config, secret);
    for (size_t i = 0; i < AGENTS; i++) {
        const uint8_t ip[] = {203, 0, 113, (uint8_t)(1 + i)};
        world.agents[i].addr = addr_ip4(ip, 1);
        revtun_agent_init(&world.agents[i].core,
                          &(struct revtun_agent_config){REVTUN_AGENT_RETRY_ALWAYS, CONNECTION_MAX});
    }
    plan(delay(), CLIENT_COMES, 0, 0);
    obey_all();
    live_until(world.now.mono_ns + STORM_S * SECOND_NS);
    world.is_calm = true;
    live_until(world.now.mono_ns + CALM_S * SECOND_NS);
    judge_the_end();
    free(memory);
}

int main(int argc, char **argv)
{
    const bool is_one = argc == 3 && strcmp(argv[1], "--seed") == 0;
    uint64_t seed = is_one ? strtoull(argv[2], NULL, 0) : 1;
    uint64_t join_count = 0;

    for (uint64_t count = is_one ? 1 : WORLDS; count > 0; count--) {
        run(seed++);
        join_count += world.join_count;
    }
    printf("%" PRIu64 " clients were joined with their servers\n", join_count);
    return 0;
}

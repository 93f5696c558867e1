// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_judge.h"
#include "sim/sim_world.h"

static struct sim_judge judge_of(struct sim_world *world)
{
    return (struct sim_judge){&world->trace, &world->oracle, world->now, 0};
}

// A heap block of exactly this size, so that AddressSanitizer sees every byte too far.
static void *copy_of(const void *from, size_t len)
{
    void *to = malloc(len > 0 ? len : 1);

    assert(to != NULL);
    memcpy(to, from, len);
    return to;
}

void sim_server_init(struct sim_server *server, struct sim_world *world, unsigned shard)
{
    struct turn_config config = world->setup.config;
    uint8_t seed[TURN_SERVER_SEED_LEN];

    config.shard_index = shard;
    config.commons = world->commons;
    config.policy = world->policy;
    rng_fill(&world->rng, seed, sizeof seed);
    void *realm = copy_of(config.realm.ptr, config.realm.len);
    void *users = copy_of(config.users, config.user_count * sizeof *config.users);
    void *rules = copy_of(config.rules, config.rule_count * sizeof *config.rules);
    void *secrets =
        copy_of(config.auth_secrets, config.auth_secret_count * sizeof *config.auth_secrets);
    void *own = copy_of(config.own_addrs, config.own_addr_count * sizeof *config.own_addrs);
    config.realm.ptr = realm;
    config.users = users;
    config.rules = rules;
    config.auth_secrets = secrets;
    config.own_addrs = own;
    server->shard = shard;
    server->memory = calloc(1, turn_server_size(&config));
    assert(server->memory != NULL);
    server->turn = turn_server_init(server->memory, &config, seed);
    free(realm);
    free(users);
    free(rules);
    free(secrets);
    free(own);
}

void sim_server_deinit(struct sim_server *server)
{
    turn_server_deinit(server->turn);
    free(server->memory);
}

// --- commands -----------------------------------------------------------------------------------

static void send(struct sim_world *world, const struct turn_command_send *command,
                 struct sim_expect *expect, size_t request_len)
{
    struct sim_judge judge = judge_of(world);

    judge.request_len = request_len;
    sim_trace_packet(&world->trace, "server: response", &command->tuple.server,
                     &command->tuple.client, command->message);
    if (expect == NULL || expect->kind != SIM_EXPECT_RESPONSE) {
        sim_trace_fail(&world->trace, "a response that nothing asked for");
    }
    sim_judge_response(&judge, expect, command);
    expect->kind = SIM_EXPECT_NOTHING;
    sim_link_send(world, &command->tuple.server, &command->tuple.client, command->message);
}

static void open(struct sim_server *server, struct sim_world *world,
                 const struct turn_command_socket *command, struct sim_expect *expect)
{
    struct turn_command more;

    sim_trace_note(&world->trace, "server: open", &command->relayed, command->allocation.index);
    if (expect == NULL || expect->kind != SIM_EXPECT_OPEN) {
        sim_trace_fail(&world->trace, "a socket that nothing asked for");
    }
    const char *fault = sim_oracle_port_fault(&world->oracle, expect, &command->relayed);
    if (fault != NULL) {
        sim_trace_fail(&world->trace, "%s", fault);
    }
    if (turn_server_take(server->turn, &more)) {
        sim_trace_fail(&world->trace, "TURN_COMMAND_OPEN is not the last command");
    }
    expect->opening_port = command->relayed.port;
    enum turn_opened opened = sim_system_open(world, server->shard, command);
    sim_trace_note(&world->trace, "system: opened", &command->relayed, opened);
    const struct sim_name name = {server->shard, command->allocation};
    sim_oracle_opened(&world->oracle, world->now, opened, name, expect);
    turn_server_opened(server->turn, world->now, command->allocation, opened);
}

static void check_report(struct sim_world *world, const struct turn_command_report *report,
                         struct sim_expect *expect)
{
    struct sim_judge judge = judge_of(world);

    sim_trace_note(&world->trace, "server: report", &report->tuple.client, report->event);
    sim_judge_report(&judge, expect, report);
    if (report->event != TURN_EVENT_ALLOCATED) {
        return;
    }
    if (expect == NULL || !bytes_equal(report->username, expect->name) ||
        report->lifetime_s != expect->lifetime_s ||
        report->relayed.port != world->oracle.allocations[expect->allocation].port) {
        sim_trace_fail(&world->trace, "the report of an allocation is wrong");
    }
}

static void take_wake(struct sim_world *world, unsigned shard, struct sim_expect *expect)
{
    sim_trace_note(&world->trace, "server: wake", NULL, shard);
    if (expect == NULL || !expect->is_waking || shard != expect->woken) {
        sim_trace_fail(&world->trace, "a server is woken that has nothing to do");
    }
    expect->is_waking = false;
    if (turn_server_deadline(world->servers[shard].turn) != 0) {
        sim_trace_fail(&world->trace, "a server is woken, but does not know why");
    }
}

// Takes all commands. `expect` is what the oracle said; NULL for a tick.
static void carry_out(struct sim_server *server, struct sim_world *world, struct sim_expect *expect,
                      size_t request_len)
{
    struct turn_command command;

    sim_path_begin(&server->path);
    while (turn_server_take(server->turn, &command)) {
        sim_path_take(&server->path, &world->trace, &command);
        switch (command.type) {
        case TURN_COMMAND_SEND:
            send(world, &command.send, expect, request_len);
            break;
        case TURN_COMMAND_OPEN:
            open(server, world, &command.socket, expect);
            break;
        case TURN_COMMAND_CLOSE:
            sim_trace_note(&world->trace, "server: close", &command.socket.relayed,
                           command.socket.allocation.index);
            sim_system_close(world, server->shard, &command.socket);
            break;
        case TURN_COMMAND_BIND:
        case TURN_COMMAND_UNBIND:
            break;
        case TURN_COMMAND_WAKE:
            take_wake(world, command.wake.shard, expect);
            break;
        case TURN_COMMAND_REPORT:
            check_report(world, &command.report, expect);
            break;
        }
    }
    if (expect != NULL &&
        (expect->kind == SIM_EXPECT_RESPONSE || expect->kind == SIM_EXPECT_OPEN)) {
        sim_trace_fail(&world->trace, "a response with code %u is missing", expect->code);
    }
    if (expect != NULL && expect->refusal != TURN_REFUSAL_NONE && !expect->is_reported) {
        sim_trace_fail(&world->trace, "not reported: %s", turn_refusal_words(expect->refusal));
    }
    if (expect != NULL && expect->is_waking) {
        sim_trace_fail(&world->trace, "server %u is not woken", expect->woken);
    }
}

// What all servers hold together; of the commons each knows all.
static struct turn_gauges total_gauges(struct sim_world *world, struct now now)
{
    struct turn_gauges total = {0};

    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        struct turn_gauges gauges = turn_server_gauges(world->servers[i].turn, now);
        total.allocations += gauges.allocations;
        total.permissions += gauges.permissions;
        total.channels += gauges.channels;
        total.timers += gauges.timers;
        total.reservations = gauges.reservations;
        total.ports_in_use = gauges.ports_in_use;
    }
    return total;
}

static struct turn_stats total_stats(const struct sim_world *world)
{
    uint64_t total[sizeof(struct turn_stats) / sizeof(uint64_t)] = {0};
    uint64_t one[COUNT_OF(total)];
    struct turn_stats stats;

    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        memcpy(one, turn_server_stats(world->servers[i].turn), sizeof one);
        for (size_t k = 0; k < COUNT_OF(total); k++) {
            total[k] += one[k];
        }
    }
    memcpy(&stats, total, sizeof stats);
    return stats;
}

static void check_commons(struct sim_world *world, const struct turn_gauges *gauges)
{
    struct turn_commons_gauges commons = turn_commons_gauges(world->commons, world->now);

    if (commons.allocations != gauges->allocations || commons.permissions != gauges->permissions ||
        commons.channels != gauges->channels) {
        sim_trace_fail(&world->trace,
                       "the commons have %u allocations, %u permissions, %u channels",
                       commons.allocations, commons.permissions, commons.channels);
    }
}

// What was made and has not ended is there.
static void check_gauges(struct sim_world *world, const struct turn_gauges *gauges)
{
    const struct turn_stats stats = total_stats(world);
    const uint64_t allocations = stats.allocations_created - stats.allocations_expired -
                                 stats.allocations_deleted - stats.allocations_replaced;

    if (allocations != gauges->allocations ||
        stats.permissions_created - stats.permissions_ended != gauges->permissions ||
        stats.channels_created - stats.channels_ended != gauges->channels) {
        sim_trace_fail(&world->trace, "beginnings and ends are not counted alike");
    }
}

static void check_state(struct sim_world *world)
{
    const struct sim_path *paths[SIM_SETUP_SHARDS];
    struct sim_judge judge = judge_of(world);
    struct turn_gauges gauges = total_gauges(world, world->now);
    uint64_t deadline_ns = NEVER;
    uint32_t open_count = 0;

    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        uint64_t next_ns = turn_server_deadline(world->servers[i].turn);
        deadline_ns = next_ns < deadline_ns ? next_ns : deadline_ns;
        open_count += world->system.open_counts[i];
        paths[i] = &world->servers[i].path;
    }
    sim_judge_state(&judge, &gauges, deadline_ns);
    check_commons(world, &gauges);
    check_gauges(world, &gauges);
    sim_path_check(paths, world->setup.config.shard_count, &world->trace, &world->oracle);
    if (open_count != sim_oracle_sockets(&world->oracle)) {
        sim_trace_fail(&world->trace, "another number of open sockets was expected");
    }
}

// --- events -------------------------------------------------------------------------------------

static unsigned tick(struct sim_server *server, struct sim_world *world)
{
    uint64_t deadline_ns = turn_server_deadline(server->turn);
    unsigned ticks = 0;

    if (deadline_ns != 0 && deadline_ns < world->now.mono_ns) {
        sim_cover_point(world->cover, SIM_COVER_TICK_LATE);
    }
    while (turn_server_deadline(server->turn) <= world->now.mono_ns) {
        turn_server_tick(server->turn, world->now);
        carry_out(server, world, NULL, 0);
        ticks++;
        if (ticks > SIM_SETUP_ALLOCATIONS + SIM_SETUP_PERMISSIONS) {
            sim_trace_fail(&world->trace, "ticking does not come to an end");
        }
    }
    if (ticks > 1) {
        sim_cover_point(world->cover, SIM_COVER_TICK_AGAIN);
    }
    return ticks;
}

void sim_server_tick_all(struct sim_world *world)
{
    unsigned ticks = 0;

    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        ticks += tick(&world->servers[i], world);
    }
    sim_oracle_expire(&world->oracle, world->now);
    if (ticks > 0) {
        sim_trace_note(&world->trace, "servers: ticked", NULL, ticks);
        check_state(world);
    }
}

void sim_server_adopt_all(struct sim_world *world, const struct turn_policy *policy)
{
    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        turn_server_adopt(world->servers[i].turn, world->now, policy);
        carry_out(&world->servers[i], world, NULL, 0);
    }
    check_state(world);
}

// Only who was woken has something to do at once.
static void end_call(struct sim_world *world, unsigned woken)
{
    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        if (i != woken && turn_server_deadline(world->servers[i].turn) == 0) {
            sim_trace_fail(&world->trace, "server %u has something to do that nobody told", i);
        }
    }
    if (woken < world->setup.config.shard_count) {
        (void)tick(&world->servers[woken], world);
    }
    check_state(world);
}

static void forward(struct sim_server *server, struct sim_world *world,
                    const struct turn_forward *forward, const struct sim_expect *expect)
{
    struct sim_judge judge = judge_of(world);
    struct addr from = forward->tuple.server;
    size_t len = forward->head_len + forward->payload.len + forward->padding_len;
    uint8_t *whole = calloc(1, len > 0 ? len : 1);
    struct wr wr = wr_init(whole, len);

    assert(whole != NULL);
    wr_bytes(&wr, (struct bytes){forward->head, forward->head_len});
    wr_bytes(&wr, forward->payload);
    wr_zero(&wr, forward->padding_len);
    if (forward->is_to_peer) {
        const struct sim_oracle_allocation *owner = &world->oracle.allocations[expect->allocation];
        const struct turn_config *config = &world->setup.config;
        from = addr_with_port(forward->peer.family == ADDR_IP4 ? config->public_ip4
                                                               : config->public_ip6,
                              owner->port);
    }
    if (world->oracle.allocations[expect->allocation].name.home != server->shard) {
        sim_trace_fail(&world->trace, "forwarded by another server than that of the allocation");
    }
    const struct addr *to = forward->is_to_peer ? &forward->peer : &forward->tuple.client;
    sim_trace_packet(&world->trace, "server: forward", &from, to, wr_done(&wr));
    sim_judge_forward(&judge, expect, forward, wr_done(&wr));
    sim_link_send(world, &from, to, wr_done(&wr));
    free(whole);
}

// What one server hands over goes on at another, and nowhere else.
static enum turn_verdict hand_over(struct sim_server **server, struct sim_world *world,
                                   struct turn_forward *forward)
{
    const struct turn_forward handed = *forward;

    sim_trace_note(&world->trace, "server: hand over", &handed.peer, handed.shard);
    if (handed.shard >= world->setup.config.shard_count || handed.shard == (*server)->shard) {
        sim_trace_fail(&world->trace, "handed over to nobody");
    }
    *server = &world->servers[handed.shard];
    memset(forward, 0x5a, sizeof *forward);
    enum turn_verdict verdict = turn_server_from_shard((*server)->turn, world->now, &handed.relayed,
                                                       &handed.peer, handed.payload, forward);
    sim_cover_point(world->cover, verdict == TURN_FORWARD ? SIM_COVER_HANDED_OVER
                                                          : SIM_COVER_HANDED_OVER_DROPPED);
    return verdict;
}

void sim_server_from_client(struct sim_server *server, struct sim_world *world,
                            const struct sim_datagram *datagram)
{
    const struct turn_tuple tuple = {datagram->from, datagram->to};
    struct sim_judge judge = judge_of(world);
    struct turn_forward out;
    struct sim_expect expect;

    sim_server_tick_all(world);
    struct turn_gauges before = total_gauges(world, world->now);
    struct turn_stats stats = total_stats(world);
    sim_oracle_begin(&world->oracle, server->shard);
    sim_oracle_from_client(&world->oracle, world->now, &tuple, datagram->bytes, &expect);
    unsigned woken = expect.is_waking ? expect.woken : SIM_SETUP_SHARDS;
    enum turn_verdict verdict =
        turn_server_from_client(server->turn, world->now, &tuple, datagram->bytes, &out);
    struct sim_server *last = server;
    if (verdict == TURN_HAND_OVER) {
        verdict = hand_over(&last, world, &out);
    }
    struct turn_stats after_stats = total_stats(world);
    sim_judge_verdict(&judge, &expect, verdict);
    sim_judge_counters(&judge, &stats, &after_stats, &expect, verdict);
    if (verdict == TURN_FORWARD) {
        forward(last, world, &out, &expect);
    } else {
        carry_out(server, world, &expect, datagram->bytes.len);
    }
    struct turn_gauges after = total_gauges(world, world->now);
    if (!expect.is_authentic && memcmp(&before, &after, sizeof before) != 0) {
        sim_trace_fail(&world->trace, "a stranger's datagram has changed what is held");
    }
    end_call(world, woken);
}

void sim_server_from_peer(struct sim_server *server, struct sim_world *world,
                          const struct sim_socket *socket, const struct sim_datagram *datagram)
{
    // A tick may close the socket.
    const struct sim_name name = {server->shard, socket->allocation};
    struct sim_judge judge = judge_of(world);
    struct turn_forward out;
    struct sim_expect expect;

    sim_server_tick_all(world);
    struct turn_stats stats = total_stats(world);
    sim_oracle_from_peer(&world->oracle, world->now, name, &datagram->from, datagram->bytes,
                         &expect);
    enum turn_verdict verdict = turn_server_from_peer(server->turn, world->now, name.ref,
                                                      &datagram->from, datagram->bytes, &out);
    struct turn_stats after_stats = total_stats(world);
    sim_judge_verdict(&judge, &expect, verdict);
    sim_judge_counters(&judge, &stats, &after_stats, &expect, verdict);
    if (verdict == TURN_FORWARD) {
        forward(server, world, &out, &expect);
    }
    check_state(world);
}

void sim_server_icmp(struct sim_server *server, struct sim_world *world,
                     const struct sim_socket *socket, const struct addr *peer,
                     const struct stun_icmp *icmp)
{
    // A tick may close the socket.
    const struct sim_name name = {server->shard, socket->allocation};
    struct sim_judge judge = judge_of(world);
    struct turn_forward out;
    struct sim_expect expect;

    sim_server_tick_all(world);
    sim_trace_note(&world->trace, "an ICMP error", peer, icmp->type);
    struct turn_stats stats = total_stats(world);
    sim_oracle_icmp(&world->oracle, name, peer, icmp, &expect);
    enum turn_verdict verdict = turn_server_icmp(server->turn, name.ref, peer, icmp, &out);
    struct turn_stats after_stats = total_stats(world);
    sim_judge_verdict(&judge, &expect, verdict);
    sim_judge_counters(&judge, &stats, &after_stats, &expect, verdict);
    if (verdict == TURN_FORWARD) {
        forward(server, world, &out, &expect);
    }
    check_state(world);
}

void sim_server_check_empty(const struct sim_server *server, const struct sim_world *world)
{
    static const struct turn_gauges none;
    struct now later = world->now;

    later.mono_ns += 60 * SECOND_NS; // reserved and refused ports come back without a timer
    struct turn_gauges gauges = turn_server_gauges(server->turn, later);

    if (memcmp(&gauges, &none, sizeof none) != 0) {
        sim_trace_fail(&world->trace, "something is held after all has expired");
    }
    if (world->system.open_counts[server->shard] != 0) {
        sim_trace_fail(&world->trace, "a socket is open after all has expired");
    }
    if (turn_server_deadline(server->turn) != NEVER) {
        sim_trace_fail(&world->trace, "a deadline without anything that could expire");
    }
}

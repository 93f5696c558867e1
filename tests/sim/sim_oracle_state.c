// SPDX-License-Identifier: Apache-2.0
// What the naive server holds, and until when.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_oracle.h"

enum { REST_S = 300 };

void sim_oracle_init(struct sim_oracle *oracle, const struct sim_setup *setup,
                     struct sim_cover *cover)
{
    memset(oracle, 0, sizeof *oracle);
    oracle->setup = setup;
    oracle->cover = cover;
}

void sim_oracle_begin(struct sim_oracle *oracle, unsigned home)
{
    oracle->home = home;
    oracle->closing_port = 0;
}

void sim_oracle_deinit(struct sim_oracle *oracle)
{
    free(oracle->nonces);
    free(oracle->users);
    oracle->nonces = NULL;
    oracle->users = NULL;
}

unsigned sim_oracle_bit(unsigned family)
{
    return family == ADDR_IP4 ? 1 : family == ADDR_IP6 ? 2 : 0;
}

unsigned sim_oracle_find(const struct sim_oracle *oracle, const struct turn_tuple *tuple)
{
    for (unsigned i = 0; i < SIM_SETUP_ALLOCATIONS; i++) {
        if (oracle->allocations[i].is_live &&
            addr_equal(&oracle->allocations[i].tuple.client, &tuple->client) &&
            addr_equal(&oracle->allocations[i].tuple.server, &tuple->server)) {
            return i;
        }
    }
    return SIM_ORACLE_NONE;
}

struct sim_oracle_permission *sim_oracle_permission(struct sim_oracle *oracle, unsigned allocation,
                                                    const struct addr *peer)
{
    for (size_t i = 0; i < SIM_SETUP_PERMISSIONS; i++) {
        if (oracle->permissions[i].until_ns != 0 &&
            oracle->permissions[i].allocation == allocation &&
            addr_same_ip(&oracle->permissions[i].ip, peer)) {
            return &oracle->permissions[i];
        }
    }
    return NULL;
}

void sim_oracle_delete(struct sim_oracle *oracle, unsigned allocation)
{
    oracle->allocations[allocation].is_live = false;
    for (size_t i = 0; i < SIM_SETUP_PERMISSIONS; i++) {
        if (oracle->permissions[i].allocation == allocation) {
            oracle->permissions[i].until_ns = 0;
        }
    }
    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        if (oracle->channels[i].allocation == allocation) {
            oracle->channels[i].until_ns = 0;
        }
    }
}

// Ends what is over; true when it was there.
static bool end(uint64_t *until_ns, struct now now)
{
    if (*until_ns == 0 || *until_ns > now.mono_ns) {
        return false;
    }
    *until_ns = 0;
    return true;
}

// A channel in Firezone's manner keeps its number and its peer for a while after its end.
static void end_channel(struct sim_oracle *oracle, struct sim_oracle_channel *channel,
                        struct now now)
{
    if (!end(&channel->until_ns, now)) {
        return;
    }
    bool may_rest = oracle->allocations[channel->allocation].is_firezone && !channel->is_resting;
    channel->is_resting = may_rest;
    // A tick that comes late counts the rest from then on.
    channel->until_ns = may_rest ? now.mono_ns + REST_S * SECOND_NS : 0;
    sim_cover_point(oracle->cover, may_rest ? SIM_COVER_CHANNEL_RESTS : SIM_COVER_EXPIRED_CHANNEL);
}

void sim_oracle_expire(struct sim_oracle *oracle, struct now now)
{
    for (size_t i = 0; i < SIM_SETUP_PERMISSIONS; i++) {
        if (end(&oracle->permissions[i].until_ns, now)) {
            sim_cover_point(oracle->cover, SIM_COVER_EXPIRED_PERMISSION);
        }
    }
    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        end_channel(oracle, &oracle->channels[i], now);
    }
    for (size_t i = 0; i < SIM_SETUP_RESERVATIONS; i++) {
        if (end(&oracle->reservations[i].until_ns, now)) {
            sim_cover_point(oracle->cover, SIM_COVER_EXPIRED_RESERVATION);
        }
    }
    for (unsigned i = 0; i < SIM_SETUP_ALLOCATIONS; i++) {
        if (oracle->allocations[i].is_live && oracle->allocations[i].until_ns <= now.mono_ns) {
            sim_oracle_delete(oracle, i);
            sim_cover_point(oracle->cover, SIM_COVER_EXPIRED_ALLOCATION);
        }
    }
    while (oracle->resting_count > 0 && oracle->resting[0].until_ns <= now.mono_ns) {
        oracle->resting_count--;
        memmove(oracle->resting, oracle->resting + 1,
                oracle->resting_count * sizeof oracle->resting[0]);
        sim_cover_point(oracle->cover, SIM_COVER_PORT_RESTED);
    }
}

// In the three that follow: the first free place is always taken, so that nothing ever stands
// behind the configuration's limits.
static void soonest(uint64_t *deadline_ns, uint64_t until_ns)
{
    if (until_ns != 0 && until_ns < *deadline_ns) {
        *deadline_ns = until_ns;
    }
}

uint64_t sim_oracle_deadline(const struct sim_oracle *oracle)
{
    const struct turn_config *config = &oracle->setup->config;
    uint64_t deadline_ns = NEVER;

    for (size_t i = 0; i < config->max_allocations; i++) {
        soonest(&deadline_ns, oracle->allocations[i].is_live ? oracle->allocations[i].until_ns : 0);
    }
    for (size_t i = 0; i < config->max_permissions; i++) {
        soonest(&deadline_ns, oracle->permissions[i].until_ns);
    }
    for (size_t i = 0; i < config->max_channels; i++) {
        soonest(&deadline_ns, oracle->channels[i].until_ns);
    }
    return deadline_ns;
}

struct turn_gauges sim_oracle_gauges(const struct sim_oracle *oracle)
{
    const struct turn_config *config = &oracle->setup->config;
    struct turn_gauges gauges = {0};

    for (size_t i = 0; i < config->max_allocations; i++) {
        gauges.allocations += oracle->allocations[i].is_live;
    }
    for (size_t i = 0; i < config->max_permissions; i++) {
        gauges.permissions += oracle->permissions[i].until_ns != 0;
    }
    for (size_t i = 0; i < config->max_channels; i++) {
        gauges.channels += oracle->channels[i].until_ns != 0;
    }
    for (size_t i = 0; i < config->max_reservations; i++) {
        gauges.reservations += oracle->reservations[i].until_ns != 0;
    }
    gauges.timers = gauges.allocations + gauges.permissions + gauges.channels;
    gauges.ports_in_use =
        gauges.allocations + gauges.reservations + (uint32_t)oracle->resting_count;
    return gauges;
}

uint32_t sim_oracle_sockets(const struct sim_oracle *oracle)
{
    const struct turn_config *config = &oracle->setup->config;
    uint32_t count = 0;

    for (size_t i = 0; i < config->max_allocations; i++) {
        unsigned bound = oracle->allocations[i].is_live ? oracle->allocations[i].bound : 0;
        count += bound / 2 + bound % 2;
    }
    return count;
}

// Nobody holds the port.
bool sim_oracle_is_free(const struct sim_oracle *oracle, uint32_t port)
{
    const struct turn_config *config = &oracle->setup->config;

    if (port < config->lowest_port || port > config->highest_port || port == oracle->closing_port) {
        return false;
    }
    for (size_t i = 0; i < SIM_SETUP_ALLOCATIONS; i++) {
        if (oracle->allocations[i].is_live && oracle->allocations[i].port == port) {
            return false;
        }
    }
    for (size_t i = 0; i < SIM_SETUP_RESERVATIONS; i++) {
        if (oracle->reservations[i].until_ns != 0 && oracle->reservations[i].port == port) {
            return false;
        }
    }
    for (size_t i = 0; i < oracle->resting_count; i++) {
        if (oracle->resting[i].port == port) {
            return false;
        }
    }
    return true;
}

bool sim_oracle_has_port(const struct sim_oracle *oracle, enum sim_expect_port wish)
{
    const struct turn_config *config = &oracle->setup->config;

    for (uint32_t port = config->lowest_port; port <= config->highest_port; port++) {
        if (sim_oracle_is_free(oracle, port) && (wish == SIM_EXPECT_ANY_PORT || port % 2 == 0) &&
            (wish != SIM_EXPECT_PAIR || sim_oracle_is_free(oracle, port + 1))) {
            return true;
        }
    }
    return false;
}

void sim_oracle_learn_nonce(struct sim_oracle *oracle, struct now now, const struct addr *client,
                            struct bytes nonce)
{
    assert(nonce.len <= SIM_ORACLE_NONCE);
    if (oracle->nonce_count == oracle->nonce_room) {
        oracle->nonce_room = oracle->nonce_room * 2 + 64;
        oracle->nonces = realloc(oracle->nonces, oracle->nonce_room * sizeof *oracle->nonces);
        assert(oracle->nonces != NULL);
    }
    struct sim_oracle_nonce *made = &oracle->nonces[oracle->nonce_count++];
    *made = (struct sim_oracle_nonce){.client = *client,
                                      .home = oracle->home,
                                      .made_s = now.mono_ns / SECOND_NS,
                                      .len = nonce.len};
    memcpy(made->text, nonce.ptr, nonce.len);
}

// SPDX-License-Identifier: Apache-2.0
// The naive server's ChannelBind (RFC 8656 section 12).
#include "sim/sim_oracle.h"

enum { CHANNEL_NUMBER = 0x0c, XOR_PEER_ADDRESS = 0x12, CHANNEL_S = 600 };

// The slot for a number and a peer: theirs, or a free one, or NULL when one of the two is bound
// otherwise.
static struct sim_oracle_channel *slot_for(struct sim_oracle *oracle, unsigned allocation,
                                           unsigned number, const struct addr *peer)
{
    struct sim_oracle_channel *slot = NULL;

    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        struct sim_oracle_channel *channel = &oracle->channels[i];
        if (channel->until_ns == 0 || channel->allocation != allocation) {
            continue;
        }
        bool has_peer = addr_equal(&channel->peer, peer);
        if (has_peer && channel->number == number) {
            return channel;
        }
        if (has_peer || channel->number == number) {
            sim_cover_point(oracle->cover, SIM_COVER_CHANNEL_CONFLICT);
            return NULL;
        }
    }
    for (size_t i = 0; slot == NULL && i <= SIM_SETUP_CHANNELS; i++) {
        // One more than there are, for the one that finds no room.
        static struct sim_oracle_channel none;
        slot = i == SIM_SETUP_CHANNELS             ? &none
               : oracle->channels[i].until_ns == 0 ? &oracle->channels[i]
                                                   : NULL;
    }
    return slot;
}

static enum turn_refusal channel_limit(const struct sim_oracle *oracle, unsigned allocation)
{
    const struct turn_config *config = &oracle->setup->config;
    size_t own = 0;
    size_t all = 0;

    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        all += oracle->channels[i].until_ns != 0;
        own += oracle->channels[i].until_ns != 0 && oracle->channels[i].allocation == allocation;
    }
    if (own >= config->channels_per_allocation) {
        return TURN_REFUSAL_ALLOCATIONS_CHANNELS;
    }
    return all >= config->max_channels ? TURN_REFUSAL_CHANNELS : TURN_REFUSAL_NONE;
}

// Numbers as RFC 5766 section 11 has them, whose clients are many: up to 0x7fff. Firezone's relay
// knows only those of RFC 8656, and its clients no others.
unsigned sim_oracle_channel_bind(struct sim_oracle *oracle, struct now now,
                                 const struct sim_naive *message, struct sim_expect *out)
{
    const struct sim_naive_attr *number = sim_naive_find(message, CHANNEL_NUMBER);
    const struct sim_naive_attr *where = sim_naive_find(message, XOR_PEER_ADDRESS);
    unsigned allocation = out->allocation;
    struct addr peer = {0};

    if (number == NULL || where == NULL || number->value.ptr[0] < 0x40 ||
        number->value.ptr[0] > (out->is_firezone ? 0x4f : 0x7f)) {
        return 400;
    }
    unsigned code = sim_oracle_check_peer(oracle, message, where, out, &peer);
    if (code != 0 || peer.port == 0) {
        return code != 0 ? code : 400;
    }
    struct sim_oracle_channel *slot =
        slot_for(oracle, allocation, sim_naive_number(number, 2), &peer);
    if (slot == NULL) {
        return 400;
    }
    bool is_new = slot->until_ns == 0;
    bool is_permitted = sim_oracle_permission(oracle, allocation, &peer) != NULL;
    enum turn_refusal limit = channel_limit(oracle, allocation);
    if (is_new && limit != TURN_REFUSAL_NONE) {
        return sim_oracle_full(oracle, SIM_COVER_FULL_CHANNELS, limit, out);
    }
    limit = sim_oracle_limit(oracle, allocation, 1);
    if (!is_permitted && !out->is_firezone && limit != TURN_REFUSAL_NONE) {
        return sim_oracle_full(oracle, SIM_COVER_FULL_PERMISSIONS, limit, out);
    }
    if (slot->is_resting) {
        sim_cover_point(oracle->cover, SIM_COVER_CHANNEL_WOKEN);
    }
    *slot = (struct sim_oracle_channel){.until_ns = now.mono_ns + CHANNEL_S * SECOND_NS,
                                        .allocation = allocation,
                                        .number = sim_naive_number(number, 2),
                                        .peer = peer};
    if (!is_new) {
        sim_cover_point(oracle->cover, SIM_COVER_CHANNEL_REFRESHED);
    }
    if (out->is_firezone) {
        return 0;
    }
    sim_oracle_permit(oracle, now, allocation, &peer);
    sim_cover_point(oracle->cover,
                    is_permitted ? SIM_COVER_PERMISSION_REBOUND : SIM_COVER_PERMISSION_BOUND);
    return 0;
}

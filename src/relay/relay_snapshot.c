// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_snapshot.h"

#include <string.h>

#include "io/io_clock.h"

#define ANSWER_WAIT_NS (SECOND_NS / 5) // a worker that takes longer hangs

static struct relay_gauges gauges_of(const struct relay_worker_share *share, uint32_t late_count)
{
    const struct turn_commons_gauges commons = turn_commons_gauges(share->commons, io_clock_now());
    const struct turn_commons_capacity capacity = turn_commons_capacity(share->commons);

    return (struct relay_gauges){
        .allocations = commons.allocations,
        .permissions = commons.permissions,
        .channels = commons.channels,
        .reservations = commons.reservations,
        .users = commons.users,
        .ports_in_use = commons.ports_in_use,
        .max_allocations = share->fitting_allocations,
        .max_permissions = capacity.permissions,
        .max_channels = capacity.channels,
        .ports = capacity.ports,
        .workers = share->group.worker_count,
        .late_workers = late_count,
        .is_draining = turn_commons_is_draining(share->commons),
        .xdp_interfaces = relay_offload_interface_count(share->offload),
        .one = 1,
    };
}

static struct relay_flow kernel_flow(const struct xdp_counts *kernel,
                                     enum relay_abi_verdict verdict)
{
    return (struct relay_flow){kernel->packets[verdict], kernel->data[verdict]};
}

static struct relay_flow both(struct relay_flow one, struct relay_flow other)
{
    return (struct relay_flow){one.packets + other.packets, one.bytes + other.bytes};
}

static uint64_t binding_errors(const struct turn_stats *turn)
{
    uint64_t count = 0;

    for (size_t i = TURN_STATS_SUCCESS + 1; i < TURN_STATS_OUTCOME_COUNT; i++) {
        count += turn->responses[TURN_STATS_BINDING][i];
    }
    return count;
}

static uint64_t challenges(const struct turn_stats *turn)
{
    uint64_t count = 0;

    for (size_t i = 0; i < TURN_STATS_METHOD_COUNT; i++) {
        count += turn->responses[i][TURN_STATS_UNAUTHENTICATED];
    }
    return count;
}

static uint64_t credentials_refused(const struct turn_stats *turn)
{
    uint64_t count = 0;

    for (enum turn_refusal i = TURN_REFUSAL_NONE + 1; i < TURN_REFUSAL_END; i++) {
        count += turn_refusal_is_credential(i) ? turn->refused[i - 1] : 0;
    }
    return count;
}

static uint64_t dropped(const struct turn_stats *turn, const struct xdp_counts *kernel)
{
    static const char prefix[] = "dropped_";
    uint64_t count = kernel->packets[RELAY_ABI_VERDICT_drop_max_pps] +
                     kernel->packets[RELAY_ABI_VERDICT_drop_max_bps];

    for (size_t i = 0; i < TURN_STATS_COUNT; i++) {
        if (strncmp(turn_stats_metrics[i].name, prefix, sizeof prefix - 1) == 0) {
            count += metric_value(&turn_stats_metrics[i], turn);
        }
    }
    return count;
}

static uint64_t responses(const struct turn_stats *turn)
{
    uint64_t count = 0;

    for (size_t i = 0; i < TURN_STATS_METHOD_COUNT; i++) {
        for (size_t k = 0; k < TURN_STATS_OUTCOME_COUNT; k++) {
            count += turn->responses[i][k];
        }
    }
    return count;
}

void relay_snapshot_sum(struct relay_snapshot *snapshot)
{
    const struct turn_stats *turn = &snapshot->counts.turn;
    const struct xdp_counts *kernel = &snapshot->kernel;
    const struct relay_flow turned = kernel_flow(kernel, RELAY_ABI_VERDICT_turned);
    const struct relay_flow to_peers = {turn->packets_to_peer, turn->bytes_to_peer};
    const struct relay_flow from_clients =
        both(to_peers, (struct relay_flow){turn->packets_turned, turn->bytes_turned});
    const struct relay_flow to_clients = {turn->packets_to_client, turn->bytes_to_client};
    const struct relay_flow kernel_from_clients =
        both(kernel_flow(kernel, RELAY_ABI_VERDICT_to_peer), turned);
    const struct relay_flow kernel_to_clients =
        both(kernel_flow(kernel, RELAY_ABI_VERDICT_to_client), turned);
    const uint64_t bindings = kernel->packets[RELAY_ABI_VERDICT_binding];

    snapshot->sums = (struct relay_sums){
        .from_clients = both(from_clients, kernel_from_clients),
        .to_clients = both(to_clients, kernel_to_clients),
        .kernel_to_clients = kernel_to_clients,
        .by_sockets = both(to_peers, to_clients),
        .by_kernel = both(kernel_flow(kernel, RELAY_ABI_VERDICT_to_peer), kernel_to_clients),
        .binding_requests = turn->binding_requests + bindings,
        .binding_responses = turn->responses[TURN_STATS_BINDING][TURN_STATS_SUCCESS] + bindings,
        .binding_errors = binding_errors(turn),
        .challenges = challenges(turn),
        .strangers = challenges(turn) + turn->requests_limited + turn->responses_withheld,
        .withheld = turn->requests_limited + turn->responses_withheld,
        .credentials_refused = credentials_refused(turn),
        .processed = from_clients.packets + kernel_from_clients.packets + to_clients.packets +
                     kernel_to_clients.packets + responses(turn) + bindings,
        .dropped = dropped(turn, kernel),
    };
}

void relay_snapshot_take(struct relay_snapshot *out, const struct relay_worker_share *share)
{
    const uint64_t round = relay_board_ask(share->board);

    *out = (struct relay_snapshot){0};
    for (uint32_t i = 0; i < share->group.worker_count; i++) {
        relay_mailbox_order(&share->mailboxes[i], RELAY_MAILBOX_COUNT);
    }
    const uint32_t late_count = relay_board_wait(share->board, round, ANSWER_WAIT_NS);
    relay_board_sum(share->board, &out->counts);
    // Without a kernel program its counts stay zero.
    IGNORE(relay_offload_counts(share->offload, &out->kernel));
    out->gauges = gauges_of(share, late_count);
    relay_snapshot_sum(out);
    out->process = io_process_read();
}

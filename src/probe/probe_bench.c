// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_bench.h"

#include <stdio.h>
#include <string.h>

#include "io/io_clock.h"
#include "io/io_limit.h"
#include "probe/probe_fleet.h"
#include "probe/probe_load.h"
#include "probe/probe_search.h"
#include "probe/probe_socket.h"

enum {
    SAMPLES_PER_S = 1000,
    OTHER_DESCRIPTORS = 64, // all that are not sockets of clients
};

#define LEGITIMATE_SHARE 0.25 // of the highest rate, beside a flood

struct bench {
    const struct probe_config *config;
    struct probe_report *report;
    char *wrong;
    struct probe_fleet fleet;
    struct probe_flood flood;
    struct probe_load load;
    struct probe_samples samples;
    double highest; // rate without loss of the first kind of packets that was measured
};

static bool fail(const struct bench *bench, const char *what, int error)
{
    snprintf(bench->wrong, PROBE_BENCH_WRONG_MAX, "%s: %s", what, strerror(-error));
    return false;
}

static bool fail_fleet(const struct bench *bench, const struct probe_fleet *fleet)
{
    snprintf(bench->wrong, PROBE_BENCH_WRONG_MAX, "%s", fleet->wrong);
    return false;
}

static bool run(struct bench *bench, const struct probe_order *order, struct probe_trial *out)
{
    if (!probe_fleet_renew(&bench->fleet)) {
        return fail_fleet(bench, &bench->fleet);
    }
    int error = probe_load_run(&bench->load, order, out);
    return error == 0 || fail(bench, "cannot count what comes in", error);
}

static bool measure_row(struct bench *bench, struct probe_report_row *row)
{
    struct probe_order order = {.way = row->way,
                                .train = row->train,
                                .size = row->size,
                                .rate = PROBE_LOAD_ALL,
                                .seconds = bench->config->seconds};
    struct probe_trial trial;
    struct probe_rate rate;

    if (bench->config->rate > 0) {
        order.rate = bench->config->rate;
    }
    if (!run(bench, &order, &trial)) {
        return false;
    }
    row->overload_sent = (double)trial.sent / trial.seconds;
    row->overload = (double)trial.delivered / trial.seconds;
    if (bench->config->rate > 0 || !bench->config->parts[PROBE_RATE]) {
        bool is_clean = trial.is_held && probe_search_is_clean(&trial);
        row->loss_free = bench->config->rate > 0 && is_clean ? row->overload : 0;
        return true;
    }
    int error = probe_search_run(&bench->load, &order, row->overload, &rate);
    if (error != 0) {
        return fail(bench, "cannot count what comes in", error);
    }
    row->loss_free = rate.best;
    row->is_limited_by_load = rate.is_limited_by_load;
    return true;
}

static bool measure_rows(struct bench *bench)
{
    const struct probe_config *config = bench->config;
    struct probe_report *report = bench->report;

    for (uint32_t size = 0; size < config->size_count; size++) {
        for (uint32_t train = 0; train < config->train_count; train++) {
            for (int way = 0; way < PROBE_WAY_COUNT; way++) {
                if (!config->ways[way]) {
                    continue;
                }
                struct probe_report_row *row = &report->rows[report->row_count];
                *row = (struct probe_report_row){.way = (enum probe_way)way,
                                                 .train = config->trains[train],
                                                 .size = config->sizes[size]};
                if (!measure_row(bench, row)) {
                    return false;
                }
                report->row_count++;
                probe_report_say("%s, trains of %u, %u bytes: %.0f without loss, %.0f of %.0f at "
                                 "overload",
                                 probe_config_ways[way], row->train, row->size, row->loss_free,
                                 row->overload, row->overload_sent);
            }
        }
    }
    // A rate that was asked for is the same for all servers, whatever this one loses at it.
    if (config->rate > 0) {
        bench->highest = config->rate;
    } else {
        const struct probe_report_row *first = &report->rows[0];
        bench->highest = first->loss_free > 0 ? first->loss_free : first->overload / 2;
    }
    return true;
}

static struct probe_order order_of(const struct bench *bench, double rate)
{
    const struct probe_report_row *first = &bench->report->rows[0];

    return (struct probe_order){.way = first->way,
                                .train = first->train,
                                .size = first->size,
                                .rate = rate,
                                .seconds = bench->config->seconds};
}

static bool measure_latency(struct bench *bench, double rate)
{
    struct probe_order order = order_of(bench, rate);
    struct probe_trial trial;

    order.sample_rate = SAMPLES_PER_S;
    if (!run(bench, &order, &trial)) {
        return false;
    }
    struct probe_report_latency *one = &bench->report->latencies[bench->report->latency_count++];
    one->rate = (double)trial.sent / trial.seconds;
    one->sent = bench->samples.sent;
    one->count = bench->samples.count;
    one->p50_ns = probe_sample_quantile(&bench->samples, 500);
    one->p99_ns = probe_sample_quantile(&bench->samples, 990);
    one->p999_ns = probe_sample_quantile(&bench->samples, 999);
    probe_report_say("beside %.0f packets/s: p50 %.0f us, p99 %.0f us", one->rate,
                     (double)one->p50_ns / 1e3, (double)one->p99_ns / 1e3);
    return true;
}

static bool measure_flood(struct bench *bench, enum probe_flood_kind kind, double rate)
{
    struct probe_order order = order_of(bench, bench->highest * LEGITIMATE_SHARE);
    struct probe_trial trial;

    order.flood_rate = rate;
    probe_flood_begin(&bench->flood, kind);
    if (!run(bench, &order, &trial)) {
        return false;
    }
    struct probe_report_flood *one = &bench->report->floods[bench->report->flood_count++];
    *one = (struct probe_report_flood){.kind = kind,
                                       .rate = (double)trial.flooded / trial.seconds,
                                       .legitimate = (double)trial.sent / trial.seconds,
                                       .is_held = trial.is_held};
    one->goodput = trial.sent > 0 ? (double)trial.delivered / (double)trial.sent : 0;
    probe_report_say("flood of %s, %.0f/s: %.1f%% of %.0f packets/s arrived",
                     probe_flood_names[kind], one->rate, 100 * one->goodput, one->legitimate);
    return true;
}

static bool measure_floods(struct bench *bench)
{
    struct addr local;

    if (probe_socket_local(bench->fleet.clients[0].fd, &local) != 0) {
        return fail(bench, "cannot read a socket's address", -1);
    }
    local = addr_with_port(local, 0);
    int error = probe_flood_open(&bench->flood, &local, &bench->config->server.addr);
    bool is_good = error == 0 || fail(bench, "cannot open sockets for a flood", error);
    for (int kind = 0; kind < PROBE_FLOOD_KIND_COUNT; kind++) {
        for (uint32_t i = 0; i < bench->config->flood_rate_count && is_good; i++) {
            is_good =
                measure_flood(bench, (enum probe_flood_kind)kind, bench->config->flood_rates[i]);
        }
    }
    probe_flood_close(&bench->flood);
    return is_good;
}

// Makes allocations with clients of its own, as many at a time as have room in buffers.
static bool measure_allocations(struct bench *bench)
{
    struct probe_fleet fleet;
    bool is_good = probe_fleet_open(&fleet, bench->config, bench->config->allocation_count);
    uint64_t begun_ns = io_clock_now().mono_ns;

    is_good = is_good && probe_fleet_do(&fleet, PROBE_STEP_ALLOCATE);
    double took_s = (double)(io_clock_now().mono_ns - begun_ns) / (double)SECOND_NS;
    is_good = is_good && probe_fleet_do(&fleet, PROBE_STEP_RELEASE);
    if (is_good) {
        bench->report->allocations = fleet.count / took_s;
        probe_report_say("%u allocations in %.2f s", fleet.count, took_s);
    } else {
        is_good = fail_fleet(bench, &fleet);
    }
    probe_fleet_close(&fleet);
    return is_good;
}

static bool measure(struct bench *bench)
{
    const bool *parts = bench->config->parts;

    // Latency and floods want to know what the server can do.
    if ((parts[PROBE_OVERLOAD] || parts[PROBE_RATE] || parts[PROBE_LATENCY] ||
         parts[PROBE_FLOOD]) &&
        !measure_rows(bench)) {
        return false;
    }
    if (parts[PROBE_LATENCY] &&
        (!measure_latency(bench, 0) || !measure_latency(bench, bench->highest / 2))) {
        return false;
    }
    if (parts[PROBE_FLOOD] && !measure_floods(bench)) {
        return false;
    }
    return true;
}

static bool check_descriptors(const struct bench *bench)
{
    uint64_t limit = 0;
    uint64_t wanted = (uint64_t)bench->config->client_count + bench->config->allocation_count;
    int error = io_limit_raise(&limit);

    if (error == 0 && limit < wanted + OTHER_DESCRIPTORS) {
        snprintf(bench->wrong, PROBE_BENCH_WRONG_MAX,
                 "the limit of descriptors (ulimit -n) is too low for so many clients");
        return false;
    }
    return error == 0 || fail(bench, "the limit of descriptors is unknown", error);
}

bool probe_bench_run(const struct probe_config *config, struct probe_report *report,
                     char wrong[PROBE_BENCH_WRONG_MAX])
{
    static struct bench bench;

    bench.config = config;
    bench.report = report;
    bench.wrong = wrong;
    *report = (struct probe_report){.config = config};
    if (!check_descriptors(&bench)) {
        return false;
    }
    bool is_good = probe_fleet_open(&bench.fleet, config, config->client_count) &&
                   probe_fleet_do(&bench.fleet, PROBE_STEP_ALLOCATE) &&
                   probe_fleet_do(&bench.fleet, PROBE_STEP_BIND);
    if (is_good) {
        probe_report_say("%u clients are set up", config->client_count);
        probe_load_init(&bench.load, &bench.fleet, &bench.flood, &bench.samples);
        is_good =
            measure(&bench) && (!config->parts[PROBE_ALLOCATE] || measure_allocations(&bench));
    } else {
        is_good = fail_fleet(&bench, &bench.fleet);
    }
    if (is_good) {
        // What is not let go of expires by itself.
        IGNORE(probe_fleet_do(&bench.fleet, PROBE_STEP_RELEASE));
    }
    probe_fleet_close(&bench.fleet);
    return is_good;
}

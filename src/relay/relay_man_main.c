// SPDX-License-Identifier: Apache-2.0
// Prints a section of the man page, or what is known of the metrics; a tool of the build, not
// installed.
//
// Usage: relay-man options|counters      of the man page
//        relay-man metrics               the tables of docs/metrics.md
//        relay-man prometheus            the text for Prometheus of a relay that has counted
//        nothing
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "conf/conf_scdoc.h"
#include "relay/relay_metrics.h"
#include "relay/relay_options.h"
#include "relay/relay_stats.h"
#include "telemetry/telemetry_markdown.h"
#include "turn/turn_stats.h"
#include "xdp/xdp_counts.h"

// `line` is how the log's line of them begins.
static void counters_write(struct wr *wr, const char *line, const struct metric *metrics,
                           size_t count)
{
    wr_text(wr, "\n## ");
    wr_text(wr, line);
    wr_text(wr, "\n\n");
    for (size_t i = 0; i < count; i++) {
        wr_text(wr, "*");
        conf_scdoc_text_write(wr, metrics[i].name);
        wr_text(wr, "* (");
        conf_scdoc_text_write(wr, metrics[i].unit);
        wr_text(wr, ")\n\t");
        conf_scdoc_text_write(wr, metrics[i].help);
        wr_text(wr, "\n\n");
    }
}

static void all_counters_write(struct wr *wr)
{
    wr_text(wr,
            "# COUNTERS\n\nThe log has a line for each group, which leaves out what is zero.\n");
    counters_write(wr, "TRAFFIC", turn_stats_metrics, TURN_STATS_COUNT);
    counters_write(wr, "SOCKETS", relay_stats_metrics, RELAY_STATS_COUNT);
    // Those of bytes have the same names and texts again.
    counters_write(wr, "FAST PATH", xdp_counts_metrics, RELAY_ABI_VERDICT_COUNT);
    wr_text(wr,
            "Each of the fast path's has another beside it, with _\\_bytes_ behind its name: of "
            "whole frames as\nthey came in.\n");
}

static void metrics_write(struct wr *wr)
{
    static const char *const titles[RELAY_METRICS_GROUP_COUNT] = {
        [RELAY_METRICS_OWN] = "Its own",
        [RELAY_METRICS_PROCESS] = "Of the process",
        [RELAY_METRICS_COTURN] = "By coturn's names",
    };

    for (unsigned i = 0; i < RELAY_METRICS_GROUP_COUNT; i++) {
        const struct relay_metrics_group group = relay_metrics_group(i);
        wr_text(wr, "\n### ");
        wr_text(wr, titles[i]);
        wr_text(wr, "\n\n");
        telemetry_markdown_write(wr, group.families, group.count, FAIRLEAD_VERSION);
    }
}

int main(int argc, char **argv)
{
    static const struct relay_snapshot nothing;
    static uint8_t text[RELAY_METRICS_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    if (argc == 2 && strcmp(argv[1], "counters") == 0) {
        all_counters_write(&wr);
    } else if (argc == 2 && strcmp(argv[1], "metrics") == 0) {
        metrics_write(&wr);
    } else if (argc == 2 && strcmp(argv[1], "prometheus") == 0) {
        relay_metrics_write(&wr, &nothing);
    } else {
        conf_scdoc_write(&wr, &relay_options_table);
    }
    return wr_ok(&wr) && fwrite(wr.ptr, 1, wr.len, stdout) == wr.len ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
// Prints a section of the man page, or what is known of the metrics; a tool of the build, not
// installed.
//
// Usage: tunnel-man options|counters     of the man page
//        tunnel-man metrics              the tables of docs/metrics.md
//        tunnel-man prometheus           the text for Prometheus of a relay that has counted
//        nothing
#include <stdio.h>
#include <string.h>

#include "conf/conf_scdoc.h"
#include "daemon/daemon_process.h"
#include "telemetry/telemetry_markdown.h"
#include "telemetry/telemetry_prometheus.h"
#include "tunnel/tunnel_metrics.h"
#include "tunnel/tunnel_options.h"

static void counters_write(struct wr *wr)
{
    wr_text(wr, "# METRICS\n\n");
    for (size_t i = 0; i < tunnel_metrics_family_count; i++) {
        const struct metric_family *family = &tunnel_metrics_families[i];
        uint8_t name[128];
        struct wr name_wr = wr_init(name, sizeof name - 1);

        telemetry_prometheus_name_write(&name_wr, family);
        wr_u8(&name_wr, '\0');
        wr_text(wr, "*");
        conf_scdoc_text_write(wr, (const char *)name);
        wr_text(wr, "* (");
        wr_text(wr, telemetry_prometheus_type(family->kind));
        wr_text(wr, ")\n\t");
        conf_scdoc_text_write(wr, family->help);
        wr_text(wr, "\n\n");
    }
}

static void metrics_write(struct wr *wr)
{
    wr_text(wr, "\n### Of fairlead-tunnel\n\n");
    telemetry_markdown_write(wr, tunnel_metrics_families, tunnel_metrics_family_count,
                             FAIRLEAD_VERSION);
    wr_text(wr, "\n### Of its process\n\n");
    telemetry_markdown_write(wr, daemon_process_families, daemon_process_family_count,
                             FAIRLEAD_VERSION);
}

int main(int argc, char **argv)
{
    static const struct tunnel_snapshot nothing;
    static uint8_t text[128 * 1024];
    struct wr wr = wr_init(text, sizeof text);

    if (argc == 2 && strcmp(argv[1], "counters") == 0) {
        counters_write(&wr);
    } else if (argc == 2 && strcmp(argv[1], "metrics") == 0) {
        metrics_write(&wr);
    } else if (argc == 2 && strcmp(argv[1], "prometheus") == 0) {
        tunnel_metrics_write(&wr, &nothing);
    } else {
        conf_scdoc_write(&wr, &tunnel_options_table);
    }
    return wr_ok(&wr) && fwrite(wr.ptr, 1, wr.len, stdout) == wr.len ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_markdown.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "telemetry/telemetry_prometheus.h"

static bool is_first_of_its_value(const struct metric_family *family, size_t index, size_t label)
{
    const char *value = family->series[index].labels[label].value;

    for (size_t i = 0; i < index; i++) {
        const char *earlier = family->series[i].labels[label].value;
        if (earlier != NULL && strcmp(earlier, value) == 0) {
            return false;
        }
    }
    return true;
}

// A label's key as Prometheus has it, and all its values.
static void label_write(struct wr *wr, const struct metric_family *family, size_t label,
                        const char *version)
{
    bool is_begun = false;

    for (size_t i = 0; i < family->series_count; i++) {
        const struct metric_label *here = &family->series[i].labels[label];
        if (here->key == NULL || !is_first_of_its_value(family, i, label)) {
            continue;
        }
        if (!is_begun) {
            wr_text(wr, label == 0 ? "`" : "<br>`");
            for (const char *key = here->key; *key != '\0'; key++) {
                wr_u8(wr, (uint8_t)(*key == '.' ? '_' : *key));
            }
            wr_text(wr, "`: ");
        }
        wr_text(wr, is_begun ? ", " : "");
        wr_text(wr, strcmp(here->value, version) == 0 ? "the version" : here->value);
        is_begun = true;
    }
}

void telemetry_markdown_write(struct wr *wr, const struct metric_family *families, size_t count,
                              const char *version)
{
    assert(families != NULL && version != NULL);
    wr_text(wr, "| name | type | what it is | labels |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        wr_text(wr, "| `");
        telemetry_prometheus_name_write(wr, &families[i]);
        wr_text(wr, "` | ");
        wr_text(wr, telemetry_prometheus_type(families[i].kind));
        wr_text(wr, " | ");
        wr_text(wr, families[i].help);
        wr_text(wr, " | ");
        for (size_t label = 0; label < METRIC_LABEL_MAX; label++) {
            label_write(wr, &families[i], label, version);
        }
        wr_text(wr, " |\n");
    }
}

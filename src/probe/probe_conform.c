// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_conform.h"

#include "base/macro.h"
#include "conform/conform.h"
#include "probe/probe_inquiry.h"
#include "probe/probe_inquiry_options.h"

static const struct conf_option options[] = {PROBE_INQUIRY_OPTIONS};

const struct conf_table probe_conform_table = {options, COUNT_OF(options)};

const struct conf_program probe_conform_program = {
    .name = "fairlead-probe conform",
    .summary = "Asks a STUN/TURN server of any make what RFC 8489 and RFC 8656 want of it, one "
               "behaviour after another, and tells which it has and which it lacks.",
    .note = "Ends with 0 if nothing is wrong, 1 if something is, 2 if the options are wrong, 3 if "
            "the server never answers, 4 if this host cannot do what is needed.",
};

int probe_conform_run(struct conf *conf)
{
    static struct probe_inquiry_config config;

    if (!probe_inquiry_read(conf, conform_subjects, conform_subject_count, &config)) {
        return -1;
    }
    if (!config.is_list && !probe_endpoint_find(&config.target.server)) {
        return PROBE_INQUIRY_SILENCE;
    }
    return probe_inquiry_run("conform", &config, conform_subjects, conform_subject_count);
}

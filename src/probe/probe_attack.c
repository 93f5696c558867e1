// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_attack.h"

#include <stdio.h>

#include "attack/attack.h"
#include "base/macro.h"
#include "io/io_host.h"
#include "probe/probe_inquiry.h"
#include "probe/probe_inquiry_options.h"

enum {
    LIMIT_MAX_S = 24 * 3600,
    RATE_MAX = 2000, // datagrams a second: it asks, and floods nobody
};

static const struct conf_option options[] = {
    {
        .name = "i-may",
        .group = PROBE_SERVER_GROUP,
        .is_outside_file = true,
        .help = "The server's owner allows this. Without it only addresses of this host are "
                "attacked.",
    },
    {
        .name = "limit",
        .placeholder = "SECONDS",
        .default_text = "900",
        .group = PROBE_INQUIRY_RUNNING,
        .is_outside_file = true,
        .help = "Time after which no further check is begun; with --slow it must be more than an "
                "hour to be of use.",
    },
    PROBE_INQUIRY_OPTIONS,
};

const struct conf_table probe_attack_table = {options, COUNT_OF(options)};

const struct conf_program probe_attack_program = {
    .name = "fairlead-probe attack",
    .summary = "Does to a STUN/TURN server of any make what abusers do, tells what it does not "
               "refuse, how bad that is, and how to close it.",
    .note =
        "Attack only servers that are yours. It damages nothing that a server should not stand, "
        "gives back what it has allocated, and stays below --rate; but a server that can be "
        "brought down by one datagram may be.\n\n"
        "Ends with 0 if nothing above info is found, 1 if something is, 2 if the options are "
        "wrong, 3 if the server never answers, 4 if this host cannot do what is needed.",
};

static void read_limits(struct conf *conf, struct probe_inquiry_config *config)
{
    uint64_t limit_s = 0;

    if (conf_value_number(&conf->errors, conf_find(conf, "limit"), 1, LIMIT_MAX_S, &limit_s)) {
        config->limit_s = (uint32_t)limit_s;
    }
    if (!config->is_list && config->target.rate > RATE_MAX) {
        conf_error_value(&conf->errors, conf_find(conf, "rate"),
                         "is more than the 2000 a second that attack sends at most");
    }
}

// Whether it is the address of this host, or its owner allows it. What a name resolves to counts.
static bool may_attack(struct conf *conf, const struct addr *addr)
{
    char link[IO_HOST_LINK_LEN];

    if (conf_flag(conf, "i-may") || addr_is_loopback(addr) || io_host_link(addr, link) == 0) {
        return true;
    }
    conf_error_value(&conf->errors, conf_find(conf, "server"),
                     "is no address of this host: say --i-may if its owner allows it");
    return false;
}

// Says what is about to happen, before it does.
static void announce(const struct probe_inquiry_config *config)
{
    char server[PROBE_ENDPOINT_TEXT_MAX];

    fprintf(stderr,
            "fairlead-probe: attacking %s, at most %u datagrams a second for at most %u s: "
            "forbidden peers, floods of some thousand requests, malformed datagrams\n",
            probe_endpoint_text(&config->target.server, server), config->target.rate,
            config->limit_s);
}

int probe_attack_run(struct conf *conf)
{
    static struct probe_inquiry_config config;
    struct probe_endpoint *server = &config.target.server;
    bool is_read = probe_inquiry_read(conf, attack_subjects, attack_subject_count, &config);

    read_limits(conf, &config);
    if (!is_read || conf->errors.count > 0) {
        return -1;
    }
    if (!config.is_list) {
        if (!probe_endpoint_find(server)) {
            return PROBE_INQUIRY_SILENCE;
        }
        if (!may_attack(conf, &server->addr)) {
            return -1;
        }
        announce(&config);
    }
    return probe_inquiry_run("attack", &config, attack_subjects, attack_subject_count);
}

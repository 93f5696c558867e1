// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_ask.h"

#include "base/macro.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_query.h"
#include "relay/relay_options.h"
#include "relay/relay_top.h"

enum { ROWS_AROUND = 12 }; // lines of a screen that are not allocations

static const char what_group[] = "What is asked";
static const char other_group[] = "Other";

static const struct conf_option options[] = {
    {
        .name = "client",
        .placeholder = "ADDR[:PORT]",
        .group = what_group,
        .help = "why: the client, as the relay sees it, with or without a port; an IPv6 address "
                "with a port in brackets. It may stand without the name of the option.",
        .is_outside_file = true,
        .is_positional = true,
    },
    DAEMON_OPTIONS_ASK_ONCE(what_group),
    DAEMON_OPTIONS_ASK_JSON(what_group),
    DAEMON_OPTIONS_ASK_LIMIT(what_group,
                             "allocations to show. The relay gives those that have relayed the "
                             "most in all, and of them those come first that relay the most now."),
    DAEMON_OPTIONS_ASK_SOCKET(other_group, "FAIRLEAD_CONTROL_SOCKET", "relay"),
    DAEMON_OPTIONS_HELP(other_group),
};

const struct conf_table relay_ask_table = {options, COUNT_OF(options)};

static const struct conf_program program = {
    .name = "fairlead-relay",
    .summary =
        "Asks a relay that runs on this host. status: how it is. why CLIENT: what was "
        "refused to a client lately, what that means, and what to do about it. top: its "
        "allocations, with what they relay, by which path, and what is dropped. reload: have it "
        "read its configuration again, as SIGHUP does, and say what came of it.",
    .note =
        "Only root and the user who started the relay are answered. Exit status: 0 answered, "
        "1 the relay could not be asked, or nothing was reloaded, 2 something is wrong with the "
        "options.",
};

int relay_ask(const struct daemon_load_sources *sources)
{
    static const struct daemon_query query = {
        .options = &relay_ask_table,
        .help = &program,
        .whom = "relay",
        .socket = RELAY_OPTIONS_SOCKET,
        .about = "client",
        .why_wants = "a client, as in: fairlead-relay why 192.0.2.7",
        .is_limited = true,
        .rows_around = ROWS_AROUND,
        .kinds = {&relay_sample_kind, 1},
        .text_max = relay_top_text_max,
        .table_write = relay_top_table_write,
        .json_write = relay_top_json_write,
    };

    return daemon_query(&query, sources);
}

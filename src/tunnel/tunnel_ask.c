// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_ask.h"

#include "base/macro.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_query.h"
#include "tunnel/tunnel_options.h"
#include "tunnel/tunnel_top.h"

enum { ROWS_AROUND = 5 }; // lines of a screen that are no servers

static const char what_group[] = "What is asked";
static const char other_group[] = "Other";

static const struct conf_option options[] = {
    {
        .name = "about",
        .placeholder = "PORT|ADDRESS|NAME|HOST",
        .group = what_group,
        .help = "why: a port of the relay; the address of a server, an agent or a client; the name "
                "of a tunnel or an agent (web, laptop, laptop/web); or a host at the shared TLS "
                "port. It may stand without the name of the option.",
        .is_outside_file = true,
        .is_positional = true,
    },
    DAEMON_OPTIONS_ASK_ONCE(what_group),
    DAEMON_OPTIONS_ASK_JSON(what_group),
    DAEMON_OPTIONS_ASK_LIMIT(what_group,
                             "servers and tunnels to show, those that carry the most now."),
    DAEMON_OPTIONS_ASK_SOCKET(other_group, "FAIRLEAD_TUNNEL_CONTROL_SOCKET", "relay"),
    DAEMON_OPTIONS_VERSION(other_group),
    DAEMON_OPTIONS_HELP(other_group),
};

const struct conf_table tunnel_ask_table = {options, COUNT_OF(options)};

static const struct conf_program program = {
    .name = "fairlead-tunnel",
    .summary =
        "Asks a relay that runs on this host. status: how it is. why PORT, ADDRESS, NAME or HOST: "
        "why a service is not reachable, or a server, agent or client does not get through, "
        "and what to do about it. top: its servers and its agents' tunnels, with what they "
        "carry. reload: have it read "
        "its configuration and certificates again, as SIGHUP does, and say what came of it.",
    .note = "Only root and the user who started the relay are answered. Exit status: 0 answered, "
            "1 the relay could not be asked, or nothing was reloaded, 2 something is wrong with "
            "the options.",
};

int tunnel_ask(const struct daemon_load_sources *sources)
{
    static const struct daemon_query query = {
        .options = &tunnel_ask_table,
        .help = &program,
        .whom = "relay",
        .socket = TUNNEL_OPTIONS_SOCKET_PATH,
        .about = "about",
        .why_wants = "a port, an address, a name or a host, as in: fairlead-tunnel why 12101",
        .rows_around = ROWS_AROUND,
        .kinds = {tunnel_sample_kinds, TUNNEL_SAMPLE_KINDS},
        .text_max = tunnel_top_text_max,
        .table_write = tunnel_top_table_write,
        .json_write = tunnel_top_json_write,
    };

    return daemon_query(&query, sources);
}

// SPDX-License-Identifier: Apache-2.0
// Options that each of our daemons has, as parts of its table: a macro for each, in which what
// differs from program to program is a parameter, and all else is the same in each manual.
//
//     heading   the group in help
//     variable  of the environment, whose names are the program's
//     whom      what the program is called in a sentence: "relay"
//
// daemon_load.h does what --config, --check-config, --version and --help say; daemon_config.h reads
// the others. A table may do without any of them but --help.
#pragma once

#include "conf/conf.h"

// clang-format would put all of it into columns.
// clang-format off

// `usual` is an address of loopback.
#define DAEMON_OPTIONS_METRICS_ADDR(heading, variable, usual)                                      \
    {                                                                                              \
        .name = "metrics-addr",                                                                    \
        .environment = (variable),                                                                 \
        .placeholder = "ADDR:PORT",                                                                \
        .default_text = (usual),                                                                   \
        .group = (heading),                                                                        \
        .help = "Where the counters are served to Prometheus, as GET /metrics; or off. Whoever "   \
                "can connect there can read them. When another program has the default address, "  \
                "or the host has not, they are not served; an address that is given must be free.",\
    }
// `note` tells the default.
#define DAEMON_OPTIONS_HEALTH_CHECK_ADDR(heading, variable, whom, note)                            \
    {                                                                                              \
        .name = "health-check-addr",                                                               \
        .environment = (variable),                                                                 \
        .placeholder = "ADDR:PORT",                                                                \
        .default_note = (note),                                                                    \
        .group = (heading),                                                                        \
        .help = "Where GET /healthz says 200 as long as the " whom " runs, and GET /readyz 200 "   \
                "when it can be given new clients or else 503; or off.",                           \
    }
#define DAEMON_OPTIONS_CONTROL_ENDPOINT(heading, variable, note)                                   \
    {                                                                                              \
        .name = "control-endpoint",                                                                \
        .environment = (variable),                                                                 \
        .placeholder = "ADDR:PORT",                                                                \
        .default_note = (note),                                                                    \
        .group = (heading),                                                                        \
        .help = "Where POST /log_filter?directives=DIRECTIVES replaces --log-filter at once, or "  \
                "says 400 and why not; or off. Whoever can connect there can do so, but for "      \
                "pages of other sites in a browser.",                                              \
    }
// `things` are shared among the threads; `more` is further sentences, or "".
#define DAEMON_OPTIONS_NUM_WORKER_THREADS(heading, variable, things, more)                         \
    {                                                                                              \
        .name = "num-worker-threads",                                                              \
        .environment = (variable),                                                                 \
        .placeholder = "COUNT",                                                                    \
        .default_note = "as many as CPUs that it may run on",                                      \
        .group = (heading),                                                                        \
        .help = "Threads that relay, up to 256. Each has its share of the " things "." more,       \
    }
// `things` are waited for.
#define DAEMON_OPTIONS_DRAIN_TIMEOUT(heading, variable, whom, things)                              \
    {                                                                                              \
        .name = "drain-timeout",                                                                   \
        .environment = (variable),                                                                 \
        .placeholder = "SECONDS",                                                                  \
        .default_text = "60",                                                                      \
        .group = (heading),                                                                        \
        .help = "How long the " whom ", once it is told to end, goes on for the " things " that "  \
                "are there: until the last one ends, but no longer than this, up to a week. "      \
                "When there are none it ends at once, and so it does when it is told again. "      \
                "systemd waits that long (for a service of Type=notify; for others "               \
                "TimeoutStopSec, 90 seconds, is the limit), Docker kills after 10 seconds unless " \
                "it is told otherwise. 0: it ends at once, and cuts off its clients.",             \
        .is_reloaded = true,                                                                       \
    }
#define DAEMON_OPTIONS_CONFIG(heading, variable)                                                   \
    {                                                                                              \
        .name = "config",                                                                          \
        .environment = (variable),                                                                 \
        .placeholder = "FILE",                                                                     \
        .group = (heading),                                                                        \
        .help = "File with lines of the form key = value, where keys are the long options "        \
                "without dashes and a repeated option is a repeated line. Options on the command " \
                "line and in the environment stand above it.",                                     \
        .is_outside_file = true,                                                                   \
    }
#define DAEMON_OPTIONS_CHECK_CONFIG(heading)                                                       \
    {                                                                                              \
        .name = "check-config",                                                                    \
        .group = (heading),                                                                        \
        .help = "Say what is wrong with the configuration, or that it is good, and exit.",         \
        .is_outside_file = true,                                                                   \
    }
#define DAEMON_OPTIONS_LOG_FORMAT(heading, variable)                                               \
    {                                                                                              \
        .name = "log-format",                                                                      \
        .environment = (variable),                                                                 \
        .placeholder = "FORMAT",                                                                   \
        .default_text = "human",                                                                   \
        .group = (heading),                                                                        \
        .help = "How log lines are written to standard output: human, json, or google-cloud, "     \
                "which is JSON as Google Cloud's logging agents read it.",                         \
    }
// `targets` are examples; `more` is further sentences with a blank in front, or "".
#define DAEMON_OPTIONS_LOG_FILTER(heading, variable, targets, more)                                \
    {                                                                                              \
        .name = "log-filter",                                                                      \
        .environment = (variable),                                                                 \
        .placeholder = "DIRECTIVES",                                                               \
        .default_text = "info",                                                                    \
        .group = (heading),                                                                        \
        .help = "Which log lines are written: a level out of off, error, warn, info, debug and "   \
                "trace, or several directives with commas between them, of which TARGET=LEVEL is " \
                "for the parts of the program whose names begin so, such as " targets "; the "     \
                "longest that fits decides." more " What no directive names is at info.",          \
        .is_reloaded = true,                                                                       \
    }
// `socket` is its usual name, `folder` where it is below /run; `commands` ask there.
#define DAEMON_OPTIONS_CONTROL_SOCKET(heading, variable, whom, folder, socket, commands)           \
    {                                                                                              \
        .name = "control-socket",                                                                  \
        .environment = (variable),                                                                 \
        .placeholder = "PATH",                                                                     \
        .default_note = socket " in $RUNTIME_DIRECTORY, /run/" folder " for root, or "             \
                               "$XDG_RUNTIME_DIR/" folder,                                         \
        .group = (heading),                                                                        \
        .help = "Where " commands " ask the " whom ", which answers root and the user who "        \
                "started it. none: nowhere. An ordinary user who has no $XDG_RUNTIME_DIR has "     \
                "no such socket unless its path is given here.",                                   \
    }
// Of the commands that ask (daemon_query.h); `note` is more to say about what is shown.
#define DAEMON_OPTIONS_ASK_ONCE(heading)                                                           \
    {                                                                                              \
        .name = "once", .group = (heading),                                                        \
        .help = "top: print the table once and exit, as is done without a terminal.",              \
        .is_outside_file = true,                                                                   \
    }
#define DAEMON_OPTIONS_ASK_JSON(heading)                                                           \
    {                                                                                              \
        .name = "json", .group = (heading),                                                        \
        .help = "status, why, top: print one line of JSON and exit.", .is_outside_file = true,     \
    }
#define DAEMON_OPTIONS_ASK_LIMIT(heading, note)                                                    \
    {                                                                                              \
        .name = "limit", .placeholder = "COUNT",                                                   \
        .default_note = "as many as the terminal has room for; 1000 without one",                  \
        .group = (heading), .help = "top: " note, .is_outside_file = true,                         \
    }
#define DAEMON_OPTIONS_ASK_SOCKET(heading, variable, whom)                                         \
    {                                                                                              \
        .name = "control-socket",                                                                  \
        .environment = (variable),                                                                 \
        .placeholder = "PATH",                                                                     \
        .default_note = "where a " whom " of this user has it",                                    \
        .group = (heading),                                                                        \
        .help = "Control socket of the " whom ".",                                                 \
        .is_outside_file = true,                                                                   \
    }
#define DAEMON_OPTIONS_VERSION(heading)                                                            \
    {                                                                                              \
        .name = "version",                                                                         \
        .short_name = 'V',                                                                         \
        .group = (heading),                                                                        \
        .help = "Print the version and exit.",                                                     \
        .is_outside_file = true,                                                                   \
    }
#define DAEMON_OPTIONS_HELP(heading)                                                               \
    {                                                                                              \
        .name = "help",                                                                            \
        .short_name = 'h',                                                                         \
        .group = (heading),                                                                        \
        .help = "Print this text and exit.",                                                       \
        .is_outside_file = true,                                                                   \
    }
// clang-format on

// The end of help: how options are given.
#define DAEMON_OPTIONS_NOTE                                                                        \
    "Each option can be given on the command line, by the environment variable in brackets "       \
    "(values of a repeated one separated by commas; a comma or backslash in a value stands "       \
    "behind a backslash), or in the file that --config names, in this order of strength: "         \
    "the strongest of them that names an option gives all its values. All options "                \
    "together have at most 4096 values."

_Static_assert(CONF_VALUE_MAX == 4096, "the note says how many");

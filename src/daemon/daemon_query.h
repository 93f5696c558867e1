// SPDX-License-Identifier: Apache-2.0
// The commands that ask a running daemon over its control socket: `status`, `why ABOUT`, `top` and
// `reload`, from their options to what is printed.
//
// A program's table of options for them (daemon_options.h has those that all share):
//
//      the one that `why` is asked about      as the program calls it; positional
//      --once, --json, --limit                DAEMON_OPTIONS_ASK_ONCE, _JSON and _LIMIT
//      --control-socket                       DAEMON_OPTIONS_ASK_SOCKET
//      --help, perhaps --version
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "conf/conf.h"
#include "daemon/daemon_load.h"
#include "daemon/daemon_sample.h"

struct daemon_query_view {
    uint32_t columns; // of the terminal; lines are cut there
    uint32_t row_max; // rows that are shown
};

// What a program says of its daemon.
struct daemon_query {
    const struct conf_table *options;
    const struct conf_program *help; // its name is the program's; a command is put behind it
    const char *whom;                // is asked, as in "no relay answers"
    const char *socket;              // the name of its control socket, where that is not given
    const char *about;               // the option with what `why` is asked about
    const char *why_wants;           // "a client, as in: fairlead-relay why 192.0.2.7"
    bool is_limited;                 // `top` is asked for so many rows: "top 1000"
    uint32_t rows_around;            // lines of a screen that are no rows
    struct daemon_sample_kinds kinds;
    // Bytes that hold whatever the next two write of so many rows.
    size_t (*text_max)(size_t row_count);
    // Both may put the rows in another order. `before` may have none.
    void (*table_write)(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                        const struct daemon_query_view *view);
    void (*json_write)(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                       uint32_t row_max);
};

// The word is one of these commands.
bool daemon_query_is(const char *word);
// Runs the command that argv[0] is, prints what comes of it, and gives the exit status: 0, 1 when
// the daemon could not be asked, 2 when something is wrong with the options.
int daemon_query(const struct daemon_query *query, const struct daemon_load_sources *sources);

// SPDX-License-Identifier: Apache-2.0
// The file in which the leases of ports (revtun_names.h) outlive the relay.
//
// It is written anew when they have changed, once in TUNNEL_LEASES_WAIT_S at most, and at the end.
// That the disk has it is waited for, by the thread that joins clients, once in
// TUNNEL_LEASES_LAST_S at most: the first change after a quiet time lasts at once, those of a rush
// with its end, and a process that is killed loses neither.
// Where it cannot be written that is logged, and tried again after TUNNEL_LEASES_AGAIN_S: the relay
// serves without it.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/now.h"
#include "revtun/revtun_names.h"

enum {
    TUNNEL_LEASES_WAIT_S = 1,
    TUNNEL_LEASES_LAST_S = 10,
    TUNNEL_LEASES_AGAIN_S = 60,
};

struct tunnel_leases {
    char path[PATH_MAX];
    struct revtun_names *names; // NULL: there is no file
    uint64_t written_count;     // revtun_names_change_count() of what is in the file
    bool is_written;            // it was ever
    uint64_t due_ns;            // not before
    uint64_t lasting_count;     // as written_count, of what the disk surely has
    uint64_t lasting_due_ns;    // the disk is not waited for before
};

// Reads the file into `names`, which has none yet and outlives it; one that is not there is empty.
// It is all zero before; an empty path stays so. 0, or -errno, which is logged: the file is there
// and cannot be read.
MUST_USE int tunnel_leases_open(struct tunnel_leases *leases, struct bytes path,
                                struct revtun_names *names, int64_t wall_s);

// Writes what is due. When it is to be called next (monotonic ns), or NEVER: until something has
// changed.
uint64_t tunnel_leases_tick(struct tunnel_leases *leases, struct now now);
// Writes what has changed, whatever is due.
void tunnel_leases_close(struct tunnel_leases *leases, struct now now);

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_leases.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/daemon_file.h"
#include "log/log.h"
#include "tunnel/tunnel_text.h"

// Any relay's own file is shorter, however many ports it had.
static const size_t file_max = (size_t)UINT16_MAX * REVTUN_NAMES_LINE_MAX; // bytes

static void read_text(const struct tunnel_leases *leases, struct bytes text, int64_t wall_s)
{
    const struct revtun_names_dropped dropped = revtun_names_read(leases->names, text, wall_s);

    LOG_INFO("leases of ports are kept", LOG_TEXT("file", leases->path),
             LOG_NUMBER("leases", revtun_names_count(leases->names)));
    if (dropped.count > 0) {
        LOG_WARN("lines of the leases are left out: they are over, of other ports, or damaged",
                 LOG_TEXT("file", leases->path), LOG_NUMBER("lines", dropped.count),
                 LOG_NUMBER("first", dropped.first_line));
    }
}

int tunnel_leases_open(struct tunnel_leases *leases, struct bytes path, struct revtun_names *names,
                       int64_t wall_s)
{
    struct bytes text = {0};

    assert(leases->names == NULL);
    if (path.len == 0) {
        return 0;
    }
    int error = path.len < sizeof leases->path ? 0 : -ENAMETOOLONG;
    if (error == 0) {
        snprintf(leases->path, sizeof leases->path, "%.*s", (int)path.len, (const char *)path.ptr);
        error = daemon_file_read_most(leases->path, file_max, &text);
    }
    if (error != 0 && error != -ENOENT) {
        LOG_ERROR("the leases cannot be read", LOG_BYTES("file", path),
                  LOG_ERROR_NUMBER("error", error));
        return error;
    }
    leases->names = names;
    read_text(leases, text, wall_s);
    daemon_file_free(&text);
    return 0;
}

static int write_all(const struct tunnel_leases *leases, int64_t wall_s, bool is_lasting)
{
    const size_t room = (revtun_names_count(leases->names) + 1) * REVTUN_NAMES_LINE_MAX;
    uint8_t *text = malloc(room);

    if (text == NULL) {
        return -ENOMEM;
    }
    struct wr wr = wr_init(text, room);
    revtun_names_write(leases->names, wall_s, &wr);
    assert(wr_ok(&wr));
    const int error = tunnel_text_write(leases->path, wr_done(&wr), is_lasting);
    free(text);
    return error;
}

static void write_changes(struct tunnel_leases *leases, struct now now, bool is_lasting)
{
    const uint64_t count = revtun_names_change_count(leases->names);
    const int error = write_all(leases, now.wall_s, is_lasting);

    if (error != 0) {
        LOG_WARN("the leases cannot be written; after a restart tunnels may get other ports",
                 LOG_TEXT("file", leases->path), LOG_ERROR_NUMBER("error", error));
        leases->due_ns = now.mono_ns + TUNNEL_LEASES_AGAIN_S * SECOND_NS;
        leases->lasting_due_ns = leases->due_ns;
        return;
    }
    leases->is_written = true;
    leases->written_count = count;
    leases->due_ns = now.mono_ns + TUNNEL_LEASES_WAIT_S * SECOND_NS;
    if (is_lasting) {
        leases->lasting_count = count;
        leases->lasting_due_ns = now.mono_ns + TUNNEL_LEASES_LAST_S * SECOND_NS;
    }
}

// The first time it is written whatever is in it, to find out whether it can be.
static bool has_changes(const struct tunnel_leases *leases)
{
    return leases->names != NULL &&
           (!leases->is_written ||
            revtun_names_change_count(leases->names) != leases->written_count);
}

// What is written is not on the disk for sure.
static bool may_be_lost(const struct tunnel_leases *leases)
{
    return leases->names != NULL && leases->is_written &&
           leases->lasting_count != leases->written_count;
}

uint64_t tunnel_leases_tick(struct tunnel_leases *leases, struct now now)
{
    // The disk is waited for no more often than that.
    const bool is_lasting = leases->lasting_due_ns <= now.mono_ns;

    if ((has_changes(leases) && leases->due_ns <= now.mono_ns) ||
        (may_be_lost(leases) && is_lasting)) {
        write_changes(leases, now, is_lasting);
    }
    const uint64_t due_ns = has_changes(leases) ? leases->due_ns : NEVER;
    const uint64_t lasting_ns = may_be_lost(leases) ? leases->lasting_due_ns : NEVER;
    return due_ns < lasting_ns ? due_ns : lasting_ns;
}

void tunnel_leases_close(struct tunnel_leases *leases, struct now now)
{
    if (has_changes(leases) || may_be_lost(leases)) {
        write_changes(leases, now, true);
    }
    leases->names = NULL;
}

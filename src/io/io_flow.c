// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_flow.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// What one step of a run has come to.
enum step {
    STEP_ON, // another one may follow
    STEP_WAITS,
    STEP_ENDED,
    STEP_SOURCE_LOST,
    STEP_TARGET_LOST,
    STEP_NO_MEMORY,
};

static const enum io_flow_outcome outcomes[] = {
    [STEP_ON] = IO_FLOW_MORE,
    [STEP_WAITS] = IO_FLOW_WAITS,
    [STEP_ENDED] = IO_FLOW_ENDED,
    [STEP_SOURCE_LOST] = IO_FLOW_SOURCE_LOST,
    [STEP_TARGET_LOST] = IO_FLOW_TARGET_LOST,
    [STEP_NO_MEMORY] = IO_FLOW_NO_MEMORY,
};

void io_flow_means_open(struct io_flow_means *means, enum io_flow_way way)
{
    io_pipes_open(&means->pipes);
    means->way = way;
    means->byte_count = 0;
    means->spliced_count = 0;
    means->kept_len = 0;
    const size_t behind_page = (uintptr_t)means->memory % IO_FLOW_PAGE_LEN;
    means->scratch = means->memory + (IO_FLOW_PAGE_LEN - behind_page) % IO_FLOW_PAGE_LEN;
}

void io_flow_means_close(struct io_flow_means *means)
{
    assert(means->kept_len == 0);
    io_pipes_close(&means->pipes);
}

void io_flow_init(struct io_flow *flow, int from_fd, int to_fd)
{
    *flow = (struct io_flow){.from_fd = from_fd, .to_fd = to_fd, .limit_len = IO_FLOW_NO_LIMIT};
}

void io_flow_seal(struct io_flow *flow, struct io_tls_channel *tls, bool is_source)
{
    flow->tls = tls;
    flow->is_from_sealed = is_source;
    flow->can_read = is_source; // what TLS has read already nobody tells of
}

static bool is_to_sealed(const struct io_flow *flow)
{
    return flow->tls != NULL && !flow->is_from_sealed;
}

static void forget_kept(struct io_flow *flow, struct io_flow_means *means)
{
    means->kept_len -= flow->kept_len;
    free(flow->kept);
    flow->kept = NULL;
    flow->kept_at = 0;
    flow->kept_len = 0;
}

static void give_pipe(struct io_flow *flow, struct io_flow_means *means)
{
    if (flow->pipe != NULL) {
        io_pipes_give(&means->pipes, flow->pipe, flow->piped_len);
        flow->pipe = NULL;
        flow->piped_len = 0;
    }
}

void io_flow_deinit(struct io_flow *flow, struct io_flow_means *means)
{
    forget_kept(flow, means);
    give_pipe(flow, means);
}

static int keep(struct io_flow *flow, struct io_flow_means *means, struct bytes bytes)
{
    assert(flow->kept == NULL);
    assert(bytes.len > 0);
    flow->kept = malloc(bytes.len);
    if (flow->kept == NULL) {
        return -ENOMEM;
    }
    memcpy(flow->kept, bytes.ptr, bytes.len);
    flow->kept_len = (uint32_t)bytes.len;
    means->kept_len += bytes.len;
    return 0;
}

int io_flow_begin(struct io_flow *flow, struct io_flow_means *means, struct bytes head)
{
    assert(head.len <= IO_FLOW_SCRATCH_LEN);
    return head.len > 0 ? keep(flow, means, head) : 0;
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR;
}

// --- the ways out ------------------------------------------------------------------------------

static void count_sent(struct io_flow *flow, struct io_flow_means *means, size_t len)
{
    flow->byte_count += len;
    means->byte_count += len;
}

// What came of a call that sends: the destination is full when it took less than it was given.
static enum step judge_sent(struct io_flow *flow, ssize_t sent, size_t given)
{
    if (sent < 0 && !is_passing(errno)) {
        flow->error = -errno;
        return STEP_TARGET_LOST;
    }
    if (sent < 0 ? errno == EAGAIN : (size_t)sent < given) {
        flow->can_write = false;
    }
    return STEP_ON;
}

// What came of a call of TLS that was to write.
static enum step judge_sealed(struct io_flow *flow, enum io_tls_channel_outcome outcome)
{
    if (outcome == IO_TLS_CHANNEL_LOST) {
        flow->error = io_tls_channel_error(flow->tls);
        return STEP_TARGET_LOST;
    }
    flow->can_write = outcome == IO_TLS_CHANNEL_DONE;
    return STEP_ON;
}

// Sends what the destination takes.
static enum step give(struct io_flow *flow, struct io_flow_means *means, struct bytes bytes,
                      size_t *done)
{
    enum step step = STEP_ON;

    *done = 0;
    if (is_to_sealed(flow)) {
        step = judge_sealed(flow, io_tls_channel_write(flow->tls, bytes, done));
    } else {
        const ssize_t sent = send(flow->to_fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        step = judge_sent(flow, sent, bytes.len);
        *done = sent > 0 ? (size_t)sent : 0;
    }
    count_sent(flow, means, *done);
    return step;
}

static enum step send_kept(struct io_flow *flow, struct io_flow_means *means)
{
    const struct bytes kept = {flow->kept + flow->kept_at, flow->kept_len};
    size_t done = 0;
    const enum step step = give(flow, means, kept, &done);

    means->kept_len -= done;
    flow->kept_at += (uint32_t)done;
    flow->kept_len -= (uint32_t)done;
    if (flow->kept_len == 0) {
        forget_kept(flow, means);
    }
    return step;
}

// Behind the last byte: TLS says that it was the last.
static enum step say_end(struct io_flow *flow)
{
    if (!is_to_sealed(flow) || flow->is_broken) {
        return STEP_ENDED;
    }
    const enum step step = judge_sealed(flow, io_tls_channel_shut(flow->tls));
    flow->is_end_owed = step == STEP_ON && !flow->can_write;
    return step != STEP_ON ? step : flow->is_end_owed ? STEP_WAITS : STEP_ENDED;
}

static enum step splice_out(struct io_flow *flow, struct io_flow_means *means)
{
    const ssize_t sent = splice(flow->pipe->read_fd, NULL, flow->to_fd, NULL, flow->piped_len,
                                SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    // A pipe may be emptied in parts: that it took less says nothing.
    const enum step step = judge_sent(flow, sent, 0);

    if (sent > 0) {
        count_sent(flow, means, (size_t)sent);
        means->spliced_count += (uint64_t)sent;
        flow->piped_len -= (uint32_t)sent;
    }
    return step;
}

// --- the ways in -------------------------------------------------------------------------------

static uint32_t limited(const struct io_flow *flow, uint32_t len)
{
    return flow->limit_len < len ? flow->limit_len : len;
}

// What came of a call that reads.
static enum step judge_read(struct io_flow *flow, ssize_t len)
{
    if (len == 0) {
        return STEP_ENDED;
    }
    if (len < 0 && !is_passing(errno)) {
        flow->error = -errno;
        return STEP_SOURCE_LOST;
    }
    if (len < 0 && errno == EAGAIN) {
        flow->can_read = false;
    }
    if (len > 0 && flow->limit_len != IO_FLOW_NO_LIMIT) {
        flow->limit_len -= (uint32_t)len;
    }
    return STEP_ON;
}

// After so many reads in a row that speak for it, the other way.
static void count_streak(struct io_flow *flow, const struct io_flow_means *means, bool is_for_other,
                         uint8_t enough)
{
    flow->streak = is_for_other ? (uint8_t)(flow->streak + 1) : 0;
    if (flow->streak == enough) {
        flow->streak = 0;
        flow->is_bulk = means->way == IO_FLOW_SWITCHES && !flow->is_bulk;
    }
}

// Reads from the socket into `scratch`.
static enum step receive(struct io_flow *flow, struct io_flow_means *means, uint32_t wanted,
                         size_t *given)
{
    const ssize_t len = recv(flow->from_fd, means->scratch, wanted, 0);

    *given = len > 0 ? (size_t)len : 0;
    if (len > 0 && *given < wanted && !flow->is_at_end && !flow->has_urgent) {
        flow->can_read = false; // it is empty now; what comes is told
    }
    return judge_read(flow, len);
}

// Likewise from TLS. How much the system has says nothing of how much that is: of a limited one all
// has been read when no more is there.
static enum step unseal(struct io_flow *flow, struct io_flow_means *means, uint32_t wanted,
                        size_t *given)
{
    switch (io_tls_channel_read(flow->tls, means->scratch, wanted, given)) {
    case IO_TLS_CHANNEL_DONE:
        if (flow->limit_len != IO_FLOW_NO_LIMIT) {
            flow->limit_len -= (uint32_t)*given;
        }
        return STEP_ON;
    case IO_TLS_CHANNEL_WAITS:
        flow->can_read = false;
        return flow->limit_len != IO_FLOW_NO_LIMIT ? STEP_ENDED : STEP_ON;
    case IO_TLS_CHANNEL_ENDED:
        return STEP_ENDED;
    case IO_TLS_CHANNEL_LOST:
        break;
    }
    flow->error = io_tls_channel_error(flow->tls);
    return STEP_SOURCE_LOST;
}

// What is spliced counts for itself (splice_in()); where TLS is, nothing is.
static void count_copied(struct io_flow *flow, const struct io_flow_means *means, size_t len)
{
    if (!flow->is_bulk) {
        count_streak(flow, means, len >= IO_FLOW_BULK_LEN, IO_FLOW_BULK_READS);
    } else if (flow->tls != NULL) {
        count_streak(flow, means, len < IO_FLOW_SMALL_LEN, IO_FLOW_SMALL_READS);
    }
}

static enum step copy(struct io_flow *flow, struct io_flow_means *means, uint32_t *read_len)
{
    const bool is_short = means->kept_len >= IO_FLOW_KEPT_MAX;
    const uint32_t wanted = limited(flow, is_short ? IO_FLOW_SHORT_LEN : IO_FLOW_SCRATCH_LEN);
    size_t given = 0;
    size_t done = 0;
    enum step step = flow->is_from_sealed ? unseal(flow, means, wanted, &given)
                                          : receive(flow, means, wanted, &given);

    if (given == 0) {
        return step;
    }
    *read_len += (uint32_t)given;
    count_copied(flow, means, given);
    step = give(flow, means, (struct bytes){means->scratch, given}, &done);
    if (step == STEP_ON && done < given &&
        keep(flow, means, (struct bytes){means->scratch + done, given - done}) != 0) {
        return STEP_NO_MEMORY;
    }
    return step;
}

static enum step splice_in(struct io_flow *flow, struct io_flow_means *means, uint32_t *read_len)
{
    const ssize_t len = splice(flow->from_fd, NULL, flow->pipe->write_fd, NULL,
                               limited(flow, IO_PIPES_LEN), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (len < 0 && errno == EAGAIN) {
        // It is empty, or at urgent data (RFC 9293 section 3.8.5), which splice(2) never gets past;
        // recv(2) leaves it out.
        return copy(flow, means, read_len);
    }
    const enum step step = judge_read(flow, len);
    if (len > 0) {
        flow->piped_len = (uint32_t)len;
        *read_len += (uint32_t)len;
        if (flow->is_bulk) {
            count_streak(flow, means, len < IO_FLOW_SMALL_LEN, IO_FLOW_SMALL_READS);
        }
    }
    return step;
}

static bool has_pipe(struct io_flow *flow, struct io_flow_means *means)
{
    const bool is_wanted = flow->tls == NULL && (flow->is_bulk || means->way == IO_FLOW_SPLICES);

    if (is_wanted && flow->pipe == NULL) {
        flow->pipe = io_pipes_take(&means->pipes);
    }
    return is_wanted && flow->pipe != NULL;
}

static bool is_holding(const struct io_flow *flow)
{
    return flow->kept_len > 0 || flow->piped_len > 0;
}

// What was read goes out before anything else is read, so that at most one of the two stores holds
// anything, and that is no more than one read.
static enum step step_once(struct io_flow *flow, struct io_flow_means *means, uint32_t *read_len)
{
    const bool is_held = is_holding(flow);

    assert(flow->kept_len == 0 || flow->piped_len == 0);
    if (!is_held && flow->limit_len == 0) {
        return STEP_ENDED;
    }
    if (flow->is_end_owed) {
        return flow->can_write ? STEP_ENDED : STEP_WAITS;
    }
    if (!flow->can_write || (!is_held && !flow->can_read)) {
        return STEP_WAITS;
    }
    if (flow->kept_len > 0) {
        return send_kept(flow, means);
    }
    if (flow->piped_len > 0) {
        return splice_out(flow, means);
    }
    return has_pipe(flow, means) ? splice_in(flow, means, read_len) : copy(flow, means, read_len);
}

enum io_flow_outcome io_flow_run(struct io_flow *flow, struct io_flow_means *means)
{
    enum step step = STEP_ON;
    uint32_t read_len = 0;

    for (int i = 0; i < IO_FLOW_CALL_MAX && step == STEP_ON &&
                    (read_len < IO_FLOW_TURN_LEN || is_holding(flow));
         i++) {
        step = step_once(flow, means, &read_len);
    }
    if (flow->piped_len == 0) {
        give_pipe(flow, means);
    }
    return outcomes[step == STEP_ENDED ? say_end(flow) : step];
}

void io_flow_limit(struct io_flow *flow)
{
    int len = 0;

    flow->limit_len = ioctl(flow->from_fd, FIONREAD, &len) == 0 && len > 0 ? (uint32_t)len : 0;
    if (flow->is_from_sealed) { // and TLS may have a part of a record, of which nobody tells
        flow->limit_len += (uint32_t)io_tls_channel_pending(flow->tls) + IO_TLS_RECEIVE_MAX;
    }
    flow->can_read = true;
}

enum io_flow_outcome io_flow_drop(struct io_flow *flow, struct io_flow_means *means)
{
    enum step step = STEP_ON;
    size_t dropped_len = 0;

    flow->limit_len = IO_FLOW_NO_LIMIT;
    for (int i = 0; i < IO_FLOW_CALL_MAX && dropped_len < IO_FLOW_TURN_LEN && step == STEP_ON;
         i++) {
        const ssize_t len = recv(flow->from_fd, means->scratch, IO_FLOW_SCRATCH_LEN, 0);
        step = judge_read(flow, len);
        dropped_len += len > 0 ? (size_t)len : 0;
        if (step == STEP_ON && !flow->can_read) {
            step = STEP_WAITS;
        }
    }
    return outcomes[step];
}

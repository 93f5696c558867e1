// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_change.h"

#include <assert.h>
#include <errno.h>

#include "daemon/daemon_log.h"
#include "io/io_clock.h"
#include "log/log.h"

enum { OUTCOME_MAX = 128 }; // bytes

#define TICK_NS (SECOND_NS / 100)
#define WAIT_NS SECOND_NS // a worker that takes longer hangs

void relay_change_init(struct relay_change *change, struct relay_crew *crew,
                       struct daemon_notify *notify, struct daemon_ctl *ctl,
                       struct daemon_drain *drain)
{
    *change = (struct relay_change){
        .crew = crew,
        .notify = notify,
        .ctl = ctl,
        .drain = drain,
        .since_ns = NEVER,
    };
}

static bool is_serving(const struct relay_change *change)
{
    return change->drain->state == DAEMON_DRAIN_SERVING;
}

// All of the new configuration counts, or none of it. 0 or -errno, which is logged.
static int hand_out(struct relay_change *change)
{
    struct relay_reload *reload = change->reload;

    if (!relay_reload_read(reload, relay_policy_current(&change->crew->policy))) {
        return -EINVAL;
    }
    const int error = relay_crew_change(change->crew, &reload->turn);
    if (error != 0) {
        LOG_ERROR("the new configuration cannot be handed out", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    change->drain->timeout_s = reload->config.daemon.drain_timeout_s;
    daemon_log_filter(&reload->config.daemon);
    return 0;
}

// Says all there is to say of what was read, and keeps it for those who wait.
static void keep_words(struct relay_change *change)
{
    struct wr wr = wr_init(change->words, sizeof change->words);

    relay_reload_log(change->reload);
    relay_reload_write(change->reload, &wr);
    change->words_len = wr_done(&wr).len;
}

uint64_t relay_change_begin(struct relay_change *change)
{
    const struct now now = io_clock_now();

    if (!is_serving(change)) {
        LOG_WARN("not reloading, since the relay ends");
        return 0;
    }
    if (change->since_ns != NEVER) {
        if (!change->is_due) {
            LOG_INFO("reloading again when all workers have taken the last reload");
        }
        change->is_due = true; // what was written since is to count too
        return change->count + 1;
    }
    LOG_INFO("reloading");
    daemon_notify_reloading(change->notify, now);
    change->count++;
    change->is_due = false;
    change->is_late = false;
    const int error = hand_out(change);
    keep_words(change);
    relay_reload_end(change->reload);
    change->is_wrong = error != 0;
    if (error != 0) {
        LOG_ERROR("nothing was reloaded; all is as it was");
        daemon_notify_ready(change->notify);
    } else {
        change->since_ns = now.mono_ns;
    }
    return change->count;
}

// Those who wait with this ticket, or with an earlier one.
static void tell(struct relay_change *change, uint64_t ticket, const char *outcome)
{
    static uint8_t text[OUTCOME_MAX + DAEMON_RELOAD_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    wr_text(&wr, outcome);
    wr_bytes(&wr, (struct bytes){change->words, change->words_len});
    assert(wr_ok(&wr));
    daemon_ctl_answer(change->ctl, ticket, wr_done(&wr));
}

static void finish(struct relay_change *change)
{
    LOG_INFO("the configuration is reloaded");
    change->since_ns = NEVER;
    tell(change, change->count, "The configuration is reloaded.\n");
    if (is_serving(change)) {
        daemon_notify_ready(change->notify);
    }
    if (change->is_due) {
        change->is_due = false;
        if (relay_change_begin(change) == 0) { // who waits for it has the ticket that comes next
            change->words_len = 0;
            tell(change, change->count + 1, "failed: nothing was reloaded, since the relay ends\n");
        }
    }
}

// While a worker hangs, whoever asks is told so at once.
static void complain(struct relay_change *change, struct now now)
{
    if (now.mono_ns <= change->since_ns + WAIT_NS) {
        return;
    }
    if (!change->is_late) {
        LOG_ERROR("some workers do not answer, and serve by the old configuration");
        change->is_late = true;
    }
    tell(change, change->count + 1,
         "failed: some workers do not answer, and serve by the old configuration\n");
}

uint64_t relay_change_tick(struct relay_change *change, struct now now)
{
    if (change->since_ns != NEVER) {
        if (relay_crew_is_settled(change->crew)) {
            finish(change);
        } else {
            complain(change, now);
        }
    }
    if (change->is_wrong) {
        change->is_wrong = false;
        tell(change, change->count, "failed: nothing was reloaded; all is as it was\n");
    }
    return change->since_ns == NEVER ? NEVER : now.mono_ns + TICK_NS;
}

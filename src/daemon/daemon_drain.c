// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_drain.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "log/log.h"

#define DRAIN_TICK_NS (SECOND_NS / 10) // so long nobody minds, and it costs nothing

static void enter(struct daemon_drain *drain, enum daemon_drain_state state)
{
    assert(state > drain->state);
    drain->state = state;
}

void daemon_drain_init(struct daemon_drain *drain, const struct daemon_drain_words *words,
                       const struct daemon_notify *notify, uint32_t timeout_s)
{
    *drain = (struct daemon_drain){.words = words, .notify = notify, .timeout_s = timeout_s};
}

bool daemon_drain_signal(struct daemon_drain *drain, int number)
{
    char name[16]; // "SIGTERM" and the like

    snprintf(name, sizeof name, "SIG%s", sigabbrev_np(number));
    LOG_INFO("ending", LOG_TEXT("signal", name));
    if (drain->state == DAEMON_DRAIN_DRAINING) {
        enter(drain, DAEMON_DRAIN_OVER);
    }
    return drain->state == DAEMON_DRAIN_SERVING;
}

void daemon_drain_begin(struct daemon_drain *drain, uint32_t count, struct now now)
{
    enter(drain, DAEMON_DRAIN_DRAINING);
    daemon_notify_stopping(drain->notify, drain->timeout_s);
    drain->end_ns = now.mono_ns + drain->timeout_s * SECOND_NS;
    if (count == 0) {
        enter(drain, DAEMON_DRAIN_OVER);
    } else if (drain->timeout_s > 0) {
        LOG_INFO(drain->words->begun, LOG_NUMBER(drain->words->things, count),
                 LOG_NUMBER("timeout_s", drain->timeout_s));
    }
}

static void tell(struct daemon_drain *drain, uint32_t count)
{
    char text[128];

    drain->told_count = count;
    snprintf(text, sizeof text, "Draining, %s left: %u", drain->words->things, count);
    daemon_notify_status(drain->notify, text);
}

uint64_t daemon_drain_tick(struct daemon_drain *drain, uint32_t count, struct now now)
{
    if (drain->state != DAEMON_DRAIN_DRAINING) {
        return NEVER;
    }
    if (count != drain->told_count) {
        tell(drain, count);
    }
    if (count > 0 && now.mono_ns < drain->end_ns) {
        return now.mono_ns + DRAIN_TICK_NS;
    }
    if (count > 0) {
        LOG_INFO("ending, since --drain-timeout is over", LOG_NUMBER(drain->words->things, count));
    } else {
        LOG_INFO(drain->words->ended);
    }
    enter(drain, DAEMON_DRAIN_OVER);
    return now.mono_ns;
}

// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_pulse.h"

#include <assert.h>

void daemon_pulse_init(struct daemon_pulse *pulse, uint32_t count)
{
    assert(count <= DAEMON_CONFIG_WORKER_MAX);
    pulse->count = count;
    atomic_init(&pulse->beat, 0);
    for (uint32_t i = 0; i < count; i++) {
        atomic_init(&pulse->answers[i], 0);
    }
}

void daemon_pulse_ask(struct daemon_pulse *pulse)
{
    atomic_fetch_add(&pulse->beat, 1);
}

void daemon_pulse_answer(struct daemon_pulse *pulse, uint32_t worker)
{
    assert(worker < pulse->count);
    atomic_store(&pulse->answers[worker], atomic_load(&pulse->beat));
}

uint32_t daemon_pulse_missing(const struct daemon_pulse *pulse)
{
    const uint32_t beat = atomic_load(&pulse->beat);
    uint32_t missing = 0;

    for (uint32_t i = 0; i < pulse->count; i++) {
        missing += atomic_load(&pulse->answers[i]) != beat;
    }
    return missing;
}

// SPDX-License-Identifier: Apache-2.0
// Whether all workers are alive: the first thread asks, and each answers in its own thread when
// its loop comes round. Nobody waits.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon_config.h"

struct daemon_pulse {
    uint32_t count;                                     // of workers
    _Atomic uint32_t beat;                              // the last one that was asked for; from 0
    _Atomic uint32_t answers[DAEMON_CONFIG_WORKER_MAX]; // the last one that each has answered
};

// For so many workers; nobody has been asked yet, so that all have answered.
void daemon_pulse_init(struct daemon_pulse *pulse, uint32_t count);
// The first thread's: asks once more. The caller has each worker look.
void daemon_pulse_ask(struct daemon_pulse *pulse);
// A worker's.
void daemon_pulse_answer(struct daemon_pulse *pulse, uint32_t worker);
// How many have not answered what was asked last.
uint32_t daemon_pulse_missing(const struct daemon_pulse *pulse);

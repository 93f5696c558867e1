// SPDX-License-Identifier: Apache-2.0
// What a command shows again and again on a terminal, a second apart, or once.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct daemon_screen {
    bool is_terminal; // it is shown until it is ended
    uint32_t columns; // as wide as anything without a terminal
    uint32_t rows;    // 0 without one
};

// Shows it once. False ends it, as a failure.
typedef bool (*daemon_screen_fn)(void *context, const struct daemon_screen *screen);

// Calls `show` after a second, and each further one if standard output is a terminal and `is_once`
// is not set, until it fails. The exit status.
int daemon_screen_run(bool is_once, daemon_screen_fn show, void *context);
enum { DAEMON_SCREEN_NUMBER_MAX = 16 }; // bytes

// "1.2M": three digits or so, and a unit of 1000. Returns `out`.
const char *daemon_screen_number(char out[DAEMON_SCREEN_NUMBER_MAX], uint64_t value);
// A line, cut to the width of the screen.
void daemon_screen_line(struct wr *wr, struct bytes line, uint32_t columns);
// What a text begins with, so that it stands in place of the former one; nothing without a
// terminal.
void daemon_screen_begin(const struct daemon_screen *screen, struct wr *wr);

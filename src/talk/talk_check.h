// SPDX-License-Identifier: Apache-2.0
// A check: what is asked of a server, by which words of which RFC, and the script that asks it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct talk;

// How much the RFC wants it: what becomes of a server that does otherwise.
enum talk_level {
    TALK_MUST,   // a fault
    TALK_SHOULD, // a warning
    TALK_MAY,    // a feature that it lacks
};

struct talk_check {
    const char *id;      // stable, such as "allocate-twice-437"
    const char *section; // "RFC 8656, 7.2"
    enum talk_level level;
    const char *rule;  // what is expected, one sentence in our words
    const char *words; // what the RFC says, in its words
    bool is_slow;      // waits for minutes: something must expire
    // The script: steps of talk_step.h and talk_expect.h one after another, of which the first that
    // decides ends the check. If none does, the server has passed.
    void (*run)(struct talk *talk);
};

// Checks of one subject.
struct talk_subject {
    const char *name;
    const char *about; // what it means for those who use the server, in whole sentences
    const struct talk_check *checks;
    size_t count;
};

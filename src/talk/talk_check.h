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

// How much lies open when a check of an attack fails.
enum talk_severity {
    TALK_UNWEIGHED, // a check of an RFC: the level says it
    TALK_INFO,      // worth knowing
    TALK_LOW,
    TALK_MEDIUM,
    TALK_HIGH,
    TALK_SEVERITIES,
};
extern const char *const talk_severity_names[TALK_SEVERITIES];

// How what was found is closed, one sentence or more for each make of server.
struct talk_cure {
    const char *coturn;
    const char *pion;
    const char *fairlead;
};

struct talk_check {
    const char *id;      // stable, such as "allocate-twice-437"
    const char *section; // "RFC 8656, 7.2"
    enum talk_level level;
    const char *rule;  // what is expected, one sentence in our words
    const char *words; // what the RFC says, in its words
    bool is_slow;      // waits for minutes: something must expire
    bool is_alone;     // nothing else may be asked of the server meanwhile
    // Of checks of attacks only. Their section says where the attack is told of, and their words
    // say in ours why it matters.
    enum talk_severity severity;
    const struct talk_cure *cure;
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

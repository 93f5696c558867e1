// SPDX-License-Identifier: Apache-2.0
// How much of the reverse relay the worlds have exercised, over all seeds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// X(NAME, the text that a command begins with)
#define COVER_COMMANDS(X)                                                                          \
    X(GREETED, "report linked")                                                                    \
    X(FULL, "report full")                                                                         \
    X(SPOKE, "report spoke")                                                                       \
    X(LOST, "report lost")                                                                         \
    X(REFUSED, "report refused")                                                                   \
    X(TIMED_OUT, "report timed out")                                                               \
    X(AGAIN, "report again")                                                                       \
    X(FOREIGN, "report foreign")                                                                   \
    X(OTHER_FAMILY, "report other family")                                                         \
    X(CLOSE, "close ")                                                                             \
    X(RESET, "reset ")                                                                             \
    X(JOIN, "join ")                                                                               \
    X(END, "end ")

// X(NAME, what it counts). Each must be seen at least once in a full run.
#define COVER_OTHERS(X)                                                                            \
    X(UNLINKED, "told that no controller is linked")                                               \
    X(UNEXPECTED, "a reverse connection closed without a word")                                    \
    X(WITHHELD, "a client that was not announced")                                                 \
    X(MANY_AGAIN, "more than one announced again at a time")                                       \
    X(MOST_AGAIN, "as many as may be at a time")                                                   \
    X(REFUSED_SESSIONS, "a limit: all clients of the relay")                                       \
    X(REFUSED_PAIR_SESSIONS, "a limit: all clients of a pair")                                     \
    X(REFUSED_WAITING, "a limit: those that wait")                                                 \
    X(REFUSED_PAIR_WAITING, "a limit: those that wait for one server")                             \
    X(REFUSED_ADDRESS_WAITING, "a limit: those of one address")                                    \
    X(DIAL_FAILED, "a dial failed")                                                                \
    X(DIAL_LATE, "a dial arrived at a pair that is another server's")                              \
    X(STOPPED, "a server was stopped, and went on later")                                          \
    X(STALE, "news of what was over")                                                              \
    X(TICK_TWICE, "more was due than one tick could do")                                           \
    X(RELOADED, "another configuration")                                                           \
    X(RESET_WAITING, "a client was reset while it waited")

enum cover_item {
#define COVER_ITEM(NAME, text) COVER_##NAME,
    COVER_COMMANDS(COVER_ITEM) COVER_OTHERS(COVER_ITEM)
#undef COVER_ITEM
        COVER_ITEMS,
};

struct cover {
    uint64_t events;
    uint64_t seen[COVER_ITEMS];
};

// Counts what a command is.
void cover_command(struct cover *cover, const char *text);
// Prints all of it. True when each has been seen.
bool cover_print(const struct cover *cover);

// SPDX-License-Identifier: Apache-2.0
// Which limit a client met that was not let in. Each has words for a log line and a counter in
// revtun_stats.h.
#pragma once

// X(NAME, name of the counter behind "refused_", words)
#define REVTUN_REFUSALS(X)                                                                         \
    X(SESSIONS, sessions, "the relay has all clients that it may have")                            \
    X(PAIR_SESSIONS, pair_sessions, "the server has all clients that one may have")                \
    X(WAITING, waiting, "too many clients of the relay wait for their servers")                    \
    X(PAIR_WAITING, pair_waiting, "too many clients wait for this server")                         \
    X(ADDRESS_WAITING, address_waiting, "too many clients of this address wait for their servers")

enum revtun_refusal {
    REVTUN_REFUSAL_NONE, // it is no refusal
#define REVTUN_REFUSAL_NAME(NAME, name, words) REVTUN_REFUSAL_##NAME,
    REVTUN_REFUSALS(REVTUN_REFUSAL_NAME)
#undef REVTUN_REFUSAL_NAME
        REVTUN_REFUSAL_END,
};

// The words for a log line; NULL of none.
const char *revtun_refusal_words(enum revtun_refusal refusal);

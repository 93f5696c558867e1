// SPDX-License-Identifier: Apache-2.0
// How much of version 2 the worlds have exercised, over all seeds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// X(NAME, a part of the text of a command)
#define COVER_TEXTS(X)                                                                             \
    X(WELCOME, " welcome sid=")                                                                    \
    X(BYE_DENIED, " bye code=denied ")                                                             \
    X(BYE_REVOKED, " bye code=revoked ")                                                           \
    X(BYE_BUSY, " bye code=busy ")                                                                 \
    X(BYE_BAD_VALUE, " bye code=bad_value ")                                                       \
    X(BYE_PROTOCOL, " bye code=protocol ")                                                         \
    X(BYE_SILENT, " bye code=silent ")                                                             \
    X(BYE_TIMEOUT, " bye code=timeout ")                                                           \
    X(BYE_SHUTDOWN, " bye code=shutdown ")                                                         \
    X(BOUND, " bound rid=")                                                                        \
    X(UNBOUND_ASKED, " code=asked\r\n")                                                            \
    X(UNBOUND_REPLACED, " code=replaced\r\n")                                                      \
    X(UNBOUND_REVOKED, " code=revoked\r\n")                                                        \
    X(ERROR_DENIED_NAME, " code=denied key=name text=")                                            \
    X(ERROR_DENIED_PORT, " code=denied key=port text=")                                            \
    X(ERROR_DENIED_HOST, " code=denied key=hosts text=")                                           \
    X(ERROR_NAME_TAKEN, " code=name_taken text=")                                                  \
    X(ERROR_PORT_TAKEN, " code=port_taken text=")                                                  \
    X(ERROR_HOST_TAKEN, " code=host_taken text=")                                                  \
    X(ERROR_NO_PORT, " code=no_port text=")                                                        \
    X(ERROR_QUOTA, " code=quota text=")                                                            \
    X(ERROR_BUSY, " code=busy text=")                                                              \
    X(ERROR_UNSUPPORTED, " code=unsupported text=")                                                \
    X(ERROR_BAD_VALUE, " code=bad_value key=")                                                     \
    X(ERROR_UNKNOWN_VERB, " code=unknown_verb text=")                                              \
    X(RETRY_3, " retry=3\r\n")                                                                     \
    X(RETRY_1, " code=busy text=this%20agent%20asks")                                              \
    X(QUOTA_HOSTS, " code=quota text=this%20agent%20may%20have%20no%20more%20hosts")               \
    X(BUSY_ENDED, " code=busy text=too%20many%20tunnels")                                          \
    X(BIND_REFUSED, "report bind refused")                                                         \
    X(GONE_LEFT, " code=left\r\n")                                                                 \
    X(GONE_TIMEOUT, " code=timeout\r\n")                                                           \
    X(NEW_CONNECTION, " new_connection id=")                                                       \
    X(SNI, " sni=")                                                                                \
    X(STANDBY, " standby id=")                                                                     \
    X(PING, " ping n=")                                                                            \
    X(PONG, " pong n=")                                                                            \
    X(DRAIN, " drain in=")                                                                         \
    X(DENIED, "report denied")                                                                     \
    X(NOBODY, "report nobody")                                                                     \
    X(FORGED, "report forged")                                                                     \
    X(REFUSED_SESSIONS, "report refused 0 sessions")                                               \
    X(REFUSED_PAIR_SESSIONS, "report refused 0 pair_sessions")                                     \
    X(REFUSED_WAITING, "report refused 0 waiting")                                                 \
    X(REFUSED_PAIR_WAITING, "report refused 0 pair_waiting")                                       \
    X(REFUSED_ADDRESS_WAITING, "report refused 0 address_waiting")                                 \
    X(TIMED_OUT, "report timed out")                                                               \
    X(JOIN, "join ")                                                                               \
    X(JOIN_STANDING, " standing=")                                                                 \
    X(END, "end ")                                                                                 \
    X(REFUSE, "refuse ")

// X(NAME, what it counts)
#define COVER_OTHERS(X)                                                                            \
    X(CERT, "an agent has proven itself by its certificate")                                       \
    X(RESUMED, "a name came back to the same process")                                             \
    X(CAME_BACK, "clients that waited were announced anew")                                        \
    X(REFUSE_UNREACHABLE, "an agent refused a client: unreachable")                                \
    X(REFUSE_BUSY, "likewise: busy")                                                               \
    X(REFUSE_DENIED, "likewise: denied")                                                           \
    X(REFUSE_OTHER, "likewise: a word that is not known")                                          \
    X(REFUSED_STANDBY, "an agent refused a standing connection")                                   \
    X(FORGERY_MAC, "a data connection with another MAC")                                           \
    X(FORGERY_TYPE, "with the other type")                                                         \
    X(FORGERY_FORM, "malformed")                                                                   \
    X(FORGERY_SID, "with another's sid")                                                           \
    X(FORGERY_THEFT, "with another's id")                                                          \
    X(FORGERY_REPLAY, "replayed")                                                                  \
    X(WRONG_TLS, "in TLS where it must not be, or the other way round")                            \
    X(LATE, "a data connection for who has left")                                                  \
    X(CUT_LINE, "a line came in pieces")                                                           \
    X(MANY_LINES, "several lines came at once")                                                    \
    X(WITHHELD, "a client was withheld, since its agent had too much to read")                     \
    X(STOPPED, "an agent stopped reading")                                                         \
    X(FULL, "a control connection too many")                                                       \
    X(RESTARTED, "the relay began anew, with its leases")                                          \
    X(CLOCK, "the clock was set")                                                                  \
    X(SLEPT, "the machine slept")                                                                  \
    X(LISTED, "another access list")                                                               \
    X(STALE, "news of what was over")                                                              \
    X(STANDING_ENDED, "a standing connection ended by itself")                                     \
    X(FORESTALLED, "something ended by itself before it was ended")                                \
    X(TICK_TWICE, "more was due than one tick could do")

enum cover_item {
#define COVER_ITEM(NAME, text) COVER_##NAME,
    COVER_TEXTS(COVER_ITEM) COVER_OTHERS(COVER_ITEM)
#undef COVER_ITEM
        COVER_ITEMS,
};

struct cover {
    uint64_t events;
    uint64_t commands;
    uint64_t seen[COVER_ITEMS];
};

// Counts what a command is.
void cover_command(struct cover *cover, const char *text);
// Prints all of it. True when each has been seen.
bool cover_print(const struct cover *cover);

// SPDX-License-Identifier: Apache-2.0
// What the relay says on its first day: a credential, and how to use it.
#pragma once

#include "base/bytes.h"
#include "log/log_line.h"
#include "relay/relay_config.h"

enum {
    RELAY_GREETING_PASSWORD_LEN = 32,       // characters: 128 random bits in hexadecimal
    RELAY_GREETING_TEXT_MAX = LOG_LINE_MAX, // bytes that the longest text needs
};

// Gives the configuration its one user, with a random password that is written to `password`: the
// caller's, to wipe when the configuration is no longer needed.
void relay_greeting_make_user(struct relay_config *config,
                              uint8_t password[RELAY_GREETING_PASSWORD_LEN]);

// Writes the credential of the first user, the iceServers JSON for browsers, and a line that tries
// the relay out.
void relay_greeting_write(struct wr *wr, const struct relay_config *config);

// Writes only the JSON: {"iceServers":[...]}.
void relay_greeting_ice_servers_write(struct wr *wr, const struct relay_config *config);

// Writes it as a line of the log, in the form that the log has, and returns what is written. It
// does not go through the log, whose buffer would keep the password.
struct bytes relay_greeting_line_write(uint8_t out[LOG_LINE_MAX], const struct relay_config *config,
                                       int64_t wall_ms);

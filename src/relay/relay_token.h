// SPDX-License-Identifier: Apache-2.0
// The token of a portal, as it was given or out of the file that was named instead.
#pragma once

#include "conf/conf.h"
#include "portal_link/portal_link.h"

struct relay_token {
    size_t len;
    uint8_t text[PORTAL_LINK_TOKEN_MAX];
    char wrong[128]; // why the file could not be read
};

// Reads the value of the option "token": if it begins with a slash, or is the name of a file, what
// that has, and otherwise the value itself; without the white space in it, which copying brings
// about. False: there is none, or something is wrong, which is added to conf->errors.
MUST_USE bool relay_token_read(struct conf *conf, struct relay_token *out);

void relay_token_wipe(struct relay_token *token);

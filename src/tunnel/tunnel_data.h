// SPDX-License-Identifier: Apache-2.0
// How data connections of version 2 are made, as the options --data of relays and agents say it.
#pragma once

#include "revtun/revtun_message.h"

enum { TUNNEL_DATA_WORD_COUNT = 3 };

// By enum revtun_message_data.
static const char *const tunnel_data_words[TUNNEL_DATA_WORD_COUNT] = {
    [REVTUN_MESSAGE_DATA_ANY] = "any",
    [REVTUN_MESSAGE_DATA_PLAIN] = "plain",
    [REVTUN_MESSAGE_DATA_TLS] = "tls",
};

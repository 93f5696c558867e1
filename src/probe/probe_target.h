// SPDX-License-Identifier: Apache-2.0
// Whom conversations are held with, as the options of conform and attack say it, and as whom: a
// user with a password, or, with a secret of TURN REST, a user of its own for each check.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "conf/conf.h"
#include "probe/probe_endpoint.h"
#include "talk/talk.h"

enum {
    PROBE_TARGET_NAME_MAX = 80,     // characters of a made-up username
    PROBE_TARGET_PASSWORD_LEN = 28, // and of its password
};

struct probe_target {
    struct probe_endpoint server;
    struct bytes username; // empty: not given
    struct bytes password;
    struct bytes realm; // to be named before the server does; empty: not
    struct bytes other_username;
    struct bytes other_password;
    struct bytes secret; // of TURN REST; empty: username and password
    struct addr peer_ip4;
    struct addr peer_ip6;
    uint32_t patience_ms;
    uint32_t quiet_ms;
    uint32_t rate; // datagrams a second, of all conversations together
    uint32_t jobs; // conversations side by side
};

// Reads the options of probe_inquiry_options.h; what is wrong goes to the errors of `conf`, from
// which spans are borrowed.
void probe_target_read(struct conf *conf, struct probe_target *out);

// A user that is made up for one check.
struct probe_target_user {
    char name[PROBE_TARGET_NAME_MAX + 1];
    uint8_t password[PROBE_TARGET_PASSWORD_LEN];
};

// Writes the target of a conversation; `id` tells its users from others, `users` is their memory.
void probe_target_of(const struct probe_target *target, const char *id, int64_t wall_s,
                     struct probe_target_user users[2], struct talk_target *out);

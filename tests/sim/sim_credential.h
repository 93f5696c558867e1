// SPDX-License-Identifier: Apache-2.0
// Names and passwords as their issuers make them, and what a name says of its end. Nothing is
// shared with src/turn.
#pragma once

#include "base/bytes.h"
#include "base/now.h"
#include "sim/sim_setup.h"

enum { SIM_CREDENTIAL_TEXT_MAX = 96 };

enum sim_credential_kind {
    SIM_CREDENTIAL_USER, // of the configuration
    SIM_CREDENTIAL_REST,
    SIM_CREDENTIAL_FIREZONE,
};

struct sim_credential {
    enum sim_credential_kind kind;
    int64_t expiry_s; // INT64_MAX: never
    size_t name_len;
    size_t password_len;
    uint8_t name[SIM_CREDENTIAL_TEXT_MAX];
    uint8_t password[SIM_CREDENTIAL_TEXT_MAX];
};

// A credential for a client, of a kind that the configuration serves.
struct sim_credential sim_credential_make(const struct sim_setup *setup, struct rng *rng,
                                          enum sim_credential_kind kind, unsigned client,
                                          struct now now);
// Some kind that the configuration serves.
enum sim_credential_kind sim_credential_kind_of(const struct sim_setup *setup, struct rng *rng);

// When a name ends: the number before its first colon, or all of it. False when that is none.
bool sim_credential_expiry(struct bytes name, int64_t *out);

// What is told here agrees with what the issuers themselves give for known secrets and names.
bool sim_credential_is_right(void);

// base64(HMAC-SHA1(secret, name)): the convention of TURN REST. Returns the length.
size_t sim_credential_rest(struct bytes secret, struct bytes name,
                           uint8_t out[SIM_CREDENTIAL_TEXT_MAX]);
// base64 without padding of SHA-256("expiry:stamp:salt"): Firezone's portal. 0 when the name has
// not exactly one colon or no expiry.
size_t sim_credential_firezone(struct bytes stamp, struct bytes name,
                               uint8_t out[SIM_CREDENTIAL_TEXT_MAX]);

// SPDX-License-Identifier: Apache-2.0
// The secrets that both ends of a control connection have from its TLS session.
//
// They are a keying material exporter of TLS 1.3 (RFC 8446 section 7.5, RFC 5705): nobody between
// the two who ends TLS on either side has the same, and each connection has new ones.
//
//   0..31   proves that the agent has its token        (revtun_token.h)
//   32..63  proves whose a data connection is          (revtun_preface.h)
//   64..95  proves the relay to a standing connection  (revtun_head.h)
#pragma once

#include <stdint.h>

#define REVTUN_SECRETS_LABEL "EXPORTER-tlsrelay-2" // of the exporter; it has no context

enum {
    REVTUN_SECRETS_KEY_LEN = 32,                            // bytes
    REVTUN_SECRETS_EXPORT_LEN = 3 * REVTUN_SECRETS_KEY_LEN, // bytes to be exported
};

struct revtun_secrets {
    uint8_t proof[REVTUN_SECRETS_KEY_LEN];
    uint8_t preface[REVTUN_SECRETS_KEY_LEN];
    uint8_t head[REVTUN_SECRETS_KEY_LEN];
};

// Cuts what was exported into its keys.
struct revtun_secrets revtun_secrets_read(const uint8_t exported[REVTUN_SECRETS_EXPORT_LEN]);

// Forgets them.
void revtun_secrets_deinit(struct revtun_secrets *secrets);

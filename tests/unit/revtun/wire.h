// SPDX-License-Identifier: Apache-2.0
// Samples of version 2's binary forms, made by a program of its own from docs/tunnel-protocol.md.
#pragma once

#include "base/bytes.h"
#include "revtun/revtun_secrets.h"
#include "revtun/revtun_token.h"

// The secrets of an exporter that gave the bytes 0, 1, 2 ... 95.
struct revtun_secrets wire_secrets(void);
// The token "laptop" with the secret 0, 1 ... 17 and the pin 100, 101 ... 131.
struct revtun_token wire_token(void);

// Reads hexadecimal digits, exactly twice as many as `len`.
void wire_unhex(const char *text, uint8_t *to, size_t len);

extern const char wire_token_text[];
extern const char wire_verifier[];  // of wire_token(), in hexadecimal digits as all below
extern const char wire_proof[];     // of it, under wire_secrets()
extern const char wire_accept[];    // preface, sid 0xa0, 0xa1 ... 0xaf, id 42
extern const char wire_standby[];   // preface, the same sid, id 43
extern const char wire_head[];      // answer to that, with the line below
extern const char wire_head_line[]; // not in digits

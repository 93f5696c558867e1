// SPDX-License-Identifier: Apache-2.0
// What agents prove themselves with, and relays, written anew from docs/tunnel-protocol.md.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { SEALS_LEN = 32, SEALS_SID_LEN = 16, SEALS_EXPORT_LEN = 96, SEALS_PREFACE_LEN = 64 };

// The verifier of one of the tokens of this name.
void seals_verifier(const char *id, uint32_t secret, uint8_t out[SEALS_LEN]);
// What its agent says on the connection that has exported these bytes.
void seals_proof(const char *id, uint32_t secret, const uint8_t exported[SEALS_EXPORT_LEN],
                 uint8_t out[SEALS_LEN]);
void seals_preface(uint8_t type, const uint8_t sid[SEALS_SID_LEN], uint64_t id,
                   const uint8_t exported[SEALS_EXPORT_LEN], uint8_t out[SEALS_PREFACE_LEN]);
// The line of a head that fits a preface; false when the head is not whole or not authentic.
bool seals_head(struct bytes head, const uint8_t preface[SEALS_PREFACE_LEN],
                const uint8_t exported[SEALS_EXPORT_LEN], struct bytes *line);

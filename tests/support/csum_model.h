// SPDX-License-Identifier: Apache-2.0
// The Internet checksum as RFC 1071 explains it: byte by byte, from scratch.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Adds bytes, of which the first lies at an even place, to a sum that began as 0.
uint32_t csum_model_add(uint32_t sum, const uint8_t *bytes, size_t len);

// The checksum for a sum, in host order.
uint16_t csum_model_close(uint32_t sum);

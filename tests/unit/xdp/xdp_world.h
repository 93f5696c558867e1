// SPDX-License-Identifier: Apache-2.0
// A network of one's own for a test: a network namespace that vanishes with the process.
//
// In it are two veth pairs, near0 to far0 and near1 to far1, all four up, near0 with 192.0.2.1/24
// and 2001:db8::1/64, near1 with 198.51.100.1/24. Their MAC addresses are 02:00:00:00:00:
// 10 (near0), 20 (far0), 11 and 21.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "xdp/xdp_program.h"

enum { XDP_WORLD_SKIPPED = 77 };

// Enters a new namespace and sets it up. False, with a line "skipped: ..." printed, when this
// machine does not let it; then the test ends with XDP_WORLD_SKIPPED.
bool xdp_world_enter(void);

// Runs a command in the namespace, which must succeed.
void xdp_world_run(const char *format, ...) PRINTF_LIKE(1, 2);

// Waits until an interface has a carrier, or has none: the system needs up to a second to notice.
void xdp_world_await_carrier(const char *name, bool has_carrier);

// Waits for the condition, within some seconds.
typedef bool (*xdp_world_fn)(void *context);
void xdp_world_await(xdp_world_fn condition, void *context);

// The index of an interface, which must be there.
uint32_t xdp_world_ifindex(const char *name);

// The address written as text, which must be one, with this port.
struct addr xdp_world_addr(const char *text, uint16_t port);

// Loads the relay's program with the namespace's addresses as own ones, in the order in which they
// stand above, port 3478 and relayed ports 49152 to 65535.
void xdp_world_open(struct xdp_program *program, uint32_t channel_max, uint32_t hop_max);

// Drops these capabilities (bits by number) from this process for good.
void xdp_world_drop(uint64_t capabilities);

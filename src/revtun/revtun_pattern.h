// SPDX-License-Identifier: Apache-2.0
// Names of tunnels, host names and ports, and the patterns that cover many of them.
//
// A name has 1 to 63 of the characters a-z, 0-9 and '-', and begins and ends with none of the
// last: what may be a label of a host name. A host name is labels of a-z, 0-9, '-' and '_' with
// dots between them, in lower case, without a dot at its end. Patterns are
//
//   of names   web      that name                 web-*            all that begin so; * is all
//   of hosts   a.test   that host                 *.a.test         all below a.test, not itself;
//                                                                  * is all
//   of ports   12101    that port                 12101-12150      from, to; * is all
#pragma once

#include "base/bytes.h"

enum {
    REVTUN_NAME_MAX = 63,  // bytes
    REVTUN_HOST_MAX = 253, // bytes, as DNS has it
};

bool revtun_pattern_is_name(struct bytes text);
bool revtun_pattern_is_host(struct bytes text);

bool revtun_pattern_is_of_names(struct bytes text);
bool revtun_pattern_is_of_hosts(struct bytes text);

bool revtun_pattern_is_of_ports(struct bytes text);

// The name is covered by a pattern of names.
bool revtun_pattern_covers_name(struct bytes pattern, struct bytes name);
// The host, or all that a second pattern of hosts covers, is covered by the first.
bool revtun_pattern_covers_host(struct bytes pattern, struct bytes host);

// Takes the next item off a list with commas; false at its end. "a,,b" has an empty item in its
// middle, but one at the end of "a," is not seen.
bool revtun_pattern_take(struct bytes *list, struct bytes *item);

typedef bool (*revtun_pattern_fn)(struct bytes item);

// A list of one item or more, each of them as the function has it.
bool revtun_pattern_is_list(struct bytes list, revtun_pattern_fn is_item);

// Takes the next pattern off a list of patterns of ports: it covers those from *first to *last, 1
// to 65535. Items that are none are passed over. False at the list's end.
bool revtun_pattern_take_ports(struct bytes *list, uint64_t *first, uint64_t *last);

// An item of a list of patterns of ports covers this one.
bool revtun_pattern_list_has_port(struct bytes list, uint16_t port);

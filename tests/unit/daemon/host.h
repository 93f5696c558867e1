// SPDX-License-Identifier: Apache-2.0
// What the tests of daemons ask of the host that they run on, and what they see of them from
// outside: their log lines and descriptors.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/addr.h"
#include "log/log.h"

enum {
    HOST_SKIPPED = 77, // exit code of a program of which some test could not run here
    HOST_NOBODY = 65534,
};

// Catches what is logged from now on. In a human line the time is left out.
void host_log_open(enum log_line_format format);
// All that was logged since the last call; valid until the next one.
const char *host_log(void);
// Logs to standard output again.
void host_log_close(void);

// Descriptors of this process that are open.
size_t host_descriptor_count(void);
// Lets the process have as many more descriptors as it says, until it is called with -1.
void host_descriptor_limit(int more);

struct addr host_loopback(enum addr_family family, uint16_t port);
// A UDP port that was free just now; another one each time.
uint16_t host_free_port(enum addr_family family);
// IPv6 works on loopback. If not, it says "skipped" and why.
bool host_has_ip6(void);

typedef int (*host_child_fn)(void);
// Calls it in a child process, in a network namespace of its own where only loopback is up, and
// gives back what it returns (0 to 125); -1 when this takes rights that we lack, which it says as
// "skipped". Log lines are caught in the child, too.
int host_without_network(host_child_fn fn);

// Gives loopback, which is interface 1 of a namespace, the address fe80::1. For such a child only.
bool host_add_link_local(void);

// Fails the test unless the bytes are this text.
void host_expect_text(struct bytes text, const char *expected);

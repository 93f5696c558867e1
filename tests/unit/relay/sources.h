// SPDX-License-Identifier: Apache-2.0
// A configuration of the relay, read from sources that a test writes down.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "relay/relay_config.h"

// Up to two arguments, two variables, and a file; each NULL when there is none.
struct sources {
    const char *arguments[2];
    const char *variables[2];
    const char *file;
};

// What was read last.
extern struct conf sources_conf;
extern struct relay_config sources_config;

// What relay_config_read() says of them.
bool sources_read(const struct sources *sources);
// Fails the test unless these are the mistakes of the last reading.
void sources_expect_errors(const char *const *lines, size_t count);

// SPDX-License-Identifier: Apache-2.0
// A client of HTTP that asks the code under test, which serves in another thread.
#pragma once

#include "base/addr.h"

// What is answered there to the first line of a request and perhaps a field of it ("" or with its
// end), from the status on; valid until the next call.
const char *caller_ask(const struct addr *at, const char *line, const char *field);
// Fails the test unless the answer has this status and this body.
void caller_expect(const struct addr *at, const char *line, const char *status, const char *body);

// SPDX-License-Identifier: Apache-2.0
// What the code under test writes to standard output or standard error.
#pragma once

// Catches what is written to that descriptor from now on; one at a time.
void outlet_open(int fd);
// Leaves it as it was before. What was written, valid until the next opening.
const char *outlet_close(void);

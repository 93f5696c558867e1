// SPDX-License-Identifier: Apache-2.0
// The command `fairlead-relay credential`: makes one credential of TURN REST, as a web service
// does for its users, in the two forms of JSON that clients take.
#pragma once

#include "base/bytes.h"
#include "base/now.h"
#include "conf/conf_help.h"
#include "conf/conf_option.h"

enum { RELAY_CREDENTIAL_TEXT_MAX = 1 << 18 }; // bytes that hold whatever is written

enum relay_credential_outcome {
    RELAY_CREDENTIAL_MADE,  // the credential is written, one form in each of two lines
    RELAY_CREDENTIAL_HELP,  // --help is given, and written
    RELAY_CREDENTIAL_WRONG, // what is wrong is written, a line for each mistake
};

extern const struct conf_table relay_credential_table;

// argv[0] is the command's own name. Writes to `wr` what the outcome says; with _MADE it is secret.
// Wipes the secrets in arguments and environment.
enum relay_credential_outcome relay_credential_run(int argc, char *const *argv,
                                                   char *const *environment, struct now now,
                                                   struct wr *wr);

// SPDX-License-Identifier: Apache-2.0
// The operator's wishes on their way in: command line, environment and file become one
// configuration, and are wiped where they held secrets.
#pragma once

#include "conf/conf.h"
#include "relay/relay_config.h"
#include "relay/relay_errors.h"

enum {
    RELAY_LOAD_PATH_MAX = 4096,        // bytes of the file's name with its terminator: PATH_MAX
    RELAY_LOAD_UNESCAPED_MAX = 131072, // bytes: the longest variable that the kernel passes on
    RELAY_LOAD_ERRORS_MAX = RELAY_ERRORS_TEXT_MAX,
};

enum relay_load_outcome {
    RELAY_LOAD_RUN,     // the configuration is good: run with it
    RELAY_LOAD_HELP,    // --help is given; nothing else was looked at
    RELAY_LOAD_VERSION, // likewise --version
    RELAY_LOAD_CHECKED, // --check-config is given, and the configuration is good
    RELAY_LOAD_WRONG,   // relay_load_errors_write() says why
};

struct relay_load {
    struct conf conf;
    char *const *environment;
    struct bytes text; // of the file; ours
    char path[RELAY_LOAD_PATH_MAX];
    char file_wrong[128]; // why the file could not be read
    uint8_t unescaped[RELAY_LOAD_UNESCAPED_MAX];
};

// Reads all sources. *out borrows from `load`, from the arguments and from the environment until
// relay_load_close(), and is complete with RELAY_LOAD_RUN and _CHECKED only.
MUST_USE enum relay_load_outcome relay_load_open(struct relay_load *load, int argc,
                                                 char *const *argv, char *const *environment,
                                                 struct relay_config *out);
// Wipes the values of secret options in the arguments (as other users see them in the list of
// processes), in the environment and in all that was read; frees the file. Once is enough.
void relay_load_close(struct relay_load *load);

// Writes a line for each mistake; RELAY_LOAD_ERRORS_MAX bytes hold them all.
void relay_load_errors_write(const struct relay_load *load, struct wr *wr);

// SPDX-License-Identifier: Apache-2.0
// The operator's wishes on their way in: command line, environment and file become one
// configuration, and are wiped where they held secrets.
//
// The table of options may have --version, --check-config and --config, which do here what they
// say; it has --help in any case. Without --config there is no file: so it is with commands that
// are over at once.
#pragma once

#include "conf/conf.h"

enum {
    DAEMON_LOAD_PATH_MAX = 4096,        // bytes of the file's name with its terminator: PATH_MAX
    DAEMON_LOAD_UNESCAPED_MAX = 131072, // bytes: the longest variable that the kernel passes on
};

// What the process was given. It is the process's own, so that secrets in it can be wiped.
struct daemon_load_sources {
    int argc;
    char *const *argv;
    char *const *environment;
};

enum daemon_load_outcome {
    DAEMON_LOAD_RUN,     // the configuration is good: run with it
    DAEMON_LOAD_HELP,    // --help is given; nothing else was looked at
    DAEMON_LOAD_VERSION, // likewise --version
    DAEMON_LOAD_CHECKED, // --check-config is given, and the configuration is good
    DAEMON_LOAD_WRONG,   // conf.errors says why
};

struct daemon_load {
    struct conf conf;
    struct daemon_load_sources sources;
    struct bytes text; // of the file; ours
    char path[DAEMON_LOAD_PATH_MAX];
    char file_wrong[128]; // why the file could not be read
    uint8_t unescaped[DAEMON_LOAD_UNESCAPED_MAX];
};

// Makes of what was read what the program wants to have; what is wrong is added to conf->errors.
// True: it is good.
typedef bool (*daemon_load_fn)(void *context, struct conf *conf);

// The first value of an option, its default, or NULL; also NULL when the table does not have it.
const struct conf_value *daemon_load_find(const struct conf *conf, const char *name);

// Reads all sources, and has them judged. What the judge borrows from conf is borrowed from `load`
// and the sources, until daemon_load_close().
MUST_USE enum daemon_load_outcome daemon_load_open(struct daemon_load *load,
                                                   const struct conf_table *table,
                                                   const struct daemon_load_sources *sources,
                                                   daemon_load_fn judge, void *context);
// Reads all sources once more, after daemon_load_close() has wiped secrets of the first two:
// options that are held are left out (conf_hold()). True: it was judged to be good.
MUST_USE bool daemon_load_reopen(struct daemon_load *load, const struct conf_table *table,
                                 const struct daemon_load_sources *sources,
                                 const bool is_held[CONF_OPTION_MAX], daemon_load_fn judge,
                                 void *context);
// Wipes the values of secret options in the arguments (as other users see them in the list of
// processes), in the environment and in all that was read; frees the file. Once is enough.
void daemon_load_close(struct daemon_load *load);

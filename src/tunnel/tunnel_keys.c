// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_keys.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/daemon_options.h"
#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_tls_keys.h"

enum { NAME_MAX_LEN = 255 }; // bytes

#define DAY_S INT64_C(86400)

static const char what[] = "What is made";
static const char other[] = "Other";

static const struct conf_option options[] = {
    {
        .name = "directory",
        .placeholder = "DIR",
        .default_text = ".",
        .is_positional = true,
        .is_outside_file = true,
        .group = what,
        .help = "Where the directories ca, relay_server_certs and relay_client_certs are made. A "
                "CA that is there already is used; other files are never overwritten.",
    },
    {
        .name = "host",
        .placeholder = "NAME",
        .default_text = "localhost",
        .is_repeated = true,
        .is_outside_file = true,
        .group = what,
        .help = "DNS name or IP address by which servers reach the relay.",
    },
    {
        .name = "application",
        .is_outside_file = true,
        .group = what,
        .help = "Makes application_ca and application_certs instead, by which client and server of "
                "echo, http and connect know each other.",
    },
    {
        .name = "days",
        .placeholder = "COUNT",
        .default_text = "825",
        .is_outside_file = true,
        .group = what,
        .help = "How long the certificates can be used.",
    },
    DAEMON_OPTIONS_VERSION(other),
    DAEMON_OPTIONS_HELP(other),
};

const struct conf_table tunnel_keys_table = {.options = options, .count = COUNT_OF(options)};

static const struct conf_program program = {
    .name = "fairlead-tunnel keys",
    .summary = "Makes a CA, and certificates of it: relay_server_certs for the relay, "
               "relay_client_certs for the servers behind NATs. ca/ca.key.pem can sign more; it "
               "belongs on neither of these machines.",
    .note = "Exit status: 0 all is made, 1 something could not be, 2 something is wrong with the "
            "options.",
};

// One of the directories, and which CA's it is.
struct part {
    enum io_tls_keys_kind kind;
    const char *folder;
    const char *ca_folder; // NULL: it is one
    const char *common_name;
};

enum { PART_COUNT = 3 };

static const struct part relay_parts[PART_COUNT] = {
    {IO_TLS_KEYS_CA, "ca", NULL, "Fairlead tunnel CA"},
    {IO_TLS_KEYS_SERVER, "relay_server_certs", "ca", "relay"},
    {IO_TLS_KEYS_CLIENT, "relay_client_certs", "ca", "server"},
};

static const struct part application_parts[PART_COUNT] = {
    {IO_TLS_KEYS_CA, "application_ca", NULL, "Fairlead tunnel application CA"},
    {IO_TLS_KEYS_SERVER, "application_certs", "application_ca", "server"},
    {IO_TLS_KEYS_CLIENT, "application_certs", "application_ca", "client"},
};

struct wish {
    const struct part *parts; // PART_COUNT of them
    char folder[PATH_MAX / 2];
    char names[IO_TLS_KEYS_NAME_MAX][NAME_MAX_LEN + 1];
    const char *name_list[IO_TLS_KEYS_NAME_MAX];
    size_t name_count;
    uint64_t days;
};

// A text of C out of a value. False, with an error added, when it has no room.
static bool copy(struct conf *conf, const struct conf_value *value, char *out, size_t room)
{
    struct bytes text = {0};

    if (!conf_value_text(&conf->errors, value, 1, room - 1, &text)) {
        return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static bool judge(void *context, struct conf *conf)
{
    struct wish *wish = context;
    const struct conf_value *value = NULL;

    wish->parts = conf_flag(conf, "application") ? application_parts : relay_parts;
    IGNORE(copy(conf, conf_find(conf, "directory"), wish->folder, sizeof wish->folder));
    conf_value_number(&conf->errors, conf_find(conf, "days"), 1, IO_TLS_KEYS_CA_DAYS, &wish->days);
    while ((value = conf_next(conf, "host", value)) != NULL) {
        if (wish->name_count == COUNT_OF(wish->names)) {
            conf_error_value(&conf->errors, value, "is one too many");
            break;
        }
        char *name = wish->names[wish->name_count];
        if (copy(conf, value, name, sizeof wish->names[0])) {
            wish->name_list[wish->name_count++] = name;
        }
    }
    return conf->errors.count == 0;
}

static bool make(const struct wish *wish, const struct part *part)
{
    const enum io_tls_keys_kind kind = part->kind;
    char path[PATH_MAX];
    char ca[PATH_MAX];
    struct io_tls_error wrong;
    const int64_t now_s = io_clock_now().wall_s;
    const uint64_t days = kind == IO_TLS_KEYS_CA ? IO_TLS_KEYS_CA_DAYS : wish->days;

    snprintf(path, sizeof path, "%s/%s", wish->folder, part->folder);
    snprintf(ca, sizeof ca, "%s/%s", wish->folder, kind == IO_TLS_KEYS_CA ? "" : part->ca_folder);
    const struct io_tls_keys keys = {
        .kind = kind,
        .folder = path,
        .ca_folder = kind == IO_TLS_KEYS_CA ? NULL : ca,
        .common_name = part->common_name,
        .names = kind == IO_TLS_KEYS_SERVER ? wish->name_list : NULL,
        .name_count = kind == IO_TLS_KEYS_SERVER ? wish->name_count : 0,
        .from_s = now_s - IO_TLS_KEYS_BEFORE_S,
        .to_s = now_s + (int64_t)days * DAY_S,
    };
    const int error = io_tls_keys_make(&keys, &wrong);
    if (error == 0) {
        printf("%s\n", path);
        return true;
    }
    if (error == -EEXIST && kind == IO_TLS_KEYS_CA) {
        return true; // it signs more
    }
    daemon_tell_mistake(program.name, "%s", wrong.text);
    return false;
}

int tunnel_keys(const struct daemon_load_sources *sources)
{
    static struct daemon_load load;
    static struct wish wish;
    const enum daemon_load_outcome outcome =
        daemon_load_open(&load, &tunnel_keys_table, sources, judge, &wish);

    if (outcome != DAEMON_LOAD_RUN) {
        return daemon_tell_outcome(&load, outcome, &program);
    }
    daemon_load_close(&load);
    bool is_made = mkdir(wish.folder, S_IRWXU) == 0 || errno == EEXIST;
    if (!is_made) {
        daemon_tell_mistake(program.name, "%s: %s", wish.folder, strerror(errno));
    }
    for (size_t i = 0; is_made && i < PART_COUNT; i++) {
        is_made = make(&wish, &wish.parts[i]);
    }
    return is_made && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_keys.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon_file.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_tls_keys.h"
#include "tunnel/tunnel_state.h"

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
        .help = "Where the directories ca, relay_server_certs and relay_client_certs are made. "
                "What is there already is never overwritten: a CA signs what is missing, and if "
                "that cannot be, nothing is made.",
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

// One of the directories, and its two files.
struct part {
    enum io_tls_keys_kind kind;
    const char *folder;
    const char *common_name;
    const char *certificate;
    const char *key;
};

enum { PART_COUNT = 3 };

// The first is the CA of the others.
static const struct part relay_parts[PART_COUNT] = {
    {IO_TLS_KEYS_CA, "ca", "Fairlead tunnel CA", IO_TLS_KEYS_CA_CERTIFICATE, IO_TLS_KEYS_CA_KEY},
    {IO_TLS_KEYS_SERVER, "relay_server_certs", "relay", IO_TLS_KEYS_SERVER_CERTIFICATE,
     IO_TLS_KEYS_SERVER_KEY},
    {IO_TLS_KEYS_CLIENT, "relay_client_certs", "server", IO_TLS_KEYS_CLIENT_CERTIFICATE,
     IO_TLS_KEYS_CLIENT_KEY},
};

static const struct part application_parts[PART_COUNT] = {
    {IO_TLS_KEYS_CA, "application_ca", "Fairlead tunnel application CA", IO_TLS_KEYS_CA_CERTIFICATE,
     IO_TLS_KEYS_CA_KEY},
    {IO_TLS_KEYS_SERVER, "application_certs", "server", IO_TLS_KEYS_SERVER_CERTIFICATE,
     IO_TLS_KEYS_SERVER_KEY},
    {IO_TLS_KEYS_CLIENT, "application_certs", "client", IO_TLS_KEYS_CLIENT_CERTIFICATE,
     IO_TLS_KEYS_CLIENT_KEY},
};

struct wish {
    const struct part *parts; // PART_COUNT of them
    char folder[PATH_MAX / 2];
    char names[IO_TLS_KEYS_NAME_MAX][NAME_MAX_LEN + 1];
    const char *name_list[IO_TLS_KEYS_NAME_MAX];
    size_t name_count;
    bool has_names; // they were asked for
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
    wish->has_names = conf_is_given(conf, "host");
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

// --- what is there already -----------------------------------------------------------------------

static void folder_of(const struct wish *wish, const struct part *part, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", wish->folder, part->folder);
}

static bool is_there(const char *folder, const char *name)
{
    char path[PATH_MAX];

    tunnel_state_path(folder, name, path);
    return access(path, F_OK) == 0 || errno != ENOENT;
}

static bool have_same_ca(const char *folder, const char *ca)
{
    char path[PATH_MAX];
    struct bytes text = {0};
    struct bytes ca_text = {0};

    tunnel_state_path(folder, IO_TLS_KEYS_CA_CERTIFICATE, path);
    const int error = daemon_file_read_again(path, &text);
    tunnel_state_path(ca, IO_TLS_KEYS_CA_CERTIFICATE, path);
    const bool is_same =
        error == 0 && daemon_file_read_again(path, &ca_text) == 0 && bytes_equal(text, ca_text);
    daemon_file_free(&text);
    daemon_file_free(&ca_text);
    return is_same;
}

// What is there of our CA stays as it is; what is there of another one, or in part, is told, before
// anything is made.
static bool look(const struct wish *wish, const struct part *part, bool *is_whole)
{
    const char *const files[] = {part->certificate, part->key};
    char folder[PATH_MAX];
    char ca[PATH_MAX];
    size_t count = 0;

    folder_of(wish, part, folder);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        count += is_there(folder, files[i]);
    }
    *is_whole = count == COUNT_OF(files);
    if (part->kind == IO_TLS_KEYS_CA) {
        return true; // a half of one is told when it is to sign
    }
    folder_of(wish, &wish->parts[0], ca);
    if (is_there(folder, IO_TLS_KEYS_CA_CERTIFICATE) && !have_same_ca(folder, ca)) {
        daemon_tell_mistake(program.name,
                            "%s: is there already, and is not of the CA in %s; nothing is made: "
                            "give another DIR, or move it away",
                            folder, ca);
        return false;
    }
    if (count > 0 && (!*is_whole || (part->kind == IO_TLS_KEYS_SERVER && wish->has_names))) {
        daemon_tell_mistake(program.name,
                            "%s/%s: is there already, and is not overwritten; nothing is made: "
                            "move the directory away for a new one",
                            folder, is_there(folder, files[0]) ? files[0] : files[1]);
        return false;
    }
    return true;
}

static bool look_at_all(const struct wish *wish, bool is_whole[PART_COUNT])
{
    bool is_all = true;

    for (size_t i = 0; i < PART_COUNT; i++) {
        if (!look(wish, &wish->parts[i], &is_whole[i])) {
            return false;
        }
        is_all = is_all && is_whole[i];
    }
    if (is_all) {
        daemon_tell_mistake(program.name,
                            "all is there already, and is not overwritten; for more certificates "
                            "of this CA move %s/%s or %s away",
                            wish->folder, wish->parts[1].folder, wish->parts[2].folder);
    }
    return !is_all;
}

// --- what is made --------------------------------------------------------------------------------

static bool make(const struct wish *wish, const struct part *part)
{
    const enum io_tls_keys_kind kind = part->kind;
    char path[PATH_MAX];
    char ca[PATH_MAX];
    struct io_tls_error wrong;
    const int64_t now_s = io_clock_now().wall_s;
    const uint64_t days = kind == IO_TLS_KEYS_CA ? IO_TLS_KEYS_CA_DAYS : wish->days;

    folder_of(wish, part, path);
    folder_of(wish, &wish->parts[0], ca);
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
    if (io_tls_keys_make(&keys, &wrong) == 0) {
        return true;
    }
    daemon_tell_mistake(program.name, "%s", wrong.text);
    return false;
}

static void remove_in(const char *folder, const char *name)
{
    char path[PATH_MAX];

    tunnel_state_path(folder, name, path);
    IGNORE(unlink(path)); // what cannot be taken back stays
}

// Takes back what was made, so that nothing finds a half of it.
static void unmake(const struct wish *wish, const struct part *part, bool had_ca)
{
    char folder[PATH_MAX];

    folder_of(wish, part, folder);
    remove_in(folder, part->certificate);
    remove_in(folder, part->key);
    if (!had_ca) {
        remove_in(folder, IO_TLS_KEYS_CA_CERTIFICATE);
    }
    IGNORE(rmdir(folder)); // unless something else is in it
}

// Makes all that is missing, or nothing.
static bool make_all(const struct wish *wish, const bool is_whole[PART_COUNT])
{
    bool had_ca[PART_COUNT];
    char folder[PATH_MAX];
    size_t count = 0;

    for (; count < PART_COUNT; count++) {
        folder_of(wish, &wish->parts[count], folder);
        had_ca[count] = is_there(folder, IO_TLS_KEYS_CA_CERTIFICATE);
        if (!is_whole[count] && !make(wish, &wish->parts[count])) {
            break;
        }
    }
    for (size_t i = count; count < PART_COUNT && i > 0; i--) {
        if (!is_whole[i - 1]) {
            unmake(wish, &wish->parts[i - 1], had_ca[i - 1]);
        }
    }
    return count == PART_COUNT;
}

static void tell(const struct wish *wish, const bool is_whole[PART_COUNT])
{
    const char *told = "";

    for (size_t i = 0; i < PART_COUNT; i++) {
        const char *folder = wish->parts[i].folder;
        if (!is_whole[i] && strcmp(folder, told) != 0) {
            printf("%s/%s\n", wish->folder, folder);
            told = folder;
        }
    }
}

int tunnel_keys(const struct daemon_load_sources *sources)
{
    static struct daemon_load load;
    static struct wish wish;
    bool is_whole[PART_COUNT];
    const enum daemon_load_outcome outcome =
        daemon_load_open(&load, &tunnel_keys_table, sources, judge, &wish);

    if (outcome != DAEMON_LOAD_RUN) {
        return daemon_tell_outcome(&load, outcome, &program);
    }
    daemon_load_close(&load);
    const bool is_new = mkdir(wish.folder, S_IRWXU) == 0;
    if (!is_new && errno != EEXIST) {
        daemon_tell_mistake(program.name, "%s: %s", wish.folder, strerror(errno));
        return EXIT_FAILURE;
    }
    const bool is_made = look_at_all(&wish, is_whole) && make_all(&wish, is_whole);
    if (is_made) {
        tell(&wish, is_whole);
    } else if (is_new) {
        IGNORE(rmdir(wish.folder)); // unless something is in it
    }
    return is_made && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

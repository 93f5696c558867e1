// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "conf/conf.h"
#include "daemon/daemon_ask.h"
#include "daemon/daemon_ctl.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_screen.h"
#include "daemon/daemon_tell.h"
#include "tunnel/tunnel_options.h"
#include "tunnel/tunnel_top.h"

enum {
    ROWS_AROUND = 5, // lines of a screen that are not servers
    ROWS_ENDLESS = 1000,
};

static const char name[] = "fairlead-tunnel"; // in front of what goes wrong
static const char what_group[] = "What is asked";
static const char other_group[] = "Other";

static const struct conf_option options[] = {
    {
        .name = "about",
        .placeholder = "PORT|ADDRESS",
        .group = what_group,
        .help = "why: a port of the relay, or the address of a server or a client. It may stand "
                "without the name of the option.",
        .is_outside_file = true,
        .is_positional = true,
    },
    {
        .name = "once",
        .group = what_group,
        .help = "top: print the table once and exit, as is done without a terminal.",
        .is_outside_file = true,
    },
    {
        .name = "json",
        .group = what_group,
        .help = "top: print one line of JSON and exit.",
        .is_outside_file = true,
    },
    {
        .name = "limit",
        .placeholder = "COUNT",
        .default_note = "as many as the terminal has room for; 1000 without one",
        .group = what_group,
        .help = "top: servers to show, those that carry the most now.",
        .is_outside_file = true,
    },
    DAEMON_OPTIONS_ASK_SOCKET(other_group, "FAIRLEAD_TUNNEL_CONTROL_SOCKET", "relay"),
    DAEMON_OPTIONS_VERSION(other_group),
    DAEMON_OPTIONS_HELP(other_group),
};

const struct conf_table tunnel_ask_table = {options, COUNT_OF(options)};

static const struct conf_program program = {
    .name = "fairlead-tunnel status|why|top|reload",
    .summary = "Asks a relay that runs on this host. status: how it is. why PORT, why ADDRESS: "
               "why a service is not reachable, or a server or client does not get through, and "
               "what to do about it. top: its servers, with what they carry. reload: have it read "
               "its configuration and certificates again, as SIGHUP does, and say what came of it.",
    .note = "Only root and the user who started the relay are answered. Exit status: 0 answered, "
            "1 the relay could not be asked, or nothing was reloaded, 2 something is wrong with "
            "the options.",
};

struct wish {
    const char *command;
    char *const *environment;
    struct daemon_ask ask;
    struct bytes about;
    uint64_t limit; // 0: not given
    bool is_once;
    bool is_json;
};

static bool complain(const char *what, const char *more)
{
    daemon_tell_mistake(name, "%s%s", what, more);
    return false;
}

static bool read_wish(void *context, struct conf *conf)
{
    struct wish *out = context;
    const bool is_why = strcmp(out->command, "why") == 0;
    const bool is_top = strcmp(out->command, "top") == 0;
    const struct conf_value *about = conf_find(conf, "about");
    struct bytes path = {0};

    conf_value_number(&conf->errors, conf_find(conf, "limit"), 1, TUNNEL_SAMPLE_ROW_MAX,
                      &out->limit);
    conf_value_text(&conf->errors, conf_find(conf, "control-socket"), 1, IO_LOCAL_PATH_MAX, &path);
    conf_value_text(&conf->errors, about, 1, DAEMON_CTL_REQUEST_MAX / 2, &out->about);
    out->is_once = conf_flag(conf, "once");
    out->is_json = conf_flag(conf, "json");
    if (about != NULL && !is_why) {
        conf_error_value(&conf->errors, about, "is not asked about: only why takes it");
    }
    if (conf->errors.count > 0) {
        return false;
    }
    if (about == NULL && is_why) {
        return complain("why wants a port or an address, as in: fairlead-tunnel why 12101", "");
    }
    if (!is_top && (out->is_once || out->is_json || out->limit > 0)) {
        return complain(out->command, ": --once, --json and --limit are for top");
    }
    return daemon_ask_find(&out->ask, path, TUNNEL_OPTIONS_SOCKET_PATH, out->environment);
}

// One sample and the text that it borrows from.
struct held {
    struct bytes text;
    struct tunnel_sample sample;
};

static void drop(struct held *held)
{
    tunnel_sample_free(&held->sample);
    free((void *)held->text.ptr);
    *held = (struct held){.text = {0}};
}

static bool take_sample(const struct wish *wish, struct held *out)
{
    struct held held = {.text = {0}};

    if (!daemon_ask(&wish->ask, "top\n", &held.text)) {
        return false;
    }
    if (!tunnel_sample_read(held.text, &held.sample)) {
        free((void *)held.text.ptr);
        return complain("the relay's answer is not what this version of top reads", "");
    }
    *out = held;
    return true;
}

static bool print(const struct wish *wish, struct held *now, const struct held *before,
                  const struct daemon_screen *screen)
{
    const uint32_t rows = screen->is_terminal ? screen->rows : ROWS_ENDLESS + ROWS_AROUND;
    const struct tunnel_top_view view = {
        .columns = screen->columns,
        .row_max = wish->limit > 0          ? (uint32_t)wish->limit
                   : rows > ROWS_AROUND + 1 ? rows - ROWS_AROUND
                                            : 1,
    };
    const size_t room = tunnel_top_text_max(now->sample.row_count);
    uint8_t *text = malloc(room);

    if (text == NULL) {
        return complain("there is no memory", "");
    }
    struct wr wr = wr_init(text, room);
    daemon_screen_begin(screen, &wr);
    if (wish->is_json) {
        tunnel_top_json_write(&wr, &now->sample, &before->sample, view.row_max);
    } else {
        tunnel_top_table_write(&wr, &now->sample, &before->sample, &view);
    }
    const bool is_printed = wr_ok(&wr) && daemon_tell(wr_done(&wr)) == EXIT_SUCCESS;
    free(text);
    return is_printed;
}

// What top shows, and the sample before it.
struct watch {
    const struct wish *wish;
    struct held before;
};

static bool show(void *context, const struct daemon_screen *screen)
{
    struct watch *watch = context;
    struct held now = {.text = {0}};

    if (!take_sample(watch->wish, &now)) {
        return false;
    }
    const bool is_printed = print(watch->wish, &now, &watch->before, screen);
    drop(&watch->before);
    watch->before = now;
    return is_printed;
}

static int run_top(const struct wish *wish)
{
    struct watch watch = {.wish = wish};

    if (!take_sample(wish, &watch.before)) {
        return EXIT_FAILURE;
    }
    const int status = daemon_screen_run(wish->is_once || wish->is_json, show, &watch);
    drop(&watch.before);
    return status;
}

static int run(const struct wish *wish)
{
    char question[DAEMON_CTL_REQUEST_MAX + 2];

    if (strcmp(wish->command, "top") == 0) {
        return run_top(wish);
    }
    snprintf(question, sizeof question, "%s%s%.*s\n", wish->command, wish->about.len > 0 ? " " : "",
             (int)wish->about.len, (const char *)wish->about.ptr);
    return daemon_ask_print(&wish->ask, question);
}

int tunnel_ask(const struct daemon_load_sources *sources)
{
    static struct daemon_load load; // it holds no secret and no file
    struct wish wish = {
        .command = sources->argv[0],
        .environment = sources->environment,
        .ask = {.program = name, .whom = "relay"},
    };
    const enum daemon_load_outcome outcome =
        daemon_load_open(&load, &tunnel_ask_table, sources, read_wish, &wish);

    if (outcome == DAEMON_LOAD_RUN) {
        return run(&wish);
    }
    if (outcome == DAEMON_LOAD_WRONG) {
        daemon_tell_errors(&load.conf.errors, name);
        return DAEMON_TELL_EXIT_WRONG;
    }
    return daemon_tell_outcome(&load, outcome, &program);
}

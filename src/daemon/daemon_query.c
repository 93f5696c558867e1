// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "daemon/daemon_ask.h"
#include "daemon/daemon_ctl.h"
#include "daemon/daemon_facts.h"
#include "daemon/daemon_screen.h"
#include "daemon/daemon_tell.h"

enum {
    ROWS_ENDLESS = 1000, // where there is no terminal
    TOLD_MIN = 1000,     // of these the busiest now are shown, though they may be new
    NAME_ROOM = 64,      // bytes of a program's name and a command
};

struct wish {
    const struct daemon_query *query;
    const char *command;
    char name[NAME_ROOM]; // of program and command, in front of what is wrong with options
    char *const *environment;
    struct daemon_ask ask;
    struct bytes about;
    uint64_t limit; // 0: not given
    bool is_once;
    bool is_json;
};

static bool complain(const struct wish *wish, const char *what, const char *more)
{
    daemon_tell_mistake(wish->name, "%s%s", what, more);
    return false;
}

bool daemon_query_is(const char *word)
{
    static const char *const commands[] = {"status", "why", "top", "reload"};

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(word, commands[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_command(const struct wish *wish, const char *word)
{
    return strcmp(wish->command, word) == 0;
}

static bool read_wish(void *context, struct conf *conf)
{
    struct wish *out = context;
    const struct daemon_query *query = out->query;
    const struct conf_value *about = conf_find(conf, query->about);
    struct bytes path = {0};

    conf_value_number(&conf->errors, conf_find(conf, "limit"), 1, DAEMON_SAMPLE_ROW_MAX,
                      &out->limit);
    conf_value_text(&conf->errors, conf_find(conf, "control-socket"), 1, IO_LOCAL_PATH_MAX, &path);
    conf_value_text(&conf->errors, about, 1, DAEMON_CTL_REQUEST_MAX / 2, &out->about);
    out->is_once = conf_flag(conf, "once");
    out->is_json = conf_flag(conf, "json");
    if (about != NULL && !is_command(out, "why")) {
        conf_error_value(&conf->errors, about, "is not asked about: only why takes it");
    }
    if (conf->errors.count > 0) {
        return false;
    }
    if (about == NULL && is_command(out, "why")) {
        return complain(out, "wants ", query->why_wants);
    }
    if (!is_command(out, "top") && (out->is_once || out->limit > 0)) {
        return complain(out, "--once and --limit are for top", "");
    }
    if (is_command(out, "reload") && out->is_json) {
        return complain(out, "--json is for status, why and top", "");
    }
    return daemon_ask_find(&out->ask, path, query->socket, out->environment);
}

// --- top -----------------------------------------------------------------------------------------

// One sample and the text that it borrows from.
struct held {
    struct bytes text;
    struct daemon_sample sample;
};

static void drop(struct held *held)
{
    daemon_sample_free(&held->sample);
    free((void *)held->text.ptr);
    *held = (struct held){.text = {0}};
}

static bool take_sample(const struct wish *wish, struct held *out)
{
    const uint64_t limit = wish->limit > TOLD_MIN ? wish->limit : TOLD_MIN;
    char question[64] = "top\n";
    struct held held = {.text = {0}};

    if (wish->query->is_limited) {
        snprintf(question, sizeof question, "top %llu\n", (unsigned long long)limit);
    }
    if (!daemon_ask(&wish->ask, question, &held.text)) {
        return false;
    }
    if (!daemon_sample_read(held.text, &wish->query->kinds, &held.sample)) {
        free((void *)held.text.ptr);
        return complain(wish, wish->query->whom, "'s answer is not what this version of top reads");
    }
    *out = held;
    return true;
}

static bool print(const struct wish *wish, struct held *now, struct held *before,
                  const struct daemon_screen *screen)
{
    const struct daemon_query *query = wish->query;
    const uint32_t around = query->rows_around;
    const uint32_t rows = screen->is_terminal ? screen->rows : ROWS_ENDLESS + around;
    const uint32_t room_rows = rows > around + 1 ? rows - around : 1;
    const struct daemon_query_view view = {
        .columns = screen->columns,
        .row_max = wish->limit > 0 ? (uint32_t)wish->limit : room_rows,
    };
    const size_t room = query->text_max(now->sample.row_count);
    uint8_t *text = malloc(room);

    if (text == NULL) {
        return complain(wish, "there is no memory", "");
    }
    struct wr wr = wr_init(text, room);
    daemon_screen_begin(screen, &wr);
    if (wish->is_json) {
        query->json_write(&wr, &now->sample, &before->sample, view.row_max);
    } else {
        query->table_write(&wr, &now->sample, &before->sample, &view);
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

// Once, or until it is ended by a signal or the daemon is gone.
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

// --- the others ----------------------------------------------------------------------------------

static int run(const struct wish *wish)
{
    char question[DAEMON_CTL_REQUEST_MAX + 2];

    if (is_command(wish, "top")) {
        return run_top(wish);
    }
    snprintf(question, sizeof question, "%s%s%.*s\n", wish->command, wish->about.len > 0 ? " " : "",
             (int)wish->about.len, (const char *)wish->about.ptr);
    const daemon_facts_fn as_json =
        is_command(wish, "why") ? daemon_facts_why_write : daemon_facts_status_write;
    return daemon_ask_print(&wish->ask, question, wish->is_json ? as_json : NULL);
}

static bool is_for(const struct wish *wish, const char *option)
{
    if (strcmp(option, wish->query->about) == 0) {
        return is_command(wish, "why");
    }
    if (strcmp(option, "json") == 0) {
        return !is_command(wish, "reload");
    }
    return is_command(wish, "top") || (strcmp(option, "once") != 0 && strcmp(option, "limit") != 0);
}

// Tells the options of this command. All of them are read, so that a mistake is told as what it is.
static int tell_outcome(const struct wish *wish, struct daemon_load *load,
                        enum daemon_load_outcome outcome)
{
    static struct conf_option options[CONF_OPTION_MAX];
    const struct conf_table *all = wish->query->options;
    static struct conf_table table = {.options = options}; // as long as what was read
    struct conf_program help = *wish->query->help;

    for (size_t i = 0; i < all->count; i++) {
        if (is_for(wish, all->options[i].name)) {
            options[table.count++] = all->options[i];
        }
    }
    load->conf.table = &table;
    help.name = wish->name;
    return daemon_tell_outcome(load, outcome, &help);
}

int daemon_query(const struct daemon_query *query, const struct daemon_load_sources *sources)
{
    static struct daemon_load load; // it holds no secret and no file
    struct wish wish = {
        .query = query,
        .command = sources->argv[0],
        .environment = sources->environment,
        .ask = {.program = query->help->name, .whom = query->whom},
    };

    snprintf(wish.name, sizeof wish.name, "%s %s", query->help->name, wish.command);
    const enum daemon_load_outcome outcome =
        daemon_load_open(&load, query->options, sources, read_wish, &wish);

    if (outcome == DAEMON_LOAD_RUN) {
        return run(&wish);
    }
    return tell_outcome(&wish, &load, outcome);
}

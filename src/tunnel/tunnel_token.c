// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_token.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto_wipe.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_tell.h"
#include "tunnel/tunnel_issue.h"
#include "tunnel/tunnel_roll.h"
#include "tunnel/tunnel_state.h"

static const char whom[] = "Whom it is for";
static const char listed[] = "Those that are made";
static const char relay[] = "The relay";
static const char other[] = "Other";

static const struct conf_option options[] = {
    {
        .name = "name",
        .placeholder = "NAME",
        .is_positional = true,
        .is_outside_file = true,
        .group = whom,
        .help = "What the agent is called in the list and in the log: a-z, 0-9 and hyphens, up to "
                "63.",
    },
    {
        .name = "ports",
        .placeholder = "LIST",
        .default_text = "*",
        .is_outside_file = true,
        .group = whom,
        .help = "Ports of the relay that its tunnels may get, such as 12201,12210-12219; * is all, "
                "none is none.",
    },
    {
        .name = "sni",
        .placeholder = "LIST",
        .default_text = "none",
        .is_outside_file = true,
        .group = whom,
        .help = "Hosts that it may have at the shared TLS port, such as shop.test,*.shop.test.",
    },
    {
        .name = "names",
        .placeholder = "LIST",
        .default_text = "*",
        .is_outside_file = true,
        .group = whom,
        .help = "What its tunnels may be called, such as web,api-*.",
    },
    {
        .name = "tunnels",
        .placeholder = "COUNT",
        .default_text = "16",
        .is_outside_file = true,
        .group = whom,
        .help = "Tunnels at a time, and ports that are kept for it.",
    },
    {
        .name = "hosts",
        .placeholder = "COUNT",
        .default_text = "256",
        .is_outside_file = true,
        .group = whom,
        .help = "Hosts, and patterns of hosts, at a time, over all of its tunnels.",
    },
    {
        .name = "connections",
        .placeholder = "COUNT",
        .default_note = "as many as the relay",
        .is_outside_file = true,
        .group = whom,
        .help = "Clients at a time, over all of its tunnels.",
    },
    {
        .name = "list",
        .is_outside_file = true,
        .group = listed,
        .help = "Makes no token: prints who is on the list, and what each may have.",
    },
    {
        .name = "revoke",
        .is_outside_file = true,
        .group = listed,
        .help = "Makes no token: takes the one of this NAME off the list. Its agent loses all when "
                "the relay has read that again.",
    },
    {
        .name = "state",
        .placeholder = "DIR",
        .default_note = "./" TUNNEL_STATE_HERE " or " TUNNEL_STATE_SYSTEM ", if it is there",
        .is_outside_file = true,
        .group = relay,
        .help = "The relay's --state directory, with its keys and its access list.",
    },
    {
        .name = "access",
        .placeholder = "FILE",
        .default_note = "access in --state; without one the line is printed",
        .is_outside_file = true,
        .group = relay,
        .help = "Access list to which the token's line is added. The relay knows it when it has "
                "read the list again (SIGHUP, systemctl reload fairlead-tunnel).",
    },
    {
        .name = "keys",
        .short_name = 'k',
        .placeholder = "DIR",
        .default_note = "relay_server_certs in --state, or ./relay_server_certs",
        .is_outside_file = true,
        .group = relay,
        .help = "Directory of the relay's certificate: the token says which key the relay has, so "
                "that the agent needs no CA.",
    },
    {
        .name = "no-pin",
        .is_outside_file = true,
        .group = relay,
        .help = "The token does not say which key the relay has: agents look whether a CA of their "
                "system has signed its certificate for its name.",
    },
    DAEMON_OPTIONS_VERSION(other),
    DAEMON_OPTIONS_HELP(other),
};

const struct conf_table tunnel_token_table = {.options = options, .count = COUNT_OF(options)};

static const struct conf_program program = {
    .name = "fairlead-tunnel token",
    .summary =
        "Makes a token, by which an agent proves itself to the relay: fairlead-tunnel expose "
        "TARGET --relay HOST --token TOKEN. Whoever has it is that agent; the relay keeps "
        "only what it takes to recognize it.",
    .note = "Its line of the access list is added there, or printed behind the token. Exit status: "
            "0 all is made, 1 something could not be, 2 something is wrong with the options.",
};

enum { TERMS_MAX = REVTUN_ACCESS_LINE_MAX };

struct wish {
    struct bytes id;
    char terms[TERMS_MAX];
    char keys[PATH_MAX];
    char access[PATH_MAX]; // empty: to be printed
    bool has_pin;
    bool is_list;    // to be told, and nothing made
    bool is_revoke;  // of this id, and nothing made
    bool is_at_home; // it is known where the relay has its files
};

// Each goes into the line as it is given; what cannot be there is found when the line is read.
static void write_terms(struct conf *conf, struct wr *wr)
{
    static const struct {
        const char *name;
        const char *usual; // which needs no word there
    } terms[] = {
        {"ports", "none"}, {"sni", "none"},  {"names", "*"},
        {"tunnels", "16"}, {"hosts", "256"}, {"connections", ""},
    };

    for (size_t i = 0; i < COUNT_OF(terms); i++) {
        const struct conf_value *value = conf_find(conf, terms[i].name);

        if (value != NULL && !bytes_equal_text(value->text, terms[i].usual)) {
            wr_text(wr, wr->len > 0 ? " " : "");
            wr_text(wr, terms[i].name);
            wr_text(wr, "=");
            wr_bytes(wr, value->text);
        }
    }
}

static bool copy(struct conf *conf, const char *name, char out[PATH_MAX])
{
    const struct conf_value *value = conf_find(conf, name);
    struct bytes text = {0};

    if (value == NULL || !conf_value_text(&conf->errors, value, 1, PATH_MAX - 1, &text)) {
        return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static bool judge(void *context, struct conf *conf)
{
    struct wish *wish = context;
    const struct conf_value *name = conf_find(conf, "name");
    struct wr terms = wr_init((uint8_t *)wish->terms, sizeof wish->terms - 1);
    char state[PATH_MAX];

    wish->is_list = conf_flag(conf, "list");
    wish->is_revoke = conf_flag(conf, "revoke");
    if (wish->is_list && name != NULL) {
        conf_error_value(&conf->errors, name, "is one word too many: --list tells of all");
    } else if (wish->is_list) {
        wish->id = (struct bytes){0};
    } else if (name == NULL) {
        conf_error_missing(&conf->errors, &options[0]);
    } else if (!revtun_pattern_is_name(name->text)) {
        conf_error_value(&conf->errors, name, "is not of a-z, 0-9 and hyphens");
    } else {
        wish->id = name->text;
    }
    write_terms(conf, &terms);
    wish->terms[wr_done(&terms).len] = '\0';
    wish->has_pin = !conf_flag(conf, "no-pin");
    const bool has_state = copy(conf, "state", state) || tunnel_state_find(state);
    wish->is_at_home = copy(conf, "keys", wish->keys) || has_state || !wish->has_pin;
    if (wish->keys[0] == '\0') {
        tunnel_state_path(has_state ? state : ".", TUNNEL_STATE_KEYS, wish->keys);
    }
    if (!copy(conf, "access", wish->access) && has_state) {
        tunnel_state_path(state, TUNNEL_STATE_ACCESS, wish->access);
    }
    return conf->errors.count == 0;
}

// Behind the token, or why nobody has it.
static void tell_of_list(const struct wish *wish, int status)
{
    if (status == EXIT_SUCCESS) {
        daemon_tell_mistake(program.name,
                            "its line is added to %s; a relay that runs knows it after "
                            "fairlead-tunnel reload",
                            wish->access);
    } else {
        daemon_tell_mistake(program.name,
                            "the token could not be printed, and nobody has it: take the line of "
                            "%.*s out of %s, and make it once more",
                            (int)wish->id.len, (const char *)wish->id.ptr, wish->access);
    }
}

static int make(const struct wish *wish)
{
    uint8_t token_text[REVTUN_TOKEN_TEXT_MAX + 1];
    uint8_t line_text[2 * REVTUN_ACCESS_LINE_MAX];
    struct wr token = wr_init(token_text, sizeof token_text);
    struct wr line = wr_init(line_text, sizeof line_text);
    struct io_tls_error wrong;
    const struct tunnel_issue issue = {
        .id = wish->id,
        .terms = bytes_of_text(wish->terms),
        .keys = bytes_of_text(wish->keys),
        .has_pin = wish->has_pin,
    };

    if (!tunnel_issue_write(&issue, &token, &line, &wrong) ||
        (wish->access[0] != '\0' &&
         !tunnel_issue_add(wish->access, wish->id, wr_done(&line), &wrong))) {
        daemon_tell_mistake(program.name, "%s%s", wrong.text,
                            wish->is_at_home
                                ? ""
                                : "; --state says where the relay has its files, or make the token "
                                  "in the directory in which the relay was started");
        return EXIT_FAILURE;
    }
    wr_u8(&token, '\n');
    int status = daemon_tell(wr_done(&token));
    if (wish->access[0] != '\0') {
        tell_of_list(wish, status);
    } else if (status == EXIT_SUCCESS) {
        status = daemon_tell(wr_done(&line));
    }
    crypto_wipe(token_text, sizeof token_text);
    return status;
}

// --- those that are made -------------------------------------------------------------------------

static int tell_list(const struct wish *wish)
{
    struct tunnel_access roll;
    struct io_tls_error wrong;
    int status = EXIT_SUCCESS;

    if (!tunnel_roll_open(&roll, wish->access, &wrong)) {
        daemon_tell_mistake(program.name, "%s", wrong.text);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; status == EXIT_SUCCESS && i < roll.list.count; i++) {
        uint8_t text[TUNNEL_ROLL_LINE_MAX];
        struct wr wr = wr_init(text, sizeof text);

        tunnel_roll_entry_write(&wr, &roll.list.entries[i]);
        status = daemon_tell(wr_done(&wr));
    }
    tunnel_access_close(&roll);
    return status;
}

static int take_off(const struct wish *wish)
{
    struct io_tls_error wrong;

    if (!tunnel_roll_revoke(wish->access, wish->id, &wrong)) {
        daemon_tell_mistake(program.name, "%s", wrong.text);
        return EXIT_FAILURE;
    }
    daemon_tell_mistake(program.name,
                        "%.*s is off %s; a relay that runs knows it after fairlead-tunnel reload",
                        (int)wish->id.len, (const char *)wish->id.ptr, wish->access);
    return EXIT_SUCCESS;
}

static int carry_out(const struct wish *wish)
{
    if (!wish->is_list && !wish->is_revoke) {
        return make(wish);
    }
    if (wish->access[0] == '\0') {
        daemon_tell_mistake(program.name, "there is no access list here; --access or --state says "
                                          "where it is");
        return EXIT_FAILURE;
    }
    return wish->is_list ? tell_list(wish) : take_off(wish);
}

int tunnel_token(const struct daemon_load_sources *sources)
{
    static struct daemon_load load;
    static struct wish wish;
    const enum daemon_load_outcome outcome =
        daemon_load_open(&load, &tunnel_token_table, sources, judge, &wish);

    if (outcome != DAEMON_LOAD_RUN) {
        return daemon_tell_outcome(&load, outcome, &program);
    }
    const int status = carry_out(&wish); // what it names is the sources'
    daemon_load_close(&load);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_serve.h"

#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "daemon/daemon_log.h"
#include "daemon/daemon_reload.h"
#include "daemon/daemon_tell.h"
#include "log/log.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_first.h"
#include "tunnel/tunnel_options.h"
#include "tunnel/tunnel_relay.h"
#include "tunnel/tunnel_side.h"
#include "tunnel/tunnel_state.h"

// By that name it is the original, whose users know its words: those of argparse.
static bool is_original(const struct daemon_load_sources *sources)
{
    const char *name = strrchr(sources->argv[0], '/');

    return strcmp(name == NULL ? sources->argv[0] : name + 1, "tx_tlsrelay") == 0;
}

static int tell_as_original(const struct conf_errors *errors)
{
    static const struct {
        const char *option;
        const char *argument;
        const char *type;
    } types[] = {
        {"port", "port", "int"},
        {"port-count", "--port-count", "even_int"},
    };
    const struct conf_error *first = &errors->items[0];

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (first->option != NULL && strcmp(first->option->name, types[i].option) == 0) {
            daemon_tell_mistake("tx_tlsrelay", "error: argument %s: invalid %s value: '%.*s'",
                                types[i].argument, types[i].type, (int)first->given.len,
                                (const char *)first->given.ptr);
            return DAEMON_TELL_EXIT_WRONG;
        }
    }
    daemon_tell_errors(errors, "tx_tlsrelay: error");
    return DAEMON_TELL_EXIT_WRONG;
}

// What is said when it is not to run. The exit status.
static int tell(const struct daemon_load *load, enum daemon_load_outcome outcome)
{
    if (outcome == DAEMON_LOAD_WRONG && is_original(&load->sources)) {
        return tell_as_original(&load->conf.errors);
    }
    struct conf_program program = tunnel_options_program;
    program.name = tunnel_side_name(&load->sources, program.name);
    return daemon_tell_outcome(load, outcome, &program);
}

int tunnel_serve(const struct daemon_load_sources *sources)
{
    static struct daemon_load load;
    static struct daemon_reload reload;
    static struct tunnel_config config;
    static struct tunnel_relay relay;
    bool keeps_here = false;
    const enum daemon_load_outcome outcome =
        daemon_load_open(&load, &tunnel_options_table, sources, tunnel_config_read, &config);

    if (outcome != DAEMON_LOAD_RUN) {
        const int status = tell(&load, outcome);
        daemon_load_close(&load);
        return status;
    }
    daemon_log_open(&config.daemon);
    LOG_INFO("fairlead-tunnel relay", LOG_TEXT("version", FAIRLEAD_VERSION));
    if (tunnel_first_is_forgotten(&config)) {
        LOG_WARN("./relay_server_certs is here, so version 1 alone is served; give --state "
                 "./" TUNNEL_STATE_HERE " for the agents that it has a list of");
    }
    if (!is_original(sources) && tunnel_first_is_wanted(&config)) {
        tunnel_config_keep_in(&config, bytes_of_text("./" TUNNEL_STATE_HERE));
        keeps_here = true;
    }
    if (tunnel_first_make(&config) != 0) {
        daemon_load_close(&load);
        return EXIT_FAILURE;
    }
    tunnel_config_settle(&config);
    const int error = tunnel_relay_open(&relay, &config);
    relay.keeps_here = keeps_here;
    if (error == 0 && tunnel_second_is_open(&relay.broker.second)) {
        tunnel_first_renew(&config, &relay.broker.second.access->list);
    }
    daemon_reload_init(&reload, &load);
    relay.reload = &reload;
    daemon_load_close(&load);
    const bool is_good = error == 0 && tunnel_relay_run(&relay);
    tunnel_relay_close(&relay);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

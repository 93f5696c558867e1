// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_service_options.h"

#include <limits.h>
#include <string.h>

#include "base/macro.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_secret.h"
#include "daemon/daemon_tell.h"
#include "tunnel/tunnel_spoke_options.h"

enum {
    CONTROL_PORT = 12000, // the original's
    SESSIONS_MAX = 10000,
};

static const char service[] = "The service";
static const char relay[] = "The relay";
static const char running[] = "Running";

// Those of all three. clang-format would put all of it into columns.
// clang-format off
#define KEYS(long_name, letter)                                                                    \
    {                                                                                              \
        .name = (long_name),                                                                       \
        .short_name = (letter),                                                                    \
        .placeholder = "DIR",                                                                      \
        .default_text = "./relay_client_certs",                                                    \
        .group = relay,                                                                            \
        .help = "Directory with client.crt.pem and client.key.pem, our certificate for the relay " \
                "and its key, and ca.crt.pem, the CA whose certificate the relay must have. "      \
                "fairlead-tunnel keys makes them.",                                                \
    }
#define RELAY_NAME                                                                                 \
    {                                                                                              \
        .name = "relay-name",                                                                      \
        .placeholder = "NAME",                                                                     \
        .group = relay,                                                                            \
        .help = "DNS name or IP address that the relay's certificate must be for. Without it any " \
                "certificate of the CA will do, or by version 2 one for the host of --relay.",     \
    }
#define RETRY                                                                                      \
    {                                                                                              \
        .name = "retry",                                                                           \
        .placeholder = "WHEN",                                                                     \
        .default_text = "lost",                                                                    \
        .group = running,                                                                          \
        .help = "When to connect to the relay again: lost, after it has worked once, so that a "   \
                "mistake at the start is told at once; always; or never. It waits half a second "  \
                "at first and up to 30 seconds later.",                                            \
    }
#define MAX_SESSIONS                                                                               \
    {                                                                                              \
        .name = "max-sessions",                                                                    \
        .placeholder = "COUNT",                                                                    \
        .default_text = "256",                                                                     \
        .group = running,                                                                          \
        .help = "Clients at a time, up to 10000. Others wait, or are turned away by version 2.",   \
    }
// clang-format on

static const struct conf_option expose[] = {
    {
        .name = "target",
        .placeholder = "[NAME=]TARGET",
        .is_positional = true,
        .is_repeated = true,
        .is_of_section = true,
        .group = service,
        .help = "Where the service is, as HOST:PORT; a port alone is one of this host. With a "
                "token, up to 32 services, each with its name in front.",
    },
    TUNNEL_SPOKE_OPTIONS_SERVICE(service),
    {
        .name = "relay",
        .placeholder = "HOST[:PORT]",
        .group = relay,
        .help = "The relay and its control port, which is 12000 if it is left out.",
    },
    TUNNEL_SPOKE_OPTIONS_RELAY(relay),
    KEYS("keys", 'k'),
    RELAY_NAME,
    RETRY,
    MAX_SESSIONS,
    TUNNEL_SPOKE_OPTIONS_DRAIN(running),
    DAEMON_OPTIONS_CONFIG(running, "FAIRLEAD_TUNNEL_EXPOSE_CONFIG"),
    DAEMON_OPTIONS_CHECK_CONFIG(running),
    DAEMON_OPTIONS_VERSION(running),
    DAEMON_OPTIONS_HELP(running),
};

static const struct conf_option little[] = {
    {
        .name = "relay-host",
        .placeholder = "HOST",
        .is_positional = true,
        .is_outside_file = true,
        .group = relay,
        .help = "The relay.",
    },
    {
        .name = "relay-port",
        .placeholder = "PORT",
        .default_text = "12000",
        .is_positional = true,
        .is_outside_file = true,
        .group = relay,
        .help = "Its control port.",
    },
    KEYS("relay-keys", 'c'),
    RELAY_NAME,
    {
        .name = "application-keys",
        .short_name = 'a',
        .placeholder = "DIR",
        .default_text = "./application_certs",
        .is_outside_file = true,
        .group = service,
        .help = "Directory with server.crt.pem and server.key.pem, our certificate for clients and "
                "its key, and ca.crt.pem, the CA whose certificates clients must have.",
    },
    RETRY,
    MAX_SESSIONS,
    DAEMON_OPTIONS_VERSION(running),
    DAEMON_OPTIONS_HELP(running),
};

const struct conf_table tunnel_service_options_expose = {
    .options = expose, .count = COUNT_OF(expose), .has_sections = true};
const struct conf_table tunnel_service_options_little = {.options = little,
                                                         .count = COUNT_OF(little)};

static void require(struct conf *conf, const char *name)
{
    if (!conf_is_given(conf, name)) {
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text(name)));
    }
}

static void expose_read(struct conf *conf, struct tunnel_service_config *out)
{
    struct conf_errors *errors = &conf->errors;

    if (conf->section_count == 0) {
        require(conf, "target");
    }
    require(conf, "relay");
    out->agent.relay.port = CONTROL_PORT;
    tunnel_place_of(errors, conf_find(conf, "relay"), &out->agent.relay);
    conf_value_text(errors, conf_find(conf, "keys"), 1, PATH_MAX, &out->agent.keys);
    out->is_second = tunnel_spoke_options_are_given(conf);
    if (!out->is_second) {
        out->target = (struct tunnel_place){.host = "127.0.0.1"};
        tunnel_place_of(errors, conf_find(conf, "target"), &out->target);
    }
}

// What both versions have, and what only the second has.
static void second_read(struct conf *conf, struct tunnel_service_config *out)
{
    struct tunnel_spoke_config *spoke = &out->spoke;

    spoke->relay = out->agent.relay;
    spoke->relay_name = out->agent.relay_name;
    spoke->core.session_max = out->agent.core.connection_max;
    spoke->core.retry = (enum revtun_spoke_retry)out->agent.core.retry;
    _Static_assert((int)REVTUN_SPOKE_RETRY_ALWAYS == (int)REVTUN_AGENT_RETRY_ALWAYS &&
                       (int)REVTUN_SPOKE_RETRY_LOST == (int)REVTUN_AGENT_RETRY_LOST,
                   "both are what the option says");
    tunnel_spoke_options_read(conf, spoke);
}

static void little_read(struct conf *conf, struct tunnel_service_config *out)
{
    struct conf_errors *errors = &conf->errors;

    require(conf, "relay-host");
    tunnel_place_host_of(errors, conf_find(conf, "relay-host"), &out->agent.relay);
    conf_value_port(errors, conf_find(conf, "relay-port"), &out->agent.relay.port);
    conf_value_text(errors, conf_find(conf, "relay-keys"), 1, PATH_MAX, &out->agent.keys);
    conf_value_text(errors, conf_find(conf, "application-keys"), 1, PATH_MAX, &out->application);
}

static bool judge(void *context, struct conf *conf)
{
    static const char *const retries[] = {"never", "lost", "always"};
    struct tunnel_service_config *out = context;
    struct conf_errors *errors = &conf->errors;
    struct tunnel_place name = {.port = 0};
    size_t retry = REVTUN_AGENT_RETRY_LOST;
    uint64_t count = 0;

    if (conf->table == &tunnel_service_options_expose) {
        expose_read(conf, out);
    } else {
        little_read(conf, out);
    }
    const struct conf_value *relay_name = conf_find(conf, "relay-name");
    tunnel_place_host_of(errors, relay_name, &name);
    if (relay_name != NULL) {
        memcpy(out->relay_name, name.host, sizeof name.host);
        out->agent.relay_name = out->relay_name;
    }
    conf_value_word(errors, conf_find(conf, "retry"), retries, COUNT_OF(retries), &retry);
    conf_value_number(errors, conf_find(conf, "max-sessions"), 1, SESSIONS_MAX, &count);
    out->agent.core.retry = (enum revtun_agent_retry)retry;
    out->agent.core.connection_max = (uint32_t)count;
    if (out->is_second) {
        second_read(conf, out);
    }
    return errors->count == 0;
}

bool tunnel_service_options_read(const struct daemon_load_sources *sources,
                                 const struct conf_table *table, const struct conf_program *program,
                                 struct tunnel_service_config *out, int *status)
{
    static struct daemon_load load; // what is borrowed from it, its file and the arguments stays
    const enum daemon_load_outcome outcome = daemon_load_open(&load, table, sources, judge, out);

    if (outcome == DAEMON_LOAD_RUN) {
        daemon_secret_wipe(&load.conf, sources->environment);
        return true;
    }
    *status = daemon_tell_outcome(&load, outcome, program);
    daemon_load_close(&load);
    return false;
}

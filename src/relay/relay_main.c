// SPDX-License-Identifier: Apache-2.0
// fairlead-relay: reads its configuration and becomes the control thread; or makes a credential,
// when that is the command.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto_wipe.h"
#include "daemon/daemon_log.h"
#include "daemon/daemon_query.h"
#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "log/log.h"
#include "relay/relay_address.h"
#include "relay/relay_ask.h"
#include "relay/relay_capacity.h"
#include "relay/relay_config.h"
#include "relay/relay_control.h"
#include "relay/relay_credential.h"
#include "relay/relay_crew.h"
#include "relay/relay_demo.h"
#include "relay/relay_greeting.h"
#include "relay/relay_load.h"
#include "relay/relay_options.h"
#include "relay/relay_reload.h"

enum {
    REALM_SHORT = 28, // bytes up to which a 28-byte Allocate is answered
    MILLIS_PER_SECOND = 1000,
};

static void greet(const struct relay_config *config)
{
    uint8_t text[RELAY_GREETING_TEXT_MAX];
    struct bytes done;

    if (config->daemon.log_format != LOG_LINE_HUMAN) {
        done = relay_greeting_line_write(text, config, io_clock_now().wall_s * MILLIS_PER_SECOND);
    } else {
        struct wr wr = wr_init(text, sizeof text);
        relay_greeting_write(&wr, config);
        done = wr_done(&wr);
    }
    // Not by stdio or the log, which would keep the password; and whoever does not read it has
    // none.
    IGNORE(write(STDOUT_FILENO, done.ptr, done.len));
    crypto_wipe(text, sizeof text);
}

// Whoever moves here from Firezone's relay may count on them.
static void log_idle_options(const struct relay_config *config)
{
    static const char message[] = "an option of Firezone's relay has no effect here";

    if (config->has_rng_seed) {
        LOG_INFO(message, LOG_TEXT("option", "--rng-seed"),
                 LOG_TEXT("reason", "what can be foretold keeps no secret"));
    }
    if (config->has_telemetry) {
        LOG_INFO(message, LOG_TEXT("option", "--telemetry"),
                 LOG_TEXT("reason", "this relay reports to nobody"));
    }
}

// What only the configuration and the system tell, and whoever starts the relay is to know.
static void prepare(struct relay_config *config)
{
    relay_address_choose(config);
    relay_capacity_settle(config);
    if (config->realm.len > REALM_SHORT && !config->is_amplification_strict) {
        LOG_WARN("the shortest first requests get no answer, since with so long a --realm it would "
                 "be more than four times as long",
                 LOG_NUMBER("realm_len", config->realm.len), LOG_NUMBER("short", REALM_SHORT));
    }
    log_idle_options(config);
}

// With a user of its own making where there is none. 0 or -errno.
static int open_control(struct relay_control *control, struct relay_config *config)
{
    uint8_t demo_secret[RELAY_DEMO_SECRET_LEN];
    uint8_t password[RELAY_GREETING_PASSWORD_LEN];
    uint8_t stamp_secret[RELAY_PORTAL_SECRET_LEN];

    relay_demo_make_secret(config, demo_secret);
    const bool has_user = relay_config_has_credential(config);
    if (!has_user) {
        relay_greeting_make_user(config, password);
    }
    if (config->has_portal && config->stamp_secret.len == 0) {
        relay_portal_make_secret(config, stamp_secret);
    }
    const int error = relay_control_open(control, config);
    if (error == 0 && !has_user) {
        greet(config);
    }
    crypto_wipe(password, sizeof password);
    crypto_wipe(demo_secret, sizeof demo_secret);
    crypto_wipe(stamp_secret, sizeof stamp_secret);
    return error;
}

// Serves until a signal ends it. What `load` and `config` hold is gone afterwards.
static int run(struct relay_load *load, struct relay_config *config)
{
    static struct relay_reload reload;
    static struct relay_control control;

    daemon_log_open(&config->daemon);
    LOG_INFO("fairlead-relay", LOG_TEXT("version", FAIRLEAD_VERSION));
    prepare(config);
    const int error = open_control(&control, config);
    relay_reload_init(&reload, load, config);
    reload.demo = &control.web.demo;
    control.change.reload = &reload;
    // The servers have keys made of them; they need no passwords.
    relay_load_close(load);
    crypto_wipe(config, sizeof *config);
    const bool is_good = error == 0 && relay_control_run(&control);
    relay_control_close(&control);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int make_credential(int argc, char *const *argv, char *const *environment)
{
    static uint8_t text[RELAY_CREDENTIAL_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    int status = EXIT_SUCCESS;

    switch (relay_credential_run(argc, argv, environment, io_clock_now(), &wr)) {
    case RELAY_CREDENTIAL_MADE:
    case RELAY_CREDENTIAL_HELP:
        status = daemon_tell(wr_done(&wr));
        break;
    case RELAY_CREDENTIAL_WRONG:
        daemon_tell_wrong(wr_done(&wr));
        status = DAEMON_TELL_EXIT_WRONG;
        break;
    }
    crypto_wipe(text, sizeof text);
    return status;
}

int main(int argc, char **argv)
{
    static struct relay_load load;
    static struct relay_config config;
    const struct daemon_load_sources sources = {argc, argv, environ};

    IGNORE(io_fd_reserve_standard()); // without /dev/null there is nothing better to do
    if (argc > 1 && daemon_query_is(argv[1])) {
        return relay_ask(&(struct daemon_load_sources){argc - 1, argv + 1, environ});
    }
    if (argc > 1 && strcmp(argv[1], "credential") == 0) {
        return make_credential(argc - 1, argv + 1, environ);
    }
    const enum daemon_load_outcome outcome = relay_load_open(&load, &sources, &config);
    if (outcome == DAEMON_LOAD_RUN) {
        return run(&load, &config);
    }
    const int status = daemon_tell_outcome(&load.daemon, outcome, &relay_options_program);
    relay_load_close(&load);
    return status;
}

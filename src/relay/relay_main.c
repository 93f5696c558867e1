// SPDX-License-Identifier: Apache-2.0
// fairlead-relay: reads its configuration, opens the workers, gives up root, starts them, and is
// the control thread from then on; or makes a credential, when that is the command.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto_wipe.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_limit.h"
#include "io/io_loop.h"
#include "io/io_privilege.h"
#include "io/io_signal.h"
#include "log/log.h"
#include "relay/relay_address.h"
#include "relay/relay_config.h"
#include "relay/relay_credential.h"
#include "relay/relay_crew.h"
#include "relay/relay_greeting.h"
#include "relay/relay_load.h"
#include "relay/relay_options.h"

enum {
    EXIT_CONFIG = 2,        // the configuration is wrong
    REALM_SHORT = 28,       // bytes up to which a 28-byte Allocate is answered
    OTHER_DESCRIPTORS = 32, // of the control thread, and some to spare
    HELP_MAX = 1 << 16,     // bytes
    MILLIS_PER_SECOND = 1000,
};

// All of it or, with false, not: whoever asked for it is to know.
static bool write_whole(int fd, struct bytes text)
{
    while (text.len > 0) {
        ssize_t written = write(fd, text.ptr, text.len);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        text = bytes_from(text, written > 0 ? (size_t)written : 0);
    }
    return true;
}

// What was asked for; the exit status. Not by stdio, which would keep a password.
static int tell(struct bytes text)
{
    return write_whole(STDOUT_FILENO, text) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void complain(const struct wr *wr)
{
    // A terminal that takes no text leaves nothing to say it to.
    IGNORE(fwrite(wr->ptr, 1, wr->len, stderr));
}

static void print_errors(const struct relay_load *load)
{
    static uint8_t text[RELAY_LOAD_ERRORS_MAX];
    struct wr wr = wr_init(text, sizeof text);

    relay_load_errors_write(load, &wr);
    complain(&wr);
}

static int tell_help(void)
{
    static uint8_t text[HELP_MAX];
    struct wr wr = wr_init(text, sizeof text);

    conf_help_write(&wr, &relay_options_table, &relay_options_program);
    return tell(wr_done(&wr));
}

static bool on_signal_over;

static void end(int number)
{
    char name[16]; // "SIGTERM" and the like

    snprintf(name, sizeof name, "SIG%s", sigabbrev_np(number));
    LOG_INFO("ending", LOG_TEXT("signal", name));
    on_signal_over = true;
}

static void on_signal(struct io_watch *watch, uint32_t events)
{
    struct relay_crew *crew = watch->context;
    int number = 0;

    (void)events;
    if (!io_signal_read(watch->fd, &number)) {
        return;
    }
    if (number == SIGUSR1) {
        relay_crew_ask(crew, io_clock_now());
    } else if (number == SIGUSR2) {
        relay_offload_switch(&crew->offload);
    } else {
        end(number);
    }
}

// Gives up root, or what capabilities it has been given, for a user of our own if the system has
// one.
static int drop_root(void)
{
    static const char *const names[] = {"fairlead", "nobody"};
    struct io_privilege_user user;

    if (!io_privilege_is_root()) {
        return io_privilege_shed();
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (io_privilege_find(names[i], &user) != 0) {
            continue;
        }
        int error = io_privilege_drop(user);
        if (error == 0) {
            LOG_INFO("root given up", LOG_TEXT("user", names[i]));
        }
        return error;
    }
    return -ENOENT;
}

static void greet(const struct relay_config *config)
{
    uint8_t text[RELAY_GREETING_TEXT_MAX];
    struct bytes done;

    if (config->log_format == LOG_LINE_JSON) {
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

static void log_capacity(const struct relay_config *config)
{
    uint64_t descriptors = 0;
    uint64_t ports = (uint64_t)config->highest_port - config->lowest_port + 1;
    int error = io_limit_raise(&descriptors);

    if (error != 0) {
        LOG_WARN("the limit of descriptors is unknown", LOG_ERROR_NUMBER("error", error));
        return;
    }
    bool has_both =
        config->public_ip4.family != ADDR_NONE && config->public_ip6.family != ADDR_NONE;
    uint64_t others = OTHER_DESCRIPTORS + relay_crew_descriptors(config);
    uint64_t sockets = descriptors > others ? descriptors - others : 0;
    uint64_t wanted = config->max_allocations < ports ? config->max_allocations : ports;
    // An allocation may have a relayed socket of each family; most have one.
    uint64_t allocations = sockets / (has_both ? 2 : 1);
    allocations = allocations < wanted ? allocations : wanted;
    LOG_INFO("capacity", LOG_NUMBER("allocations", allocations), LOG_NUMBER("ports", ports),
             LOG_NUMBER("descriptors", descriptors));
    if (sockets < wanted) {
        LOG_WARN("the limit of descriptors (ulimit -n) leaves fewer allocations than "
                 "--max-allocations and the ports");
    }
}

// All that is left to do before serving, once the workers have their sockets. 0 or -errno.
static int settle_in(struct io_loop *loop, struct io_watch *signals)
{
    int error = io_signal_open(&signals->fd);

    if (error == 0) {
        error = io_loop_add(loop, signals, IO_READABLE);
    }
    if (error != 0) {
        LOG_ERROR("signals cannot be received", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    error = drop_root();
    if (error != 0) {
        LOG_ERROR("root cannot be given up; start the relay as another user",
                  LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

static int open_crew(struct relay_crew *crew, struct io_loop *loop, struct io_watch *signals,
                     struct relay_config *config)
{
    uint8_t password[RELAY_GREETING_PASSWORD_LEN];
    const bool has_user = relay_config_has_credential(config);

    relay_address_choose(config);
    log_capacity(config);
    if (config->realm.len > REALM_SHORT && !config->is_amplification_strict) {
        LOG_WARN("the shortest first requests get no answer, since with so long a --realm it would "
                 "be more than four times as long",
                 LOG_NUMBER("realm_len", config->realm.len), LOG_NUMBER("short", REALM_SHORT));
    }
    if (!has_user) {
        relay_greeting_make_user(config, password);
    }
    int error = relay_crew_open(crew, config, loop);
    if (error == 0) {
        error = settle_in(loop, signals);
    }
    if (error == 0 && !has_user) {
        greet(config);
    }
    crypto_wipe(password, sizeof password);
    return error;
}

// What the control thread does while the workers serve: until a signal comes, or a worker fails. 0
// or -errno.
static int control(struct relay_crew *crew, struct io_loop *loop)
{
    int error = 0;

    while (error == 0 && !on_signal_over) {
        error = io_loop_turn(loop, relay_crew_tick(crew, io_clock_now()));
        if (error != 0) {
            LOG_ERROR("waiting for signals failed", LOG_ERROR_NUMBER("error", error));
        } else {
            error = crew->error;
        }
    }
    return error;
}

static int serve(struct relay_crew *crew, struct io_loop *loop)
{
    int error = relay_crew_start(crew);

    if (error == 0) {
        error = control(crew, loop);
    }
    relay_crew_stop(crew);
    relay_crew_log(crew);
    return error;
}

// Serves until a signal ends it. What `load` and `config` hold is gone afterwards.
static int run(struct relay_load *load, struct relay_config *config)
{
    static struct relay_crew crew;
    static struct io_loop loop;
    struct io_watch signals = {.fd = -1, .fn = on_signal, .context = &crew};

    log_open(STDOUT_FILENO, LOG_LEVEL_INFO, config->log_format);
    LOG_INFO("fairlead-relay", LOG_TEXT("version", FAIRLEAD_VERSION));
    int error = io_loop_open(&loop);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        relay_load_close(load);
        return EXIT_FAILURE;
    }
    error = open_crew(&crew, &loop, &signals, config);
    // The servers have keys made of them; they need no passwords.
    relay_load_close(load);
    crypto_wipe(config, sizeof *config);
    if (error == 0) {
        error = serve(&crew, &loop);
    }
    io_loop_remove(&loop, &signals);
    io_fd_close(&signals.fd);
    relay_crew_close(&crew);
    io_loop_close(&loop);
    return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int make_credential(int argc, char *const *argv, char *const *environment)
{
    static uint8_t text[RELAY_CREDENTIAL_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    int status = EXIT_SUCCESS;

    switch (relay_credential_run(argc, argv, environment, io_clock_now(), &wr)) {
    case RELAY_CREDENTIAL_MADE:
    case RELAY_CREDENTIAL_HELP:
        status = tell(wr_done(&wr));
        break;
    case RELAY_CREDENTIAL_WRONG:
        complain(&wr);
        status = EXIT_CONFIG;
        break;
    }
    crypto_wipe(text, sizeof text);
    return status;
}

int main(int argc, char **argv)
{
    static struct relay_load load;
    static struct relay_config config;
    int status = EXIT_SUCCESS;

    IGNORE(io_fd_reserve_standard()); // without /dev/null there is nothing better to do
    if (argc > 1 && strcmp(argv[1], "credential") == 0) {
        return make_credential(argc - 1, argv + 1, environ);
    }
    switch (relay_load_open(&load, argc, argv, environ, &config)) {
    case RELAY_LOAD_RUN:
        return run(&load, &config);
    case RELAY_LOAD_HELP:
        status = tell_help();
        break;
    case RELAY_LOAD_VERSION:
        status = tell(bytes_of_text("fairlead-relay " FAIRLEAD_VERSION "\n"));
        break;
    case RELAY_LOAD_CHECKED:
        status = tell(bytes_of_text("fairlead-relay: the configuration is good\n"));
        break;
    case RELAY_LOAD_WRONG:
        print_errors(&load);
        status = EXIT_CONFIG;
        break;
    }
    relay_load_close(&load);
    return status;
}

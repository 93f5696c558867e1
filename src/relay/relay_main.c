// SPDX-License-Identifier: Apache-2.0
// fairlead-relay: reads its configuration, opens a worker, gives up root, and serves.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "conf/conf_file.h"
#include "crypto/crypto_wipe.h"
#include "io/io_limit.h"
#include "io/io_privilege.h"
#include "io/io_signal.h"
#include "log/log.h"
#include "relay/relay_address.h"
#include "relay/relay_config.h"
#include "relay/relay_file.h"
#include "relay/relay_greeting.h"
#include "relay/relay_options.h"
#include "relay/relay_worker.h"

enum {
    EXIT_CONFIG = 2,           // the configuration is wrong
    OTHER_DESCRIPTORS = 32,    // all that are not relayed sockets, and some to spare
    ENVIRONMENT_MAX = 1 << 17, // bytes of unescaped values: all that the kernel passes in one
    HELP_MAX = 1 << 16,        // bytes
};

static uint8_t scratch[ENVIRONMENT_MAX];

static void print(FILE *to, const struct wr *wr)
{
    // A terminal that takes no text leaves nothing to say it to.
    IGNORE(fwrite(wr->ptr, 1, wr->len, to));
}

static void print_errors(const struct conf_errors *errors)
{
    uint8_t line[CONF_ERROR_TEXT_MAX];

    for (size_t i = 0; i < errors->count; i++) {
        struct wr wr = wr_init(line, sizeof line);
        conf_error_write(errors, i, &wr);
        fprintf(stderr, "fairlead-relay: ");
        print(stderr, &wr);
        fprintf(stderr, "\n");
    }
    if (errors->left_off > 0) {
        fprintf(stderr, "fairlead-relay: and %zu more\n", errors->left_off);
    }
}

static void print_help(void)
{
    static uint8_t text[HELP_MAX];
    struct wr wr = wr_init(text, sizeof text);

    conf_help_write(&wr, &relay_options_table, &relay_options_program);
    print(stdout, &wr);
}

// Reads the file that --config names, if it does. False when it cannot be read.
static bool read_file(struct conf *conf, struct bytes *text)
{
    static char path[4096];
    const struct conf_value *value = conf_find(conf, "config");

    if (value == NULL) {
        return true;
    }
    if (value->text.len == 0 || value->text.len >= sizeof path) {
        conf_error_value(&conf->errors, value, "is not the name of a file");
        return true;
    }
    memcpy(path, value->text.ptr, value->text.len);
    int error = relay_file_read(path, text);
    if (error != 0) {
        fprintf(stderr, "fairlead-relay: %s: %s\n", path, strerror(-error));
        return false;
    }
    conf_file_read(conf, *text, path);
    return true;
}

static bool on_signal_over;

static void on_signal(struct io_watch *watch, uint32_t events)
{
    int number = 0;

    (void)events;
    if (io_signal_read(watch->fd, &number)) {
        LOG_INFO("ending", LOG_TEXT("signal", number == 2 ? "SIGINT" : "SIGTERM"));
        on_signal_over = true;
    }
}

// Gives up root, for a user of our own if the system has one.
static int drop_root(void)
{
    static const char *const names[] = {"fairlead", "nobody"};
    struct io_privilege_user user;

    if (!io_privilege_is_root()) {
        return 0;
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
    static uint8_t text[RELAY_GREETING_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    if (config->log_format == LOG_LINE_JSON) {
        relay_greeting_ice_servers_write(&wr, config);
        LOG_INFO("credential made, since no --user is given", LOG_BYTES("config", wr_done(&wr)));
        return;
    }
    relay_greeting_write(&wr, config);
    print(stdout, &wr);
    fflush(stdout);
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
    uint64_t sockets = descriptors > OTHER_DESCRIPTORS ? descriptors - OTHER_DESCRIPTORS : 0;
    uint64_t allocations = turn_config_default().max_allocations;
    allocations = allocations < ports ? allocations : ports;
    allocations = allocations < sockets ? allocations : sockets;
    LOG_INFO("capacity", LOG_NUMBER("allocations", allocations), LOG_NUMBER("ports", ports),
             LOG_NUMBER("descriptors", descriptors));
}

static int serve(struct relay_worker *worker, const struct relay_config *config, bool has_made_user)
{
    struct io_watch watch = {.fd = -1, .fn = on_signal};
    int error = io_signal_open(&watch.fd);

    if (error == 0) {
        error = io_loop_add(&worker->loop, &watch, IO_READABLE);
    }
    if (error == 0) {
        error = drop_root();
    }
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
    } else {
        if (has_made_user) {
            greet(config);
        }
        error = relay_worker_run(worker, &on_signal_over);
    }
    relay_stats_log("traffic", turn_stats_metrics, TURN_STATS_COUNT,
                    turn_server_stats(worker->server));
    relay_stats_log("sockets", relay_stats_metrics, RELAY_STATS_COUNT, &worker->stats);
    io_loop_remove(&worker->loop, &watch);
    if (watch.fd >= 0) {
        close(watch.fd);
    }
    return error;
}

static int run(struct relay_config *config)
{
    static struct relay_worker worker;
    bool has_made_user = config->user_count == 0;

    log_open(STDOUT_FILENO, LOG_LEVEL_INFO, config->log_format);
    LOG_INFO("fairlead-relay", LOG_TEXT("version", FAIRLEAD_VERSION));
    relay_address_choose(config);
    log_capacity(config);
    if (has_made_user) {
        relay_greeting_make_user(config);
    }
    if (relay_worker_open(&worker, config) != 0) {
        return EXIT_FAILURE;
    }
    int error = serve(&worker, config, has_made_user);
    relay_worker_close(&worker);
    return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    extern char **environ;
    static struct conf conf;
    static struct relay_config config;
    struct wr unescaped = wr_init(scratch, sizeof scratch);
    struct bytes text = {0};

    conf_init(&conf, &relay_options_table);
    conf_args_read(&conf, argc, argv);
    if (conf_flag(&conf, "help")) {
        print_help();
        return EXIT_SUCCESS;
    }
    if (conf_flag(&conf, "version")) {
        printf("fairlead-relay %s\n", FAIRLEAD_VERSION);
        return EXIT_SUCCESS;
    }
    conf_env_read(&conf, environ, &unescaped);
    if (!read_file(&conf, &text)) {
        return EXIT_CONFIG;
    }
    int status = EXIT_SUCCESS;
    if (!relay_config_read(&conf, &config)) {
        print_errors(&conf.errors);
        status = EXIT_CONFIG;
    } else if (conf_flag(&conf, "check-config")) {
        printf("fairlead-relay: the configuration is good\n");
    } else {
        status = run(&config);
    }
    if (text.ptr != NULL) {
        crypto_wipe((void *)text.ptr, text.len); // it may hold passwords
    }
    free((void *)text.ptr);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
// fairlead-probe: finds the command that is meant, reads its options, runs it.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "probe/probe_attack.h"
#include "probe/probe_bench.h"
#include "probe/probe_config.h"
#include "probe/probe_conform.h"
#include "probe/probe_options.h"
#include "probe/probe_report.h"

enum {
    EXIT_USAGE = 2, // the command or its options are wrong
    TEXT_MAX = 1 << 16,
};

static const char usage[] = "usage: fairlead-probe attack HOST[:PORT] [OPTION...]\n"
                            "       fairlead-probe bench HOST[:PORT] [OPTION...]\n"
                            "       fairlead-probe conform HOST[:PORT] [OPTION...]\n"
                            "       fairlead-probe COMMAND --help\n"
                            "       fairlead-probe --version\n";

struct command {
    const char *name;
    const struct conf_table *table;
    const struct conf_program *program;
    // The exit status; -1 when there are errors in conf->errors.
    int (*run)(struct conf *conf);
};

static int print(const struct wr *wr, FILE *out)
{
    return fwrite(wr->ptr, 1, wr->len, out) == wr->len && fflush(out) == 0 ? EXIT_SUCCESS
                                                                           : EXIT_FAILURE;
}

static int print_help(const struct command *command)
{
    static uint8_t text[TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    conf_help_write(&wr, command->table, command->program);
    return print(&wr, stdout);
}

static int print_version(void)
{
    return puts("fairlead-probe " FAIRLEAD_VERSION) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print_errors(const struct conf *conf)
{
    static uint8_t text[TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    for (size_t i = 0; i < conf->errors.count; i++) {
        wr_text(&wr, "fairlead-probe: ");
        conf_error_write(&conf->errors, i, &wr);
        wr_text(&wr, "\n");
    }
    IGNORE(print(&wr, stderr)); // nobody is there to be told
    return EXIT_USAGE;
}

static int bench(struct conf *conf)
{
    static struct probe_report report;
    struct probe_config config;
    char wrong[PROBE_BENCH_WRONG_MAX];

    if (!probe_config_read(conf, &config)) {
        return -1;
    }
    if (!probe_endpoint_find(&config.server)) {
        return EXIT_FAILURE;
    }
    if (!probe_bench_run(&config, &report, wrong)) {
        fprintf(stderr, "fairlead-probe: %s\n", wrong);
        return EXIT_FAILURE;
    }
    if (config.is_json) {
        probe_report_json(&report, stdout);
    } else {
        probe_report_table(&report, stdout);
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const struct command commands[] = {
    {"attack", &probe_attack_table, &probe_attack_program, probe_attack_run},
    {"bench", &probe_options_table, &probe_options_program, bench},
    {"conform", &probe_conform_table, &probe_conform_program, probe_conform_run},
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct conf conf;
    static uint8_t unescaped[TEXT_MAX];
    struct wr wr = wr_init(unescaped, sizeof unescaped);

    if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        return print_version();
    }
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return fputs(usage, stdout) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    const struct command *command = argc > 1 ? find(argv[1]) : NULL;
    if (command == NULL) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    conf_init(&conf, command->table);
    conf_args_read(&conf, argc - 1, argv + 1);
    if (conf_flag(&conf, "help")) {
        return print_help(command);
    }
    if (conf_flag(&conf, "version")) {
        return print_version();
    }
    conf_env_read(&conf, environ, &wr);
    int status = command->run(&conf);
    return status >= 0 ? status : print_errors(&conf);
}

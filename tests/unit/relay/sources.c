// SPDX-License-Identifier: Apache-2.0
#include "sources.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "conf/conf_file.h"
#include "daemon/host.h"
#include "relay/relay_options.h"

struct conf sources_conf;
struct relay_config sources_config;

bool sources_read(const struct sources *sources)
{
    static uint8_t memory[4096];
    struct wr scratch = wr_init(memory, sizeof memory);
    // Their owner could write to them; the readers do not.
    char *arguments[] = {(char *)"fairlead-relay", (char *)sources->arguments[0],
                         (char *)sources->arguments[1]};
    char *variables[] = {(char *)sources->variables[0], (char *)sources->variables[1], NULL};
    int count = 1;

    while (count < 3 && arguments[count] != NULL) {
        count++;
    }
    conf_init(&sources_conf, &relay_options_table);
    conf_args_read(&sources_conf, count, arguments);
    conf_env_read(&sources_conf, variables, &scratch);
    conf_file_read(&sources_conf, bytes_of_text(sources->file), "relay.conf");
    return relay_config_read(&sources_conf, &sources_config);
}

void sources_expect_errors(const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count && i < sources_conf.errors.count; i++) {
        uint8_t memory[CONF_ERROR_TEXT_MAX];
        struct wr wr = wr_init(memory, sizeof memory);

        conf_error_write(&sources_conf.errors, i, &wr);
        host_expect_text(wr_done(&wr), lines[i]);
    }
    assert_int_equal(sources_conf.errors.count, count);
}

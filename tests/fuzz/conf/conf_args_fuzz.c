// SPDX-License-Identifier: Apache-2.0
// Any strings, ended by NUL bytes, are read as a command line.
#include "conf/conf_args.h"

#include <assert.h>

#include "fuzz/conf/conf_checks.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conf conf;
    static char memory[CONF_CHECKS_INPUT_MAX + 1];
    char name[] = "fuzz";
    char *argv[CONF_CHECKS_INPUT_MAX / 2] = {name};

    if (size > CONF_CHECKS_INPUT_MAX) {
        return 0;
    }
    size_t count = conf_checks_split(data, size, memory, argv + 1, COUNT_OF(argv) - 1);
    conf_init(&conf, &conf_checks_table);
    conf_args_read(&conf, (int)count + 1, argv);
    conf_checks(&conf);
    // Nothing is dropped in silence: each argument is a value, belongs to one, is "--", or is
    // an error.
    size_t known_count = conf.value_count + conf.errors.count + conf.errors.left_off;
    assert(known_count <= count);
    assert(known_count * 2 + 1 >= count);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void shards_start(struct shards *shards, struct turn_config config)
{
    config.shard_count = SHARDS;
    for (uint32_t i = 0; i < SHARDS; i++) {
        config.shard_index = i;
        turn_fixture_restart(shards->at[i], &config);
        config.commons = shards->at[0]->commons;
    }
}

int shards_setup(void **state)
{
    struct shards *shards = calloc(1, sizeof *shards);

    assert_non_null(shards);
    for (uint16_t i = 0; i < SHARDS; i++) {
        void *one = NULL;
        assert_int_equal(turn_fixture_setup(&one), 0);
        shards->at[i] = one;
        shards->at[i]->tuple.client.port = (uint16_t)(4001 + i);
    }
    shards_start(shards, turn_fixture_config());
    *state = shards;
    return 0;
}

int shards_teardown(void **state)
{
    struct shards *shards = *state;

    for (uint32_t i = SHARDS; i-- > 0;) {
        void *one = shards->at[i];
        assert_int_equal(turn_fixture_teardown(&one), 0);
    }
    free(shards);
    return 0;
}

void shards_become_firezone(struct shards *shards, bool has_fast_path)
{
    struct turn_config config = turn_fixture_config();

    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    config.has_fast_path = has_fast_path;
    shards_start(shards, config);
    for (uint32_t i = 0; i < SHARDS; i++) {
        turn_fixture_use_firezone(shards->at[i], "1892160000:n23JJ2wKKtt30oXi");
        shards->at[i]->realm = "firezone";
    }
}

struct addr shards_relayed_of(const struct turn_fixture *f)
{
    return turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
}

const struct turn_command *shards_command_of(const struct turn_fixture *f,
                                             enum turn_command_type type)
{
    for (uint32_t i = 0; i < f->command_count; i++) {
        if (f->commands[i].type == type) {
            return &f->commands[i];
        }
    }
    return NULL;
}

struct turn_commons_gauges shards_in_all(const struct shards *shards)
{
    return turn_commons_gauges(shards->at[0]->commons, shards->at[0]->now);
}

unsigned shards_take_all(struct turn_fixture *f, enum turn_command_type type)
{
    struct turn_command command;
    unsigned count = 0;

    while (turn_server_take(f->server, &command)) {
        count += command.type == type;
    }
    return count;
}

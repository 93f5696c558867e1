// SPDX-License-Identifier: Apache-2.0
// Two servers that serve one relay.
#pragma once

#include "turn/turn_fixture.h"

enum { SHARDS = 2 };

// For tests that speak to both: they are in *state.
#define SHARDS_TEST(test) cmocka_unit_test_setup_teardown(test, shards_setup, shards_teardown)

// Each shard beside a client of its own, and the owner of the commons first.
struct shards {
    struct turn_fixture *at[SHARDS];
};

int shards_setup(void **state);
int shards_teardown(void **state);
// Both anew, with this configuration.
void shards_start(struct shards *shards, struct turn_config config);
// Both with clients of Firezone's; of one user until somebody says otherwise.
void shards_become_firezone(struct shards *shards, bool has_fast_path);

// Looks at what a shard's last call brought: the relayed address in its response; the first command
// of a type, or NULL.
struct addr shards_relayed_of(const struct turn_fixture *f);
const struct turn_command *shards_command_of(const struct turn_fixture *f,
                                             enum turn_command_type type);
struct turn_commons_gauges shards_in_all(const struct shards *shards);

// Takes all commands without carrying them out; how many there were of a type.
unsigned shards_take_all(struct turn_fixture *f, enum turn_command_type type);

// SPDX-License-Identifier: Apache-2.0
// What tests of TLS begin with: a world of their own each, and contexts that all of a program
// share.
#pragma once

#include "tls_world.h"

struct tls_pair {
    struct tls_world world;
    struct io_tls_context *client;
    struct io_tls_context *server;
};

extern struct tls_pair tls_pair;

// For a group: contexts of both, in v1's manner, and their removal with all keys.
int tls_pair_group_setup(void **state);
int tls_pair_group_teardown(void **state);
// The same contexts with these protocols.
void tls_pair_open(const struct io_tls_protocol *protocols, size_t count);
// For a test: a fresh world, and its end.
int tls_pair_setup(void **state);
int tls_pair_teardown(void **state);
#define TLS_PAIR_TEST(test) cmocka_unit_test_setup_teardown(test, tls_pair_setup, tls_pair_teardown)

// Gives up the world for a fresh one, within a test.
void tls_pair_renew(void);

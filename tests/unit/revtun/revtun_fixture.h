// SPDX-License-Identifier: Apache-2.0
// A relay's core for tests: a clock, addresses from text, and the commands of the last call, as
// support/revtun_text.h writes them.
#pragma once

#include <stdbool.h>

#include "revtun/revtun_relay.h"
#include "support/revtun_text.h"

enum {
    REVTUN_FIXTURE_COMMANDS = 64, // that one call may bring
};

struct revtun_fixture {
    struct revtun_config config;
    struct revtun_relay *relay;
    struct now now;
    struct pool_ref joined;                                  // the session of the last JOIN
    struct revtun_command commands[REVTUN_FIXTURE_COMMANDS]; // of the last call
    char texts[REVTUN_FIXTURE_COMMANDS][REVTUN_TEXT_MAX];
    size_t count;
};

// Three pairs behind port 5000, host 127.0.0.1, else as by default.
struct revtun_config revtun_fixture_config(void);
int revtun_fixture_setup(void **state);
int revtun_fixture_teardown(void **state);
#define REVTUN_FIXTURE_TEST(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, revtun_fixture_setup, revtun_fixture_teardown)

// Begins anew with other numbers.
void revtun_fixture_restart(struct revtun_fixture *f, const struct revtun_config *config);

struct addr revtun_fixture_addr(const char *text);

// Calls of the core with the commands taken.
struct pool_ref revtun_fixture_up(struct revtun_fixture *f, uint64_t conn, const char *peer);
void revtun_fixture_read(struct revtun_fixture *f, struct pool_ref control, const char *text);
void revtun_fixture_down(struct revtun_fixture *f, struct pool_ref control);
struct pool_ref revtun_fixture_client(struct revtun_fixture *f, uint32_t pair, uint64_t conn,
                                      const char *from);
void revtun_fixture_reverse(struct revtun_fixture *f, uint32_t pair, uint64_t conn,
                            const char *from);
void revtun_fixture_gone(struct revtun_fixture *f, struct pool_ref client);
// Lets time pass; the commands of all that becomes due are there then.
void revtun_fixture_pass(struct revtun_fixture *f, uint64_t ns);
// Until the core wants to be called, which is at or before the end of that time.
void revtun_fixture_pass_to_deadline(struct revtun_fixture *f, uint64_t most_ns);

// The commands of the last call are just these.
void revtun_fixture_expect(const struct revtun_fixture *f, const char *const *texts, int line);
#define EXPECT(f, ...) revtun_fixture_expect(f, (const char *const[]){__VA_ARGS__, NULL}, __LINE__)
#define EXPECT_NOTHING(f) revtun_fixture_expect(f, (const char *const[]){NULL}, __LINE__)

// Gauges, all of them.
void revtun_fixture_expect_gauges(const struct revtun_fixture *f, struct revtun_gauges gauges,
                                  int line);
#define EXPECT_GAUGES(f, ...)                                                                      \
    revtun_fixture_expect_gauges(f, (struct revtun_gauges){__VA_ARGS__}, __LINE__)

// The first report of the last call; there is one.
const struct revtun_command_report *revtun_fixture_report(const struct revtun_fixture *f);

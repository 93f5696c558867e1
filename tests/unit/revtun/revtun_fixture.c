// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_fixture.h"

#include <assert.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t seed[REVTUN_RELAY_SEED_LEN] = "a fixture's seed";

struct revtun_config revtun_fixture_config(void)
{
    struct revtun_config config = revtun_config_default();

    config.control_port = 5000;
    config.pair_count = 3;
    config.host = bytes_of_text("127.0.0.1");
    return config;
}

static void start(struct revtun_fixture *f, const struct revtun_config *config)
{
    void *memory = calloc(1, revtun_relay_size(config));

    assert(memory != NULL);
    f->config = *config;
    f->relay = revtun_relay_init(memory, config, seed);
    f->now.mono_ns = SECOND_NS;
    f->count = 0;
}

int revtun_fixture_setup(void **state)
{
    struct revtun_fixture *f = calloc(1, sizeof *f);
    const struct revtun_config config = revtun_fixture_config();

    assert(f != NULL);
    start(f, &config);
    *state = f;
    return 0;
}

int revtun_fixture_teardown(void **state)
{
    struct revtun_fixture *f = *state;

    free(f->relay);
    free(f);
    return 0;
}

void revtun_fixture_restart(struct revtun_fixture *f, const struct revtun_config *config)
{
    free(f->relay);
    start(f, config);
}

struct addr revtun_fixture_addr(const char *text)
{
    struct addr addr = {0};
    const bool is_read = addr_read(bytes_of_text(text), &addr);

    assert(is_read);
    return addr_with_port(addr, 40000);
}

static void take(struct revtun_fixture *f)
{
    struct revtun_command command;

    while (revtun_relay_take(f->relay, &command)) {
        assert(f->count < REVTUN_FIXTURE_COMMANDS);
        f->commands[f->count] = command;
        revtun_text_write(f->texts[f->count++], &command);
        if (command.type == REVTUN_COMMAND_JOIN) {
            f->joined = command.join.session;
        }
    }
}

struct pool_ref revtun_fixture_up(struct revtun_fixture *f, uint64_t conn, const char *peer)
{
    const struct addr addr = revtun_fixture_addr(peer);

    f->count = 0;
    const struct pool_ref control = revtun_relay_control_up(f->relay, f->now, conn, &addr);
    take(f);
    return control;
}

void revtun_fixture_read(struct revtun_fixture *f, struct pool_ref control, const char *text)
{
    f->count = 0;
    revtun_relay_control_read(f->relay, f->now, control, bytes_of_text(text));
    take(f);
}

void revtun_fixture_down(struct revtun_fixture *f, struct pool_ref control)
{
    f->count = 0;
    revtun_relay_control_down(f->relay, f->now, control);
    take(f);
}

struct pool_ref revtun_fixture_client(struct revtun_fixture *f, uint32_t pair, uint64_t conn,
                                      const char *from)
{
    const struct addr addr = revtun_fixture_addr(from);

    f->count = 0;
    const struct pool_ref client = revtun_relay_client(f->relay, f->now, pair, conn, &addr);
    take(f);
    return client;
}

void revtun_fixture_reverse(struct revtun_fixture *f, uint32_t pair, uint64_t conn,
                            const char *from)
{
    const struct addr addr = revtun_fixture_addr(from);

    f->count = 0;
    revtun_relay_reverse(f->relay, f->now, pair, conn, &addr);
    take(f);
}

void revtun_fixture_gone(struct revtun_fixture *f, struct pool_ref client)
{
    f->count = 0;
    revtun_relay_gone(f->relay, f->now, client);
    take(f);
}

static void tick(struct revtun_fixture *f)
{
    while (revtun_relay_deadline(f->relay) <= f->now.mono_ns) {
        revtun_relay_tick(f->relay, f->now);
        take(f);
    }
}

void revtun_fixture_pass(struct revtun_fixture *f, uint64_t ns)
{
    f->count = 0;
    f->now.mono_ns += ns;
    tick(f);
}

void revtun_fixture_pass_to_deadline(struct revtun_fixture *f, uint64_t most_ns)
{
    const uint64_t deadline_ns = revtun_relay_deadline(f->relay);

    assert_true(deadline_ns <= f->now.mono_ns + most_ns);
    revtun_fixture_pass(f, deadline_ns - f->now.mono_ns);
}

void revtun_fixture_expect(const struct revtun_fixture *f, const char *const *texts, int line)
{
    size_t count = 0;

    while (texts[count] != NULL && count < f->count && strcmp(texts[count], f->texts[count]) == 0) {
        count++;
    }
    if (texts[count] != NULL || count < f->count) {
        fail_msg("line %d: command %zu is \"%s\", not \"%s\"", line, count,
                 count < f->count ? f->texts[count] : "(none)",
                 texts[count] != NULL ? texts[count] : "(none)");
    }
}

void revtun_fixture_expect_gauges(const struct revtun_fixture *f, struct revtun_gauges gauges,
                                  int line)
{
    const struct revtun_gauges has = revtun_relay_gauges(f->relay);

    if (memcmp(&has, &gauges, sizeof has) != 0) {
        fail_msg("line %d: controls %" PRIu32 ", free pairs %" PRIu32 ", waiting %" PRIu32
                 ", sessions %" PRIu32,
                 line, has.controls, has.pairs_free, has.waiting, has.sessions);
    }
}

const struct revtun_command_report *revtun_fixture_report(const struct revtun_fixture *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->commands[i].type == REVTUN_COMMAND_REPORT) {
            return &f->commands[i].report;
        }
    }
    fail_msg("there is no report");
    return NULL;
}

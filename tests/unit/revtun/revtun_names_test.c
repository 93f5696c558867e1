// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/rng.h"

enum { FIRST = 100, COUNT = 4, LEASE_S = 1000 };

struct world {
    void *memory;
    struct revtun_names *names;
};

static struct world open_world(uint16_t count)
{
    const struct revtun_names_config config = {
        .first_port = FIRST, .port_count = count, .lease_s = LEASE_S, .key = {1, 2}};
    struct world world = {.memory = calloc(1, revtun_names_size(count))};

    assert_non_null(world.memory);
    world.names = revtun_names_init(world.memory, &config);
    return world;
}

static void close_world(struct world *world)
{
    free(world->memory);
}

static struct revtun_names_wish wish(const char *owner, const char *name)
{
    return (struct revtun_names_wish){.owner = bytes_of_text(owner),
                                      .name = bytes_of_text(name),
                                      .ports = bytes_of_text("*"),
                                      .owner_max = 100};
}

// Binds and answers the port, or 0 and the outcome.
static uint16_t bind_it(struct world *world, struct revtun_names_wish it, int64_t wall_s,
                        enum revtun_names_outcome *outcome)
{
    uint16_t port = 0;

    *outcome = revtun_names_bind(world->names, &it, wall_s, &port);
    assert_int_equal(*outcome == REVTUN_NAMES_OK, port != 0);
    return port;
}

static uint16_t bind_name(struct world *world, const char *owner, const char *name, int64_t wall_s)
{
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
    return bind_it(world, wish(owner, name), wall_s, &outcome);
}

static void keeps_the_port_of_a_name(void **state)
{
    struct world world = open_world(COUNT);
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;

    (void)state;
    assert_int_equal(bind_name(&world, "a", "web", 5), 100);
    assert_int_equal(bind_name(&world, "a", "ssh", 5), 101);
    // Another owner's name has nothing to do with it.
    assert_int_equal(bind_name(&world, "b", "web", 5), 102);
    bind_it(&world, wish("a", "web"), 5, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_BOUND);
    revtun_names_release(world.names, 101, 6);
    revtun_names_release(world.names, 100, 7);
    assert_int_equal(bind_name(&world, "a", "web", 7 + LEASE_S - 1), 100);
    assert_int_equal(bind_name(&world, "a", "ssh", 7 + LEASE_S - 1), 101);
    assert_int_equal(revtun_names_find(world.names, bytes_of_text("b"), bytes_of_text("web")), 102);
    assert_int_equal(revtun_names_find(world.names, bytes_of_text("b"), bytes_of_text("ssh")), 0);
    assert_int_equal(revtun_names_count(world.names), 3);
    close_world(&world);
}

static void gives_up_nothing_for_who_gets_nothing(void **state)
{
    struct world world = open_world(2);
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
    struct revtun_names_wish third = wish("a", "third");

    (void)state;
    assert_int_equal(bind_name(&world, "a", "web", 5), 100);
    assert_int_equal(bind_name(&world, "a", "ssh", 5), 101);
    revtun_names_release(world.names, 100, 6);
    revtun_names_release(world.names, 101, 7);
    third.owner_max = 2;
    third.ports = bytes_of_text("102"); // it may have neither any more
    bind_it(&world, third, 8, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_NO_PORT);
    assert_int_equal(revtun_names_count(world.names), 2);
    third.ports = bytes_of_text("101"); // the one that it has left later
    assert_int_equal(bind_it(&world, third, 8, &outcome), 101);
    assert_int_equal(revtun_names_find(world.names, bytes_of_text("a"), bytes_of_text("web")), 100);
    close_world(&world);
}

static void gives_up_as_many_as_are_too_many(void **state)
{
    struct world world = open_world(COUNT);
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
    struct revtun_names_wish fourth = wish("a", "fourth");

    (void)state;
    assert_int_equal(bind_name(&world, "a", "one", 5), 100);
    assert_int_equal(bind_name(&world, "a", "two", 5), 101);
    assert_int_equal(bind_name(&world, "a", "three", 5), 102);
    revtun_names_release(world.names, 100, 6);
    revtun_names_release(world.names, 101, 7);
    fourth.owner_max = 1; // it might have more when it bound those
    bind_it(&world, fourth, 8, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_QUOTA);
    assert_int_equal(revtun_names_count(world.names), 3);
    fourth.owner_max = 2;
    assert_int_equal(bind_it(&world, fourth, 8, &outcome), 103);
    assert_int_equal(revtun_names_count(world.names), 2);
    close_world(&world);
}

static void gives_away_what_was_left_the_longest_ago(void **state)
{
    struct world world = open_world(COUNT);
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;

    (void)state;
    assert_int_equal(bind_name(&world, "a", "w0", 0), 100);
    assert_int_equal(bind_name(&world, "a", "w1", 0), 101);
    assert_int_equal(bind_name(&world, "a", "w2", 0), 102);
    assert_int_equal(bind_name(&world, "a", "w3", 0), 103);
    bind_it(&world, wish("a", "w4"), 0, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_NO_PORT);
    revtun_names_release(world.names, 102, 10);
    revtun_names_release(world.names, 100, 20);
    bind_it(&world, wish("a", "w4"), 10 + LEASE_S - 1, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_NO_PORT); // both rest
    assert_int_equal(bind_name(&world, "a", "w4", 10 + LEASE_S), 102);
    assert_int_equal(bind_name(&world, "a", "w5", 20 + LEASE_S), 100);
    bind_it(&world, wish("a", "w2"), 20 + LEASE_S, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_NO_PORT); // its lease was over
    close_world(&world);
}

static void gives_a_port_that_is_wanted(void **state)
{
    struct world world = open_world(COUNT);
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
    struct revtun_names_wish it = wish("a", "web");

    (void)state;
    it.port = 102;
    assert_int_equal(bind_it(&world, it, 0, &outcome), 102);
    it.name = bytes_of_text("ssh");
    bind_it(&world, it, 0, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_PORT_TAKEN);
    revtun_names_release(world.names, 102, 0);
    struct revtun_names_wish others = wish("b", "web");
    others.port = 102;
    bind_it(&world, others, LEASE_S - 1, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_PORT_TAKEN);      // it rests for its owner
    assert_int_equal(bind_it(&world, it, 0, &outcome), 102); // who gives it to another name
    assert_int_equal(revtun_names_find(world.names, bytes_of_text("a"), bytes_of_text("web")), 0);
    revtun_names_release(world.names, 102, 0);
    assert_int_equal(bind_it(&world, others, LEASE_S, &outcome), 102);
    others.name = bytes_of_text("ssh");
    others.port = 104;
    bind_it(&world, others, 0, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_DENIED); // there is none
    others.port = 99;
    bind_it(&world, others, 0, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_DENIED);
    close_world(&world);
}

static void moves_a_name_to_another_port(void **state)
{
    struct world world = open_world(COUNT);
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
    struct revtun_names_wish it = wish("a", "web");

    (void)state;
    assert_int_equal(bind_it(&world, it, 0, &outcome), 100);
    revtun_names_release(world.names, 100, 0);
    it.port = 103;
    it.owner_max = 1; // it has one, and will have one
    assert_int_equal(bind_it(&world, it, 0, &outcome), 103);
    assert_int_equal(revtun_names_count(world.names), 1);
    revtun_names_release(world.names, 103, 0);
    // Its port is none any more that it may have.
    it.port = 0;
    it.ports = bytes_of_text("101-102");
    assert_int_equal(bind_it(&world, it, 0, &outcome), 101);
    assert_int_equal(revtun_names_count(world.names), 1);
    close_world(&world);
}

static void keeps_to_the_ports_that_an_owner_may_have(void **state)
{
    struct world world = open_world(COUNT);
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
    struct revtun_names_wish it = wish("a", "web");

    (void)state;
    it.ports = bytes_of_text("1,102,5000-6000");
    it.port = 100;
    bind_it(&world, it, 0, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_DENIED);
    it.port = 0;
    assert_int_equal(bind_it(&world, it, 0, &outcome), 102);
    it.name = bytes_of_text("ssh");
    bind_it(&world, it, 0, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_NO_PORT);
    it.ports = (struct bytes){0};
    bind_it(&world, it, 0, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_NO_PORT);
    close_world(&world);
}

static void lets_an_owner_hold_so_many(void **state)
{
    struct world world = open_world(COUNT);
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
    struct revtun_names_wish it = wish("a", "w0");

    (void)state;
    it.owner_max = 2;
    assert_int_equal(bind_it(&world, it, 0, &outcome), 100);
    it.name = bytes_of_text("w1");
    assert_int_equal(bind_it(&world, it, 0, &outcome), 101);
    it.name = bytes_of_text("w2");
    bind_it(&world, it, 0, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_QUOTA);
    assert_int_equal(bind_name(&world, "b", "w2", 0), 102);
    revtun_names_release(world.names, 100, 0);
    // What rests gives way; the port that was never used is taken first.
    assert_int_equal(bind_it(&world, it, 0, &outcome), 103);
    assert_int_equal(revtun_names_find(world.names, bytes_of_text("a"), bytes_of_text("w0")), 0);
    revtun_names_release(world.names, 103, 0);
    assert_int_equal(bind_name(&world, "b", "w3", 0), 100);
    // All others are somebody else's: its own resting port is taken.
    it.name = bytes_of_text("w3");
    assert_int_equal(bind_it(&world, it, 0, &outcome), 103);
    close_world(&world);
}

static void keeps_all_across_a_restart(void **state)
{
    struct world world = open_world(COUNT);
    struct world next = open_world(COUNT);
    uint8_t raw[COUNT * REVTUN_NAMES_LINE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    assert_int_equal(bind_name(&world, "a", "w0", 10), 100);
    assert_int_equal(bind_name(&world, "cert:77d0", "w1", 10), 101);
    assert_int_equal(bind_name(&world, "a", "w2", 10), 102);
    const uint64_t change_count = revtun_names_change_count(world.names);
    revtun_names_release(world.names, 102, 20);
    revtun_names_release(world.names, 100, 30);
    assert_true(revtun_names_change_count(world.names) > change_count);
    revtun_names_write(world.names, 40, &wr);
    assert_true(bytes_equal_text(wr_done(&wr), "102 a w2 20\n100 a w0 30\n101 cert:77d0 w1 0\n"));
    const struct revtun_names_dropped dropped = revtun_names_read(next.names, wr_done(&wr), 50);
    assert_int_equal(dropped.count, 0);
    assert_int_equal(revtun_names_count(next.names), 3);
    assert_int_equal(bind_name(&next, "b", "w", 50), 103); // the only one that nobody has
    // In the order in which they were left, the bound one from the restart on.
    assert_int_equal(bind_name(&next, "b", "x", 20 + LEASE_S), 102);
    assert_int_equal(bind_name(&next, "a", "w0", 20 + LEASE_S), 100);
    assert_int_equal(bind_name(&next, "cert:77d0", "w1", 50 + LEASE_S - 1), 101);
    close_world(&world);
    close_world(&next);
}

static void writes_no_lease_that_is_over(void **state)
{
    struct world world = open_world(COUNT);
    uint8_t raw[COUNT * REVTUN_NAMES_LINE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    assert_int_equal(bind_name(&world, "a", "w0", 10), 100);
    revtun_names_release(world.names, 100, 10);
    revtun_names_write(world.names, 10 + LEASE_S, &wr);
    assert_int_equal(wr.len, 0);
    revtun_names_write(world.names, 9, &wr); // the clock went back
    assert_true(bytes_equal_text(wr_done(&wr), "100 a w0 10\n"));
    close_world(&world);
}

static void leaves_out_lines_that_are_wrong(void **state)
{
    static const char text[] = "100 a web 0\n"
                               "100 b web 0\n"      // the port is taken
                               "101 a web 0\n"      // the name has one
                               "99 b w 0\n"         // not of these ports
                               "101 b W 0\n"        // no name
                               "101 b w\n"          // nothing behind it
                               "101 b w 1 2\n"      //
                               "101  w 1\n"         // no owner
                               "101 \xc3\xbc w 1\n" // no ASCII
                               "x b w 1\n"          //
                               "101 b w 1000\n"     // it is over
                               "\n"                 //
                               "102 b w 99999999\n" // the clock was ahead
                               "103 c w 0";         // no end
    struct world world = open_world(COUNT);

    (void)state;
    const struct revtun_names_dropped dropped =
        revtun_names_read(world.names, bytes_of_text(text), 1000 + LEASE_S);
    assert_int_equal(dropped.count, 11);
    assert_int_equal(dropped.first_line, 2);
    assert_int_equal(revtun_names_count(world.names), 3);
    assert_int_equal(revtun_names_find(world.names, bytes_of_text("b"), bytes_of_text("w")), 102);
    // That one rests from now on.
    enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
    struct revtun_names_wish it = wish("d", "w");
    it.port = 102;
    bind_it(&world, it, 1000 + 2 * LEASE_S - 1, &outcome);
    assert_int_equal(outcome, REVTUN_NAMES_PORT_TAKEN);
    assert_int_equal(bind_it(&world, it, 1000 + 2 * LEASE_S, &outcome), 102);
    close_world(&world);
}

// Random binds and releases: no port is two tunnels', and a name finds its own again.
static void holds_in_a_random_world(void **state)
{
    enum { PORTS = 16, NAMES = 24, STEPS = 20000 };
    struct rng rng = rng_init(rng_seed("revtun_names_test"));
    struct world world = open_world(PORTS);
    uint16_t bound[NAMES] = {0};
    int64_t wall_s = 0;

    (void)state;
    for (size_t step = 0; step < STEPS; step++) {
        const size_t n = rng_below(&rng, NAMES);
        char owner[16];
        char name[16];
        IGNORE(snprintf(owner, sizeof owner, "o%zu", n % 3));
        IGNORE(snprintf(name, sizeof name, "n%zu", n));
        wall_s += (int64_t)rng_below(&rng, LEASE_S / 4);
        if (bound[n] != 0) {
            revtun_names_release(world.names, bound[n], wall_s);
            assert_int_equal(
                revtun_names_find(world.names, bytes_of_text(owner), bytes_of_text(name)),
                bound[n]);
            bound[n] = 0;
            continue;
        }
        enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
        struct revtun_names_wish it = wish(owner, name);
        it.owner_max = 7;
        it.port = rng_chance(&rng, 20) ? (uint16_t)(FIRST + rng_below(&rng, PORTS)) : 0;
        const uint16_t port = bind_it(&world, it, wall_s, &outcome);
        assert_int_not_equal(outcome, REVTUN_NAMES_BOUND);
        for (size_t i = 0; port != 0 && i < NAMES; i++) {
            assert_int_not_equal(bound[i], port);
        }
        bound[n] = port;
    }
    close_world(&world);
}

// If each request went through all ports this would take minutes, and no test has those.
static void binds_as_fast_with_very_many_ports(void **state)
{
    enum { PORTS = 65000, CHURN = 200000 };
    struct world world = open_world(PORTS);
    struct revtun_names_wish it = wish("a", "churn");
    char name[16];

    (void)state;
    for (unsigned i = 0; i < PORTS - 1; i++) {
        IGNORE(snprintf(name, sizeof name, "n%u", i));
        enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
        struct revtun_names_wish others = wish("b", name);
        others.owner_max = PORTS;
        const uint16_t port = bind_it(&world, others, 0, &outcome);
        assert_int_equal(port, FIRST + i);
        if (i % 2 == 0) {
            revtun_names_release(world.names, port, 0);
        }
    }
    it.owner_max = 1;
    for (unsigned i = 0; i < CHURN; i++) {
        enum revtun_names_outcome outcome = REVTUN_NAMES_OK;
        IGNORE(snprintf(name, sizeof name, "c%u", i));
        it.name = bytes_of_text(name); // the former one's lease gives way
        const uint16_t port = bind_it(&world, it, 0, &outcome);
        assert_int_equal(port, FIRST + PORTS - 1);
        revtun_names_release(world.names, port, 0);
    }
    close_world(&world);
}

static void tells_whose_a_port_is_as_long_as_it_is(void **state)
{
    struct world world = open_world(COUNT);
    struct revtun_names_lease lease;

    (void)state;
    assert_false(revtun_names_look(world.names, 100, 5, &lease));
    assert_false(revtun_names_look(world.names, 99, 5, &lease));
    assert_false(revtun_names_look(world.names, 100 + COUNT, 5, &lease));
    assert_int_equal(revtun_names_free_count(world.names, 5), COUNT);
    assert_int_equal(bind_name(&world, "a", "web", 5), 100);
    assert_int_equal(bind_name(&world, "b", "ssh", 5), 101);
    assert_true(revtun_names_look(world.names, 100, 5, &lease));
    assert_true(lease.is_bound);
    assert_true(bytes_equal_text(lease.owner, "a"));
    assert_true(bytes_equal_text(lease.name, "web"));
    revtun_names_release(world.names, 100, 7);
    assert_true(revtun_names_look(world.names, 100, 7 + LEASE_S - 1, &lease));
    assert_false(lease.is_bound);
    assert_int_equal(lease.released_s, 7);
    // What is bound is its tunnel's, however long ago it was bound.
    assert_true(revtun_names_look(world.names, 101, 7 + LEASE_S, &lease));
    assert_true(lease.is_bound);
    assert_true(bytes_equal_text(lease.name, "ssh"));
    assert_int_equal(revtun_names_free_count(world.names, 7 + LEASE_S - 1), COUNT - 2);
    assert_false(revtun_names_look(world.names, 100, 7 + LEASE_S, &lease));
    assert_int_equal(revtun_names_free_count(world.names, 7 + LEASE_S), COUNT - 1);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_port_of_a_name),
        cmocka_unit_test(gives_up_nothing_for_who_gets_nothing),
        cmocka_unit_test(gives_up_as_many_as_are_too_many),
        cmocka_unit_test(gives_away_what_was_left_the_longest_ago),
        cmocka_unit_test(gives_a_port_that_is_wanted),
        cmocka_unit_test(moves_a_name_to_another_port),
        cmocka_unit_test(keeps_to_the_ports_that_an_owner_may_have),
        cmocka_unit_test(lets_an_owner_hold_so_many),
        cmocka_unit_test(keeps_all_across_a_restart),
        cmocka_unit_test(writes_no_lease_that_is_over),
        cmocka_unit_test(leaves_out_lines_that_are_wrong),
        cmocka_unit_test(holds_in_a_random_world),
        cmocka_unit_test(binds_as_fast_with_very_many_ports),
        cmocka_unit_test(tells_whose_a_port_is_as_long_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

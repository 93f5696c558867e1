// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_leases.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIRST_PORT = 5000, PORT_COUNT = 4, LEASE_S = 1000, WALL_S = 1700000000 };

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tunnel_leases_XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/leases", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    IGNORE(unlink(path));
    return rmdir(folder);
}

static struct revtun_names *make_names(void)
{
    const struct revtun_names_config config = {
        .first_port = FIRST_PORT, .port_count = PORT_COUNT, .lease_s = LEASE_S};
    void *memory = calloc(1, revtun_names_size(PORT_COUNT));

    assert_non_null(memory);
    return revtun_names_init(memory, &config);
}

static void bind_name(struct revtun_names *names, const char *name, uint16_t wanted)
{
    uint16_t port = 0;
    const struct revtun_names_wish wish = {.owner = bytes_of_text("laptop"),
                                           .name = bytes_of_text(name),
                                           .ports = bytes_of_text("*"),
                                           .port = wanted,
                                           .owner_max = PORT_COUNT};

    assert_int_equal(revtun_names_bind(names, &wish, WALL_S, &port), REVTUN_NAMES_OK);
    assert_int_equal(port, wanted);
}

static struct now at(uint64_t mono_s)
{
    return (struct now){.mono_ns = mono_s * SECOND_NS, .wall_s = WALL_S + (int64_t)mono_s};
}

static bool is_there(void)
{
    return access(path, F_OK) == 0;
}

static void another_relay_finds_what_one_has_left(void **state)
{
    struct tunnel_leases leases = {0};
    struct tunnel_leases later = {0};
    struct revtun_names *names = make_names();
    struct revtun_names *later_names = make_names();

    (void)state;
    assert_int_equal(tunnel_leases_open(&leases, bytes_of_text(path), names, WALL_S), 0);
    bind_name(names, "web", FIRST_PORT + 2);
    assert_true(tunnel_leases_tick(&leases, at(1)) == NEVER);
    assert_true(is_there());

    assert_int_equal(tunnel_leases_open(&later, bytes_of_text(path), later_names, WALL_S), 0);
    assert_int_equal(revtun_names_find(later_names, bytes_of_text("laptop"), bytes_of_text("web")),
                     FIRST_PORT + 2);
    tunnel_leases_close(&later, at(2));
    tunnel_leases_close(&leases, at(2));
    free(names);
    free(later_names);
}

static void changes_are_written_once_in_a_while_and_at_the_end(void **state)
{
    struct tunnel_leases leases = {0};
    struct revtun_names *names = make_names();
    struct stat first;
    struct stat second;

    (void)state;
    assert_int_equal(tunnel_leases_open(&leases, bytes_of_text(path), names, WALL_S), 0);
    assert_true(tunnel_leases_tick(&leases, at(1)) == NEVER); // to see whether it can be
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(first.st_size, 0);
    bind_name(names, "web", FIRST_PORT);
    assert_true(tunnel_leases_tick(&leases, at(1)) == 2 * SECOND_NS);
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(second.st_size, 0);
    const uint64_t lasting_ns = (1 + TUNNEL_LEASES_LAST_S) * SECOND_NS;
    assert_true(tunnel_leases_tick(&leases, at(2)) == lasting_ns);
    assert_int_equal(stat(path, &second), 0);
    assert_true(second.st_size > 0);
    bind_name(names, "api", FIRST_PORT + 1);
    tunnel_leases_close(&leases, at(2));
    assert_int_equal(stat(path, &first), 0);
    assert_true(first.st_size > second.st_size);
    free(names);
}

// Nobody waits for the disk more often than that, and what was written last is on it in the end.
static void the_disk_is_waited_for_once_in_a_while(void **state)
{
    struct tunnel_leases leases = {0};
    struct revtun_names *names = make_names();
    const uint64_t lasting_s = 1 + TUNNEL_LEASES_LAST_S;

    (void)state;
    assert_int_equal(tunnel_leases_open(&leases, bytes_of_text(path), names, WALL_S), 0);
    bind_name(names, "web", FIRST_PORT);
    assert_true(tunnel_leases_tick(&leases, at(1)) == NEVER); // at once
    assert_true(leases.lasting_count == leases.written_count);
    for (uint64_t s = 2; s < 4; s++) {
        bind_name(names, s == 2 ? "api" : "ssh", (uint16_t)(FIRST_PORT + s - 1));
        assert_true(tunnel_leases_tick(&leases, at(s)) == lasting_s * SECOND_NS);
        assert_true(leases.lasting_count < leases.written_count);
    }
    assert_true(tunnel_leases_tick(&leases, at(lasting_s - 1)) == lasting_s * SECOND_NS);
    assert_true(leases.lasting_count < leases.written_count);
    assert_true(tunnel_leases_tick(&leases, at(lasting_s)) == NEVER);
    assert_true(leases.lasting_count == leases.written_count);
    tunnel_leases_close(&leases, at(lasting_s));
    free(names);
}

static void goes_on_where_nothing_can_be_written(void **state)
{
    struct tunnel_leases leases = {0};
    struct revtun_names *names = make_names();

    (void)state;
    assert_int_equal(tunnel_leases_open(&leases, bytes_of_text("/nowhere/at/all"), names, WALL_S),
                     0);
    assert_true(tunnel_leases_tick(&leases, at(1)) == (1 + TUNNEL_LEASES_AGAIN_S) * SECOND_NS);
    assert_true(tunnel_leases_tick(&leases, at(2)) == (1 + TUNNEL_LEASES_AGAIN_S) * SECOND_NS);
    tunnel_leases_close(&leases, at(3));
    free(names);
}

static void without_a_file_nothing_is_done(void **state)
{
    struct tunnel_leases leases = {0};
    struct revtun_names *names = make_names();

    (void)state;
    assert_int_equal(tunnel_leases_open(&leases, (struct bytes){0}, names, WALL_S), 0);
    assert_true(tunnel_leases_tick(&leases, at(1)) == NEVER);
    tunnel_leases_close(&leases, at(2));
    assert_int_equal(tunnel_leases_open(&leases, bytes_of_text(folder), names, WALL_S), -EISDIR);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_relay_finds_what_one_has_left, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(changes_are_written_once_in_a_while_and_at_the_end,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_disk_is_waited_for_once_in_a_while, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(goes_on_where_nothing_can_be_written, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(without_a_file_nothing_is_done, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_program.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bucket.h"
#include "xdp/xdp_paths.h"
#include "xdp_world.h"

enum { NOBODY = 65534 };

static uint32_t entries_of(int map_fd)
{
    struct bpf_map_info info = {0};
    uint32_t len = sizeof info;

    assert_int_equal(bpf_obj_get_info_by_fd(map_fd, &info, &len), 0);
    return info.max_entries;
}

static bool has_exit(const struct xdp_program *program, const char *name)
{
    const uint32_t key = xdp_world_ifindex(name);
    struct bpf_devmap_val value;

    return bpf_map_lookup_elem(program->links_fd, &key, &value) == 0 && value.ifindex == key;
}

static void sizes_its_maps(void **state)
{
    struct xdp_program program;

    (void)state;
    xdp_world_open(&program, 1000, 0);
    assert_int_equal(entries_of(program.paths_fd), 4000 + RELAY_ABI_PROBES);
    assert_int_equal(entries_of(program.hops_fd), XDP_PROGRAM_HOP_MAX + 1);
    assert_int_equal(entries_of(program.links_fd), XDP_PROGRAM_LINK_MAX);
    const uint64_t small = xdp_program_memory_len(&program);
    assert_true(small > 4000 * sizeof(struct relay_abi_entry));
    xdp_program_close(&program);

    xdp_world_open(&program, 65536, 0);
    const uint64_t large = xdp_program_memory_len(&program);
    printf("maps of 65,536 channels: %.1f MiB\n", (double)large / (1 << 20));
    assert_true(large > small);
    assert_true(large >= 16 << 20); // half of so many cache lines are in use
    assert_true(large <= 22 << 20); // the budget; Linux 6.1 counts one more than later ones
    xdp_program_close(&program);
    xdp_program_close(&program);
}

static void has_buckets_for_all_ports_if_there_are_limits(void **state)
{
    static const struct {
        uint64_t max_pps, max_bps, packet_time, byte_time;
        uint32_t buckets;
    } cases[] = {
        {0, 0, 0, 0, 1},
        {1000, 0, 16000000, 0, 200}, // a millisecond in sixteenths of a nanosecond
        {0, 1000, 0, UINT64_C(65536000000), 200},
        {BUCKET_RATE_MAX, BUCKET_RATE_MAX, 0, 655, 200},
    };
    const struct addr own = xdp_world_addr("192.0.2.1", 0);
    struct xdp_reason reason = {0};
    struct xdp_program program;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct xdp_program_options options = {
            .own = &own,
            .own_count = 1,
            .listen_port = 3478,
            .lowest_port = 50000,
            .highest_port = 50099,
            .max_pps = cases[i].max_pps,
            .max_bps = cases[i].max_bps,
            .channel_max = 1,
        };
        assert_int_equal(xdp_program_open(&options, &program, &reason), 0);
        assert_int_equal(program.settings.packet_time, cases[i].packet_time);
        assert_int_equal(program.settings.byte_time, cases[i].byte_time);
        assert_int_equal(entries_of(program.buckets_fd), cases[i].buckets);
        xdp_program_close(&program);
    }
}

static void knows_its_own_addresses(void **state)
{
    struct xdp_program program;
    const struct addr own[] = {
        xdp_world_addr("192.0.2.1", 3478),
        xdp_world_addr("2001:db8::1", 50000),
        xdp_world_addr("198.51.100.1", 0),
    };
    const struct addr foreign[] = {
        xdp_world_addr("192.0.2.2", 3478),
        xdp_world_addr("c000:201::", 3478), // the bytes of 192.0.2.1
        {.family = ADDR_NONE},
    };

    (void)state;
    xdp_world_open(&program, 1, 1);
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        assert_int_equal(xdp_program_own(&program, &own[i]), i);
    }
    for (size_t i = 0; i < COUNT_OF(foreign); i++) {
        assert_int_equal(xdp_program_own(&program, &foreign[i]), XDP_PROGRAM_OWN_NONE);
    }
    xdp_program_close(&program);
}

static void refuses_more_own_addresses_than_it_knows(void **state)
{
    struct addr own[XDP_PROGRAM_OWN_MAX + 1];
    struct xdp_program_options options = {.own = own, .own_count = COUNT_OF(own), .channel_max = 1};
    struct xdp_program program = {.fd = 77};
    struct xdp_reason reason;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        own[i] = xdp_world_addr("192.0.2.1", 0);
    }
    assert_int_equal(xdp_program_open(&options, &program, &reason), -E2BIG);
    assert_string_equal(reason.text, "more than 16 own addresses");
    assert_int_equal(program.fd, 77);
    options.own_count--;
    assert_int_equal(xdp_program_open(&options, &program, &reason), 0);
    xdp_program_close(&program);
}

static void attaches_detaches_and_attaches_again(void **state)
{
    struct xdp_program program;
    struct xdp_reason reason;

    (void)state;
    xdp_world_open(&program, 1, 1);
    for (uint32_t round = 0; round < 3; round++) {
        assert_int_equal(xdp_program_attach(&program, "near0", XDP_LINK_GENERIC, &reason), 0);
        assert_int_equal(xdp_program_attach(&program, "near1", XDP_LINK_DRIVER, &reason), 0);
        assert_int_equal(program.link_count, 2);
        assert_int_equal(program.links[1].mode, XDP_LINK_DRIVER);
        assert_true(xdp_program_is_attached(&program, xdp_world_ifindex("near0")));
        assert_true(xdp_program_is_attached(&program, xdp_world_ifindex("near1")));
        assert_int_equal(xdp_program_attach(&program, "near0", XDP_LINK_GENERIC, &reason),
                         -EALREADY);
        assert_int_equal(xdp_program_detach(&program, "near0"), 0);
        assert_int_equal(xdp_program_detach(&program, "near0"), -ENOENT);
        assert_false(xdp_program_is_attached(&program, xdp_world_ifindex("near0")));
        assert_false(has_exit(&program, "near0"));
        assert_true(xdp_program_is_attached(&program, xdp_world_ifindex("near1")));
        assert_true(has_exit(&program, "near1"));
        assert_int_equal(xdp_program_detach(&program, "near1"), 0);
        assert_int_equal(program.link_count, 0);
        assert_int_equal(program.link_changes, 4 * (round + 1));
    }
    xdp_program_close(&program);
}

// What a native program sends by a driver without one may be lost.
static void lets_native_programs_send_by_native_ones_alone(void **state)
{
    struct xdp_program program;
    struct xdp_reason reason;

    (void)state;
    xdp_world_open(&program, 1, 1);
    xdp_world_run("ip link add bridge0 type bridge");
    assert_int_equal(xdp_program_attach(&program, "bridge0", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_program_attach(&program, "near0", XDP_LINK_GENERIC, &reason), 0);
    assert_true(has_exit(&program, "bridge0"));
    assert_true(has_exit(&program, "near0"));
    assert_int_equal(xdp_program_attach(&program, "near1", XDP_LINK_DRIVER, &reason), 0);
    assert_false(has_exit(&program, "bridge0"));
    assert_false(has_exit(&program, "near0"));
    assert_true(has_exit(&program, "near1"));
    assert_int_equal(xdp_program_detach(&program, "near0"), 0);
    assert_int_equal(xdp_program_attach(&program, "near0", XDP_LINK_GENERIC, &reason), 0);
    assert_false(has_exit(&program, "near0"));
    assert_int_equal(xdp_program_detach(&program, "near1"), 0);
    assert_true(has_exit(&program, "bridge0"));
    assert_true(has_exit(&program, "near0"));
    assert_false(has_exit(&program, "near1"));
    xdp_world_run("ip link delete bridge0");
    xdp_program_close(&program);
}

static void attaches_to_many_interfaces_one_after_another(void **state)
{
    struct xdp_program program;
    struct xdp_reason reason;
    char name[IF_NAMESIZE];

    (void)state;
    xdp_world_open(&program, 1, 1);
    for (int i = 0; i < 2 * XDP_PROGRAM_LINK_MAX; i++) {
        snprintf(name, sizeof(name), "bridge%d", i);
        xdp_world_run("ip link add %s type bridge", name);
        assert_int_equal(xdp_program_attach(&program, name, XDP_LINK_AUTO, &reason), 0);
        assert_true(has_exit(&program, name));
        if (program.link_count == XDP_PROGRAM_LINK_MAX) {
            assert_int_equal(xdp_program_attach(&program, "near0", XDP_LINK_AUTO, &reason), -E2BIG);
            assert_string_equal(reason.text, "more than 16 interfaces");
            while (program.link_count > 0) {
                assert_int_equal(xdp_program_detach(&program, program.links[0].name), 0);
            }
        }
    }
    for (int i = 0; i < 2 * XDP_PROGRAM_LINK_MAX; i++) {
        xdp_world_run("ip link delete bridge%d", i);
    }
    xdp_program_close(&program);
}

static void attaches_to_an_interface_that_was_made_anew(void **state)
{
    struct xdp_program program;
    struct xdp_reason reason;

    (void)state;
    xdp_world_open(&program, 1, 1);
    xdp_world_run("ip link add bridge0 type bridge");
    assert_int_equal(xdp_program_attach(&program, "bridge0", XDP_LINK_AUTO, &reason), 0);
    xdp_world_run("ip link delete bridge0 && ip link add bridge0 type bridge");
    assert_int_equal(xdp_program_attach(&program, "bridge0", XDP_LINK_AUTO, &reason), 0);
    assert_int_equal(program.link_count, 1);
    assert_true(xdp_program_is_attached(&program, xdp_world_ifindex("bridge0")));
    xdp_world_run("ip link delete bridge0");
    xdp_program_close(&program);
}

static void says_which_capability_is_missing(void **state)
{
    int status = -1;

    (void)state;
    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        const struct xdp_program_options options = {.channel_max = 1};
        struct xdp_program program;
        struct xdp_reason reason = {0};
        xdp_world_drop(UINT64_MAX);
        const int error = xdp_program_open(&options, &program, &reason);
        fprintf(stderr, "%s\n", reason.text);
        _exit(error == -EPERM && strncmp(reason.text, "no CAP_BPF:", 11) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

// It would load there, but no channel could be bound once root is given up.
static void refuses_a_kernel_that_is_too_old(void **state)
{
    int status = -1;

    (void)state;
    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        const struct xdp_program_options options = {.channel_max = 1};
        struct xdp_program program;
        struct xdp_reason reason = {0};
        if (personality(UNAME26) == -1) { // uname(2) tells this process of a Linux 2.6
            _exit(100);
        }
        const int error = xdp_program_open(&options, &program, &reason);
        fprintf(stderr, "%s\n", reason.text);
        _exit(error == -ENOSYS && strncmp(reason.text, "this kernel is 2.6.", 19) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

// What the relay does after it has given up root, as errors count up.
static int fault_without_rights(struct xdp_program *program)
{
    struct xdp_reason reason;
    const struct relay_abi_key key = {.is_key = 1};
    const struct relay_abi_path path = {.own = 1};
    struct xdp_paths paths;

    if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        return 1;
    }
    if (xdp_paths_open(program->paths_fd, 2, &program->settings, &paths) != 0) {
        return 2;
    }
    if (xdp_paths_add(&paths, &key, &path) != 0) {
        return 3;
    }
    xdp_paths_close(&paths);
    if (xdp_program_detach(program, "near0") != 0) {
        return 4;
    }
    if (xdp_program_attach(program, "near0", XDP_LINK_GENERIC, &reason) != 0) {
        return 5;
    }
    return xdp_program_attach(program, "near1", XDP_LINK_DRIVER, &reason) != 0 ? 6 : 0;
}

static void needs_no_rights_once_it_is_open(void **state)
{
    struct xdp_program program;
    struct xdp_reason reason;
    int status = -1;

    (void)state;
    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        xdp_world_open(&program, 1, 1);
        if (xdp_program_attach(&program, "near0", XDP_LINK_GENERIC, &reason) != 0) {
            _exit(100);
        }
        _exit(fault_without_rights(&program));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_its_maps),
        cmocka_unit_test(has_buckets_for_all_ports_if_there_are_limits),
        cmocka_unit_test(knows_its_own_addresses),
        cmocka_unit_test(refuses_more_own_addresses_than_it_knows),
        cmocka_unit_test(attaches_detaches_and_attaches_again),
        cmocka_unit_test(lets_native_programs_send_by_native_ones_alone),
        cmocka_unit_test(attaches_to_many_interfaces_one_after_another),
        cmocka_unit_test(attaches_to_an_interface_that_was_made_anew),
        cmocka_unit_test(says_which_capability_is_missing),
        cmocka_unit_test(refuses_a_kernel_that_is_too_old),
        cmocka_unit_test(needs_no_rights_once_it_is_open),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}

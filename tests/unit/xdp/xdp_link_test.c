// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "xdp_world.h"

static struct xdp_program program;

// The id of the program that is attached to an interface in this mode; 0: none.
static uint32_t attached_id(const char *name, uint32_t flags)
{
    uint32_t id = 0;

    assert_int_equal(bpf_xdp_query_id((int)xdp_world_ifindex(name), (int)flags, &id), 0);
    return id;
}

static uint32_t program_id(int fd)
{
    struct bpf_prog_info info = {0};
    uint32_t len = sizeof info;

    assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
    return info.id;
}

static int other_program(void)
{
    const struct bpf_insn instructions[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
        {.code = BPF_JMP | BPF_EXIT},
    };
    const int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "other", "GPL", instructions, 2, NULL);

    assert_true(fd >= 0);
    return fd;
}

static void attaches_in_the_mode_asked_for(void **state)
{
    struct xdp_link link;
    struct xdp_reason reason;

    (void)state;
    assert_int_equal(xdp_link_open("near0", program.fd, XDP_LINK_DRIVER, &link, &reason), 0);
    assert_int_equal(link.mode, XDP_LINK_DRIVER);
    assert_int_equal(link.ifindex, xdp_world_ifindex("near0"));
    assert_int_equal(attached_id("near0", XDP_FLAGS_DRV_MODE), program_id(program.fd));
    xdp_link_close(&link);
    xdp_link_close(&link);
    assert_int_equal(attached_id("near0", 0), 0);

    assert_int_equal(xdp_link_open("near0", program.fd, XDP_LINK_GENERIC, &link, &reason), 0);
    assert_int_equal(link.mode, XDP_LINK_GENERIC);
    assert_int_equal(attached_id("near0", XDP_FLAGS_SKB_MODE), program_id(program.fd));
    xdp_link_close(&link);
    assert_int_equal(attached_id("near0", 0), 0);
}

// Where frames of native XDP may vanish, and where the driver has none.
static void falls_back_to_generic_and_says_why(void **state)
{
    struct xdp_link link;
    struct xdp_reason reason;

    (void)state;
    assert_int_equal(xdp_link_open("near0", program.fd, XDP_LINK_AUTO, &link, &reason), 0);
    assert_int_equal(link.mode, XDP_LINK_GENERIC);
    assert_non_null(strstr(link.refusal.text, "near0 is a veth"));
    xdp_link_close(&link);

    xdp_world_run("ip link add bridge0 up type bridge");
    assert_int_equal(xdp_link_open("bridge0", program.fd, XDP_LINK_AUTO, &link, &reason), 0);
    assert_int_equal(link.mode, XDP_LINK_GENERIC);
    assert_string_equal(link.refusal.text, "the driver of bridge0 has no native XDP");
    xdp_link_close(&link);
    assert_int_equal(xdp_link_open("bridge0", program.fd, XDP_LINK_DRIVER, &link, &reason),
                     -EOPNOTSUPP);
    assert_string_equal(reason.text, "the driver of bridge0 has no native XDP");
    xdp_world_run("ip link delete bridge0");
}

static void auto_takes_the_driver_where_it_can(void **state)
{
    struct xdp_link link;
    struct xdp_reason reason;

    (void)state;
    xdp_world_run("ip tuntap add mode tap name tap0"); // the other driver here with native XDP
    xdp_world_run("ip link set tap0 up");
    assert_int_equal(xdp_link_open("tap0", program.fd, XDP_LINK_AUTO, &link, &reason), 0);
    assert_int_equal(link.mode, XDP_LINK_DRIVER);
    assert_string_equal(link.refusal.text, "");
    xdp_link_close(&link);
    xdp_world_run("ip link delete tap0");
}

static void never_replaces_another_program(void **state)
{
    static const enum xdp_link_mode modes[] = {XDP_LINK_AUTO, XDP_LINK_DRIVER, XDP_LINK_GENERIC};
    static const uint32_t flags[] = {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
    const int other = other_program();
    const int near0 = (int)xdp_world_ifindex("near0");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        assert_int_equal(bpf_xdp_attach(near0, other, flags[i], NULL), 0);
        for (size_t j = 0; j < COUNT_OF(modes); j++) {
            struct xdp_link link = {.fd = -1};
            struct xdp_reason reason;
            assert_int_equal(xdp_link_open("near0", program.fd, modes[j], &link, &reason), -EBUSY);
            assert_int_equal(link.fd, -1);
            assert_non_null(strstr(reason.text, "another XDP program is attached to near0"));
            assert_int_equal(attached_id("near0", flags[i]), program_id(other));
        }
        assert_int_equal(bpf_xdp_detach(near0, flags[i], NULL), 0);
    }
    assert_int_equal(close(other), 0);
}

static void is_never_replaced(void **state)
{
    const int other = other_program();
    const int near0 = (int)xdp_world_ifindex("near0");
    struct xdp_link link;
    struct xdp_reason reason;

    (void)state;
    assert_int_equal(xdp_link_open("near0", program.fd, XDP_LINK_GENERIC, &link, &reason), 0);
    assert_int_equal(bpf_xdp_attach(near0, other, XDP_FLAGS_SKB_MODE, NULL), -EBUSY);
    assert_int_equal(attached_id("near0", XDP_FLAGS_SKB_MODE), program_id(program.fd));
    xdp_link_close(&link);
    assert_int_equal(close(other), 0);
}

static void vanishes_with_the_process(void **state)
{
    int status = -1;

    (void)state;
    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        struct xdp_link link;
        struct xdp_reason reason;
        const int error = xdp_link_open("near0", program.fd, XDP_LINK_GENERIC, &link, &reason);
        _exit(error == 0 && attached_id("near0", 0) != 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(attached_id("near0", 0), 0);
}

static void refuses_what_is_not_there(void **state)
{
    struct xdp_link link = {.fd = -1};
    struct xdp_reason reason;

    (void)state;
    assert_int_equal(xdp_link_open("absent0", program.fd, XDP_LINK_AUTO, &link, &reason), -ENODEV);
    assert_string_equal(reason.text, "there is no interface absent0");
    assert_int_equal(
        xdp_link_open("a-name-longer-than-any", program.fd, XDP_LINK_AUTO, &link, &reason),
        -ENODEV);
    assert_int_equal(link.fd, -1);
}

static void says_when_the_mtu_is_too_long(void **state)
{
    struct xdp_link link = {.fd = -1};
    struct xdp_reason reason;

    (void)state;
    xdp_world_run("ip link set far0 mtu 9000 && ip link set near0 mtu 9000");
    assert_int_equal(xdp_link_open("near0", program.fd, XDP_LINK_DRIVER, &link, &reason), -ERANGE);
    assert_non_null(strstr(reason.text, "MTU of near0 is too long"));
    assert_int_equal(xdp_link_open("near0", program.fd, XDP_LINK_AUTO, &link, &reason), 0);
    assert_int_equal(link.mode, XDP_LINK_GENERIC);
    xdp_link_close(&link);
    xdp_world_run("ip link set far0 mtu 1500 && ip link set near0 mtu 1500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attaches_in_the_mode_asked_for),
        cmocka_unit_test(falls_back_to_generic_and_says_why),
        cmocka_unit_test(auto_takes_the_driver_where_it_can),
        cmocka_unit_test(never_replaces_another_program),
        cmocka_unit_test(is_never_replaced),
        cmocka_unit_test(vanishes_with_the_process),
        cmocka_unit_test(refuses_what_is_not_there),
        cmocka_unit_test(says_when_the_mtu_is_too_long),
    };
    if (!xdp_world_enter()) {
        return XDP_WORLD_SKIPPED;
    }
    xdp_world_open(&program, 1, 1);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    xdp_program_close(&program);
    return failed;
}

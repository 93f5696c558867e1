// SPDX-License-Identifier: Apache-2.0
#include "portal_link/portal_link_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void writes_what_firezones_relay_sends(void **state)
{
    static const struct {
        struct phoenix_push push;
        const char *wanted;
    } cases[] = {
        {{PHOENIX_JOIN, 0},
         "{\"topic\":\"relay\",\"event\":\"phx_join\",\"payload\":{\"stamp_secret\":\"4c98\"},"
         "\"ref\":0}"},
        {{PHOENIX_HEARTBEAT, 1},
         "{\"topic\":\"phoenix\",\"event\":\"heartbeat\",\"payload\":{},\"ref\":1}"},
        {{PHOENIX_LEAVE, 123456789},
         "{\"topic\":\"relay\",\"event\":\"phx_leave\",\"payload\":{},\"ref\":123456789}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t text[256];
        struct wr wr = wr_init(text, sizeof text);
        portal_link_frame_write(&wr, &cases[i].push, bytes_of_text("relay"), bytes_of_text("4c98"));
        assert_true(wr_ok(&wr));
        assert_true(bytes_equal_text(wr_done(&wr), cases[i].wanted));
    }
}

static void reads_what_the_portal_sends(void **state)
{
    static const struct {
        const char *text, *topic, *event, *status, *reason;
        bool has_ref;
        uint64_t ref;
    } cases[] = {
        {"{\"event\":\"phx_reply\",\"ref\":0,\"topic\":\"relay\","
         "\"payload\":{\"status\":\"ok\",\"response\":{}}}",
         "relay", "phx_reply", "ok", "", true, 0},
        {"{\"event\":\"init\",\"ref\":null,\"topic\":\"relay\",\"payload\":{}}", "relay", "init",
         "", "", false, 0},
        {"{\"join_ref\":0,\"event\":\"phx_reply\",\"ref\":7,\"topic\":\"phoenix\","
         "\"payload\":{\"status\":\"error\",\"response\":{\"reason\":\"unmatched topic\"}}}",
         "phoenix", "phx_reply", "error", "unmatched topic", true, 7},
        {"{\"event\":\"disconnect\",\"topic\":\"relay\",\"payload\":{\"reason\":\"token_expired\"}"
         "}",
         "relay", "disconnect", "", "token_expired", false, 0},
        {" { \"event\" : \"x\" , \"topic\" : \"y\" } \n", "y", "x", "", "", false, 0},
        {"{\"event\":\"x\",\"topic\":\"y\",\"payload\":[1],\"ref\":-1}", "y", "x", "", "", false,
         0},
        {"{\"event\":\"x\",\"topic\":\"y\",\"payload\":null,\"ref\":1.0}", "y", "x", "", "", false,
         0},
        {"{\"event\":\"x\",\"topic\":\"y\",\"payload\":{\"status\":1,\"reason\":{},\"response\":3},"
         "\"ref\":\"1\"}",
         "y", "x", "", "", false, 0},
        {"{\"event\":\"]]]]]]]]]]]]]]]]]]]]{{{{\\\"[[[[[[[[[[[[[[[[[[[[\",\"topic\":\"y\"}", "y",
         "]]]]]]]]]]]]]]]]]]]]{{{{\"[[[[[[[[[[[[[[[[[[[[", "", "", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct portal_link_frame frame;
        assert_int_equal(portal_link_frame_read(bytes_of_text(cases[i].text), &frame),
                         PORTAL_LINK_FRAME_READ);
        assert_true(bytes_equal_text(frame.message.topic, cases[i].topic));
        assert_true(bytes_equal_text(frame.message.event, cases[i].event));
        assert_true(bytes_equal_text(frame.message.status, cases[i].status));
        assert_true(bytes_equal_text(frame.message.reason, cases[i].reason));
        assert_int_equal(frame.message.has_ref, cases[i].has_ref);
        assert_int_equal(frame.message.ref, cases[i].ref);
        portal_link_frame_free(&frame);
    }
}

static void expect(struct bytes text, enum portal_link_frame_outcome wanted)
{
    struct portal_link_frame frame = {0};

    assert_int_equal(portal_link_frame_read(text, &frame), wanted);
    assert_null(frame.root);
}

static void refuses_what_is_no_message(void **state)
{
    static const char *const unknown[] = {
        "",
        "x",
        "{",
        "{\"event\":\"x\",\"topic\":\"y\"}}",
        "{\"event\":\"x\",\"topic\":\"y\",\"topic\":\"y\"}",
        "{\"event\":\"\xff\",\"topic\":\"y\"}",
        "{\"event\":\"\xc0\x80\",\"topic\":\"y\"}",
        "{\"event\":\"\\ud800\",\"topic\":\"y\"}",
        "{\"event\":\"x\\u0000\",\"topic\":\"y\"}",
        "{\"event\":\"x\",\"topic\":\"y\",\"ref\":1e999}",
        "{\"event\":\"x\",\"topic\":\"y\",\"ref\":99999999999999999999999}",
    };
    static const char *const strange[] = {
        "{}",
        "[]",
        "[\"relay\",\"phx_reply\"]",
        "{\"event\":\"x\"}",
        "{\"topic\":\"y\"}",
        "{\"event\":1,\"topic\":\"y\"}",
        "{\"event\":\"\",\"topic\":\"y\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        expect(bytes_of_text(unknown[i]), PORTAL_LINK_FRAME_UNKNOWN);
    }
    for (size_t i = 0; i < COUNT_OF(strange); i++) {
        expect(bytes_of_text(strange[i]), PORTAL_LINK_FRAME_STRANGE);
    }
}

static void refuses_what_is_nested_too_deep(void **state)
{
    uint8_t text[2 * PORTAL_LINK_FRAME_DEPTH_MAX + 2];
    static uint8_t brackets[65536];

    (void)state;
    memset(text, '[', PORTAL_LINK_FRAME_DEPTH_MAX);
    memset(text + PORTAL_LINK_FRAME_DEPTH_MAX, ']', PORTAL_LINK_FRAME_DEPTH_MAX);
    expect((struct bytes){text, 2 * PORTAL_LINK_FRAME_DEPTH_MAX}, PORTAL_LINK_FRAME_STRANGE);
    memset(text, '[', PORTAL_LINK_FRAME_DEPTH_MAX + 1);
    expect((struct bytes){text, sizeof text}, PORTAL_LINK_FRAME_DEEP);
    memset(brackets, '[', sizeof brackets);
    expect((struct bytes){brackets, sizeof brackets}, PORTAL_LINK_FRAME_DEEP);
}

static void knows_what_needs_no_escape(void **state)
{
    (void)state;
    assert_true(portal_link_frame_is_plain(bytes_of_text("4c98 ~!")));
    assert_false(portal_link_frame_is_plain(bytes_of_text("a\"b")));
    assert_false(portal_link_frame_is_plain(bytes_of_text("a\\b")));
    assert_false(portal_link_frame_is_plain(bytes_of_text("a\nb")));
    assert_false(portal_link_frame_is_plain(bytes_of_text("a\x7f")));
    assert_false(portal_link_frame_is_plain(bytes_of_text("\xc3\xbc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_firezones_relay_sends),
        cmocka_unit_test(reads_what_the_portal_sends),
        cmocka_unit_test(refuses_what_is_no_message),
        cmocka_unit_test(refuses_what_is_nested_too_deep),
        cmocka_unit_test(knows_what_needs_no_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

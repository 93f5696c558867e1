// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_demo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_credential.h"

static const struct addr loopback = {.ip = {127, 0, 0, 1}, .port = 8088, .family = ADDR_IP4};
static struct relay_config config;
static uint8_t secret[RELAY_DEMO_SECRET_LEN];

static int setup(void **state)
{
    (void)state;
    config = (struct relay_config){.listen_port = 3478};
    config.public_ip4 = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 0);
    config.demo.addr = loopback;
    memset(secret, 0, sizeof secret);
    return 0;
}

static void makes_a_secret_for_the_page_alone(void **state)
{
    uint8_t before[RELAY_DEMO_SECRET_LEN];

    (void)state;
    relay_demo_make_secret(&config, secret);
    assert_int_equal(config.auth_secret_count, 1);
    assert_true(bytes_equal(config.auth_secrets[0], config.demo_secret));
    assert_int_equal(config.demo_secret.len, RELAY_DEMO_SECRET_LEN);
    memcpy(before, secret, sizeof before);
    (void)setup(NULL);
    relay_demo_make_secret(&config, secret);
    assert_memory_not_equal(before, secret, sizeof before);
    (void)setup(NULL);
    config.demo.addr = (struct addr){0};
    relay_demo_make_secret(&config, secret);
    assert_int_equal(config.auth_secret_count, 0);
    assert_int_equal(config.demo_secret.len, 0);
}

static void gives_a_credential_that_expires(void **state)
{
    static const struct bytes username = BYTES_LITERAL("1700003600:demo");
    struct relay_demo demo;
    uint8_t room[512];
    uint8_t wanted_room[512];
    uint8_t password[TURN_CREDENTIAL_REST_LEN];
    struct wr wr = wr_init(room, sizeof room);
    struct wr wanted = wr_init(wanted_room, sizeof wanted_room);

    (void)state;
    relay_demo_make_secret(&config, secret);
    relay_demo_init(&demo, &config, NULL);
    relay_demo_credential_write(&wr, &demo, 1700000000);
    turn_credential_rest_password(config.demo_secret, username, password);
    wr_text(&wanted, "{\"iceServers\":[{\"urls\":[\"turn:192.0.2.1:3478?transport=udp\"],"
                     "\"username\":\"1700003600:demo\",\"credential\":\"");
    wr_bytes(&wanted, (struct bytes){password, sizeof password});
    wr_text(&wanted, "\"}]}\n");
    assert_true(bytes_equal(wr_done(&wr), wr_done(&wanted)));
    relay_demo_deinit(&demo);
    for (size_t i = 0; i < sizeof demo.secret; i++) {
        assert_int_equal(demo.secret[i], 0);
    }
}

static void lends_its_secret_to_what_is_read_again(void **state)
{
    static struct relay_config again;
    struct relay_demo demo;

    (void)state;
    relay_demo_make_secret(&config, secret);
    relay_demo_init(&demo, &config, NULL);
    again = (struct relay_config){.auth_secret_count = COUNT_OF(again.auth_secrets) - 1};
    relay_demo_lend_secret(&demo, &again);
    assert_int_equal(again.auth_secret_count, COUNT_OF(again.auth_secrets));
    assert_true(
        bytes_equal(again.auth_secrets[COUNT_OF(again.auth_secrets) - 1], config.demo_secret));
    relay_demo_lend_secret(&demo, &again); // there is no room
    assert_int_equal(again.auth_secret_count, COUNT_OF(again.auth_secrets));
    relay_demo_deinit(&demo);
    again = (struct relay_config){0};
    relay_demo_lend_secret(&demo, &again);
    assert_int_equal(again.auth_secret_count, 0);
}

static void names_an_ip6_address_where_there_is_no_other(void **state)
{
    struct relay_demo demo;
    uint8_t room[512];
    struct wr wr = wr_init(room, sizeof room - 1);

    (void)state;
    config.public_ip4 = (struct addr){0};
    config.public_ip6 = addr_ip6((const uint8_t[]){0x20, 1, 0xd, 0xb8, [15] = 1}, 0);
    relay_demo_make_secret(&config, secret);
    relay_demo_init(&demo, &config, NULL);
    relay_demo_credential_write(&wr, &demo, 0);
    room[wr.len] = '\0';
    assert_non_null(strstr((const char *)room, "\"turn:[2001:db8::1]:3478?transport=udp\""));
}

static void adds_up_each_way(void **state)
{
    static struct relay_snapshot snapshot;
    uint8_t room[512];
    struct wr wr = wr_init(room, sizeof room);

    (void)state;
    snapshot.gauges.allocations = 2;
    snapshot.gauges.channels = 4;
    snapshot.counts.turn.packets_to_peer = 1;
    snapshot.counts.turn.packets_to_client = 2;
    snapshot.counts.turn.bytes_to_peer = 10;
    snapshot.counts.turn.bytes_to_client = 20;
    snapshot.kernel.packets[RELAY_ABI_VERDICT_to_peer] = 100;
    snapshot.kernel.packets[RELAY_ABI_VERDICT_to_client] = 200;
    snapshot.kernel.packets[RELAY_ABI_VERDICT_turned] = 400;
    snapshot.kernel.packets[RELAY_ABI_VERDICT_pass_stun] = 800;
    snapshot.kernel.data[RELAY_ABI_VERDICT_turned] = 4000;
    snapshot.kernel.bytes[RELAY_ABI_VERDICT_turned] = 5000; // whole frames
    relay_snapshot_sum(&snapshot);
    relay_demo_figures_write(&wr, &snapshot);
    assert_true(bytes_equal_text(wr_done(&wr), "{\"version\":\"" FAIRLEAD_VERSION
                                               "\",\"allocations\":2,\"channels\":4,"
                                               "\"sockets\":{\"packets\":3,\"bytes\":30},"
                                               "\"kernel\":{\"packets\":700,\"bytes\":4000}}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(makes_a_secret_for_the_page_alone, setup),
        cmocka_unit_test_setup(gives_a_credential_that_expires, setup),
        cmocka_unit_test_setup(lends_its_secret_to_what_is_read_again, setup),
        cmocka_unit_test_setup(names_an_ip6_address_where_there_is_no_other, setup),
        cmocka_unit_test_setup(adds_up_each_way, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

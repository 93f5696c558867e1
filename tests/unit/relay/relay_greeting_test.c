// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_greeting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

static const struct addr ip4 = {.ip = {192, 0, 2, 1}, .family = ADDR_IP4};
static const struct addr ip6 = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .family = ADDR_IP6};
static const struct addr none;

static struct relay_config config;
static uint8_t password[RELAY_GREETING_PASSWORD_LEN];
static uint8_t memory[RELAY_GREETING_TEXT_MAX];

static void set(const struct addr *public_ip4, const struct addr *public_ip6, struct bytes name,
                struct bytes credential)
{
    config = (struct relay_config){
        .public_ip4 = *public_ip4,
        .public_ip6 = *public_ip6,
        .listen_port = 3478,
        .users = {{.name = name, .password = credential}},
        .user_count = 1,
    };
}

static struct bytes json(void)
{
    struct wr wr = wr_init(memory, sizeof memory);

    relay_greeting_ice_servers_write(&wr, &config);
    assert_true(wr_ok(&wr));
    return wr_done(&wr);
}

static const struct bytes alice = BYTES_LITERAL("alice");
static const struct bytes secret = BYTES_LITERAL("secret");

static void writes_the_urls_of_each_family_that_is_served(void **state)
{
    (void)state;
    set(&ip4, &none, alice, secret);
    host_expect_text(json(), "{\"iceServers\":[{\"urls\":["
                             "\"stun:192.0.2.1:3478\",\"turn:192.0.2.1:3478?transport=udp\"],"
                             "\"username\":\"alice\",\"credential\":\"secret\"}]}");
    set(&none, &ip6, alice, secret);
    host_expect_text(json(),
                     "{\"iceServers\":[{\"urls\":["
                     "\"stun:[2001:db8::1]:3478\",\"turn:[2001:db8::1]:3478?transport=udp\"],"
                     "\"username\":\"alice\",\"credential\":\"secret\"}]}");
    set(&ip4, &ip6, alice, secret);
    config.listen_port = 1;
    host_expect_text(json(), "{\"iceServers\":[{\"urls\":["
                             "\"stun:192.0.2.1:1\",\"turn:192.0.2.1:1?transport=udp\","
                             "\"stun:[2001:db8::1]:1\",\"turn:[2001:db8::1]:1?transport=udp\"],"
                             "\"username\":\"alice\",\"credential\":\"secret\"}]}");
}

static void escapes_what_json_has_a_meaning_for(void **state)
{
    (void)state;
    set(&ip4, &none, (struct bytes)BYTES_LITERAL("a\"b\\c"),
        (struct bytes)BYTES_LITERAL("\n\t\x1f\x01/\xc3\xa9"));
    host_expect_text(json(), "{\"iceServers\":[{\"urls\":["
                             "\"stun:192.0.2.1:3478\",\"turn:192.0.2.1:3478?transport=udp\"],"
                             "\"username\":\"a\\\"b\\\\c\","
                             "\"credential\":\"\\u000a\\u0009\\u001f\\u0001/\xc3\xa9\"}]}");
}

static void fails_when_there_is_no_room(void **state)
{
    (void)state;
    set(&ip4, &ip6, alice, secret);
    const size_t len = json().len;
    for (size_t room = 0; room < len; room++) {
        struct wr wr = wr_init(memory, room);
        relay_greeting_ice_servers_write(&wr, &config);
        assert_false(wr_ok(&wr));
    }
}

static void makes_one_user_with_a_new_password_each_time(void **state)
{
    char first[RELAY_GREETING_PASSWORD_LEN];

    (void)state;
    config = (struct relay_config){.user_count = 0};
    relay_greeting_make_user(&config, password);
    assert_int_equal(config.user_count, 1);
    host_expect_text(config.users[0].name, "fairlead");
    assert_int_equal(config.users[0].password.len, 32);
    assert_ptr_equal(config.users[0].password.ptr, password);
    for (size_t i = 0; i < 32; i++) {
        assert_non_null(memchr("0123456789abcdef", config.users[0].password.ptr[i], 16));
    }
    memcpy(first, config.users[0].password.ptr, sizeof first);

    config = (struct relay_config){.user_count = 0};
    relay_greeting_make_user(&config, password);
    assert_memory_not_equal(config.users[0].password.ptr, first, sizeof first);
}

static const char *greeting(void)
{
    struct wr wr = wr_init(memory, sizeof memory - 1);

    relay_greeting_write(&wr, &config);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    return (const char *)memory;
}

static void says_who_may_use_it_and_how_to_try_it_out(void **state)
{
    (void)state;
    set(&ip4, &ip6, alice, secret);
    assert_non_null(strstr(greeting(), "\n  username    alice\n  credential  secret\n"));
    assert_non_null(strstr(greeting(), "\n  {\"iceServers\":[{"));
    assert_non_null(strstr(greeting(), "is in the package coturn"));
    assert_non_null(strstr(greeting(), "\n  turnutils_uclient -y -c -n 5 -u alice -w secret "
                                       "-p 3478 192.0.2.1\n"));
    set(&none, &ip6, alice, secret);
    assert_non_null(strstr(greeting(), "\n  turnutils_uclient -x -y -c -n 5 -u alice -w secret "
                                       "-p 3478 2001:db8::1\n"));
}

static void fits_its_room_with_the_longest_addresses(void **state)
{
    const struct addr long_ip4 = {.ip = {255, 255, 255, 254}, .family = ADDR_IP4};
    struct addr long_ip6 = {.family = ADDR_IP6};

    (void)state;
    memset(long_ip6.ip, 0xee, sizeof long_ip6.ip);
    config =
        (struct relay_config){.public_ip4 = long_ip4, .public_ip6 = long_ip6, .listen_port = 65535};
    relay_greeting_make_user(&config, password);
    (void)greeting();
    const struct bytes line = relay_greeting_line_write(memory, &config, 0);
    assert_null(memmem(line.ptr, line.len, "truncated", 9));
}

static void is_one_line_of_a_json_log(void **state)
{
    (void)state;
    set(&ip4, &none, alice, secret);
    config.daemon.log_format = LOG_LINE_JSON;
    host_expect_text(relay_greeting_line_write(memory, &config, 42),
                     "{\"time\":\"1970-01-01T00:00:00.042Z\",\"level\":\"info\","
                     "\"message\":\"credential made, since none is given\","
                     "\"config\":\"{\\\"iceServers\\\":[{\\\"urls\\\":[\\\"stun:192.0.2.1:3478\\\","
                     "\\\"turn:192.0.2.1:3478?transport=udp\\\"],\\\"username\\\":\\\"alice\\\","
                     "\\\"credential\\\":\\\"secret\\\"}]}\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_urls_of_each_family_that_is_served),
        cmocka_unit_test(escapes_what_json_has_a_meaning_for),
        cmocka_unit_test(fails_when_there_is_no_room),
        cmocka_unit_test(makes_one_user_with_a_new_password_each_time),
        cmocka_unit_test(says_who_may_use_it_and_how_to_try_it_out),
        cmocka_unit_test(fits_its_room_with_the_longest_addresses),
        cmocka_unit_test(is_one_line_of_a_json_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static const struct tunnel_place here = {.host = "127.0.0.1"};
static const struct tunnel_place relay = {.port = 12000};

static void reads_what_people_write(void **state)
{
    static const struct {
        const char *text;
        const struct tunnel_place *usual;
        const char *host;
        uint16_t port;
    } table[] = {
        {"8080", &here, "127.0.0.1", 8080},
        {"host:8080", &here, "host", 8080},
        {"[::1]:8080", &here, "::1", 8080},
        {"relay.example", &relay, "relay.example", 12000},
        {"relay.example:443", &relay, "relay.example", 443},
        {"192.0.2.1", &relay, "192.0.2.1", 12000},
        {"2001:db8::1", &relay, "2001:db8::1", 12000},
        {"[2001:db8::1]", &relay, "2001:db8::1", 12000},
        {"[2001:db8::1]:443", &relay, "2001:db8::1", 443},
        {"443", &relay, "443", 12000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct tunnel_place place = *table[i].usual;
        assert_true(tunnel_place_read(bytes_of_text(table[i].text), &place));
        assert_string_equal(place.host, table[i].host);
        assert_int_equal(place.port, table[i].port);
    }
}

static void refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",     ":",     ":80",     "host:",  "host:0",  "host:x",     "h h:80", "[",
        "[::1", "[]:80", "[::1]80", "[::1]:", "[::1]:0", "host:65536", "h:-1",   "host:80 "};
    char long_host[TUNNEL_NAMES_HOST_MAX + 8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct tunnel_place place = relay;
        assert_false(tunnel_place_read(bytes_of_text(texts[i]), &place));
        assert_memory_equal(&place, &relay, sizeof place);
    }
    memset(long_host, 'h', sizeof long_host);
    struct tunnel_place place = relay;
    const struct bytes text = {(const uint8_t *)long_host, TUNNEL_NAMES_HOST_MAX};
    assert_true(tunnel_place_read(text, &place));
    assert_false(tunnel_place_read((struct bytes){text.ptr, text.len + 1}, &place));
    place = here;
    assert_false(tunnel_place_read(bytes_of_text("host"), &place)); // no port
}

static void writes_what_can_be_read_again(void **state)
{
    static const char *const texts[] = {"relay.example:443", "[2001:db8::1]:12000", "192.0.2.1:1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct tunnel_place place = {.port = 0};
        char text[TUNNEL_PLACE_TEXT_MAX];
        assert_true(tunnel_place_read(bytes_of_text(texts[i]), &place));
        tunnel_place_write(&place, text);
        assert_string_equal(text, texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_people_write),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(writes_what_can_be_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

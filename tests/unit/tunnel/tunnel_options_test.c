// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tunnel/tunnel_connect.h"
#include "tunnel/tunnel_keys.h"
#include "tunnel/tunnel_service_options.h"
#include "tunnel/tunnel_token.h"

static void tables_are_sound(void **state)
{
    (void)state;
    conf_option_check(&tunnel_options_table);
    conf_option_check(&tunnel_keys_table);
    conf_option_check(&tunnel_token_table);
    conf_option_check(&tunnel_connect_table);
    conf_option_check(&tunnel_service_options_expose);
    conf_option_check(&tunnel_service_options_little);
}

// tx_tlsrelay [-h] [--port-count PORT_COUNT] [--myhost MYHOST] [-k KEYS] [port]
static void has_the_command_line_of_the_original(void **state)
{
    const struct conf_table *table = &tunnel_options_table;

    (void)state;
    assert_string_equal(conf_option_find_positional(table, 0)->name, "port");
    assert_null(conf_option_find_positional(table, 1));
    assert_string_equal(conf_option_find(table, bytes_of_text("port"))->default_text, "12000");
    assert_string_equal(conf_option_find(table, bytes_of_text("port-count"))->default_text, "200");
    assert_string_equal(conf_option_find(table, bytes_of_text("myhost"))->default_text,
                        "127.0.0.1");
    assert_string_equal(conf_option_find_short(table, 'k')->name, "keys");
    assert_string_equal(conf_option_find_short(table, 'k')->default_text, "./relay_server_certs");
}

// relayed_echoserver HOST PORT [-a ./application_certs] [-c ./relay_client_certs]
// tls_netcat HOST PORT -k DIR
static void so_have_its_little_programs(void **state)
{
    const struct conf_table *table = &tunnel_service_options_little;

    (void)state;
    assert_string_equal(conf_option_find_positional(table, 0)->name, "relay-host");
    assert_string_equal(conf_option_find_positional(table, 1)->name, "relay-port");
    assert_null(conf_option_find_positional(table, 2));
    assert_string_equal(conf_option_find_short(table, 'a')->default_text, "./application_certs");
    assert_string_equal(conf_option_find_short(table, 'c')->default_text, "./relay_client_certs");
    table = &tunnel_connect_table;
    assert_string_equal(conf_option_find_positional(table, 0)->name, "host");
    assert_string_equal(conf_option_find_positional(table, 1)->name, "port");
    assert_null(conf_option_find_positional(table, 2));
    assert_string_equal(conf_option_find_short(table, 'k')->name, "keys");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(has_the_command_line_of_the_original),
        cmocka_unit_test(so_have_its_little_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/now.h"
#include "conf/conf_args.h"
#include "tunnel/tunnel_controls.h"
#include "tunnel/tunnel_options.h"

enum { WORDS_MAX = 24 };

static struct conf conf;

// Reads words that are divided by single spaces.
static bool read_words(const char *line, struct tunnel_config *out)
{
    static char text[512];
    static char program[] = "fairlead-tunnel relay";
    char *words[WORDS_MAX] = {program};
    int count = 1;

    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    conf_init(&conf, &tunnel_options_table);
    conf_args_read(&conf, count, words);
    return tunnel_config_read(out, &conf);
}

static void assert_text(struct bytes text, const char *wanted)
{
    assert_true(bytes_equal_text(text, wanted));
}

static void reads_how_clients_bytes_are_to_go(void **state)
{
    static const struct {
        const char *words;
        enum revtun_message_data data;
        enum tunnel_folder_relay speaks;
    } table[] = {
        {"--access a", REVTUN_MESSAGE_DATA_ANY, TUNNEL_FOLDER_SEALED},
        {"--access a --data any", REVTUN_MESSAGE_DATA_ANY, TUNNEL_FOLDER_SEALED},
        {"--access a --data tls", REVTUN_MESSAGE_DATA_TLS, TUNNEL_FOLDER_SEALED},
        {"--access a --data plain", REVTUN_MESSAGE_DATA_PLAIN, TUNNEL_FOLDER_BOTH},
        {"--data tls", REVTUN_MESSAGE_DATA_TLS, TUNNEL_FOLDER_FIRST},
    };
    struct tunnel_config config;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_true(read_words(table[i].words, &config));
        assert_int_equal(config.hub.data, table[i].data);
        assert_int_equal(tunnel_config_speaks(&config), table[i].speaks);
    }
    assert_false(read_words("--data ssl", &config));
}

static void does_without_options_what_the_original_does(void **state)
{
    struct tunnel_config config;

    (void)state;
    assert_true(read_words("", &config));
    assert_int_equal(config.core.control_port, 12000);
    assert_int_equal(config.core.pair_count, 100);
    assert_text(config.core.host, "127.0.0.1");
    assert_text(config.keys, "./relay_server_certs");
    assert_int_equal(config.core.pending_timeout_ns, 300 * SECOND_NS); // no wait is without limit
    assert_int_equal(config.bind_addr.family, ADDR_IP6);
    assert_true(addr_equal(&config.bind_addr, &config.public_bind_addr));
    assert_true(revtun_config_is_sound(&config.core));
}

static void reads_each_option(void **state)
{
    struct tunnel_config config;

    (void)state;
    assert_true(read_words("5000 --port-count 4 --myhost relay.example.org -k /keys "
                           "--reverse-policy any --pending-timeout 30 --max-sessions 9 "
                           "--max-waiting 3 --public-bind-addr 127.0.0.1",
                           &config));
    assert_int_equal(config.core.control_port, 5000);
    assert_int_equal(config.core.pair_count, 2);
    assert_text(config.core.host, "relay.example.org");
    assert_text(config.keys, "/keys");
    assert_int_equal(config.core.reverse_policy, REVTUN_CONFIG_ANY);
    assert_int_equal(config.core.pending_timeout_ns, 30 * SECOND_NS);
    assert_int_equal(config.core.max_sessions, 9);
    assert_int_equal(config.core.max_waiting, 3);
    assert_int_equal(config.public_bind_addr.family, ADDR_IP4);
    assert_true(read_words("--port-count 0", &config)); // as with the original
    assert_int_equal(config.core.pair_count, 0);
    assert_true(read_words("--port-count -2", &config)); // likewise
    assert_int_equal(config.core.pair_count, 0);
}

static void has_version_2_beside_it_if_there_is_a_list(void **state)
{
    struct tunnel_config config;

    (void)state;
    assert_true(read_words("", &config));
    assert_false(tunnel_config_has_second(&config));
    assert_true(read_words("--access /list", &config));
    assert_true(tunnel_config_has_second(&config));
    assert_text(config.access, "/list");
    assert_int_equal(config.hub.first_port, 12201);
    assert_int_equal(config.hub.port_count, 100);
    assert_int_equal(config.hub.tls_port, 0);
    assert_int_equal(config.hub.max_sessions, config.core.max_sessions);
    assert_true(read_words("5000 --port-count 0 --access a --tunnel-port-count 7 --tls-port 443 "
                           "--lease 60 --grace 5 --max-agents 3 --max-standing 2 --max-tunnels 9",
                           &config));
    assert_int_equal(config.hub.first_port, 5001);
    assert_int_equal(config.hub.port_count, 7);
    assert_int_equal(config.hub.tls_port, 443);
    assert_int_equal(config.hub.lease_s, 60);
    assert_int_equal(config.hub.grace_s, 5);
    assert_int_equal(config.hub.max_links, 3 + TUNNEL_CONTROLS_STRANGER_MAX);
    assert_int_equal(config.hub.max_standing, 2);
    assert_int_equal(config.hub.max_services, 9);
    config.hub.host = config.core.host;
    assert_true(revtun_hub_config_is_sound(&config.hub));
    assert_int_equal(config.hub.ping_s, 15);
    assert_int_equal(config.hub.dead_s, 45);
    assert_true(read_words("--access a --ping 5", &config));
    assert_int_equal(config.hub.ping_s, 5);
    assert_int_equal(config.hub.dead_s, 15);
    assert_false(read_words("--access a --ping 4", &config));
    assert_false(read_words("--access a --ping 301", &config));
    assert_true(read_words("65000 --port-count 100 --access a --tunnel-port 64000", &config));
    // Nobody minds what nobody wants.
    assert_true(read_words("65000 --port-count 500", &config));
}

static void keeps_in_its_directory_what_is_not_elsewhere(void **state)
{
    struct tunnel_config config;

    (void)state;
    assert_true(read_words("--state /s", &config));
    assert_true(tunnel_config_has_second(&config));
    assert_text(config.keys, "/s/relay_server_certs");
    assert_text(config.access, "/s/access");
    assert_text(config.leases, "/s/leases");
    assert_true(read_words("--state /s --keys /k --leases /l", &config));
    assert_text(config.keys, "/k");
    assert_text(config.access, "/s/access");
    assert_text(config.leases, "/l");
    assert_true(read_words("--access /a", &config));
    assert_true(tunnel_config_has_second(&config));
    assert_text(config.keys, "./relay_server_certs");
    assert_int_equal(config.leases.len, 0);
}

static void refuses_what_cannot_be_served(void **state)
{
    static const struct {
        const char *line;
        const char *wrong;
    } rows[] = {
        {"--port-count 3", "--port-count: '3' is not even"},
        {"65000 --port-count 600", "--port-count: '600' is more than there are ports"},
        {"--port-count -3", "--port-count: '-3' is not even"},
        {"--port-count=--2", "--port-count: '--2' is not a number"},
        {"--port-count=-", "--port-count: '-' is not a number"},
        {"--port-count 65536", "--port-count: '65536' is not a number"},
        {"0", "--port: '0' is not a port"},
        {"1 2", "belongs to no option"},
        {"--myhost=a\tb", "--myhost: "},
        {"--myhost=", "--myhost: "},
        {"--reverse-policy same", "--reverse-policy: "},
        {"--max-sessions 0", "--max-sessions: "},
        {"--bind-addr localhost", "--bind-addr: "},
        {"-k", "--keys: the value is missing"},
        {"65000 --port-count 500 --access a", "--tunnel-port-count: '100' leaves no room"},
        {"--access a --tunnel-port 12100", "--tunnel-port: '12100' leaves no room"},
        {"--access a --tunnel-port 11950", "--tunnel-port: '11950' leaves no room"},
        {"--access a --tunnel-port 65500", "--tunnel-port: '65500' leaves no room"},
        {"--access a --tls-port 12000", "--tls-port: '12000' is one of the other ports"},
        {"--access a --tls-port 12300", "--tls-port: '12300' is one of the other ports"},
        {"--lease 0", "--lease: "},
        {"65000 --port-count 500 --state s", "--tunnel-port-count: '100' leaves no room"},
    };
    uint8_t text[CONF_ERROR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tunnel_config config;
        struct wr wr = wr_init(text, sizeof text - 1);

        assert_false(read_words(rows[i].line, &config));
        assert_int_equal(conf.errors.count, 1);
        conf_error_write(&conf.errors, 0, &wr);
        wr_u8(&wr, '\0');
        if (strstr((const char *)text, rows[i].wrong) == NULL) {
            fail_msg("'%s' says: %s", rows[i].line, (const char *)text);
        }
    }
}

static void has_as_many_sessions_as_descriptors(void **state)
{
    const struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
    struct tunnel_config config;

    (void)state;
    assert_true(read_words("--port-count 2 --num-worker-threads 1", &config));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    tunnel_config_settle(&config);
    assert_int_equal(config.core.max_sessions, 16);
    assert_int_equal(config.core.max_waiting, 16);
    assert_int_equal(config.daemon.worker_count, 1);
    assert_true(revtun_config_is_sound(&config.core));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_how_clients_bytes_are_to_go),
        cmocka_unit_test(does_without_options_what_the_original_does),
        cmocka_unit_test(reads_each_option),
        cmocka_unit_test(has_version_2_beside_it_if_there_is_a_list),
        cmocka_unit_test(keeps_in_its_directory_what_is_not_elsewhere),
        cmocka_unit_test(refuses_what_cannot_be_served),
        cmocka_unit_test(has_as_many_sessions_as_descriptors), // the last one: it lowers a limit
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_top.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

#define HEAD                                                                                       \
    "version 1.0\ntime_ms %u\ngauge allocations 2\ngauge users 1\ngauge permissions 3\n"           \
    "gauge channels 4\ntotal sockets_packets 1500\ntotal kernel_packets 2000000\n"                 \
    "total sockets_bytes 999\n"                                                                    \
    "total kernel_bytes 3000000000\ndrop dropped_no_permission %u Words.\n"
#define FIRST                                                                                      \
    "allocation 0 1 1 10000 590000 1 1 %u %u 0 0 %u %u 0 0 192.0.2.1:1 192.0.2.9:50000 none a\n"
#define SECOND                                                                                     \
    "allocation 1 1 1 20000 580000 1 1 %u 100 0 0 0 0 %u %u [2001::1]:2 192.0.2.9:50001 "          \
    "[2001::2]:50001 \"b\n"

static const struct daemon_sample_kinds kinds = {&relay_sample_kind, 1};
static char texts[2][4096];
static uint8_t memory[1 << 18];

// 5 packets with 500 bytes by the sockets from the first client in 2 seconds, and 1000 with 20000
// by the kernel to the second.
static void read_both(struct daemon_sample *now, struct daemon_sample *before)
{
    snprintf(texts[0], sizeof texts[0], HEAD FIRST SECOND "left_out 0\nend\n", 1000U, 5U, 10U,
             1000U, 0U, 0U, 7U, 100U, 7000U);
    snprintf(texts[1], sizeof texts[1], HEAD FIRST SECOND "left_out 7\nend\n", 3000U, 8U, 15U,
             1500U, 0U, 0U, 7U, 1100U, 27000U);
    assert_true(daemon_sample_read(bytes_of_text(texts[0]), &kinds, before));
    assert_true(daemon_sample_read(bytes_of_text(texts[1]), &kinds, now));
}

static const char *table(uint32_t columns, uint32_t row_max)
{
    const struct daemon_query_view view = {columns, row_max};
    struct daemon_sample now, before;
    struct wr wr = wr_init(memory, sizeof memory - 1);

    read_both(&now, &before);
    relay_top_table_write(&wr, &now, &before, &view);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    daemon_sample_free(&now);
    daemon_sample_free(&before);
    return (const char *)memory;
}

static void shows_the_busiest_first_with_what_it_relays_in_a_second(void **state)
{
    (void)state;
    assert_string_equal(
        table(4096, 10),
        "fairlead-relay 1.0   2 allocations, 1 user, 3 permissions, 4 channels\n"
        "relayed by the sockets: 1.5k packets, 999 bytes; by the kernel: 2.0M packets, 3.0G "
        "bytes\n"
        "        8  (+3)  Words.\n"
        "\n"
        "CLIENT                    UP B/s  UP p/s DOWN B/s DOWN p/s   BYTES  PATH     AGE s  "
        "RELAYED                USER\n"
        "[2001::1]:2                    0       0     10k     500     27k  kernel      20  "
        "192.0.2.9:50001        \"b\n"
        "192.0.2.1:1                  250       2       0       0    1.5k  sockets     10  "
        "192.0.2.9:50000        a\n"
        "and 7 more\n");
}

static void keeps_to_the_terminal(void **state)
{
    const char *line = table(40, 1);

    (void)state;
    assert_non_null(strstr(line, "and 8 more\n"));
    assert_null(strstr(line, "192.0.2.1:1"));
    while (*line != '\0') {
        const size_t len = strcspn(line, "\n");
        assert_true(len <= 40);
        line += len + 1;
    }
}

static void is_json_for_scripts(void **state)
{
    struct daemon_sample now, before;
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    read_both(&now, &before);
    relay_top_json_write(&wr, &now, &before, 1);
    host_expect_text(
        wr_done(&wr),
        "{\"version\":\"1.0\",\"gauges\":{\"allocations\":2,\"users\":1,\"permissions\":3,"
        "\"channels\":4},\"totals\":{\"sockets_packets\":1500,\"kernel_packets\":2000000,"
        "\"sockets_bytes\":999,\"kernel_bytes\":3000000000},\"drops\":{\"dropped_no_permission\":8}"
        ",\"allocations\":["
        "{\"client\":\"[2001::1]:2\",\"username\":\"\\\"b\",\"relayed\":\"192.0.2.9:50001\","
        "\"relayed_too\":\"[2001::2]:50001\",\"path\":\"kernel\",\"to_peer_bytes_per_s\":0,"
        "\"to_peer_packets_per_s\":0,\"to_client_bytes_per_s\":10000,"
        "\"to_client_packets_per_s\":500,\"worker\":1,\"index\":1,\"generation\":1,"
        "\"age_ms\":20000,\"expires_ms\":580000,\"permissions\":1,\"channels\":1,"
        "\"sockets_to_peer_packets\":7,\"sockets_to_peer_bytes\":100,"
        "\"sockets_to_client_packets\":0,\"sockets_to_client_bytes\":0,"
        "\"kernel_to_peer_packets\":0,\"kernel_to_peer_bytes\":0,"
        "\"kernel_to_client_packets\":1100,\"kernel_to_client_bytes\":27000}],\"left_out\":8}\n");
    daemon_sample_free(&now);
    daemon_sample_free(&before);
}

// A new allocation, and a relay that was started anew.
static void has_rates_without_an_earlier_sample(void **state)
{
    struct daemon_sample now, before;
    struct daemon_sample none = {.time_ms = 9000};
    struct wr wr = wr_init(memory, sizeof memory - 1);

    (void)state;
    read_both(&now, &before);
    relay_top_json_write(&wr, &now, &none, 2);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    assert_non_null(strstr((char *)memory, "\"to_peer_bytes_per_s\":150,")); // in 10 s
    daemon_sample_free(&now);
    daemon_sample_free(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_busiest_first_with_what_it_relays_in_a_second),
        cmocka_unit_test(keeps_to_the_terminal),
        cmocka_unit_test(is_json_for_scripts),
        cmocka_unit_test(has_rates_without_an_earlier_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

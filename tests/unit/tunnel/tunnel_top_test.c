// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_top.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static const struct daemon_sample_kinds kinds = {tunnel_sample_kinds, TUNNEL_SAMPLE_KINDS};
static uint8_t memory[1 << 16];

// Two servers of which the second one is the busier, and one that is new; two seconds lie between.
static const char earlier_text[] = "version 1.0\ntime_ms 1000\ngauge servers 2\ngauge pairs 9\n"
                                   "server 5001 100 10 1 0 4 1000 10 192.0.2.1:7\n"
                                   "server 5002 100 10 2 1 5 2000 20 192.0.2.2:7\nend\n";
static const char later_text[] = "version 1.0\ntime_ms 3000\ngauge servers 3\ngauge pairs 9\n"
                                 "gauge sessions 6\nnews of later versions\n"
                                 "server 5001 100 12 1 0 4 3000 30 192.0.2.1:7\n"
                                 "server 5002 100 12 2 1 5 2002000 4020 192.0.2.2:7\n"
                                 "server 5003 111 1 3 0 0 500 0 [2001:db8::1]:7\nend\n";

struct samples {
    struct daemon_sample now;
    struct daemon_sample before;
};

static struct samples samples_open(void)
{
    struct samples samples;

    assert_true(daemon_sample_read(bytes_of_text(earlier_text), &kinds, &samples.before));
    assert_true(daemon_sample_read(bytes_of_text(later_text), &kinds, &samples.now));
    return samples;
}

static void samples_close(struct samples *samples)
{
    daemon_sample_free(&samples->now);
    daemon_sample_free(&samples->before);
    daemon_sample_free(&samples->before);
}

static const char *table(uint32_t columns, uint32_t row_max)
{
    const struct daemon_query_view view = {.columns = columns, .row_max = row_max};
    struct samples samples = samples_open();
    struct wr wr = wr_init(memory, sizeof memory - 1);

    tunnel_top_table_write(&wr, &samples.now, &samples.before, &view);
    wr_u8(&wr, '\0');
    assert_true(wr_ok(&wr));
    samples_close(&samples);
    return (const char *)memory;
}

static void shows_the_busiest_first_with_what_it_carries_in_a_second(void **state)
{
    (void)state;
    assert_string_equal(
        table(200, 10),
        "fairlead-tunnel relay 1.0   servers 3, pairs 9, agents 0, tunnels 0, sessions 6, "
        "waiting 0, handshakes 0\n"
        "\n"
        " PORT  CLIENTS WAITING    ENDED     IN/s    OUT/s    BYTES    AGE_s  SERVER OR TUNNEL\n"
        " 5002        2       1        5     1.0M     2.0k     2.0M       12  192.0.2.2:7\n"
        " 5001        1       0        4     1.0k       10     3.0k       12  192.0.2.1:7\n"
        " 5003        3       0        0      500        0      500        1  [2001:db8::1]:7\n");
}

static void shows_tunnels_with_their_agents(void **state)
{
    static const char before_text[] =
        "version 1.0\ntime_ms 1000\n"
        "tunnel 0 100 10 1 0 4 1000 10 2 0 0 192.0.2.1:7 shop site shop.test\n"
        "tunnel 12101 100 10 1 0 4 1000 10 2 0 0 192.0.2.1:7 laptop web -\nend\n";
    static const char now_text[] =
        "version 1.0\ntime_ms 2000\ngauge agents 2\ngauge tunnels 4\n"
        "tunnel 0 100 11 1 0 4 6000 10 2 0 0 192.0.2.1:7 shop site shop.test,*.shop.test\n"
        "tunnel 0 100 11 1 0 4 0 0 0 0 0 none shop old -\n"
        "tunnel 12101 100 11 1 2 4 3000 30 2 0 0 192.0.2.1:7 laptop web -\n"
        "tunnel 12102 100 11 0 3 0 0 0 0 1 12999 none laptop ssh -\nend\n";
    static const struct daemon_query_view view = {.columns = 200, .row_max = 10};
    struct daemon_sample before;
    struct daemon_sample now;
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    assert_true(daemon_sample_read(bytes_of_text(before_text), &kinds, &before));
    assert_true(daemon_sample_read(bytes_of_text(now_text), &kinds, &now));
    tunnel_top_table_write(&wr, &now, &before, &view);
    wr_u8(&wr, '\0');
    assert_string_equal(
        (const char *)memory,
        "fairlead-tunnel relay 1.0   servers 0, pairs 0, agents 2, tunnels 4, sessions 0, "
        "waiting 0, handshakes 0\n"
        "\n"
        " PORT  CLIENTS WAITING    ENDED     IN/s    OUT/s    BYTES    AGE_s  SERVER OR TUNNEL\n"
        "  tls        1       0        4     5.0k        0     6.0k       11  shop/site at "
        "192.0.2.1:7 for shop.test,*.shop.test\n"
        "12101        1       2        4     2.0k       20     3.0k       11  laptop/web at "
        "192.0.2.1:7\n"
        "    -        1       0        4        0        0        0       11  shop/old ended\n"
        "12102        0       3        0        0        0        0       11  laptop/ssh lost, "
        "kept "
        "for 12 s\n");
    wr = wr_init(memory, sizeof memory);
    tunnel_top_json_write(&wr, &now, &before, 1);
    wr_u8(&wr, '\0');
    assert_string_equal((const char *)memory,
                        "{\"version\":\"1.0\",\"agents\":2,\"tunnels\":4,\"list\":["
                        "{\"agent\":\"192.0.2.1:7\",\"owner\":\"shop\",\"name\":\"site\","
                        "\"hosts\":\"shop.test,*.shop.test\",\"port\":0,\"linked_s\":100,"
                        "\"age_s\":11,\"sessions\":1,\"waiting\":0,\"ended\":4,"
                        "\"from_clients\":6000,\"to_clients\":10,\"standing\":2,\"is_kept\":0,"
                        "\"grace_ms\":0,\"from_clients_per_s\":5000,\"to_clients_per_s\":0}]}\n");
    daemon_sample_free(&now);
    daemon_sample_free(&before);
}

static void keeps_to_the_screen(void **state)
{
    const char *text = table(5, 1);

    (void)state;
    assert_string_equal(text, "fairl\n\n PORT\n 5002\nand 2 more\n");
}

static void writes_the_same_as_json(void **state)
{
    struct samples samples = samples_open();
    struct wr wr = wr_init(memory, sizeof memory - 1);

    (void)state;
    tunnel_top_json_write(&wr, &samples.now, &samples.before, 1);
    wr_u8(&wr, '\0');
    assert_true(wr_ok(&wr));
    assert_string_equal((const char *)memory,
                        "{\"version\":\"1.0\",\"servers\":3,\"pairs\":9,\"sessions\":6,\"list\":["
                        "{\"server\":\"192.0.2.2:7\",\"port\":5002,\"linked_s\":100,\"age_s\":12,"
                        "\"sessions\":2,\"waiting\":1,\"ended\":5,\"from_clients\":2002000,"
                        "\"to_clients\":4020,\"from_clients_per_s\":1000000,"
                        "\"to_clients_per_s\":2000}]}\n");
    samples_close(&samples);
}

static void counts_a_server_that_has_come_back_from_its_start(void **state)
{
    static const char back_text[] = "version 1.0\ntime_ms 3000\n"
                                    "server 5002 104 1 0 0 0 600 0 192.0.2.2:9\nend\n";
    struct samples samples = samples_open();
    struct daemon_sample back;
    struct wr wr = wr_init(memory, sizeof memory - 1);

    (void)state;
    assert_true(daemon_sample_read(bytes_of_text(back_text), &kinds, &back));
    tunnel_top_json_write(&wr, &back, &samples.before, 1);
    wr_u8(&wr, '\0');
    assert_non_null(strstr((const char *)memory, "\"from_clients_per_s\":600,"));
    daemon_sample_free(&back);
    samples_close(&samples);
}

static void has_room_for_all_at_their_largest(void **state)
{
    static const char longest[] = "[2001:db8:ffff:ffff:ffff:ffff:255.255.255.255]:65535";
    struct daemon_sample_row row = {.texts = {bytes_of_text(longest)}};
    struct daemon_sample sample = {.version = bytes_of_text("1"), .rows = &row, .row_count = 1};
    struct daemon_sample none = {.row_count = 0};

    (void)state;
    memset(row.numbers, 0xff, sizeof row.numbers);
    struct wr line = wr_init(memory, TUNNEL_SAMPLE_LINE_MAX);
    daemon_sample_row_write(&line, &tunnel_sample_kinds[TUNNEL_SAMPLE_SERVER], &row);
    assert_true(wr_ok(&line));
    char owner[73];
    char name[64];
    char hosts[161];
    memset(owner, '"', sizeof owner);
    memset(name, 'n', sizeof name);
    memset(hosts, 'h', sizeof hosts);
    row.kind = TUNNEL_SAMPLE_TUNNEL;
    row.texts[TUNNEL_SAMPLE_OWNER] = (struct bytes){(const uint8_t *)owner, sizeof owner - 1};
    row.texts[TUNNEL_SAMPLE_NAME] = (struct bytes){(const uint8_t *)name, sizeof name - 1};
    row.texts[TUNNEL_SAMPLE_HOSTS] = (struct bytes){(const uint8_t *)hosts, sizeof hosts - 1};
    line = wr_init(memory, TUNNEL_SAMPLE_LINE_MAX);
    daemon_sample_row_write(&line, &tunnel_sample_kinds[TUNNEL_SAMPLE_TUNNEL], &row);
    assert_true(wr_ok(&line));
    struct wr json = wr_init(memory, tunnel_top_text_max(1));
    tunnel_top_json_write(&json, &sample, &none, 1);
    assert_true(wr_ok(&json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_busiest_first_with_what_it_carries_in_a_second),
        cmocka_unit_test(shows_tunnels_with_their_agents),
        cmocka_unit_test(keeps_to_the_screen),
        cmocka_unit_test(writes_the_same_as_json),
        cmocka_unit_test(counts_a_server_that_has_come_back_from_its_start),
        cmocka_unit_test(has_room_for_all_at_their_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// What other servers were found out with, each under its number: none of it is to happen here.
// Of what is no part of this room (SQL, HTTP, telnet, OAuth, mobility) the tests show that it is
// not there to be reached.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_error.h"
#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

// Without the rules that the fixture has for its own peers.
static void restart_without_rules(struct turn_fixture *f)
{
    struct turn_config config = turn_fixture_config();

    config.rules = NULL;
    config.rule_count = 0;
    turn_fixture_restart(f, &config);
}

static void allocate_both(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
}

// By permission, channel and indication.
static void expect_unreachable(struct turn_fixture *f, const char *ip)
{
    struct addr peer = turn_fixture_addr(ip, 22);

    assert_int_equal(turn_fixture_permit(f, &peer), 403);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), 403);
    assert_int_equal(turn_fixture_send_data(f, &peer, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
}

// coturn built SQL of what its web server was sent. Names and realms with its characters are texts
// like others here: of a stranger.
static void cve_2018_4056_a_name_is_never_more_than_a_text(void **state)
{
    static const char *const names[] = {
        "' OR '1'='1", "alice'--", "alice\";drop table users;", "%s%n%x", "../../etc/passwd",
        "alice\n",     "*"};
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        f->user = names[i];
        assert_int_equal(turn_fixture_refresh(f, 600), 401);
        f->user = "alice";
        f->realm = names[i];
        assert_int_equal(turn_fixture_refresh(f, 600), 401);
        f->realm = NULL;
    }
    assert_true(turn_fixture_is_empty(f));
}

static void cve_2018_4058_loopback_is_denied_by_default(void **state)
{
    struct turn_fixture *f = *state;

    restart_without_rules(f);
    allocate_both(f);
    expect_unreachable(f, "127.0.0.1");
    expect_unreachable(f, "127.255.255.254");
    expect_unreachable(f, "::1");
}

// And that of Firezone's clients, who reach private peers.
static void cve_2018_4058_loopback_is_denied_to_firezones_clients_too(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("127.0.0.1", 22);

    turn_fixture_become_firezone(f);
    allocate_both(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), 403);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS); // blindly
    assert_int_equal(turn_fixture_send_data(f, &peer, "x"), TURN_DROP);
}

// Texts of other protocols, which coturn serves at the same port: CVE-2018-4059 is a command line
// without a password, CVE-2020-6061 and -6062 are in its HTTP.
static void expect_silence(struct turn_fixture *f, const char *text)
{
    assert_int_equal(turn_fixture_send(f, bytes_of_text(text)), TURN_FIXTURE_SILENCE);
    assert_int_equal(f->verdict, TURN_DROP);
}

static void cve_2018_4059_there_is_no_command_line(void **state)
{
    expect_silence(*state, "help\r\n");
    expect_silence(*state, "pc\r\nps\r\nquit\r\n");
    expect_silence(*state, "\xff\xfb\x01\xff\xfb\x03");
}

static void cve_2020_6061_there_is_no_http(void **state)
{
    expect_silence(*state, "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\na%");
    expect_silence(*state, "POST /logon HTTP/1.1\r\nContent-Length: 9\r\n\r\nuname=a&=");
}

static void cve_2020_6062_there_is_no_http(void **state)
{
    expect_silence(*state, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    expect_silence(*state, "GET /?& HTTP/1.0\r\n\r\n");
    expect_silence(*state, "PUT / HTTP/1.1\r\n\r\n");
}

// The padding of every attribute of a response is zero, whatever lay in the outbox before.
static void expect_zero_padding(const struct turn_fixture *f)
{
    struct rd rd = rd_init(bytes_from(f->response.whole, STUN_HEADER_LEN));

    while (rd.left > 0) {
        (void)rd_u16(&rd);
        uint16_t len = rd_u16(&rd);
        (void)rd_bytes(&rd, len);
        while (rd_ok(&rd) && len++ % 4 != 0) {
            assert_int_equal(rd_u8(&rd), 0);
        }
        assert_true(rd_ok(&rd));
    }
}

static void cve_2020_4067_padding_leaks_nothing(void **state)
{
    static const char *const realms[] = {"r", "re", "rea", "real", "realm"};
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(realms) * 5; i++) {
        struct turn_config config = turn_fixture_config();
        struct turn_fixture_draft draft;
        config.realm = bytes_of_text(realms[i % 5]);
        config.software = bytes_of_text(realms[i / 5]);
        turn_fixture_restart(f, &config);
        memset(f->server->outbox.messages, 0xa5, sizeof f->server->outbox.messages);
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_write(&draft.writer.wr, 0x8055, bytes_of_text("a longer request of a stranger"));
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
        assert_true(stun_message_has(&f->response, STUN_ATTR_SOFTWARE));
        expect_zero_padding(f);
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_u16_write(&draft.writer.wr, 0x0031, 0);
        assert_int_equal(turn_fixture_ask(f, &draft), 420);
        expect_zero_padding(f);
        allocate_both(f);
        expect_zero_padding(f);
    }
}

// And what is relayed is padded with zeros that nobody has to write.
static void cve_2020_4067_padding_of_data_is_named_not_copied(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct pool_ref allocation = turn_fixture_allocate(f);

    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    for (size_t len = 0; len < 9; len++) {
        assert_int_equal(turn_fixture_from_peer(f, allocation, &peer,
                                                bytes_first(bytes_of_text("12345678"), len)),
                         TURN_FORWARD);
        assert_int_equal(f->forward.payload.len, len);
        assert_int_equal(f->forward.padding_len, (4 - len % 4) % 4);
    }
}

static void cve_2020_26262_unspecified_addresses_are_no_way_to_loopback(void **state)
{
    struct turn_fixture *f = *state;

    restart_without_rules(f);
    allocate_both(f);
    expect_unreachable(f, "0.0.0.0");
    expect_unreachable(f, "0.0.0.1");
    expect_unreachable(f, "::");
    expect_unreachable(f, "::1");
    expect_unreachable(f, "::ffff:0.0.0.0");
}

static int compare_ports(const void *one, const void *other)
{
    return (int)*(const uint16_t *)one - (int)*(const uint16_t *)other;
}

// Ports, nonces and tokens come from a CSPRNG that nothing but the seed determines: two servers
// with one time and other seeds have nothing in common, and ports do not follow upon each other.
static void cve_2025_69217_nothing_to_be_guessed_can_be(void **state)
{
    enum { SERVERS = 2, PORTS = 64 };
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    uint16_t ports[SERVERS][PORTS];
    uint8_t nonces[SERVERS][TURN_NONCE_LEN];
    uint32_t steps = 0;
    uint32_t same = 0;

    config.lowest_port = 49152;
    config.highest_port = 65535;
    for (uint8_t i = 0; i < SERVERS; i++) {
        uint8_t seed[TURN_SERVER_SEED_LEN] = {i};
        void *memory = calloc(1, turn_server_size(&config));
        assert_non_null(memory);
        struct turn_server *server = turn_server_init(memory, &config, seed);
        turn_nonce_write(&server->nonce, f->now, &f->tuple.client, nonces[i]);
        for (size_t at = 0; at < PORTS; at++) {
            assert_true(turn_commons_take_port(server->commons, f->now, TURN_PORTS_ANY,
                                               &server->random, &ports[i][at]));
            steps += at > 0 && abs(ports[i][at] - ports[i][at - 1]) <= 2;
        }
        turn_server_deinit(server);
        free(memory);
    }
    for (size_t at = 0; at < PORTS; at++) {
        same += ports[0][at] == ports[1][at];
    }
    assert_memory_not_equal(nonces[0], nonces[1], TURN_NONCE_LEN);
    assert_in_range(steps, 0, 2);          // of 126, by chance one in 3277
    assert_in_range(same, 0, 2);           // of 64, by chance one in 16384
    for (size_t i = 0; i < SERVERS; i++) { // all over the range
        qsort(ports[i], PORTS, sizeof ports[i][0], compare_ports);
        assert_true(ports[i][0] < 49152 + 16384 / 4);
        assert_true(ports[i][PORTS - 1] > 65535 - 16384 / 4);
    }
}

static void cve_2026_27624_mapped_loopback_is_denied(void **state)
{
    static const char *const spellings[] = {
        "::ffff:127.0.0.1",       "::127.0.0.1",         "64:ff9b::127.0.0.1",
        "2002:7f00:1::",          "2002:7f00:1::7f00:1", "2001:0:1:2:3:4:80ff:fffe",
        "::ffff:169.254.169.254", "::ffff:10.0.0.1",     "64:ff9b::192.168.0.1",
        "2002:a9fe:a9fe::1",
    };
    struct turn_fixture *f = *state;

    restart_without_rules(f);
    allocate_both(f);
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        expect_unreachable(f, spellings[i]);
    }
}

// Not by way of an operator's list either: a rule holds in every spelling.
static void cve_2026_27624_a_mapped_address_passes_no_rule(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_peer_rule rule = {{{{8, 8, 8}, 0, ADDR_IP4, 0}, 24}, false};

    config.rules = &rule;
    config.rule_count = 1;
    turn_fixture_restart(f, &config);
    allocate_both(f);
    expect_unreachable(f, "8.8.8.8");
    expect_unreachable(f, "::ffff:8.8.8.8");
    expect_unreachable(f, "64:ff9b::8.8.8.8");
}

// One packet with attributes at odd places was a misaligned load. Every datagram is laid at every
// alignment here; the sanitizer sees the load.
static void cve_2026_40613_datagrams_may_lie_at_any_address(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    uint8_t nonce[TURN_NONCE_LEN];
    uint8_t *block = malloc(4096 + 8);

    assert_non_null(block);
    struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    for (size_t shift = 0; shift < 8; shift++) {
        struct turn_fixture_draft draft;
        struct turn_command command;
        struct turn_forward forward;
        turn_fixture_nonce(f, nonce);
        turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CHANNEL_BIND);
        stun_attr_u16_write(&draft.writer.wr, STUN_ATTR_CHANNEL_NUMBER, 0x4000);
        turn_fixture_add_peer(&draft, &peer);
        turn_fixture_sign_with(f, &draft, (struct bytes){nonce, sizeof nonce});
        stun_writer_fingerprint(&draft.writer);
        struct bytes whole = turn_fixture_finish(&draft);
        memcpy(block + shift, whole.ptr, whole.len);
        assert_int_equal(turn_server_from_client(f->server, f->now, &f->tuple,
                                                 (struct bytes){block + shift, whole.len},
                                                 &forward),
                         TURN_COMMANDS);
        assert_true(turn_server_take(f->server, &command));
        assert_int_equal(command.send.message.ptr[0], 0x01); // a success
        memcpy(block + shift, "\x40\x00\x00\x03odd", 7);
        assert_int_equal(turn_server_from_client(f->server, f->now, &f->tuple,
                                                 (struct bytes){block + shift, 7}, &forward),
                         TURN_FORWARD);
        assert_int_equal(turn_server_from_peer(f->server, f->now, allocation, &peer,
                                               (struct bytes){block + shift, 7}, &forward),
                         TURN_FORWARD);
    }
    free(block);
}

// An OAuth token was decrypted onto the stack before anybody had proven anything. We know no
// ACCESS-TOKEN (0x001B): it is an unknown attribute like others, of any length.
static void cve_2026_43994_an_access_token_is_an_unknown_attribute(void **state)
{
    static const uint8_t token[2048] = {0xff, 0xff};
    static const size_t lengths[] = {0, 1, 2, 255, 256, 1024, sizeof token};
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct turn_fixture_draft draft;
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_write(&draft.writer.wr, 0x001B, (struct bytes){token, lengths[i]});
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_write(&draft.writer.wr, 0x001B, (struct bytes){token, lengths[i]});
        assert_int_equal(turn_fixture_ask(f, &draft), 420);
        struct bytes list = turn_fixture_value(f, STUN_ATTR_UNKNOWN_ATTRIBUTES);
        assert_int_equal(list.len, 2);
        assert_int_equal(list.ptr[0] << 8 | list.ptr[1], 0x001B);
    }
    assert_true(turn_fixture_is_empty(f));
}

// Advisories of coturn 4.10 to 4.17 about mobility: nobody's allocation is had by a ticket
// (MOBILITY-TICKET, 0x8030), and quotas hold with one.
static void coturn_ghsa_a_mobility_ticket_moves_nothing(void **state)
{
    static const uint8_t ticket[16];
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct turn_config config = turn_fixture_config();

    config.allocations_per_user = 1;
    turn_fixture_restart(f, &config);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, 0x8030, (struct bytes){0});
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    f->tuple.client.port++;
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_write(&draft.writer.wr, 0x8030, (struct bytes){ticket, sizeof ticket});
    assert_int_equal(turn_fixture_ask(f, &draft), 437);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, 0x8030, (struct bytes){0});
    assert_int_equal(turn_fixture_ask(f, &draft), 486);
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
}

// What is only counted: of whom, it does not say.
static void forget_counts(struct turn_server *server)
{
    server->stats = (struct turn_stats){0};
    memset(&server->outbox, 0, sizeof server->outbox);
    memset(server->stranger.all, 0, sizeof server->stranger.all);
    memset(server->stranger.shares.rows, 0, sizeof server->stranger.shares.rows);
}

// Nonces were remembered, for ever.
static void pion_361_challenges_are_not_remembered(void **state)
{
    struct turn_fixture *f = *state;
    size_t size = turn_server_size(&f->config);
    uint8_t *before = malloc(size);
    uint8_t nonce[TURN_NONCE_LEN];

    assert_non_null(before);
    turn_fixture_nonce(f, nonce);
    forget_counts(f->server);
    memcpy(before, f->server, size);
    for (uint16_t i = 1; i < 2000; i++) {
        f->tuple.client.port = i;
        turn_fixture_nonce(f, nonce);
    }
    forget_counts(f->server);
    assert_memory_equal(f->server, before, size); // not one byte of all its memory
    free(before);
}

static void resiprocate_484_quotas_hold(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    uint32_t made = 0;

    config.allocations_per_user = 3;
    turn_fixture_restart(f, &config);
    for (uint16_t i = 0; i < 20; i++) {
        struct turn_fixture_draft draft;
        f->tuple.client.port = (uint16_t)(6000 + i);
        turn_fixture_begin_allocate(f, &draft);
        int code = turn_fixture_ask(f, &draft);
        assert_int_equal(code, made < 3 ? TURN_FIXTURE_SUCCESS : 486);
        made += code == TURN_FIXTURE_SUCCESS;
    }
    assert_int_equal(turn_fixture_gauges(f).allocations, 3);
}

// A length that said more than there was brought back what lay behind: a Cisco Expressway's memory.
static void cisco_expressway_lengths_that_lie_bring_nothing_back(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    for (uint32_t len = 0; len < 0x10000; len += len < 64 ? 1 : 997) {
        struct turn_fixture_draft draft;
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_write(&draft.writer.wr, STUN_ATTR_USERNAME, bytes_of_text("abcd"));
        struct bytes whole = turn_fixture_finish(&draft);
        draft.raw[STUN_HEADER_LEN + 8 + 2] = (uint8_t)(len >> 8); // of USERNAME
        draft.raw[STUN_HEADER_LEN + 8 + 3] = (uint8_t)len;
        int code = turn_fixture_send(f, whole);
        // Of 0 bytes, the four that follow are no attribute.
        assert_int_equal(code, len >= 1 && len <= 4 ? 401 : TURN_FIXTURE_SILENCE);
        turn_fixture_begin_allocate(f, &draft);
        whole = turn_fixture_finish(&draft);
        draft.raw[2] = (uint8_t)(len >> 8); // of the message
        draft.raw[3] = (uint8_t)len;
        code = turn_fixture_send(f, whole);
        assert_int_equal(code, len == 8 ? 401 : TURN_FIXTURE_SILENCE);
    }
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    for (uint32_t len = 5; len < 0x10000; len += 991) { // ChannelData of 4 bytes that says more
        uint8_t raw[] = {0x40, 0x00, (uint8_t)(len >> 8), (uint8_t)len, 1, 2, 3, 4};
        assert_int_equal(turn_fixture_send(f, (struct bytes){raw, sizeof raw}),
                         TURN_FIXTURE_SILENCE);
        assert_int_equal(f->verdict, TURN_DROP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(cve_2018_4056_a_name_is_never_more_than_a_text),
        TURN_FIXTURE_TEST(cve_2018_4058_loopback_is_denied_by_default),
        TURN_FIXTURE_TEST(cve_2018_4058_loopback_is_denied_to_firezones_clients_too),
        TURN_FIXTURE_TEST(cve_2018_4059_there_is_no_command_line),
        TURN_FIXTURE_TEST(cve_2020_6061_there_is_no_http),
        TURN_FIXTURE_TEST(cve_2020_6062_there_is_no_http),
        TURN_FIXTURE_TEST(cve_2020_4067_padding_leaks_nothing),
        TURN_FIXTURE_TEST(cve_2020_4067_padding_of_data_is_named_not_copied),
        TURN_FIXTURE_TEST(cve_2020_26262_unspecified_addresses_are_no_way_to_loopback),
        TURN_FIXTURE_TEST(cve_2025_69217_nothing_to_be_guessed_can_be),
        TURN_FIXTURE_TEST(cve_2026_27624_mapped_loopback_is_denied),
        TURN_FIXTURE_TEST(cve_2026_27624_a_mapped_address_passes_no_rule),
        TURN_FIXTURE_TEST(cve_2026_40613_datagrams_may_lie_at_any_address),
        TURN_FIXTURE_TEST(cve_2026_43994_an_access_token_is_an_unknown_attribute),
        TURN_FIXTURE_TEST(coturn_ghsa_a_mobility_ticket_moves_nothing),
        TURN_FIXTURE_TEST(pion_361_challenges_are_not_remembered),
        TURN_FIXTURE_TEST(resiprocate_484_quotas_hold),
        TURN_FIXTURE_TEST(cisco_expressway_lengths_that_lie_bring_nothing_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

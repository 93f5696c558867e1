// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/dies.h"

#define PROOF "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SID "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

static struct revtun_fields fields;

static enum revtun_message_outcome read_line(const char *line, enum revtun_message_side from,
                                             struct revtun_message *out,
                                             struct revtun_message_fault *fault)
{
    assert_true(revtun_fields_read(bytes_of_text(line), &fields));
    return revtun_message_read(&fields, from, out, fault);
}

// Each verb with all that it may say, and with the least.
static const struct line {
    enum revtun_message_side from;
    const char *text;
} lines[] = {
    {REVTUN_MESSAGE_AGENT,
     "hello auth=token id=laptop proof=" PROOF
     " instance=18446744073709551615 pool=4 caps=standby agent=fairlead/0.1.0"},
    {REVTUN_MESSAGE_AGENT, "hello auth=cert instance=0"},
    {REVTUN_MESSAGE_RELAY, "welcome sid=" SID " you=192.0.2.1:50000 ping=15 dead=45 ttl=15 grace=60"
                           " data=tls caps=sni,standby,tls relay=fairlead/0.1.0"},
    {REVTUN_MESSAGE_RELAY,
     "welcome sid=" SID " you=[2001:db8::1]:50000 ping=15 dead=45 ttl=15 grace=60"},
    {REVTUN_MESSAGE_AGENT, "bind rid=1 name=web kind=tcp port=12101 max=100 take=1"},
    {REVTUN_MESSAGE_AGENT, "bind rid=2 name=shop kind=sni hosts=shop.test,*.shop.test"},
    {REVTUN_MESSAGE_RELAY, "bound rid=1 name=web at=relay.test:12101 lease=604800"},
    {REVTUN_MESSAGE_AGENT, "unbind rid=3 name=web"},
    {REVTUN_MESSAGE_RELAY, "unbound rid=3 name=web code=asked"},
    {REVTUN_MESSAGE_RELAY, "unbound name=web code=revoked"},
    {REVTUN_MESSAGE_RELAY, "error rid=2 code=bad_value key=hosts text=a%20b retry=30"},
    {REVTUN_MESSAGE_RELAY, "error code=other"},
    {REVTUN_MESSAGE_RELAY,
     "new_connection id=42 name=shop src=192.0.2.7:50000 dst=198.51.100.2:443 sni=shop.test"},
    {REVTUN_MESSAGE_RELAY, "standby id=43"},
    {REVTUN_MESSAGE_AGENT, "refuse id=42 code=unreachable text=Connection%20refused"},
    {REVTUN_MESSAGE_RELAY, "gone id=42 code=left"},
    {REVTUN_MESSAGE_RELAY, "ping n=1"},
    {REVTUN_MESSAGE_AGENT, "pong n=1"},
    {REVTUN_MESSAGE_RELAY, "drain in=30"},
    {REVTUN_MESSAGE_RELAY, "bye code=denied text=the%20relay%20knows%20no%20such%20token"},
    {REVTUN_MESSAGE_AGENT, "bye code=shutdown"},
};

static void writes_each_line_as_it_was_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct revtun_message message = {0};
        struct revtun_message_fault fault = {0};
        uint8_t raw[REVTUN_STREAM_LINE_MAX];
        struct wr wr = wr_init(raw, sizeof raw);
        assert_int_equal(read_line(lines[i].text, lines[i].from, &message, &fault),
                         REVTUN_MESSAGE_OK);
        revtun_message_write(&wr, &message);
        wr_u8(&wr, 0);
        assert_true(wr_ok(&wr));
        assert_memory_equal(raw + wr.len - 3, "\r\n", 2);
        raw[wr.len - 3] = '\0';
        assert_string_equal((const char *)raw, lines[i].text);
    }
}

static void reads_each_field(void **state)
{
    struct revtun_message message = {0};
    struct revtun_message_fault fault = {0};

    (void)state;
    assert_int_equal(read_line(lines[0].text, REVTUN_MESSAGE_AGENT, &message, &fault),
                     REVTUN_MESSAGE_OK);
    assert_int_equal(message.verb, REVTUN_MESSAGE_HELLO);
    assert_int_equal(message.hello.auth, REVTUN_MESSAGE_AUTH_TOKEN);
    assert_true(bytes_equal_text(message.hello.id, "laptop"));
    assert_int_equal(message.hello.proof[1], 0x11);
    assert_int_equal(message.hello.proof[31], 0xff);
    assert_true(message.hello.instance == UINT64_MAX);
    assert_int_equal(message.hello.pool, 4);
    assert_int_equal(message.hello.caps, REVTUN_MESSAGE_CAP_STANDBY);
    assert_int_equal(read_line(lines[2].text, REVTUN_MESSAGE_RELAY, &message, &fault),
                     REVTUN_MESSAGE_OK);
    assert_int_equal(message.welcome.sid[15], 0xaf);
    assert_int_equal(message.welcome.you.port, 50000);
    assert_int_equal(message.welcome.dead_s, 45);
    assert_int_equal(message.welcome.data, REVTUN_MESSAGE_DATA_TLS);
    assert_int_equal(message.welcome.caps,
                     REVTUN_MESSAGE_CAP_SNI | REVTUN_MESSAGE_CAP_STANDBY | REVTUN_MESSAGE_CAP_TLS);
    assert_int_equal(read_line(lines[10].text, REVTUN_MESSAGE_RELAY, &message, &fault),
                     REVTUN_MESSAGE_OK);
    assert_int_equal(message.error.code, REVTUN_MESSAGE_CODE_BAD_VALUE);
    assert_true(bytes_equal_text(message.error.text, "a b"));
    assert_int_equal(message.error.retry_s, 30);
}

// What a later version may say beside what is known.
static void leaves_room_to_grow(void **state)
{
    struct revtun_message message = {0};
    struct revtun_message_fault fault = {0};

    (void)state;
    assert_int_equal(read_line("gone id=1 code=eaten_by_bears colour=red", REVTUN_MESSAGE_RELAY,
                               &message, &fault),
                     REVTUN_MESSAGE_OK);
    assert_int_equal(message.gone.code, REVTUN_MESSAGE_CODE_OTHER);
    assert_int_equal(read_line("hello auth=cert instance=1 caps=mux,standby,,udp",
                               REVTUN_MESSAGE_AGENT, &message, &fault),
                     REVTUN_MESSAGE_OK);
    assert_int_equal(message.hello.caps, REVTUN_MESSAGE_CAP_STANDBY);
    assert_int_equal(read_line("sing rid=7 song=2", REVTUN_MESSAGE_AGENT, &message, &fault),
                     REVTUN_MESSAGE_UNKNOWN);
    assert_int_equal(fault.rid, 7);
    assert_null(fault.key);
}

static void knows_who_may_say_what(void **state)
{
    struct revtun_message message = {0};
    struct revtun_message_fault fault = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        const enum revtun_message_side other =
            lines[i].from == REVTUN_MESSAGE_AGENT ? REVTUN_MESSAGE_RELAY : REVTUN_MESSAGE_AGENT;
        const bool is_common = strncmp(lines[i].text, "ping", 4) == 0 ||
                               strncmp(lines[i].text, "pong", 4) == 0 ||
                               strncmp(lines[i].text, "bye", 3) == 0;
        assert_int_equal(read_line(lines[i].text, other, &message, &fault),
                         is_common ? REVTUN_MESSAGE_OK : REVTUN_MESSAGE_UNKNOWN);
    }
}

static void names_the_field_that_is_wrong(void **state)
{
    static const struct {
        const char *line, *key;
        uint64_t rid;
    } rows[] = {
        {"hello instance=1", "auth", 0},
        {"hello auth= instance=1", "auth", 0},
        {"hello auth=password instance=1", "auth", 0},
        {"hello auth=token instance=1", "id", 0},
        {"hello auth=token id=a instance=1", "proof", 0},
        {"hello auth=token id=A instance=1 proof=" PROOF, "id", 0},
        {"hello auth=token id=a instance=1 proof=00", "proof", 0},
        {"hello auth=cert", "instance", 0},
        {"hello auth=cert instance=-1", "instance", 0},
        {"hello auth=cert instance=18446744073709551616", "instance", 0},
        {"hello auth=cert instance=1 pool=65", "pool", 0},
        {"hello auth=cert instance=1 agent=", "agent", 0},
        {"hello auth=cert instance=1 agent=a%0Ab", "agent", 0},
        {"hello auth=cert instance=1 agent=%C2%9B2J", "agent", 0},
        {"hello auth=cert instance=1 agent=%FF", "agent", 0},
        {"bind name=web kind=tcp", "rid", 0},
        {"bind rid=0 name=web kind=tcp", "rid", 0},
        {"unbind rid=0 name=web", "rid", 0},
        {"bind rid=5 kind=tcp", "name", 5},
        {"bind rid=5 name=web", "kind", 5},
        {"bind rid=5 name=web kind=udp", "kind", 5},
        {"bind rid=5 name=web kind=tcp port=65536", "port", 5},
        {"bind rid=5 name=web kind=tcp hosts=a.test", "hosts", 5},
        {"bind rid=5 name=web kind=sni", "hosts", 5},
        {"bind rid=5 name=web kind=sni hosts=A.test", "hosts", 5},
        {"bind rid=5 name=web kind=sni hosts=a.test,", "hosts", 5},
        {"bind rid=5 name=web kind=sni hosts=a.test port=1", "port", 5},
        {"bind rid=5 name=web kind=tcp take=2", "take", 5},
        {"refuse id=1 code=", "code", 0},
        {"refuse id= code=left", "id", 0},
        {"ping n=1x", "n", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct revtun_message message = {.verb = REVTUN_MESSAGE_BYE};
        struct revtun_message_fault fault = {0};
        assert_int_equal(read_line(rows[i].line, REVTUN_MESSAGE_AGENT, &message, &fault),
                         REVTUN_MESSAGE_BAD);
        assert_string_equal(fault.key, rows[i].key);
        assert_int_equal(fault.rid, rows[i].rid);
        assert_int_equal(message.verb, REVTUN_MESSAGE_BYE);
    }
}

// The longest values of each kind, all of whose bytes have to be encoded where they can be.
static void fits_the_longest_into_a_line(void **state)
{
    uint8_t words[REVTUN_MESSAGE_TEXT_MAX];
    char hosts[REVTUN_MESSAGE_HOSTS_MAX + 1] = {0};
    uint8_t raw[REVTUN_STREAM_LINE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    memset(words, ' ', sizeof words);
    memset(hosts, 'a', sizeof hosts - 1);
    for (size_t i = 60; i < sizeof hosts - 1; i += 61) {
        hosts[i] = ',';
    }
    const struct revtun_message bind = {.bind = {.rid = UINT64_MAX,
                                                 .name = bytes_of_text("a"),
                                                 .kind = REVTUN_MESSAGE_KIND_SNI,
                                                 .hosts = bytes_of_text(hosts)},
                                        .verb = REVTUN_MESSAGE_BIND};
    revtun_message_write(&wr, &bind);
    assert_true(wr_ok(&wr));
    wr = wr_init(raw, sizeof raw);
    const struct revtun_message bye = {
        .bye = {.code = REVTUN_MESSAGE_CODE_OTHER, .text = {words, sizeof words}},
        .verb = REVTUN_MESSAGE_BYE};
    revtun_message_write(&wr, &bye);
    assert_true(wr_ok(&wr));
}

static void write_wrong(void *context)
{
    uint8_t raw[REVTUN_STREAM_LINE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    revtun_message_write(&wr, context);
}

static void dies_of_our_own_mistakes(void **state)
{
    struct revtun_message no_kind = {.verb = REVTUN_MESSAGE_BIND,
                                     .bind = {.rid = 1, .name = bytes_of_text("web")}};
    struct revtun_message bad_name = {.verb = REVTUN_MESSAGE_UNBIND,
                                      .unbind = {.rid = 1, .name = bytes_of_text("We b")}};
    struct revtun_message big_pool = {
        .verb = REVTUN_MESSAGE_HELLO,
        .hello = {.auth = REVTUN_MESSAGE_AUTH_CERT, .pool = REVTUN_MESSAGE_POOL_MAX + 1}};

    (void)state;
    assert_true(dies(write_wrong, &no_kind));
    assert_true(dies(write_wrong, &bad_name));
    assert_true(dies(write_wrong, &big_pool));
}

static void has_words_for_all(void **state)
{
    (void)state;
    assert_string_equal(revtun_message_verb_word(REVTUN_MESSAGE_NEW_CONNECTION), "new_connection");
    assert_string_equal(revtun_message_code_word(REVTUN_MESSAGE_CODE_NO_PORT), "no_port");
    assert_string_equal(revtun_message_code_meaning(REVTUN_MESSAGE_CODE_LEFT),
                        "the client has left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_each_line_as_it_was_read),
        cmocka_unit_test(reads_each_field),
        cmocka_unit_test(leaves_room_to_grow),
        cmocka_unit_test(knows_who_may_say_what),
        cmocka_unit_test(names_the_field_that_is_wrong),
        cmocka_unit_test(fits_the_longest_into_a_line),
        cmocka_unit_test(dies_of_our_own_mistakes),
        cmocka_unit_test(has_words_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

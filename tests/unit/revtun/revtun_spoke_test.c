// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_spoke.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "revtun/spokes.h"

#define WELCOME                                                                                    \
    "welcome sid=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf you=192.0.2.1:50000 ping=15 dead=45 ttl=15 "     \
    "grace=60 caps=standby relay=hub/1\r\n"
#define BOUND "bound rid=1 name=web at=relay.test:12101 lease=60\r\n"
#define CLIENT " name=web src=192.0.2.7:49152 dst=198.51.100.2:12101\r\n"

static struct spokes spokes;

static void begin(void)
{
    const struct revtun_spoke_config config = spokes_config();

    spokes_open(&spokes, &config);
    assert_string_equal(spokes.text, "connect 0\n");
}

static void begin_with(enum revtun_spoke_retry retry)
{
    struct revtun_spoke_config config = spokes_config();

    config.retry = retry;
    spokes_open(&spokes, &config);
}

static int teardown(void **state)
{
    (void)state;
    spokes_close(&spokes);
    return 0;
}

static void serve(void)
{
    begin();
    spokes_up(&spokes, 0);
    spokes_hear(&spokes, 0, WELCOME BOUND);
    assert_string_equal(spokes.text, "welcome hub/1\nbound web relay.test:12101\n");
}

static void ends_with(const char *text)
{
    spokes_settle(&spokes);
    assert_string_equal(spokes.text, text);
}

static void proves_itself_and_binds_at_once(void **state)
{
    (void)state;
    begin();
    spokes_up(&spokes, 0);
    assert_non_null(strstr(spokes.text, "send 0 hello auth=token id=laptop proof="));
    assert_non_null(strstr(spokes.text,
                           " instance=5 pool=2 caps=standby agent=fairlead/test\nsend 0 bind rid=1 "
                           "name=web kind=tcp\n"));
    spokes_hear(&spokes, 0, WELCOME BOUND);
    assert_string_equal(spokes.text, "welcome hub/1\nbound web relay.test:12101\n");
    assert_int_equal(revtun_spoke_gauges(spokes.spoke).bound, 1);
}

static void may_prove_itself_by_its_certificate(void **state)
{
    (void)state;
    begin();
    revtun_spoke_down(spokes.spoke, spokes.now_ns, 0);
    spokes_settle(&spokes);
    spokes_close(&spokes);
    struct revtun_spoke_config config = spokes_config();
    config.pool = 0;
    void *memory = calloc(1, revtun_spoke_size(&config));
    spokes.spoke = revtun_spoke_init(memory, &config);
    spokes_settle(&spokes);
    spokes_up(&spokes, 0);
    assert_true(spokes_has(&spokes, "send 0 hello auth=cert instance=5 agent=fairlead/test\n"));
}

static void dials_for_a_client_with_a_preface_of_its_own(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "new_connection id=42" CLIENT);
    assert_string_equal(spokes.text, "dial 0 web 192.0.2.7:49152 198.51.100.2:12101 \n");
    // That of the protocol's example.
    static const uint8_t start[] = {0x82, 0x62, 0xef, 0x75, 0x08, 0x9b, 0xae, 0x86};
    struct revtun_preface preface;
    assert_true(revtun_preface_read(spokes.preface, &preface));
    assert_int_equal(preface.type, REVTUN_PREFACE_ACCEPT);
    assert_int_equal(preface.id, 42);
    assert_memory_equal(spokes.preface + REVTUN_PREFACE_MAC_AT, start, sizeof start);
    assert_false(spokes.is_tls);
    revtun_spoke_joined(spokes.spoke, spokes.call);
    assert_int_equal(revtun_spoke_gauges(spokes.spoke).sessions, 1);
    spokes_hear(&spokes, 0, "gone id=42 code=left\r\n"); // too late
    assert_string_equal(spokes.text, "");
    revtun_spoke_ended(spokes.spoke, spokes.call);
    revtun_spoke_ended(spokes.spoke, spokes.call);
    assert_int_equal(revtun_spoke_gauges(spokes.spoke).sessions, 0);
}

static void a_client_that_leaves_is_dropped(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "new_connection id=42" CLIENT);
    spokes_hear(&spokes, 0, "gone id=41 code=left\r\n");
    assert_string_equal(spokes.text, "");
    spokes_hear(&spokes, 0, "gone id=42 code=left\r\n");
    assert_string_equal(spokes.text, "drop\n");
    spokes_fresh(&spokes);
    revtun_spoke_failed(spokes.spoke, spokes.now_ns, spokes.call, REVTUN_MESSAGE_CODE_OTHER,
                        (struct bytes){0});
    ends_with("");
    assert_int_equal(revtun_spoke_gauges(spokes.spoke).sessions, 0);
}

static void says_why_a_client_cannot_be_served(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "new_connection id=1" CLIENT);
    spokes_fresh(&spokes);
    revtun_spoke_failed(spokes.spoke, spokes.now_ns, spokes.call, REVTUN_MESSAGE_CODE_UNREACHABLE,
                        bytes_of_text("it is off"));
    ends_with("send 0 refuse id=1 code=unreachable text=it%20is%20off\n");
    spokes_hear(&spokes, 0, "new_connection id=2 name=other src=192.0.2.7:1 dst=192.0.2.8:2\r\n");
    assert_string_equal(spokes.text, "send 0 refuse id=2 code=denied\n");
    for (int i = 3; i < 7; i++) {
        char line[128];
        snprintf(line, sizeof line, "new_connection id=%d" CLIENT, i);
        spokes_hear(&spokes, 0, line);
    }
    spokes_hear(&spokes, 0, "new_connection id=7" CLIENT "new_connection id=8" CLIENT);
    assert_string_equal(spokes.text, "send 0 refuse id=7 code=busy\ncrowded\n"
                                     "send 0 refuse id=8 code=busy\n");
}

static size_t write_head(uint8_t *out, size_t room, const char *line)
{
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];
    struct wr wr = wr_init(out, room);

    spokes_export(exported);
    const struct revtun_secrets secrets = revtun_secrets_read(exported);
    revtun_head_write(&wr, bytes_of_text(line), spokes.preface, secrets.head);
    assert_true(wr_ok(&wr));
    return wr_done(&wr).len;
}

#define HEAD "new_connection id=9 name=web src=192.0.2.7:1 dst=192.0.2.8:2"

static void a_standing_connection_is_served_when_it_has_a_client(void **state)
{
    uint8_t head[512];
    size_t len = 0;

    (void)state;
    serve();
    spokes_hear(&spokes, 0, "standby id=7\r\n");
    assert_string_equal(spokes.text, "stand 0\n");
    const size_t head_len = write_head(head, sizeof head, HEAD);
    spokes_fresh(&spokes);
    for (size_t i = 0; i < head_len; i++) {
        assert_int_equal(
            revtun_spoke_head(spokes.spoke, spokes.call, (struct bytes){head, i}, &len),
            REVTUN_HEAD_PART);
    }
    head[head_len] = '!';
    assert_int_equal(
        revtun_spoke_head(spokes.spoke, spokes.call, (struct bytes){head, head_len + 1}, &len),
        REVTUN_HEAD_WHOLE);
    ends_with("serve web 192.0.2.7:1 192.0.2.8:2 \n");
    assert_int_equal(len, head_len);
    assert_int_equal(revtun_spoke_gauges(spokes.spoke).standing, 0);
    assert_int_equal(revtun_spoke_gauges(spokes.spoke).sessions, 1);
    spokes_down(&spokes, 0); // it does not need the link any more
    assert_false(spokes_has(&spokes, "abandon"));
}

static void believes_nothing_of_a_head_that_is_not_the_relays(void **state)
{
    static const char *const lines[] = {"ping n=1", "new_connection id=9 name=web", "nonsense!"};
    uint8_t head[512];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines) + 1; i++) {
        serve();
        spokes_hear(&spokes, 0, "standby id=7\r\n");
        const bool is_forged = i == COUNT_OF(lines);
        const size_t head_len = write_head(head, sizeof head, is_forged ? HEAD : lines[i]);
        head[head_len - 1] ^= is_forged;
        spokes_fresh(&spokes);
        assert_int_equal(
            revtun_spoke_head(spokes.spoke, spokes.call, (struct bytes){head, head_len}, &len),
            REVTUN_HEAD_BAD);
        ends_with("");
        assert_int_equal(revtun_spoke_gauges(spokes.spoke).standing, 0);
        assert_int_equal(
            revtun_spoke_head(spokes.spoke, spokes.call, (struct bytes){head, head_len}, &len),
            REVTUN_HEAD_BAD);
        spokes_close(&spokes);
    }
    serve(); // authentic, but not of ours
    spokes_hear(&spokes, 0, "standby id=7\r\n");
    const size_t head_len = write_head(
        head, sizeof head, "new_connection id=9 name=other src=192.0.2.7:1 dst=192.0.2.8:2");
    spokes_fresh(&spokes);
    assert_int_equal(
        revtun_spoke_head(spokes.spoke, spokes.call, (struct bytes){head, head_len}, &len),
        REVTUN_HEAD_WHOLE);
    ends_with("drop\n");
}

static void keeps_no_more_standing_connections_than_it_said(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "standby id=7\r\nstandby id=8\r\nstandby id=9\r\n");
    assert_string_equal(spokes.text, "stand 0\nstand 0\nsend 0 refuse id=9 code=busy\n");
    spokes_down(&spokes, 0);
    assert_true(spokes_has(&spokes, "abandon 0\nwaiting lost other \n"));
}

static void answers_pings_and_pings_when_it_has_nothing_to_say(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "ping n=77\r\n");
    assert_string_equal(spokes.text, "send 0 pong n=77\n");
    spokes_pass(&spokes, 14 * SECOND_NS);
    assert_string_equal(spokes.text, "");
    spokes_pass(&spokes, SECOND_NS);
    assert_string_equal(spokes.text, "send 0 ping n=1\n");
    spokes_hear(&spokes, 0, "pong n=1\r\n");
    spokes_pass(&spokes, 44 * SECOND_NS);
    assert_string_equal(spokes.text, "send 0 ping n=2\n");
    spokes_pass(&spokes, SECOND_NS);
    assert_string_equal(spokes.text, "send 0 bye code=silent\nclose 0\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "waiting silent silent \n");
}

static void a_relay_without_sense_is_left(void **state)
{
    static const char *const first[] = {"pong n=1\r\n", "unknown a=b\r\n", "bound\r\n", "\r\n"};
    static const char *const later[] = {
        WELCOME,
        "bound rid=1\r\n",
        "Welcome\r\n",
        "standby id=1\r\nstandby id=1\r\n",
        ("standby id=1\r\nnew_connection id=1" CLIENT),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(first); i++) {
        begin();
        spokes_up(&spokes, 0);
        spokes_hear(&spokes, 0, first[i]);
        assert_true(spokes_has(&spokes, "send 0 bye code="));
        assert_true(spokes_has(&spokes, "close 0\n"));
        spokes_down(&spokes, 0);
        assert_true(spokes_has(&spokes, "stop strange "));
        spokes_close(&spokes);
    }
    for (size_t i = 0; i < COUNT_OF(later); i++) {
        serve();
        spokes_hear(&spokes, 0, later[i]);
        assert_true(spokes_has(&spokes, "send 0 bye code="));
        spokes_hear(&spokes, 0, "ping n=1\r\n"); // nothing more is heard
        assert_string_equal(spokes.text, "");
        spokes_down(&spokes, 0);
        assert_true(spokes_has(&spokes, "waiting strange "));
        spokes_close(&spokes);
    }
    begin();
    spokes_up(&spokes, 0);
    spokes_pass(&spokes, REVTUN_SPOKE_HELLO_S * SECOND_NS);
    assert_string_equal(spokes.text, "send 0 bye code=silent\nclose 0\n");
}

static void new_words_are_passed_over(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0,
                "later a=b\r\nping n=1 later=x\r\nunbound name=web code=new later=1\r\n");
    assert_true(spokes_has(&spokes, "send 0 pong n=1\ndenied web other\n"));
}

static void what_never_worked_is_told_at_once(void **state)
{
    (void)state;
    begin();
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "stopping lost other \nstop lost other \n");
    spokes_close(&spokes);
    begin();
    spokes_up(&spokes, 0);
    spokes_hear(&spokes, 0, "bye code=denied text=no\r\n");
    assert_string_equal(spokes.text, "close 0\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "stopping bye denied no\nstop bye denied no\n");
    spokes_close(&spokes);
    begin();
    spokes_up(&spokes, 0);
    spokes_hear(&spokes, 0, WELCOME "error rid=1 code=port_taken text=x\r\n");
    assert_string_equal(spokes.text, "welcome hub/1\ndenied web port_taken\nstopping refused "
                                     "port_taken \nsend 0 bye code=shutdown\nclose 0\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "stop refused port_taken \n");
}

static void comes_again_later_each_time(void **state)
{
    uint64_t sum_ns = 0;

    (void)state;
    begin_with(REVTUN_SPOKE_RETRY_ALWAYS);
    for (int i = 0; i < 40; i++) {
        spokes_down(&spokes, 0);
        assert_string_equal(spokes.text, "waiting lost other \n");
        assert_in_range(spokes.wait_ns, i < 10 ? SECOND_NS / 4 : 15 * SECOND_NS,
                        REVTUN_SPOKE_WAIT_MAX_S * SECOND_NS);
        sum_ns += spokes.wait_ns;
        spokes_pass(&spokes, spokes.wait_ns - 1);
        assert_string_equal(spokes.text, "");
        spokes_pass(&spokes, 1);
        assert_string_equal(spokes.text, "connect 0\n");
    }
    assert_true(sum_ns > 400 * SECOND_NS);
    spokes_up(&spokes, 0);
    spokes_hear(&spokes, 0, WELCOME BOUND);
    spokes_pass(&spokes, REVTUN_SPOKE_STEADY_S * SECOND_NS);
    spokes_down(&spokes, 0);
    assert_true(spokes.wait_ns < SECOND_NS);
}

static void a_good_bye_says_whether_to_come_again(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "bye code=shutdown retry=20\r\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "waiting bye shutdown \n");
    assert_in_range(spokes.wait_ns, 20 * SECOND_NS, 21 * SECOND_NS);
    spokes_pass(&spokes, spokes.wait_ns);
    assert_string_equal(spokes.text, "connect 0\n");
    spokes_close(&spokes);
    serve();
    spokes_hear(&spokes, 0, "bye code=shutdown retry=18446744073709551615\r\n");
    spokes_down(&spokes, 0);
    assert_in_range(spokes.wait_ns, 1, 2 * REVTUN_SPOKE_RETRY_MAX_S * SECOND_NS);
    spokes_close(&spokes);
    serve();
    spokes_hear(&spokes, 0, "bye code=revoked\r\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "stopping bye revoked \nstop bye revoked \n");
}

static void running_clients_outlive_their_link(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "new_connection id=1" CLIENT);
    const struct pool_ref runs = spokes.call;
    revtun_spoke_joined(spokes.spoke, runs);
    spokes_hear(&spokes, 0, "new_connection id=2" CLIENT);
    spokes_fresh(&spokes);
    revtun_spoke_down(spokes.spoke, spokes.now_ns, 0);
    struct revtun_spoke_command command;
    assert_true(revtun_spoke_take(spokes.spoke, &command));
    assert_int_equal(command.type, REVTUN_SPOKE_ABANDON);
    revtun_spoke_ended(spokes.spoke, spokes.call);
    ends_with("waiting lost other \n");
    assert_int_equal(revtun_spoke_gauges(spokes.spoke).sessions, 1);
    spokes_pass(&spokes, spokes.wait_ns);
    spokes_up(&spokes, 0);
    assert_true(spokes_has(&spokes, "instance=5"));
    assert_true(spokes_has(&spokes, "send 0 bind rid=2 name=web"));
    spokes_hear(&spokes, 0, WELCOME "bound rid=2 name=web at=relay.test:12101\r\n");
    assert_true(spokes_has(&spokes, "bound web"));
    // And it stops with the last of them.
    spokes_hear(&spokes, 0, "bye code=revoked\r\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "stopping bye revoked \n");
    spokes_fresh(&spokes);
    revtun_spoke_ended(spokes.spoke, runs);
    ends_with("stop bye revoked \n");
}

static void asks_again_when_the_relay_says_so(void **state)
{
    (void)state;
    begin();
    spokes_up(&spokes, 0);
    spokes_hear(&spokes, 0, WELCOME "error rid=1 code=name_taken retry=3\r\n");
    assert_string_equal(spokes.text, "welcome hub/1\ndenied web name_taken\n");
    assert_in_range(spokes.wait_ns, 3 * SECOND_NS, 4 * SECOND_NS);
    spokes_pass(&spokes, spokes.wait_ns - 1);
    assert_string_equal(spokes.text, "");
    spokes_pass(&spokes, 1);
    assert_string_equal(spokes.text, "send 0 bind rid=2 name=web kind=tcp\n");
    spokes_hear(&spokes, 0, "bound rid=1 name=web at=a:1\r\n"); // of the former
    assert_string_equal(spokes.text, "");
    spokes_hear(&spokes, 0, "bound rid=2 name=web at=a:1\r\n");
    assert_string_equal(spokes.text, "bound web a:1\n");
}

static void does_not_fight_for_a_name(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "new_connection id=1" CLIENT);
    revtun_spoke_joined(spokes.spoke, spokes.call);
    spokes_hear(&spokes, 0, "unbound name=web code=replaced\r\n");
    assert_string_equal(spokes.text, "denied web replaced\nstopping replaced replaced \n");
    spokes_pass(&spokes, 10 * SECOND_NS);
    assert_string_equal(spokes.text, "");
    spokes_fresh(&spokes);
    revtun_spoke_ended(spokes.spoke, spokes.call);
    ends_with("send 0 bye code=shutdown\nclose 0\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "stop replaced replaced \n");
}

static void a_relay_that_drains_is_left_for_another_while_it_serves(void **state)
{
    (void)state;
    serve();
    spokes_pass(&spokes, 12 * SECOND_NS);
    spokes_hear(&spokes, 0, "drain in=30\r\n");
    assert_string_equal(spokes.text, "draining\n");
    spokes_pass(&spokes, SECOND_NS);
    assert_string_equal(spokes.text, "connect 1\n");
    spokes_hear(&spokes, 0, "new_connection id=1" CLIENT);
    assert_true(spokes_has(&spokes, "dial 0 web"));
    spokes_up(&spokes, 1);
    assert_true(spokes_has(&spokes, "send 1 bind rid=2 name=web kind=tcp\n"));
    spokes_hear(&spokes, 0, "unbound name=web code=replaced\r\n"); // by ourselves
    assert_string_equal(spokes.text, "");
    spokes_hear(&spokes, 1, WELCOME "bound rid=2 name=web at=relay.test:12101\r\n");
    assert_true(spokes_has(&spokes, "bound web"));
    spokes_hear(&spokes, 0, "new_connection id=2" CLIENT);
    assert_true(spokes_has(&spokes, "dial 0 web"));
    spokes_hear(&spokes, 1, "new_connection id=2" CLIENT); // another link's id is another
    assert_true(spokes_has(&spokes, "dial 1 web"));
    spokes_hear(&spokes, 0, "bye code=shutdown\r\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "abandon 0\n");
    assert_int_equal(revtun_spoke_gauges(spokes.spoke).bound, 1);
}

static void drains_one_after_the_other(void **state)
{
    (void)state;
    serve();
    spokes_hear(&spokes, 0, "drain in=30\r\n");
    spokes_pass(&spokes, SECOND_NS);
    assert_string_equal(spokes.text, "connect 1\n");
    spokes_down(&spokes, 1);
    assert_string_equal(spokes.text, "waiting lost other \n");
    spokes_pass(&spokes, spokes.wait_ns);
    assert_string_equal(spokes.text, "connect 1\n");
    spokes_up(&spokes, 1);
    spokes_hear(&spokes, 1, WELCOME "bound rid=2 name=web at=relay.test:12101\r\ndrain in=5\r\n");
    assert_true(spokes_has(&spokes, "send 0 bye code=replaced\nclose 0\ndraining\n"));
    spokes_pass(&spokes, 3 * SECOND_NS);
    assert_string_equal(spokes.text, ""); // until the first is closed
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "connect 0\n");
    spokes_pass(&spokes, 60 * SECOND_NS); // nothing was said on the other
    assert_true(spokes_has(&spokes, "send 1 bye code=silent\nclose 1\n"));
}

static void data_connections_are_made_as_both_sides_want_them(void **state)
{
    static const char *const lines[] = {
        "data=tls caps=tls", "data=tls",          "data=plain", "data=plain caps=tls",
        "caps=tls",          "data=any caps=tls", "caps=sni",
    };
    enum { NO, PLAIN, TLS };
    static const int outcomes[][COUNT_OF(lines)] = {
        [REVTUN_MESSAGE_DATA_ANY] = {TLS, TLS, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN},
        [REVTUN_MESSAGE_DATA_PLAIN] = {NO, NO, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN},
        [REVTUN_MESSAGE_DATA_TLS] = {TLS, TLS, NO, NO, TLS, TLS, NO},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(outcomes) * COUNT_OF(lines); i++) {
        spokes_close(&spokes); // the former one
        char text[512];
        struct revtun_spoke_config config = spokes_config();
        const int outcome = outcomes[i / COUNT_OF(lines)][i % COUNT_OF(lines)];
        config.data = (enum revtun_message_data)(i / COUNT_OF(lines));
        spokes_open(&spokes, &config);
        spokes_up(&spokes, 0);
        snprintf(text, sizeof text,
                 "welcome sid=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf you=192.0.2.1:50000 ping=15 dead=45 "
                 "ttl=15 grace=60 %s\r\n",
                 lines[i % COUNT_OF(lines)]);
        spokes_hear(&spokes, 0, text);
        if (outcome == NO) {
            assert_string_equal(spokes.text, "send 0 bye code=unsupported\nclose 0\n");
            spokes_down(&spokes, 0);
            assert_true(spokes_has(&spokes, config.data == REVTUN_MESSAGE_DATA_TLS
                                                ? "stopping unsealed"
                                                : "stopping sealed"));
        } else {
            spokes_hear(&spokes, 0, BOUND "new_connection id=1" CLIENT);
            assert_true(spokes_has(&spokes, "dial 0"));
            assert_int_equal(spokes.is_tls, outcome == TLS);
        }
    }
}

static void says_good_bye(void **state)
{
    (void)state;
    serve();
    spokes_fresh(&spokes);
    revtun_spoke_leave(spokes.spoke, spokes.now_ns);
    ends_with("send 0 bye code=shutdown\nclose 0\n");
    spokes_down(&spokes, 0);
    assert_string_equal(spokes.text, "");
    assert_true(revtun_spoke_deadline(spokes.spoke) == NEVER);
}

static void binds_all_of_several_and_goes_on_with_those_it_gets(void **state)
{
    static const struct revtun_spoke_service services[] = {
        {.name = {(const uint8_t *)"web", 3}, .kind = REVTUN_MESSAGE_KIND_TCP, .port = 12102},
        {.name = {(const uint8_t *)"shop", 4},
         .kind = REVTUN_MESSAGE_KIND_SNI,
         .hosts = {(const uint8_t *)"shop.test,*.shop.test", 21},
         .max = 7,
         .is_taken = true},
    };
    struct revtun_spoke_config config = spokes_config();

    (void)state;
    config.services = services;
    config.service_count = COUNT_OF(services);
    spokes_open(&spokes, &config);
    spokes_up(&spokes, 0);
    assert_true(spokes_has(&spokes,
                           "send 0 bind rid=1 name=web kind=tcp port=12102\nsend 0 bind rid=2 "
                           "name=shop kind=sni hosts=shop.test,*.shop.test max=7 take=1\n"));
    spokes_hear(&spokes, 0,
                WELCOME "error rid=1 code=port_taken\r\n"
                        "bound rid=2 name=shop at=relay.test:443\r\n");
    assert_true(spokes_has(&spokes, "denied web port_taken\nbound shop relay.test:443\n"));
    spokes_hear(&spokes, 0, "unbound name=shop code=revoked\r\n");
    assert_string_equal(spokes.text, "denied shop revoked\n");
    assert_in_range(spokes.wait_ns, 30 * SECOND_NS, 90 * SECOND_NS); // it was there once
    spokes_hear(&spokes, 0, "ping n=1\r\n");
    const uint64_t wait_ns = spokes.wait_ns;
    for (uint64_t ns = 0; ns < wait_ns; ns += 10 * SECOND_NS) {
        spokes_pass(&spokes, wait_ns - ns < 10 * SECOND_NS ? wait_ns - ns : 10 * SECOND_NS);
        if (ns + 10 * SECOND_NS < wait_ns) {
            spokes_hear(&spokes, 0, "pong n=1\r\n");
        }
    }
    assert_true(spokes_has(&spokes, "send 0 bind rid=3 name=shop kind=sni "
                                    "hosts=shop.test,*.shop.test max=7\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(proves_itself_and_binds_at_once, teardown),
        cmocka_unit_test_teardown(may_prove_itself_by_its_certificate, teardown),
        cmocka_unit_test_teardown(dials_for_a_client_with_a_preface_of_its_own, teardown),
        cmocka_unit_test_teardown(a_client_that_leaves_is_dropped, teardown),
        cmocka_unit_test_teardown(says_why_a_client_cannot_be_served, teardown),
        cmocka_unit_test_teardown(a_standing_connection_is_served_when_it_has_a_client, teardown),
        cmocka_unit_test_teardown(believes_nothing_of_a_head_that_is_not_the_relays, teardown),
        cmocka_unit_test_teardown(keeps_no_more_standing_connections_than_it_said, teardown),
        cmocka_unit_test_teardown(answers_pings_and_pings_when_it_has_nothing_to_say, teardown),
        cmocka_unit_test_teardown(a_relay_without_sense_is_left, teardown),
        cmocka_unit_test_teardown(new_words_are_passed_over, teardown),
        cmocka_unit_test_teardown(what_never_worked_is_told_at_once, teardown),
        cmocka_unit_test_teardown(comes_again_later_each_time, teardown),
        cmocka_unit_test_teardown(a_good_bye_says_whether_to_come_again, teardown),
        cmocka_unit_test_teardown(running_clients_outlive_their_link, teardown),
        cmocka_unit_test_teardown(asks_again_when_the_relay_says_so, teardown),
        cmocka_unit_test_teardown(does_not_fight_for_a_name, teardown),
        cmocka_unit_test_teardown(a_relay_that_drains_is_left_for_another_while_it_serves,
                                  teardown),
        cmocka_unit_test_teardown(drains_one_after_the_other, teardown),
        cmocka_unit_test_teardown(data_connections_are_made_as_both_sides_want_them, teardown),
        cmocka_unit_test_teardown(says_good_bye, teardown),
        cmocka_unit_test_teardown(binds_all_of_several_and_goes_on_with_those_it_gets, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Frames as a far side may send them, good and bad: all lengths around the ends of buffers, in
// fragments and whole, in the clear and by TLS. Run by memcheck too (suite memory), which sees what
// libwebsockets does to its own memory.
#include "web/web_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "far_side.h"
#include "near_side.h"

enum {
    PIECE = 4096, // bytes that libwebsockets hands over at a time
    READ = 12288, // and that it reads at a time
    WHOLE = WEB_SOCKET_TEXT_MAX,
    LONG = 200000, // bytes that nobody wants to have
};

static struct near_side near;
static struct far_side far;
static _Thread_local uint8_t text[WHOLE + 1]; // well-formed; characters have one to four bytes
static uint8_t zeros[LONG];

static const size_t lengths[] = {
    0,        1,    125,      126,           127,           PIECE - 1, PIECE, PIECE + 1,
    READ - 1, READ, READ + 1, 4 * PIECE - 1, 4 * PIECE + 1, 65535,     WHOLE,
};

static size_t character_write(uint8_t *to, size_t room, size_t number)
{
    const uint8_t last = (uint8_t)(0x80 + number % 64);
    const uint8_t characters[][4] = {
        {(uint8_t)('a' + number % 26)},
        {0xc3, last},
        {0xe2, 0x82, last},
        {0xf0, 0x9d, 0x84, last},
    };
    const size_t len = number % 4 < room ? number % 4 + 1 : 1;

    memcpy(to, characters[len - 1], len);
    return len;
}

// So many bytes of whole characters, until it is asked again.
static struct bytes text_of(size_t len)
{
    size_t done = 0;

    for (size_t number = 0; done < len; number++) {
        done += character_write(text + done, len - done, number);
    }
    return (struct bytes){text, len};
}

static int open_in_the_clear(void **state)
{
    (void)state;
    far_side_open(&far, "localhost", 0);
    near_side_open(&near, far.certificate);
    return 0;
}

static int open_by_tls(void **state)
{
    open_in_the_clear(state);
    far.is_tls = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    near_side_close(&near);
    far_side_close(&far);
    return 0;
}

static void expect_text(struct bytes wanted)
{
    assert_int_equal(near.text_len, wanted.len);
    if (wanted.len > 0) {
        assert_memory_equal(near.text, wanted.ptr, wanted.len);
    }
}

// --- good ones ---------------------------------------------------------------------------------

static void send_each_length(struct far_side *to)
{
    static const struct bytes next = BYTES_LITERAL("next");

    far_side_agree(to);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        far_side_frame(to, FAR_SIDE_FINAL | FAR_SIDE_TEXT, text_of(lengths[i]));
        far_side_expect_frame(to, FAR_SIDE_FINAL | FAR_SIDE_TEXT, next);
    }
    far_side_wait_for_end(to);
}

static void ask_for_the_next(struct near_side *one)
{
    assert_true(web_socket_send(&one->socket, bytes_of_text("next")));
}

static void whole_messages_come_as_they_were_sent(void **state)
{
    (void)state;
    near.received = ask_for_the_next;
    far_side_play(&far, send_each_length);
    near_side_connect(&near, &far);
    for (uint32_t i = 0; i < COUNT_OF(lengths); i++) {
        near_side_turn_until(&near, &near.received_count, i + 1);
        expect_text(text_of(lengths[i]));
    }
    near_side_leave(&near);
    far_side_end(&far);
    assert_int_equal(near.ended_count, 0);
}

static void interrupt(struct far_side *to, size_t number)
{
    static const uint8_t payload[125] = "what a ping carries comes back with the pong";
    const struct bytes carried = {payload, number % (sizeof payload + 1)};

    far_side_frame(to, FAR_SIDE_FINAL | FAR_SIDE_PONG, carried); // nobody has asked for it
    far_side_frame(to, FAR_SIDE_FINAL | FAR_SIDE_PING, carried);
    far_side_expect_frame(to, FAR_SIDE_FINAL | FAR_SIDE_PONG, carried);
}

static void send_in_fragments(struct far_side *to, struct bytes message, size_t fragment_len)
{
    uint8_t first = FAR_SIDE_TEXT;
    size_t number = 0;

    while (message.len > fragment_len) {
        far_side_frame(to, first, bytes_first(message, fragment_len));
        interrupt(to, number++);
        message = bytes_from(message, fragment_len);
        first = FAR_SIDE_CONTINUATION;
    }
    far_side_frame(to, FAR_SIDE_FINAL | first, message);
}

// The first and the last are empty as well.
static void send_fragments_of_each_length(struct far_side *to)
{
    static const struct bytes next = BYTES_LITERAL("next");

    far_side_agree(to);
    for (size_t i = 2; i < COUNT_OF(lengths); i++) { // the shorter ones take too many
        const struct bytes whole = text_of(WHOLE);
        far_side_frame(to, FAR_SIDE_TEXT, bytes_of_text(""));
        for (size_t at = 0; at < WHOLE; at += lengths[i]) {
            interrupt(to, at);
            far_side_frame(to, FAR_SIDE_CONTINUATION,
                           bytes_first(bytes_from(whole, at), lengths[i]));
        }
        far_side_frame(to, FAR_SIDE_FINAL | FAR_SIDE_CONTINUATION, bytes_of_text(""));
        far_side_expect_frame(to, FAR_SIDE_FINAL | FAR_SIDE_TEXT, next);
        for (size_t k = 2; k < COUNT_OF(lengths) - 2; k++) {
            send_in_fragments(to, text_of(lengths[k] + 1), lengths[i]);
            far_side_expect_frame(to, FAR_SIDE_FINAL | FAR_SIDE_TEXT, next);
        }
    }
    far_side_wait_for_end(to);
}

static void fragments_become_one_message_whatever_comes_between(void **state)
{
    uint32_t count = 0;

    (void)state;
    near.received = ask_for_the_next;
    far_side_play(&far, send_fragments_of_each_length);
    near_side_connect(&near, &far);
    for (size_t i = 2; i < COUNT_OF(lengths); i++) {
        near_side_turn_until(&near, &near.received_count, ++count);
        expect_text(text_of(WHOLE));
        for (size_t k = 2; k < COUNT_OF(lengths) - 2; k++) {
            near_side_turn_until(&near, &near.received_count, ++count);
            expect_text(text_of(lengths[k] + 1));
        }
    }
    near_side_leave(&near);
    far_side_end(&far);
    assert_int_equal(near.ended_count, 0);
}

// --- bad ones ----------------------------------------------------------------------------------

struct refusal {
    struct bytes payload;
    size_t fragment_len;
    uint16_t code;
    uint8_t first;
};

static void send_what_is_refused(struct far_side *to)
{
    const struct refusal *refusal = to->context;

    far_side_agree(to);
    if (refusal->first == FAR_SIDE_TEXT) {
        send_in_fragments(to, refusal->payload, refusal->fragment_len);
    } else {
        far_side_frame(to, FAR_SIDE_FINAL | refusal->first, refusal->payload);
    }
    far_side_expect_close(to, refusal->code);
    // What comes behind it is nobody's business any more.
    far_side_frame(to, FAR_SIDE_FINAL | FAR_SIDE_TEXT, (struct bytes){zeros, LONG});
    far_side_wait_for_end(to);
}

static void expect_refusal(const struct refusal *refusal, const char *reason)
{
    far.context = refusal;
    near_side_meet(&near, &far, send_what_is_refused);
    assert_int_equal(near.received_count, 0);
    assert_int_equal(near.end.kind, WEB_SOCKET_CLOSED);
    assert_string_equal(near.end.reason, reason);
}

static void text_that_is_not_utf8_is_refused_wherever_it_stands(void **state)
{
    // RFC 3629: no byte of its own, overlong, a surrogate, beyond the last plane, cut short.
    static const struct bytes wrongs[] = {
        BYTES_LITERAL("\xff"),         BYTES_LITERAL("\x80"),
        BYTES_LITERAL("\xc0\x80"),     BYTES_LITERAL("\xed\xa0\x80"),
        BYTES_LITERAL("\xe0\x80\xaf"), BYTES_LITERAL("\xf4\x90\x80\x80"),
        BYTES_LITERAL("\xe2\x82"),     BYTES_LITERAL("\xf0\x9d\x84"),
    };
    static const struct {
        size_t len;
        size_t at; // of what is wrong, or its end if that lies behind the end of all
        size_t fragment_len;
    } places[] = {
        {4, 4, WHOLE},
        {PIECE, PIECE, WHOLE},
        {2 * PIECE, PIECE - 1, WHOLE},
        {2 * PIECE, PIECE, PIECE},
        {READ + 10, READ - 1, READ},
        {WHOLE, WHOLE, WHOLE},
        {WHOLE, 0, 5000},
    };
    static uint8_t payload[WHOLE];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        for (size_t k = 0; k < COUNT_OF(places); k++) {
            const size_t len = places[k].len;
            const size_t room = len - wrongs[i].len;
            memset(payload, 'x', len);
            memcpy(payload + (places[k].at < room ? places[k].at : room), wrongs[i].ptr,
                   wrongs[i].len);
            expect_refusal(&(struct refusal){.payload = {payload, len},
                                             .fragment_len = places[k].fragment_len,
                                             .code = 1007,
                                             .first = FAR_SIDE_TEXT},
                           "a message not in UTF-8");
        }
    }
}

static void a_character_that_no_fragment_ends_is_refused(void **state)
{
    static uint8_t payload[PIECE + 2];

    (void)state;
    memset(payload, 'x', PIECE);
    memcpy(payload + PIECE, "\xe2\x82", 2);
    for (size_t fragment_len = PIECE - 1; fragment_len <= PIECE + 1; fragment_len++) {
        expect_refusal(&(struct refusal){.payload = {payload, sizeof payload},
                                         .fragment_len = fragment_len,
                                         .code = 1007,
                                         .first = FAR_SIDE_TEXT},
                       "a message not in UTF-8");
    }
}

static void a_message_over_its_limit_is_refused(void **state)
{
    static const size_t fragment_lens[] = {WHOLE + 1, WHOLE, WHOLE - 1, READ + 1, READ, PIECE, 500};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fragment_lens); i++) {
        expect_refusal(&(struct refusal){.payload = text_of(WHOLE + 1),
                                         .fragment_len = fragment_lens[i],
                                         .code = 1009,
                                         .first = FAR_SIDE_TEXT},
                       "a message over 64 KiB");
    }
    for (size_t len = WHOLE + 1; len <= LONG; len += far.is_tls ? READ + 1 : PIECE - 1) {
        expect_refusal(&(struct refusal){.payload = {zeros, len},
                                         .fragment_len = LONG,
                                         .code = 1009,
                                         .first = FAR_SIDE_TEXT},
                       "a message over 64 KiB");
    }
}

static void a_binary_message_is_refused_however_long(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        expect_refusal(&(struct refusal){.payload = {zeros, lengths[i]},
                                         .code = 1003,
                                         .first = FAR_SIDE_BINARY},
                       "a binary message");
    }
    expect_refusal(
        &(struct refusal){.payload = {zeros, LONG}, .code = 1003, .first = FAR_SIDE_BINARY},
        "a binary message");
}

static void send_bytes(struct far_side *to)
{
    const struct bytes *bytes = to->context;

    far_side_agree(to);
    far_side_write(to, *bytes);
    far_side_wait_for_end(to);
}

static void frames_that_break_the_protocol_end_the_connection(void **state)
{
    static const struct bytes frames[] = {
        BYTES_LITERAL("\xc1\x01x"),          // reserved bits
        BYTES_LITERAL("\x91\x01x"),          //
        BYTES_LITERAL("\x83\x01x"),          // types that there are not
        BYTES_LITERAL("\x8b\x01x"),          //
        BYTES_LITERAL("\xff\xff\xff\xff"),   //
        BYTES_LITERAL("\x80\x01x"),          // goes on with nothing
        BYTES_LITERAL("\x01\x01x\x81\x01x"), // a message within another one
        BYTES_LITERAL("\x09\x01x"),          // control in fragments
        BYTES_LITERAL("\x89\x7e\x00\x7e"),   // control that is long
        BYTES_LITERAL("\x88\x7f\x00\x00\x00\x00\x00\x00\x00\x01"),
        BYTES_LITERAL("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x01"), // a length below nothing
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        far.context = &frames[i];
        near_side_meet(&near, &far, send_bytes);
        assert_int_equal(near.end.kind, WEB_SOCKET_CLOSED);
        assert_int_equal(near.received_count, 0);
    }
}

#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, open_in_the_clear, teardown),                            \
        cmocka_unit_test_setup_teardown(test, open_by_tls, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(whole_messages_come_as_they_were_sent),
        BOTH(fragments_become_one_message_whatever_comes_between),
        BOTH(a_character_that_no_fragment_ends_is_refused),
        BOTH(a_message_over_its_limit_is_refused),
        BOTH(a_binary_message_is_refused_however_long),
        BOTH(frames_that_break_the_protocol_end_the_connection),
        cmocka_unit_test_setup_teardown(text_that_is_not_utf8_is_refused_wherever_it_stands,
                                        open_in_the_clear, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

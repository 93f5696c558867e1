// SPDX-License-Identifier: Apache-2.0
// docs/tunnel-protocol.md says what the code does: its examples, its fields, its codes.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/revtun_fields.h"
#include "revtun/revtun_head.h"
#include "revtun/revtun_message.h"
#include "revtun/wire.h"
#include "tunnel_protocol.h" // made of the page

static const struct bytes page = {tunnel_protocol_tunnel_protocol_md,
                                  sizeof tunnel_protocol_tunnel_protocol_md};

// Takes a line off the text; false at its end.
static bool line_take(struct bytes *text, struct bytes *line)
{
    const size_t len = bytes_index(*text, '\n');

    *line = bytes_first(*text, len);
    *text = bytes_from(*text, len + 1);
    return line->ptr != NULL;
}

static bool begins(struct bytes text, const char *start)
{
    return bytes_equal_text(bytes_first(text, strlen(start)), start);
}

// The cell of a row of a table, from 1; empty when it has none.
static struct bytes cell(struct bytes row, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        row = bytes_from(row, bytes_index(row, '|') + 1);
    }
    return bytes_trim(bytes_first(row, bytes_index(row, '|')));
}

// The first word in backquotes; empty when there is none.
static struct bytes quoted(struct bytes text)
{
    const struct bytes rest = bytes_from(text, bytes_index(text, '`') + 1);
    return bytes_first(rest, bytes_index(rest, '`'));
}

static enum revtun_message_outcome read_line(struct bytes line, enum revtun_message_side from,
                                             struct revtun_message *out,
                                             struct revtun_message_fault *fault)
{
    static struct revtun_fields fields;

    return revtun_fields_read(line, &fields) ? revtun_message_read(&fields, from, out, fault)
                                             : REVTUN_MESSAGE_BAD;
}

// --- examples -----------------------------------------------------------------------------------

static void try_example(struct bytes line, enum revtun_message_side from)
{
    struct revtun_message message = {0};
    struct revtun_message_fault fault = {0};
    uint8_t raw[REVTUN_STREAM_LINE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    assert_int_equal(read_line(line, from, &message, &fault), REVTUN_MESSAGE_OK);
    revtun_message_write(&wr, &message);
    assert_true(bytes_equal(bytes_first(wr_done(&wr), wr.len - 2), line));
}

static void examples_are_read_and_written(void **state)
{
    struct bytes text = page;
    struct bytes line = {0};
    size_t count = 0;

    (void)state;
    while (line_take(&text, &line)) {
        if (begins(line, "    > ")) {
            try_example(bytes_from(line, 6), REVTUN_MESSAGE_AGENT);
            count++;
        } else if (begins(line, "    < ")) {
            try_example(bytes_from(line, 6), REVTUN_MESSAGE_RELAY);
            count++;
        }
    }
    assert_in_range(count, 15, 100);
}

// What stands behind "    name = ", lines that only go on included and put together without blanks.
static void value_find(const char *name, char *out, size_t room)
{
    struct bytes text = page;
    struct bytes line = {0};
    struct wr wr = wr_init((uint8_t *)out, room - 1);
    bool is_in = false;

    while (line_take(&text, &line)) {
        const bool is_start = begins(line, "    ") && begins(bytes_from(line, 4), name) &&
                              begins(bytes_trim(bytes_from(line, 4 + strlen(name))), "= ");
        is_in = is_start || (is_in && begins(line, "               "));
        if (is_in) {
            wr_bytes(&wr, bytes_trim(bytes_from(line, is_start ? bytes_index(line, '=') + 1 : 0)));
        }
    }
    assert_true(wr_ok(&wr));
    out[wr.len] = '\0';
}

static void binary_forms_are_as_told(void **state)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"token", wire_token_text}, {"verifier", wire_verifier}, {"proof", wire_proof},
        {"accept", wire_accept},    {"standby", wire_standby},   {"line", wire_head_line},
        {"head", wire_head},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char value[512];
        value_find(rows[i].name, value, sizeof value);
        // "verifier = SHA-256(key)" and the like stand before: the last one counts.
        const size_t len = strlen(value);
        const size_t wanted = strlen(rows[i].value);
        assert_in_range(len, wanted, sizeof value);
        assert_string_equal(value + (len - wanted), rows[i].value);
    }
}

// --- fields -------------------------------------------------------------------------------------

enum { KEYS_MAX = 16 };

// A message as its section tells it.
struct section {
    struct bytes verb;
    struct bytes keys[KEYS_MAX];
    struct bytes needed[KEYS_MAX]; // "yes", nothing, or when
    struct bytes forms[KEYS_MAX];
    struct bytes meanings[KEYS_MAX];
    size_t count;
};

// Takes the next section that has the name of a message and a table of fields.
static bool section_take(struct bytes *text, struct section *out)
{
    struct bytes line = {0};
    bool is_table = false;

    *out = (struct section){0};
    while (line_take(text, &line)) {
        if (begins(line, "### ")) {
            out->verb = bytes_from(line, 4);
        } else if (begins(line, "| field |")) {
            is_table = true;
        } else if (is_table && begins(line, "| `")) {
            assert_in_range(out->count, 0, KEYS_MAX - 1);
            out->keys[out->count] = quoted(cell(line, 1));
            out->forms[out->count] = cell(line, 2);
            out->needed[out->count] = cell(line, 3);
            out->meanings[out->count++] = cell(line, 4);
        } else if (is_table && line.len == 0) {
            return true;
        }
    }
    return false;
}

// Writes a value of a form, the least that there is but not nothing.
static void sample_write(struct wr *wr, struct bytes form, struct bytes meaning)
{
    uint64_t len = 0;

    if (begins(form, "hex, ")) {
        assert_true(bytes_to_number(bytes_from(form, 5), 32, &len));
        for (uint64_t i = 0; i < len; i++) {
            wr_text(wr, "ab");
        }
    } else if (begins(form, "number")) {
        wr_text(wr, "1");
    } else if (begins(form, "address")) {
        wr_text(wr, "[::1]:443");
    } else if (begins(form, "word")) {
        wr_bytes(wr, quoted(meaning));
    } else if (begins(form, "code")) {
        wr_text(wr, "left");
    } else if (begins(form, "host")) {
        wr_text(wr, "a.test");
    } else {
        assert_true(begins(form, "name") || begins(form, "text"));
        wr_text(wr, "web");
    }
}

// Writes the message of a section without one of its fields.
static struct bytes sample_line(const struct section *section, size_t without, struct wr *wr)
{
    const bool is_bind = bytes_equal_text(section->verb, "bind");

    wr_bytes(wr, section->verb);
    for (size_t i = 0; i < section->count; i++) {
        // A bind is of kind tcp here, which has no hosts.
        if (i != without && !(is_bind && bytes_equal_text(section->keys[i], "hosts"))) {
            wr_text(wr, " ");
            wr_bytes(wr, section->keys[i]);
            wr_text(wr, "=");
            sample_write(wr, section->forms[i], section->meanings[i]);
        }
    }
    assert_true(wr_ok(wr));
    return wr_done(wr);
}

// Reads as from either side; what both may say is read as the agent's.
static enum revtun_message_outcome read_any(struct bytes line, struct revtun_message *out)
{
    struct revtun_message_fault fault = {0};
    const enum revtun_message_outcome outcome = read_line(line, REVTUN_MESSAGE_AGENT, out, &fault);

    return outcome == REVTUN_MESSAGE_UNKNOWN ? read_line(line, REVTUN_MESSAGE_RELAY, out, &fault)
                                             : outcome;
}

static void try_section(const struct section *section)
{
    uint8_t raw[1024];
    uint8_t again[REVTUN_STREAM_LINE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);
    struct wr wr_again = wr_init(again, sizeof again);
    struct revtun_message message = {0};

    // All that is told is known, and in the order in which it is told.
    const struct bytes line = sample_line(section, section->count, &wr);
    assert_int_equal(read_any(line, &message), REVTUN_MESSAGE_OK);
    revtun_message_write(&wr_again, &message);
    if (!bytes_equal(bytes_first(wr_done(&wr_again), wr_again.len - 2), line)) {
        fail_msg("'%.*s' is not as written: %.*s", (int)line.len, (const char *)line.ptr,
                 (int)wr_again.len, (const char *)again);
    }
    for (size_t i = 0; i < section->count; i++) {
        wr = wr_init(raw, sizeof raw);
        const enum revtun_message_outcome outcome =
            read_any(sample_line(section, i, &wr), &message);
        if (section->needed[i].len == 0) {
            assert_int_equal(outcome, REVTUN_MESSAGE_OK);
        } else if (bytes_equal_text(section->needed[i], "yes")) {
            assert_int_equal(outcome, REVTUN_MESSAGE_BAD);
        }
    }
}

static void fields_are_as_told(void **state)
{
    static const char *const verbs[] = {
#define WORD(NAME, word, side) #word,
        REVTUN_MESSAGE_VERBS(WORD)
#undef WORD
    };
    struct bytes text = page;
    struct section section = {0};
    bool is_told[COUNT_OF(verbs)] = {0};

    (void)state;
    while (section_take(&text, &section)) {
        try_section(&section);
        for (size_t i = 0; i < COUNT_OF(verbs); i++) {
            is_told[i] = is_told[i] || bytes_equal_text(section.verb, verbs[i]);
        }
    }
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!is_told[i]) {
            fail_msg("nothing is said of %s", verbs[i]);
        }
    }
}

static void codes_are_as_told(void **state)
{
    static const char *const words[] = {
#define WORD(NAME, word, meaning) word,
        REVTUN_MESSAGE_CODES(WORD)
#undef WORD
    };
    struct bytes text = page;
    struct bytes line = {0};
    size_t count = 0;

    (void)state;
    while (line_take(&text, &line) && !begins(line, "| code | said with |")) {
    }
    while (line_take(&text, &line) && line.len > 0) {
        if (begins(line, "| `")) {
            assert_in_range(count, 0, COUNT_OF(words) - 1);
            assert_true(bytes_equal_text(quoted(cell(line, 1)), words[count++]));
        }
    }
    assert_int_equal(count, COUNT_OF(words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_are_read_and_written),
        cmocka_unit_test(binary_forms_are_as_told),
        cmocka_unit_test(fields_are_as_told),
        cmocka_unit_test(codes_are_as_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

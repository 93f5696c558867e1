// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "log/log_line.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#define TRUNCATION_MARK "\xe2\x80\xa6" // U+2026
#define REPLACEMENT "\xef\xbf\xbd"     // U+FFFD

enum {
    END_MAX = sizeof(",\"truncated\":true}\n") - 1, // kept free for the end
    // Bytes of the longest character as written (\u001b), a truncation mark and a closing quote.
    STEP_MAX = 6 + 3 + 1,
    ERROR_TEXT_MAX = 128, // bytes of an error's name and text
};

// A line on its way.
struct state {
    struct wr wr;
    enum log_line_format format;
    bool is_coloured;
    bool is_truncated;
};

bool log_line_format_read(struct bytes word, enum log_line_format *out)
{
    const bool is_json = bytes_equal_text(word, "json");

    if (!is_json && !bytes_equal_text(word, "human")) {
        return false;
    }
    *out = is_json ? LOG_LINE_JSON : LOG_LINE_HUMAN;
    return true;
}

static void write_digits(struct wr *wr, int value, int digit_count)
{
    int scale = 1;

    for (int i = 1; i < digit_count; i++) {
        scale *= 10;
    }
    for (; scale > 0; scale /= 10) {
        wr_u8(wr, (uint8_t)('0' + value / scale % 10));
    }
}

// RFC 3339 with milliseconds, in UTC.
static void write_time(struct wr *wr, int64_t wall_ms)
{
    const time_t seconds = wall_ms < 0 ? 0 : (time_t)(wall_ms / 1000);
    struct tm tm = {0};

    IGNORE(gmtime_r(&seconds, &tm)); // years that do not fit leave the zeros
    write_digits(wr, tm.tm_year + 1900, 4);
    wr_u8(wr, '-');
    write_digits(wr, tm.tm_mon + 1, 2);
    wr_u8(wr, '-');
    write_digits(wr, tm.tm_mday, 2);
    wr_u8(wr, 'T');
    write_digits(wr, tm.tm_hour, 2);
    wr_u8(wr, ':');
    write_digits(wr, tm.tm_min, 2);
    wr_u8(wr, ':');
    write_digits(wr, tm.tm_sec, 2);
    wr_u8(wr, '.');
    write_digits(wr, wall_ms < 0 ? 0 : (int)(wall_ms % 1000), 3);
    wr_u8(wr, 'Z');
}

// The length of the well-formed UTF-8 character (Unicode 15, table 3-7) at the front, or 0.
static size_t character_len(struct bytes text)
{
    const uint8_t first = text.ptr[0];
    uint8_t low = 0x80; // what the second byte may be
    uint8_t high = 0xbf;
    size_t len = 0;

    if (first < 0x80) {
        return 1;
    } else if (first >= 0xc2 && first <= 0xdf) {
        len = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        len = 3;
        low = first == 0xe0 ? 0xa0 : low;   // overlong
        high = first == 0xed ? 0x9f : high; // surrogates
    } else if (first >= 0xf0 && first <= 0xf4) {
        len = 4;
        low = first == 0xf0 ? 0x90 : low;   // overlong
        high = first == 0xf4 ? 0x8f : high; // beyond U+10FFFF
    }
    if (len == 0 || len > text.len || text.ptr[1] < low || text.ptr[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (text.ptr[i] < 0x80 || text.ptr[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}

// DEL and U+0080 to U+009F steer terminals as the characters below the space do.
static bool is_control(struct bytes character)
{
    const uint8_t first = character.ptr[0];

    return first < 0x20 || first == 0x7f || (first == 0xc2 && character.ptr[1] < 0xa0);
}

static void write_control(struct wr *wr, uint8_t code)
{
    switch (code) {
    case '\n':
        wr_text(wr, "\\n");
        break;
    case '\r':
        wr_text(wr, "\\r");
        break;
    case '\t':
        wr_text(wr, "\\t");
        break;
    default:
        wr_text(wr, "\\u00");
        wr_hex(wr, (struct bytes){&code, 1});
    }
}

// Writes the character at the front of `text`, or what stands for it; returns its length.
static size_t write_character(struct wr *wr, struct bytes text, bool is_quoted)
{
    const size_t len = character_len(text);

    if (len == 0) {
        wr_text(wr, REPLACEMENT);
        return 1;
    }
    if (is_control(text)) {
        write_control(wr, text.ptr[len - 1]);
        return len;
    }
    if (is_quoted && (text.ptr[0] == '"' || text.ptr[0] == '\\')) {
        wr_u8(wr, '\\');
    }
    wr_bytes(wr, bytes_first(text, len));
    return len;
}

static void write_text(struct state *state, struct bytes text, bool is_quoted)
{
    const size_t start = state->wr.len;

    if (is_quoted) {
        wr_u8(&state->wr, '"');
    }
    while (text.len > 0) {
        if (state->wr.len - start > LOG_LINE_TEXT_MAX - STEP_MAX) {
            wr_text(&state->wr, TRUNCATION_MARK);
            state->is_truncated = true;
            break;
        }
        text = bytes_from(text, write_character(&state->wr, text, is_quoted));
    }
    if (is_quoted) {
        wr_u8(&state->wr, '"');
    }
}

// A human line shows a value bare when it can be told from what stands around it.
static bool is_bare(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t byte = text.ptr[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\') {
            return false;
        }
    }
    return text.len > 0;
}

static void write_text_value(struct state *state, struct bytes text)
{
    write_text(state, text, state->format == LOG_LINE_JSON || !is_bare(text));
}

static void write_addr_value(struct state *state, const struct addr *addr)
{
    uint8_t text[ADDR_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof(text));

    addr_write(&wr, addr);
    assert(wr_ok(&wr));
    write_text_value(state, wr_done(&wr));
}

// "ECONNREFUSED: Connection refused", or "error 4711".
static void write_error_value(struct state *state, int error)
{
    uint8_t text[ERROR_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof(text));
    const uint32_t number = error < 0 ? 0U - (uint32_t)error : (uint32_t)error;
    const char *name = number <= INT32_MAX ? strerrorname_np((int)number) : NULL;

    if (name == NULL) {
        wr_text(&wr, "error ");
        wr_decimal(&wr, number);
    } else {
        wr_text(&wr, name);
        wr_text(&wr, ": ");
        wr_text(&wr, strerrordesc_np((int)number));
    }
    write_text_value(state, wr_done(&wr));
}

static void write_value(struct state *state, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_FIELD_END:
        assert(false);
        break;
    case LOG_FIELD_TEXT:
        write_text_value(state, field->text);
        break;
    case LOG_FIELD_NUMBER:
        wr_decimal(&state->wr, field->number);
        break;
    case LOG_FIELD_ADDR:
        write_addr_value(state, field->addr);
        break;
    case LOG_FIELD_ERROR:
        write_error_value(state, field->error);
        break;
    }
}

static void write_key(struct state *state, const char *key)
{
    wr_text(&state->wr, state->format == LOG_LINE_JSON ? ",\"" : " ");
    wr_text(&state->wr, key);
    wr_text(&state->wr, state->format == LOG_LINE_JSON ? "\":" : "=");
}

// A field is in the line as a whole or not at all.
static void write_field(struct state *state, const struct log_field *field)
{
    const struct wr before = state->wr;

    write_key(state, field->key);
    write_value(state, field);
    if (!wr_ok(&state->wr)) {
        state->wr = before;
        state->is_truncated = true;
    }
}

static void write_count(struct state *state, const char *key, uint64_t count)
{
    if (count > 0) {
        write_field(state,
                    &(struct log_field){.key = key, .kind = LOG_FIELD_NUMBER, .number = count});
    }
}

static void write_level(struct state *state, enum log_level level)
{
    static const struct {
        const char *colour, *label;
    } looks[] = {
        [LOG_LEVEL_ERROR] = {"\x1b[31m", "ERROR"}, [LOG_LEVEL_WARN] = {"\x1b[33m", " WARN"},
        [LOG_LEVEL_INFO] = {"\x1b[32m", " INFO"},  [LOG_LEVEL_DEBUG] = {"\x1b[34m", "DEBUG"},
        [LOG_LEVEL_TRACE] = {"\x1b[35m", "TRACE"},
    };

    assert((size_t)level < COUNT_OF(looks));
    wr_text(&state->wr, state->is_coloured ? looks[level].colour : "");
    wr_text(&state->wr, looks[level].label);
    wr_text(&state->wr, state->is_coloured ? "\x1b[0m" : "");
}

static void write_human_start(struct state *state, const struct log_line *line)
{
    wr_text(&state->wr, state->is_coloured ? "\x1b[2m" : "");
    write_time(&state->wr, line->wall_ms);
    wr_text(&state->wr, state->is_coloured ? "\x1b[0m" : "");
    wr_u8(&state->wr, ' ');
    write_level(state, line->level);
    wr_u8(&state->wr, ' ');
    write_text(state, bytes_of_text(line->message), false);
}

static void write_json_start(struct state *state, const struct log_line *line)
{
    wr_text(&state->wr, "{\"time\":\"");
    write_time(&state->wr, line->wall_ms);
    wr_text(&state->wr, "\",\"level\":\"");
    wr_text(&state->wr, log_level_text(line->level));
    wr_text(&state->wr, "\",\"message\":");
    write_text(state, bytes_of_text(line->message), true);
}

size_t log_line_write(uint8_t out[LOG_LINE_MAX], const struct log_line *line,
                      enum log_line_format format, bool is_coloured)
{
    struct state state = {.wr = wr_init(out, LOG_LINE_MAX - END_MAX),
                          .format = format,
                          .is_coloured = is_coloured && format == LOG_LINE_HUMAN};

    if (format == LOG_LINE_JSON) {
        write_json_start(&state, line);
    } else {
        write_human_start(&state, line);
    }
    assert(wr_ok(&state.wr));
    write_count(&state, "suppressed", line->suppressed_count);
    write_count(&state, "dropped", line->dropped_count);
    for (const struct log_field *field = line->fields; field->kind != LOG_FIELD_END; field++) {
        write_field(&state, field);
    }
    state.wr.room += END_MAX;
    if (state.is_truncated) {
        write_key(&state, "truncated");
        wr_text(&state.wr, "true");
    }
    wr_text(&state.wr, format == LOG_LINE_JSON ? "}\n" : "\n");
    assert(wr_ok(&state.wr));
    assert(state.wr.len <= LOG_LINE_MAX);
    return state.wr.len;
}

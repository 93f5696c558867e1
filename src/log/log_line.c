// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "log/log_line.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

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

const char *const log_line_formats[LOG_LINE_FORMAT_COUNT] = {
    [LOG_LINE_HUMAN] = "human",
    [LOG_LINE_JSON] = "json",
    [LOG_LINE_GOOGLE_CLOUD] = "google-cloud",
};

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
    const size_t len = utf8_len(text);

    if (len == 0) {
        wr_text(wr, REPLACEMENT);
        return 1;
    }
    if (utf8_is_control(text)) {
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
    write_text(state, text, state->format != LOG_LINE_HUMAN || !is_bare(text));
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
    wr_text(&state->wr, state->format != LOG_LINE_HUMAN ? ",\"" : " ");
    wr_text(&state->wr, key);
    wr_text(&state->wr, state->format != LOG_LINE_HUMAN ? "\":" : "=");
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
    if (line->target.len > 0) {
        wr_text(&state->wr, ",\"target\":");
        write_text(state, line->target, true);
    }
}

// Google Cloud takes these out of the entry by the names that it gives them.
static void write_google_cloud_start(struct state *state, const struct log_line *line)
{
    static const char *const severities[] = {
        [LOG_LEVEL_ERROR] = "ERROR", [LOG_LEVEL_WARN] = "WARNING", [LOG_LEVEL_INFO] = "INFO",
        [LOG_LEVEL_DEBUG] = "DEBUG", [LOG_LEVEL_TRACE] = "DEBUG",
    };

    assert((size_t)line->level < COUNT_OF(severities));
    wr_text(&state->wr, "{\"severity\":\"");
    wr_text(&state->wr, severities[line->level]);
    wr_text(&state->wr, "\",\"time\":\"");
    write_time(&state->wr, line->wall_ms);
    wr_text(&state->wr, "\",\"message\":");
    write_text(state, bytes_of_text(line->message), true);
    if (line->target.len > 0) {
        wr_text(&state->wr, ",\"logging.googleapis.com/labels\":{\"target\":");
        write_text(state, line->target, true);
        wr_u8(&state->wr, '}');
    }
}

static void write_start(struct state *state, const struct log_line *line)
{
    switch (state->format) {
    case LOG_LINE_HUMAN:
        write_human_start(state, line);
        break;
    case LOG_LINE_JSON:
        write_json_start(state, line);
        break;
    case LOG_LINE_GOOGLE_CLOUD:
        write_google_cloud_start(state, line);
        break;
    }
}

size_t log_line_write(uint8_t out[LOG_LINE_MAX], const struct log_line *line,
                      enum log_line_format format, bool is_coloured)
{
    struct state state = {.wr = wr_init(out, LOG_LINE_MAX - END_MAX),
                          .format = format,
                          .is_coloured = is_coloured && format == LOG_LINE_HUMAN};

    write_start(&state, line);
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
    wr_text(&state.wr, format != LOG_LINE_HUMAN ? "}\n" : "\n");
    assert(wr_ok(&state.wr));
    assert(state.wr.len <= LOG_LINE_MAX);
    return state.wr.len;
}

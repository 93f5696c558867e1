// SPDX-License-Identifier: Apache-2.0
#include "log/log_directives.h"

#include <assert.h>
#include <string.h>

enum { LEVEL_COUNT = LOG_LEVEL_TRACE + 1 };

// "off", a level's word or its digit, as the number of levels that pass.
static bool read_level(struct bytes word, uint8_t *out)
{
    enum log_level level = LOG_LEVEL_ERROR;
    uint64_t digit = 0;

    if (bytes_equal_text(word, "off") || bytes_equal_text(word, "OFF")) {
        *out = 0;
    } else if (log_level_read(word, &level)) {
        *out = (uint8_t)(level + 1);
    } else if (word.len == 1 && bytes_to_number(word, LEVEL_COUNT, &digit)) {
        *out = (uint8_t)digit;
    } else {
        return false;
    }
    return true;
}

// What names of targets are made of: paths of modules and files, and names that people give.
static bool is_target(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t byte = text.ptr[i];
        const uint8_t letter = byte | 0x20;
        if ((letter < 'a' || letter > 'z') && (byte < '0' || byte > '9') && byte != '_' &&
            byte != ':' && byte != '-' && byte != '.' && byte != '/') {
            return false;
        }
    }
    return true;
}

// The item of that target, which is a new one when none has it; NULL when there is no room.
static struct log_directive *find_or_add(struct log_directives *directives, struct bytes target)
{
    for (size_t i = 0; i < directives->count; i++) {
        struct log_directive *item = &directives->items[i];
        if (bytes_equal((struct bytes){item->target, item->target_len}, target)) {
            return item;
        }
    }
    if (directives->count == LOG_DIRECTIVES_MAX) {
        return NULL;
    }
    struct log_directive *item = &directives->items[directives->count++];
    assert(target.len <= sizeof item->target);
    memcpy(item->target, target.ptr, target.len);
    item->target_len = (uint8_t)target.len;
    return item;
}

// Reads one directive without spaces around it; what is wrong with it, or NULL.
static const char *read_directive(struct bytes text, struct log_directives *directives)
{
    uint8_t level_count = LEVEL_COUNT;

    if (read_level(text, &level_count)) {
        directives->otherwise = level_count;
        return NULL;
    }
    const size_t bracket = bytes_index(text, '[');
    const bool has_span = bracket < text.len;
    const struct bytes span = bytes_from(text, bracket);
    const size_t span_len = bytes_index(span, ']');
    if (has_span && span_len == span.len) {
        return "has a [ without its ]";
    }
    struct bytes rest = has_span ? bytes_from(span, span_len + 1) : text;
    const size_t equals = bytes_index(rest, '=');
    if (has_span && equals > 0 && rest.len > 0) {
        return "has something else than = behind its ]";
    }
    const struct bytes target = bytes_first(text, has_span ? bracket : equals);
    const struct bytes word = bytes_from(rest, equals + 1);
    if (!is_target(target) || (target.len == 0 && !has_span)) {
        return "is no directive; one is LEVEL, TARGET or TARGET=LEVEL";
    }
    if (word.len > 0 && !read_level(word, &level_count)) {
        return "has no level out of off, error, warn, info, debug and trace";
    }
    if (target.len > LOG_DIRECTIVES_TARGET_MAX) {
        return "has a target of more than 64 bytes";
    }
    if (has_span) {
        return NULL;
    }
    struct log_directive *item = find_or_add(directives, target);
    if (item == NULL) {
        return "is one target more than the 32 there may be";
    }
    item->level_count = level_count;
    return NULL;
}

// The bytes up to the comma that ends the first directive, which is none within a span's brackets.
static size_t directive_len(struct bytes text)
{
    bool is_in_span = false;

    for (size_t i = 0; i < text.len; i++) {
        is_in_span = text.ptr[i] == '[' || (is_in_span && text.ptr[i] != ']');
        if (text.ptr[i] == ',' && !is_in_span) {
            return i;
        }
    }
    return text.len;
}

struct log_directives_error log_directives_read(struct bytes text, struct log_directives *out)
{
    struct log_directives directives = log_directives_of_level(LOG_LEVEL_INFO);

    if (text.len > LOG_DIRECTIVES_TEXT_MAX) {
        return (struct log_directives_error){"is longer than 1024 bytes", text};
    }
    while (text.len > 0) {
        const size_t len = directive_len(text);
        const struct bytes part = bytes_trim(bytes_first(text, len));
        const char *predicate = part.len > 0 ? read_directive(part, &directives) : NULL;
        if (predicate != NULL) {
            return (struct log_directives_error){predicate, part};
        }
        text = bytes_from(text, len + 1);
    }
    *out = directives;
    return (struct log_directives_error){0};
}

_Static_assert(LOG_DIRECTIVES_TEXT_MAX == 1024, "a message says how many");
_Static_assert(LOG_DIRECTIVES_TARGET_MAX == 64, "a message says how many");
_Static_assert(LOG_DIRECTIVES_MAX == 32, "a message says how many");

struct log_directives log_directives_of_level(enum log_level level)
{
    assert((size_t)level < LEVEL_COUNT);
    return (struct log_directives){.otherwise = (uint8_t)(level + 1)};
}

bool log_directives_allow(const struct log_directives *directives, struct bytes target,
                          enum log_level level)
{
    uint8_t level_count = directives->otherwise;
    size_t longest = 0;

    for (size_t i = 0; i < directives->count; i++) {
        const struct log_directive *item = &directives->items[i];
        const struct bytes prefix = {item->target, item->target_len};
        if (item->target_len > longest && bytes_equal(bytes_first(target, prefix.len), prefix)) {
            longest = item->target_len;
            level_count = item->level_count;
        }
    }
    return (uint8_t)level < level_count;
}

// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_facts.h"

#include <stdbool.h>
#include <string.h>

#include "daemon/daemon_json.h"

// A character is six bytes at most, and what is put around a line is less than this.
enum { LINE_MORE = 64, CHARACTER_MAX = 6 };

static const char indent[] = "  ";
static const char dash[] = "- ";

size_t daemon_facts_text_max(size_t len)
{
    return (len + 1) * (LINE_MORE + CHARACTER_MAX);
}

static bool begins_with(struct bytes text, const char *start)
{
    return bytes_equal_text(bytes_first(text, strlen(start)), start);
}

static struct bytes take_line(struct bytes *text)
{
    const struct bytes line = bytes_first(*text, bytes_index(*text, '\n'));

    *text = bytes_from(*text, line.len + 1);
    return line;
}

// "free pairs" is the key "free_pairs".
static void key_write(struct wr *wr, struct bytes name)
{
    wr_u8(wr, '"');
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.ptr[i];
        const bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        wr_u8(wr, is_plain ? c : '_');
    }
    wr_text(wr, "\":");
}

// "name: value"
static void fact_write(struct wr *wr, struct bytes line, bool has_numbers)
{
    const struct bytes name = bytes_first(line, bytes_index(line, ':'));
    const struct bytes value = bytes_trim(bytes_from(line, name.len + 1));
    uint64_t number = 0;

    key_write(wr, name);
    if (has_numbers && bytes_to_number(value, UINT64_MAX, &number)) {
        wr_decimal(wr, number);
    } else {
        daemon_json_string_write(wr, value);
    }
}

void daemon_facts_status_write(struct wr *wr, struct bytes text)
{
    bool is_first = true;

    wr_u8(wr, '{');
    while (text.len > 0) {
        const struct bytes line = take_line(&text);
        if (line.len > 0) {
            wr_text(wr, is_first ? "" : ",");
            fact_write(wr, line, true);
            is_first = false;
        }
    }
    wr_text(wr, "}\n");
}

void daemon_facts_why_write(struct wr *wr, struct bytes text)
{
    bool is_open = false;

    wr_text(wr, "{\"findings\":[");
    while (text.len > 0) {
        const struct bytes line = take_line(&text);
        if (line.len == 0) {
            continue;
        }
        if (is_open && begins_with(line, indent)) {
            wr_u8(wr, ',');
            fact_write(wr, bytes_trim(line), false);
            continue;
        }
        wr_text(wr, is_open ? "},{\"what\":" : "{\"what\":");
        daemon_json_string_write(wr, begins_with(line, dash) ? bytes_from(line, strlen(dash))
                                                             : bytes_trim(line));
        is_open = true;
    }
    wr_text(wr, is_open ? "}]}\n" : "]}\n");
}

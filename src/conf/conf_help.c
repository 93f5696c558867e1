// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_help.h"

#include <assert.h>

enum {
    COLUMN_COUNT = 79, // of 80: one is kept free
    OPTION_INDENT = 2,
    TEXT_INDENT = 10,
};

// Fills lines with words.
struct wrap {
    struct wr *wr;
    size_t indent; // columns before every line
    size_t column; // columns used in this line; 0: it has not begun
};

static void spaces_write(struct wr *wr, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wr_u8(wr, ' ');
    }
}

// A word that is longer than a line has one for itself.
static void word_write(struct wrap *wrap, struct bytes word)
{
    if (wrap->column > 0 && wrap->column + 1 + word.len > COLUMN_COUNT) {
        wr_u8(wrap->wr, '\n');
        wrap->column = 0;
    }
    if (wrap->column == 0) {
        spaces_write(wrap->wr, wrap->indent);
        wrap->column = wrap->indent;
    } else {
        wr_u8(wrap->wr, ' ');
        wrap->column++;
    }
    wr_bytes(wrap->wr, word);
    wrap->column += word.len;
}

static void words_write(struct wrap *wrap, const char *text)
{
    struct bytes left = bytes_of_text(text);

    while (left.len > 0) {
        size_t len = bytes_index(left, ' ');
        if (len > 0) {
            word_write(wrap, bytes_first(left, len));
        }
        left = bytes_from(left, len + 1);
    }
}

static void end_write(struct wrap *wrap)
{
    if (wrap->column > 0) {
        wr_u8(wrap->wr, '\n');
        wrap->column = 0;
    }
}

static void paragraph_write(struct wr *wr, size_t indent, const char *text)
{
    struct wrap wrap = {.wr = wr, .indent = indent};

    words_write(&wrap, text);
    end_write(&wrap);
}

// Writes "[label: text]" on lines of its own.
static void note_write(struct wr *wr, const char *label, const char *text)
{
    struct wrap wrap = {.wr = wr, .indent = TEXT_INDENT};

    words_write(&wrap, label);
    words_write(&wrap, text);
    wr_u8(wr, ']'); // the last column is kept free for it
    end_write(&wrap);
}

static void option_write(struct wr *wr, const struct conf_option *option)
{
    struct wrap wrap = {.wr = wr, .indent = TEXT_INDENT};
    const char *note = option->default_note;

    spaces_write(wr, OPTION_INDENT);
    if (option->short_name != 0) {
        wr_u8(wr, '-');
        wr_u8(wr, (uint8_t)option->short_name);
        wr_text(wr, ", ");
    }
    wr_text(wr, "--");
    wr_text(wr, option->name);
    if (option->placeholder != NULL) {
        wr_u8(wr, ' ');
        wr_text(wr, option->placeholder);
    }
    wr_u8(wr, '\n');
    words_write(&wrap, option->help);
    if (option->is_repeated) {
        words_write(&wrap, "May be repeated.");
    }
    end_write(&wrap);
    if (note == NULL) {
        note = option->default_text;
    }
    if (note != NULL) {
        note_write(wr, "[default:", note);
    }
    if (option->environment != NULL) {
        note_write(wr, "[environment:", option->environment);
    }
}

static void usage_write(struct wr *wr, const struct conf_table *table, const char *name)
{
    wr_text(wr, "Usage: ");
    wr_text(wr, name);
    wr_text(wr, " [OPTIONS]");
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_option *option = &table->options[i];
        if (option->is_positional) {
            const bool is_needed = option->default_text == NULL && option->default_note == NULL;
            wr_text(wr, is_needed ? " " : " [");
            wr_text(wr, option->placeholder);
            wr_text(wr, is_needed ? "" : "]");
            wr_text(wr, option->is_repeated ? "..." : "");
        }
    }
    wr_u8(wr, '\n');
}

void conf_help_write(struct wr *wr, const struct conf_table *table,
                     const struct conf_program *program)
{
    const char *group = NULL;

    assert(program->name != NULL);
    assert(program->summary != NULL);
    paragraph_write(wr, 0, program->summary);
    wr_u8(wr, '\n');
    usage_write(wr, table, program->name);
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_option *option = &table->options[i];
        if (group == NULL || !bytes_equal_text(bytes_of_text(group), option->group)) {
            group = option->group;
            wr_u8(wr, '\n');
            wr_text(wr, group);
            wr_text(wr, ":\n");
        }
        option_write(wr, option);
    }
    if (program->note != NULL) {
        wr_u8(wr, '\n');
        paragraph_write(wr, 0, program->note);
    }
}

// SPDX-License-Identifier: Apache-2.0
// Each option is a line of its names and a text below it, indented by a tab. "++" at a line's end
// is scdoc's line break, behind which the text goes on without a tab. A backslash takes a
// character's meaning away.
#include "conf/conf_scdoc.h"

#include <assert.h>

// The dot stands in neither set: escaped, it would reach roff as it is and begin a request there;
// unescaped, scdoc takes care of it.
void conf_scdoc_text_write(struct wr *wr, const char *text)
{
    static const struct bytes special = BYTES_LITERAL("\\_*+");
    static const struct bytes special_first = BYTES_LITERAL("#-|[];`");
    struct bytes left = bytes_of_text(text);

    for (size_t i = 0; i < left.len; i++) {
        assert(left.ptr[i] >= ' ');
        if (bytes_index(special, left.ptr[i]) < special.len ||
            (i == 0 && bytes_index(special_first, left.ptr[i]) < special_first.len)) {
            wr_u8(wr, '\\');
        }
        wr_u8(wr, left.ptr[i]);
    }
}

static void bold_write(struct wr *wr, const char *dashes, const char *text)
{
    wr_u8(wr, '*');
    wr_text(wr, dashes);
    conf_scdoc_text_write(wr, text);
    wr_u8(wr, '*');
}

// A heading stands in capitals.
static void group_write(struct wr *wr, const char *group)
{
    wr_text(wr, "\n## ");
    for (size_t i = 0; group[i] != '\0'; i++) {
        char letter = group[i];
        wr_u8(wr, (uint8_t)(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter));
    }
    wr_u8(wr, '\n');
}

static void names_write(struct wr *wr, const struct conf_option *option)
{
    if (option->short_name != 0) {
        const char letter[] = {option->short_name, '\0'};
        bold_write(wr, "-", letter);
        wr_text(wr, ", ");
    }
    bold_write(wr, "--", option->name);
    if (option->placeholder != NULL) {
        wr_text(wr, " _");
        conf_scdoc_text_write(wr, option->placeholder);
        wr_u8(wr, '_');
    }
    wr_u8(wr, '\n');
}

static void option_write(struct wr *wr, const struct conf_option *option)
{
    const char *note = option->default_note != NULL ? option->default_note : option->default_text;

    wr_u8(wr, '\n');
    names_write(wr, option);
    wr_u8(wr, '\t');
    conf_scdoc_text_write(wr, option->help);
    if (option->is_repeated) {
        wr_text(wr, " May be repeated.");
    }
    if (option->is_reloaded) {
        wr_text(wr, " Reloaded.");
    }
    if (note != NULL) {
        wr_text(wr, "++\nDefault: ");
        conf_scdoc_text_write(wr, note);
    }
    if (option->environment != NULL) {
        wr_text(wr, "++\nEnvironment: ");
        bold_write(wr, "", option->environment);
    }
    wr_u8(wr, '\n');
}

void conf_scdoc_write(struct wr *wr, const struct conf_table *table)
{
    const char *group = NULL;

    wr_text(wr, "# OPTIONS\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_option *option = &table->options[i];
        if (group == NULL || !bytes_equal_text(bytes_of_text(group), option->group)) {
            group = option->group;
            group_write(wr, group);
        }
        option_write(wr, option);
    }
}

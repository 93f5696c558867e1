// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_error.h"

#include <assert.h>

#include "base/plain.h"
#include "conf/conf_value.h"

void conf_error_add(struct conf_errors *errors, const struct conf_error *error)
{
    assert(errors->count <= CONF_ERROR_MAX);
    if (errors->count == CONF_ERROR_MAX) {
        errors->left_off++;
        return;
    }
    struct conf_error *item = &errors->items[errors->count++];
    *item = *error;
    if (item->option != NULL && item->option->is_secret) {
        item->given = (struct bytes){0};
    }
}

void conf_error_value(struct conf_errors *errors, const struct conf_value *value,
                      const char *predicate)
{
    conf_error_add(errors, &(struct conf_error){
                               .wrong = CONF_WRONG_VALUE,
                               .place = value->place,
                               .option = value->option,
                               .given = value->text,
                               .wanted = {predicate},
                           });
}

void conf_error_missing(struct conf_errors *errors, const struct conf_option *option)
{
    conf_error_add(errors, &(struct conf_error){.wrong = CONF_WRONG_MISSING, .option = option});
}

// Writes up to `max` bytes of what was given.
static void given_write(struct wr *wr, struct bytes text, size_t max)
{
    plain_write(wr, bytes_first(text, max));
    if (text.len > max) {
        wr_text(wr, "...");
    }
}

static void quoted_write(struct wr *wr, struct bytes text)
{
    wr_u8(wr, '\'');
    given_write(wr, text, CONF_ERROR_QUOTE_MAX);
    wr_u8(wr, '\'');
}

static void wanted_write(struct wr *wr, const struct conf_wanted *wanted)
{
    wr_text(wr, wanted->predicate);
    if (wanted->max > 0) {
        wr_text(wr, " from ");
        wr_decimal(wr, wanted->min);
        wr_text(wr, " to ");
        wr_decimal(wr, wanted->max);
        wr_text(wr, wanted->unit);
    }
    for (size_t i = 0; i < wanted->word_count; i++) {
        wr_text(wr, i == 0 ? ": " : ", ");
        wr_text(wr, wanted->words[i]);
    }
}

static void value_write(struct wr *wr, const struct conf_error *error)
{
    assert(error->option != NULL);
    assert(error->wanted.predicate != NULL);
    if (error->option->is_secret) {
        wr_text(wr, "the value");
    } else {
        quoted_write(wr, error->given);
    }
    wr_u8(wr, ' ');
    wanted_write(wr, &error->wanted);
}

// How an option is given in the source that has the mistake.
static void example_write(struct wr *wr, const struct conf_option *option, enum conf_source source)
{
    assert(option != NULL);
    wr_text(wr, source == CONF_FILE ? "" : "--");
    wr_text(wr, option->name);
    wr_text(wr, source == CONF_FILE ? " = " : "=");
    wr_text(wr, option->placeholder != NULL ? option->placeholder : "true");
}

static void name_write(struct wr *wr, const struct conf_error *error)
{
    bool is_key = error->place.source == CONF_FILE;

    wr_text(wr, is_key ? "unknown key" : "unknown option");
    if (error->nearest != NULL || error->is_surely_name) {
        wr_u8(wr, ' ');
        quoted_write(wr, error->given);
    } // else not repeated: it may be a password that ends with an equals sign
    if (error->nearest == NULL) {
        wr_text(wr, "; --help lists all options");
        return;
    }
    wr_text(wr, is_key ? "; did you mean '" : "; did you mean '--");
    wr_text(wr, error->nearest->name);
    wr_text(wr, "'?");
}

static void twice_write(struct wr *wr, const struct conf_error *error)
{
    wr_text(wr, "given twice, but takes one value; the first is ");
    wr_text(wr, error->place.source == CONF_FILE ? "in line " : "argument ");
    wr_decimal(wr, error->first_number);
}

static void in_file_write(struct wr *wr, const struct conf_option *option)
{
    assert(option != NULL);
    wr_text(wr, "is no key for the file; give it on the command line");
    if (option->environment != NULL) {
        wr_text(wr, " or as ");
        wr_text(wr, option->environment);
        wr_text(wr, " in the environment");
    }
}

static void room_write(struct wr *wr, const struct conf_error *error)
{
    if (error->wanted.max > 0) {
        wr_text(wr, "there is room for ");
        wr_decimal(wr, error->wanted.max);
        wr_text(wr, " values of all options together");
        return;
    }
    wr_text(wr, "there is no room for so much behind backslashes; put it into the file");
}

static void missing_write(struct wr *wr, const struct conf_option *option)
{
    assert(option != NULL);
    wr_text(wr, "must be given");
    if (!option->is_positional) {
        wr_text(wr, ": ");
        example_write(wr, option, CONF_COMMAND_LINE);
    }
    if (option->environment != NULL) {
        wr_text(wr, ", or ");
        wr_text(wr, option->environment);
        wr_text(wr, " in the environment");
    }
    if (!option->is_outside_file) {
        wr_text(wr, ", or ");
        wr_text(wr, option->name);
        wr_text(wr, " in the file");
    }
}

static void wrong_write(struct wr *wr, const struct conf_error *error)
{
    switch (error->wrong) {
    case CONF_WRONG_VALUE:
        value_write(wr, error);
        return;
    case CONF_WRONG_NAME:
        name_write(wr, error);
        return;
    case CONF_WRONG_POSITIONAL:
        wr_text(wr, "this argument belongs to no option; a value with blanks needs quotes");
        return;
    case CONF_WRONG_NO_VALUE:
        wr_text(wr, "the value is missing; write ");
        example_write(wr, error->option, error->place.source);
        return;
    case CONF_WRONG_EMPTY:
        wr_text(wr, "an empty value; a comma stands between values, and \\, is a comma in one");
        return;
    case CONF_WRONG_TWICE:
        twice_write(wr, error);
        return;
    case CONF_WRONG_IN_FILE:
        in_file_write(wr, error->option);
        return;
    case CONF_WRONG_SECTION:
        wr_u8(wr, '[');
        given_write(wr, error->given, CONF_ERROR_QUOTE_MAX);
        wr_text(wr, "] ");
        wanted_write(wr, &error->wanted);
        return;
    case CONF_WRONG_IN_SECTION:
        wr_text(wr, "is of the whole file; it stands above the first heading");
        return;
    case CONF_WRONG_LINE:
        wr_text(wr, "this line is neither 'key = value' nor a '# comment'");
        return;
    case CONF_WRONG_BYTE:
        wr_text(wr, "this line has a NUL byte, but configuration is text");
        return;
    case CONF_WRONG_LENGTH:
        wr_text(wr, "this line is too long; the limit is ");
        wr_decimal(wr, error->wanted.max);
        wr_text(wr, " bytes");
        return;
    case CONF_WRONG_QUOTE:
        wr_text(wr, "the value begins with a double quote but does not end with one");
        return;
    case CONF_WRONG_ESCAPE:
        wr_text(wr, "a backslash stands only before a comma or a backslash; write \\\\ for one");
        return;
    case CONF_WRONG_ROOM:
        room_write(wr, error);
        return;
    case CONF_WRONG_MISSING:
        missing_write(wr, error->option);
        return;
    }
    assert(!"an error says what is wrong");
}

static void place_write(struct wr *wr, const struct conf_error *error, const char *file_name)
{
    switch (error->place.source) {
    case CONF_DEFAULT:
        wr_text(wr, " (default)");
        return;
    case CONF_FILE:
        wr_text(wr, " (");
        given_write(wr, bytes_of_text(file_name != NULL ? file_name : "file"), CONF_ERROR_FILE_MAX);
        wr_text(wr, ", line ");
        break;
    case CONF_ENVIRONMENT:
        assert(error->option != NULL);
        wr_text(wr, " (environment, ");
        wr_text(wr, error->option->environment);
        if (!error->option->is_repeated) {
            wr_u8(wr, ')');
            return;
        }
        wr_text(wr, ", value ");
        break;
    case CONF_COMMAND_LINE:
        wr_text(wr, " (command line, argument ");
        break;
    }
    wr_decimal(wr, error->place.number);
    wr_u8(wr, ')');
}

void conf_error_write(const struct conf_errors *errors, size_t index, struct wr *wr)
{
    assert(index < errors->count);
    const struct conf_error *error = &errors->items[index];

    if (error->wrong == CONF_WRONG_MISSING && error->option->is_positional) {
        wr_text(wr, error->option->placeholder);
        wr_text(wr, ": ");
    } else if (error->option != NULL) {
        wr_text(wr, "--");
        wr_text(wr, error->option->name);
        wr_text(wr, ": ");
    }
    wrong_write(wr, error);
    if (error->wrong != CONF_WRONG_MISSING) {
        place_write(wr, error, errors->file_name);
    }
}

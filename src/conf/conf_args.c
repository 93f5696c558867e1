// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_args.h"

#include <assert.h>

#include "base/ascii.h"
#include "conf/conf_suggest.h"

enum { NAME_MAX_LEN = 24 }; // bytes of an unknown option that is repeated

// A walk over the arguments.
struct walk {
    struct conf *conf;
    char *const *argv;
    size_t count;
    size_t at;               // the argument that is being read
    size_t gap;              // the last one whose value is missing, or 0
    size_t positional_count; // arguments without a name so far
};

static const struct bytes true_text = BYTES_LITERAL("true");

static struct conf_place place(const struct walk *walk)
{
    return (struct conf_place){.source = CONF_COMMAND_LINE, .number = walk->at};
}

static void add(struct walk *walk, const struct conf_option *option, size_t number,
                struct bytes text)
{
    conf_add(walk->conf, &(struct conf_value){
                             .option = option,
                             .place = {.source = CONF_COMMAND_LINE, .number = number},
                             .text = text,
                         });
}

static void add_error(struct walk *walk, enum conf_wrong wrong, const struct conf_option *option)
{
    conf_error_add(&walk->conf->errors, &(struct conf_error){
                                            .wrong = wrong,
                                            .place = place(walk),
                                            .option = option,
                                        });
}

static bool has_two_dashes(struct bytes argument)
{
    return argument.len >= 2 && argument.ptr[0] == '-' && argument.ptr[1] == '-';
}

// Whether what was written is the name of an option alone, not a value, which may be a secret: it
// looks like one of ours, and does not stand where a value is missing.
static bool is_surely_name(const struct walk *walk, struct bytes written)
{
    const struct bytes name = bytes_from(written, 2);

    if (walk->gap > 0 && walk->at == walk->gap + 1) {
        return false;
    }
    if (written.len == 2) { // "-x", all of the argument
        return ascii_is_alphanumeric(written.ptr[1]) && walk->argv[walk->at][2] == '\0';
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!(name.ptr[i] >= 'a' && name.ptr[i] <= 'z') && (i == 0 || name.ptr[i] != '-')) {
            return false;
        }
    }
    return has_two_dashes(written) && name.len <= NAME_MAX_LEN;
}

// `written` is the argument with its dashes, `name` what was meant to be the option's name.
static void add_unknown(struct walk *walk, struct bytes written, struct bytes name)
{
    const struct conf_table *table = walk->conf->table;
    struct bytes known = bytes_first(name, conf_option_name_len(name));
    const struct conf_option *option = conf_option_find(table, known);

    if (option != NULL && known.len < name.len) { // "--user:alice", "--user alice" in one argument
        add_error(walk, CONF_WRONG_NO_VALUE, option);
        return;
    }
    conf_error_add(&walk->conf->errors,
                   &(struct conf_error){
                       .wrong = CONF_WRONG_NAME,
                       .place = place(walk),
                       .nearest = conf_suggest(table, known),
                       .given = bytes_first(written, conf_option_name_len(written)),
                       .is_surely_name = is_surely_name(walk, written),
                   });
}

// The value of an option that was named, when it does not stand in the same argument.
static void read_value(struct walk *walk, const struct conf_option *option)
{
    const size_t number = walk->at;

    if (option->placeholder == NULL) {
        add(walk, option, number, true_text);
    } else if (walk->at + 1 == walk->count ||
               has_two_dashes(bytes_of_text(walk->argv[walk->at + 1]))) {
        add_error(walk, CONF_WRONG_NO_VALUE, option);
        walk->gap = walk->at;
    } else {
        walk->at++;
        add(walk, option, number, bytes_of_text(walk->argv[walk->at]));
    }
}

// "--name", "--name=value".
static void read_long(struct walk *walk, struct bytes argument)
{
    size_t equals = bytes_index(argument, '=');
    struct bytes written = bytes_first(argument, equals);
    struct bytes name = bytes_from(written, 2);
    const struct conf_option *option = conf_option_find(walk->conf->table, name);

    if (option == NULL) {
        add_unknown(walk, written, name);
    } else if (equals < argument.len) {
        add(walk, option, walk->at, bytes_from(argument, equals + 1));
    } else {
        read_value(walk, option);
    }
}

// "-h", "-k value", "-kvalue", "-k=value". Flags are not bundled: there are too few to be worth it.
static void read_short(struct walk *walk, struct bytes argument)
{
    assert(argument.len >= 2);
    const struct conf_option *option =
        conf_option_find_short(walk->conf->table, (char)argument.ptr[1]);

    if (option == NULL || (option->placeholder == NULL && argument.len > 2)) {
        struct bytes written = bytes_first(argument, conf_option_name_len(argument));
        add_unknown(walk, written, bytes_from(written, 1));
    } else if (argument.len > 2) {
        const bool has_equals = argument.ptr[2] == '=';
        add(walk, option, walk->at, bytes_from(argument, has_equals ? 3 : 2));
    } else {
        read_value(walk, option);
    }
}

static void read_positional(struct walk *walk, struct bytes argument)
{
    const struct conf_option *option =
        conf_option_find_positional(walk->conf->table, walk->positional_count);

    walk->positional_count++;
    if (option == NULL) {
        // Not repeated in the message: it may be the half of a password with a space in it.
        add_error(walk, CONF_WRONG_POSITIONAL, NULL);
        return;
    }
    add(walk, option, walk->at, argument);
}

void conf_args_read(struct conf *conf, int argc, char *const *argv)
{
    struct walk walk = {.conf = conf, .argv = argv, .count = argc > 0 ? (size_t)argc : 0};
    bool are_options_over = false;

    assert(conf->reading == CONF_COMMAND_LINE);
    for (walk.at = 1; walk.at < walk.count; walk.at++) {
        struct bytes argument = bytes_of_text(argv[walk.at]);

        if (are_options_over || argument.len < 2 || argument.ptr[0] != '-') {
            read_positional(&walk, argument);
        } else if (bytes_equal_text(argument, "--")) {
            are_options_over = true;
        } else if (has_two_dashes(argument)) {
            read_long(&walk, argument);
        } else {
            read_short(&walk, argument);
        }
    }
}

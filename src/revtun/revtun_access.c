// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_access.h"

#include <assert.h>
#include <string.h>

#include "base/plain.h"
#include "base/siphash.h"
#include "revtun/revtun_fields.h"

enum { GIVEN_MAX = 48 }; // bytes of what was given that a message repeats

// What is being read.
struct reading {
    struct revtun_access *access;
    struct revtun_access_mistakes *mistakes;
    size_t line; // from 1
};

// Takes a line off the text; false at its end.
static bool line_take(struct bytes *text, struct bytes *line)
{
    const size_t len = bytes_index(*text, '\n');

    if (text->len == 0) {
        return false;
    }
    *line = bytes_first(*text, len);
    *text = bytes_from(*text, len + 1);
    return true;
}

// Takes a word off a line; it is empty at the end.
static struct bytes word_take(struct bytes *line)
{
    size_t len = 0;

    *line = bytes_trim(*line);
    while (len < line->len && line->ptr[len] != ' ' && line->ptr[len] != '\t') {
        len++;
    }
    const struct bytes word = bytes_first(*line, len);
    *line = bytes_from(*line, len);
    return word;
}

// Notes a mistake; answers false, so that one can return it.
static bool is_wrong(struct reading *reading, enum revtun_access_wrong wrong, struct bytes given)
{
    struct revtun_access_mistakes *mistakes = reading->mistakes;

    if (mistakes->count == REVTUN_ACCESS_MISTAKE_MAX) {
        mistakes->left_off++;
        return false;
    }
    mistakes->items[mistakes->count++] =
        (struct revtun_access_mistake){.wrong = wrong, .line = reading->line, .given = given};
    return false;
}

// --- finding ------------------------------------------------------------------------------------

// Whom an entry is of: a token by its name, a certificate by its hash.
struct agent {
    enum revtun_access_kind kind;
    struct bytes key; // empty: any certificate
};

static struct agent agent_of(const struct revtun_access_entry *entry)
{
    switch (entry->kind) {
    case REVTUN_ACCESS_TOKEN:
        return (struct agent){entry->kind, entry->id};
    case REVTUN_ACCESS_CERT:
        return (struct agent){entry->kind, {entry->hash, sizeof entry->hash}};
    case REVTUN_ACCESS_ANY_CERT:
        break;
    }
    return (struct agent){.kind = entry->kind};
}

// Where those who have its hash are begun with. The list is the operator's own, so that no secret
// is needed to spread it.
static size_t *first_of(const struct revtun_access *access, const struct agent *agent)
{
    const struct siphash_key key = {(uint64_t)agent->kind, 0};

    return &access->entries[siphash(&key, agent->key) % access->capacity].first_here;
}

static const struct revtun_access_entry *find(const struct revtun_access *access,
                                              const struct agent *agent)
{
    if (access->count == 0) {
        return NULL;
    }
    for (size_t i = *first_of(access, agent); i != 0; i = access->entries[i - 1].next) {
        const struct revtun_access_entry *entry = &access->entries[i - 1];
        const struct agent other = agent_of(entry);

        if (other.kind == agent->kind && bytes_equal(other.key, agent->key)) {
            return entry;
        }
    }
    return NULL;
}

static void add(struct revtun_access *access, const struct revtun_access_entry *entry)
{
    struct revtun_access_entry *place = &access->entries[access->count++];
    const size_t first_here = place->first_here; // of others, whose hash is of this place

    *place = *entry;
    place->first_here = first_here;
    const struct agent agent = agent_of(place);
    size_t *first = first_of(access, &agent);
    place->next = *first;
    *first = access->count;
}

static void clear(struct revtun_access *access)
{
    access->count = 0;
    for (size_t i = 0; i < access->capacity; i++) {
        access->entries[i].first_here = 0;
    }
}

// --- what an agent may have ---------------------------------------------------------------------

enum key {
    KEY_NAMES,
    KEY_PORTS,
    KEY_SNI,
    KEY_TUNNELS,
    KEY_HOSTS,
    KEY_CONNECTIONS,
    KEY_COUNT,
};

static const char *const key_names[] = {
    [KEY_NAMES] = "names",     [KEY_PORTS] = "ports", [KEY_SNI] = "sni",
    [KEY_TUNNELS] = "tunnels", [KEY_HOSTS] = "hosts", [KEY_CONNECTIONS] = "connections",
};
_Static_assert(COUNT_OF(key_names) == KEY_COUNT, "each key has a name");

static bool list_read(struct bytes value, revtun_pattern_fn is_item, struct bytes *out)
{
    if (!revtun_pattern_is_list(value, is_item)) {
        return false;
    }
    *out = value;
    return true;
}

static bool count_read(struct bytes value, uint32_t *out)
{
    uint64_t count = 0;

    if (!bytes_to_number(value, UINT32_MAX, &count) || count == 0) {
        return false;
    }
    *out = (uint32_t)count;
    return true;
}

static bool value_read(enum key key, struct bytes value, struct revtun_access_entry *entry)
{
    switch (key) {
    case KEY_NAMES:
        return list_read(value, revtun_pattern_is_of_names, &entry->names);
    case KEY_PORTS:
        return list_read(value, revtun_pattern_is_of_ports, &entry->ports);
    case KEY_SNI:
        return list_read(value, revtun_pattern_is_of_hosts, &entry->hosts);
    case KEY_TUNNELS:
        return count_read(value, &entry->tunnel_max);
    case KEY_HOSTS:
        return count_read(value, &entry->host_max);
    case KEY_CONNECTIONS:
        return count_read(value, &entry->connection_max);
    case KEY_COUNT:
        break;
    }
    assert(!"a key that there is not");
}

// Reads "key=value" words up to the end of the line.
static bool terms_read(struct reading *reading, struct bytes line,
                       struct revtun_access_entry *entry)
{
    bool has_key[KEY_COUNT] = {0};

    for (struct bytes word = word_take(&line); word.len > 0; word = word_take(&line)) {
        const size_t equals = bytes_index(word, '=');
        const struct bytes name = bytes_first(word, equals);
        size_t key = 0;

        while (key < KEY_COUNT && !bytes_equal_text(name, key_names[key])) {
            key++;
        }
        if (key == KEY_COUNT || equals == word.len) {
            // Without its = it may be a hash, or half of one.
            const struct bytes given =
                equals < word.len ? bytes_first(word, equals + 1) : (struct bytes){0};
            return is_wrong(reading, REVTUN_ACCESS_WRONG_KEY, given);
        }
        if (has_key[key]) {
            return is_wrong(reading, REVTUN_ACCESS_WRONG_TWICE, name);
        }
        has_key[key] = true;
        if (!value_read((enum key)key, bytes_from(word, equals + 1), entry)) {
            return is_wrong(reading, REVTUN_ACCESS_WRONG_VALUE, word);
        }
    }
    return true;
}

// --- who it is ----------------------------------------------------------------------------------

static bool agent_read(struct reading *reading, struct bytes *line,
                       struct revtun_access_entry *entry)
{
    const struct bytes kind = word_take(line);

    if (bytes_equal_text(kind, "token")) {
        entry->kind = REVTUN_ACCESS_TOKEN;
        entry->id = word_take(line);
        if (!revtun_pattern_is_name(entry->id)) {
            return is_wrong(reading, REVTUN_ACCESS_WRONG_ID, (struct bytes){0});
        }
    } else if (bytes_equal_text(kind, "cert")) {
        entry->kind = REVTUN_ACCESS_CERT;
    } else {
        // It may be a token, pasted here as it is.
        return is_wrong(reading, REVTUN_ACCESS_WRONG_KIND, (struct bytes){0});
    }
    const struct bytes hash = word_take(line);
    if (entry->kind == REVTUN_ACCESS_CERT && bytes_equal_text(hash, "any")) {
        entry->kind = REVTUN_ACCESS_ANY_CERT;
        return true;
    }
    return revtun_fields_read_hex(hash, entry->hash, sizeof entry->hash) ||
           is_wrong(reading, REVTUN_ACCESS_WRONG_HASH, (struct bytes){0});
}

static bool entry_read(struct reading *reading, struct bytes line)
{
    struct revtun_access *access = reading->access;
    struct revtun_access_entry entry = {
        .names = BYTES_LITERAL("*"),
        .tunnel_max = REVTUN_ACCESS_TUNNELS,
        .host_max = REVTUN_ACCESS_HOSTS,
        .line = reading->line,
    };

    if (line.len > REVTUN_ACCESS_LINE_MAX) {
        return is_wrong(reading, REVTUN_ACCESS_WRONG_LENGTH, (struct bytes){0});
    }
    if (!agent_read(reading, &line, &entry) || !terms_read(reading, line, &entry)) {
        return false;
    }
    const struct agent agent = agent_of(&entry);
    if (find(access, &agent) != NULL) {
        return is_wrong(reading, REVTUN_ACCESS_WRONG_TWICE, entry.id);
    }
    if (access->count == access->capacity) {
        return is_wrong(reading, REVTUN_ACCESS_WRONG_COUNT, (struct bytes){0});
    }
    add(access, &entry);
    return true;
}

bool revtun_access_read(struct bytes text, struct revtun_access *access,
                        struct revtun_access_mistakes *mistakes)
{
    struct reading reading = {.access = access, .mistakes = mistakes};
    struct bytes line = {0};
    bool is_right = true;

    clear(access);
    *mistakes = (struct revtun_access_mistakes){0};
    while (line_take(&text, &line)) {
        const struct bytes trimmed = bytes_trim(line);
        reading.line++;
        if (trimmed.len > 0 && trimmed.ptr[0] != '#' && !entry_read(&reading, trimmed)) {
            is_right = false;
        }
    }
    if (!is_right) {
        access->count = 0;
    }
    return is_right;
}

size_t revtun_access_count_max(struct bytes text)
{
    struct bytes line = {0};
    size_t count = 0;

    while (line_take(&text, &line)) {
        count++;
    }
    return count;
}

// --- mistakes in words --------------------------------------------------------------------------

// What was given, in quotes and cut.
static void given_write(struct wr *wr, struct bytes given)
{
    wr_text(wr, "'");
    plain_write(wr, bytes_first(given, GIVEN_MAX));
    wr_text(wr, given.len > GIVEN_MAX ? "...' " : "' ");
}

void revtun_access_mistake_write(struct wr *wr, const struct revtun_access_mistake *mistake)
{
    static const char *const texts[] = {
        [REVTUN_ACCESS_WRONG_KIND] = "the line begins with neither token nor cert",
        [REVTUN_ACCESS_WRONG_ID] = "behind token there is no name of a-z, 0-9 and -",
        [REVTUN_ACCESS_WRONG_HASH] = "the hash is not 64 hexadecimal digits in lower case",
        [REVTUN_ACCESS_WRONG_KEY] =
            "is not known here: names=, ports=, sni=, tunnels=, hosts=, connections=",
        [REVTUN_ACCESS_WRONG_VALUE] = "has a value that cannot be",
        [REVTUN_ACCESS_WRONG_TWICE] = "is there twice",
        [REVTUN_ACCESS_WRONG_LENGTH] = "the line is longer than 4096 bytes",
        [REVTUN_ACCESS_WRONG_COUNT] = "there are more agents than there is room for",
    };
    const bool is_about_word = mistake->wrong == REVTUN_ACCESS_WRONG_KEY ||
                               mistake->wrong == REVTUN_ACCESS_WRONG_VALUE ||
                               mistake->wrong == REVTUN_ACCESS_WRONG_TWICE;

    assert(mistake->wrong < COUNT_OF(texts));
    wr_text(wr, "line ");
    wr_decimal(wr, mistake->line);
    wr_text(wr, ": ");
    if (is_about_word && mistake->given.len > 0) {
        given_write(wr, mistake->given);
    } else if (is_about_word) {
        wr_text(wr, mistake->wrong == REVTUN_ACCESS_WRONG_TWICE ? "the agent " : "a word ");
    }
    wr_text(wr, texts[mistake->wrong]);
}

void revtun_access_token_write(struct wr *wr, struct bytes id,
                               const uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN])
{
    assert(revtun_pattern_is_name(id));
    wr_text(wr, "token ");
    wr_bytes(wr, id);
    wr_text(wr, " ");
    wr_hex(wr, (struct bytes){verifier, REVTUN_TOKEN_VERIFIER_LEN});
}

// --- looking up ---------------------------------------------------------------------------------

const struct revtun_access_entry *revtun_access_find_token(const struct revtun_access *access,
                                                           struct bytes id)
{
    return find(access, &(struct agent){REVTUN_ACCESS_TOKEN, id});
}

const struct revtun_access_entry *revtun_access_find_cert(
    const struct revtun_access *access, const uint8_t hash[REVTUN_ACCESS_HASH_LEN])
{
    const struct revtun_access_entry *entry =
        find(access, &(struct agent){REVTUN_ACCESS_CERT, {hash, REVTUN_ACCESS_HASH_LEN}});

    return entry != NULL ? entry : find(access, &(struct agent){.kind = REVTUN_ACCESS_ANY_CERT});
}

bool revtun_access_may_name(const struct revtun_access_entry *entry, struct bytes name)
{
    struct bytes list = entry->names;
    struct bytes pattern = {0};

    while (revtun_pattern_take(&list, &pattern)) {
        if (revtun_pattern_covers_name(pattern, name)) {
            return true;
        }
    }
    return false;
}

bool revtun_access_may_port(const struct revtun_access_entry *entry, uint16_t port)
{
    return revtun_pattern_list_has_port(entry->ports, port);
}

static bool may_host(const struct revtun_access_entry *entry, struct bytes host)
{
    struct bytes list = entry->hosts;
    struct bytes pattern = {0};

    while (revtun_pattern_take(&list, &pattern)) {
        if (revtun_pattern_covers_host(pattern, host)) {
            return true;
        }
    }
    return false;
}

bool revtun_access_may_hosts(const struct revtun_access_entry *entry, struct bytes hosts)
{
    struct bytes host = {0};

    if (hosts.len == 0) {
        return false;
    }
    while (revtun_pattern_take(&hosts, &host)) {
        if (!may_host(entry, host)) {
            return false;
        }
    }
    return true;
}

// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_message.h"

#include <assert.h>
#include <stddef.h>

#include "base/utf8.h"
#include "revtun/revtun_pattern.h"

// How a value stands on the line, and what type its member has.
enum form {
    FORM_NUMBER, // uint64_t, up to `limit`
    FORM_HEX,    // `limit` bytes
    FORM_ADDR,   // struct addr, with its port
    FORM_NAME,   // struct bytes, a name
    FORM_HOST,   // struct bytes, a host
    FORM_HOSTS,  // struct bytes, a list of patterns of hosts
    FORM_TEXT,   // struct bytes, up to `limit` of them: UTF-8 without controls
    FORM_WORD,   // uint64_t, the index of one of `words`
    FORM_CODE,   // the same, where an unknown word is the first
    FORM_SET,    // uint64_t, a bit for each of `words`, unknown ones left out
};

struct key {
    const char *key;
    enum form form;
    bool is_required;
    size_t at; // in struct revtun_message
    uint64_t limit;
    const char *const *words; // up to a NULL
};

#define WORD(NAME, word, meaning) word,
static const char *const code_words[] = {REVTUN_MESSAGE_CODES(WORD) NULL};
#undef WORD
#define MEANING(NAME, word, meaning) meaning,
static const char *const code_meanings[] = {REVTUN_MESSAGE_CODES(MEANING)};
#undef MEANING
static const char *const auth_words[] = {"", "token", "cert", NULL};
static const char *const kind_words[] = {"", "tcp", "sni", NULL};
static const char *const data_words[] = {"any", "plain", "tls", NULL};
static const char *const cap_words[] = {"sni", "standby", "tls", NULL};

#define AT(member) .at = offsetof(struct revtun_message, member)
#define REQUIRED .is_required = true
#define NUMBER(name, max) .key = (name), .form = FORM_NUMBER, .limit = (max)
#define TEXT(name, max) .key = (name), .form = FORM_TEXT, .limit = (max)
#define OF_WORDS(name, kind, list) .key = (name), .form = (kind), .words = (list)

static const struct key hello_keys[] = {
    {OF_WORDS("auth", FORM_WORD, auth_words), AT(hello.auth), REQUIRED},
    {.key = "id", .form = FORM_NAME, AT(hello.id)},
    {.key = "proof", .form = FORM_HEX, .limit = REVTUN_MESSAGE_PROOF_LEN, AT(hello.proof)},
    {NUMBER("instance", UINT64_MAX), AT(hello.instance), REQUIRED},
    {NUMBER("pool", REVTUN_MESSAGE_POOL_MAX), AT(hello.pool)},
    {OF_WORDS("caps", FORM_SET, cap_words), AT(hello.caps)},
    {TEXT("agent", REVTUN_MESSAGE_TEXT_MAX), AT(hello.agent)},
    {0},
};
static const struct key welcome_keys[] = {
    {.key = "sid", .form = FORM_HEX, .limit = REVTUN_MESSAGE_SID_LEN, AT(welcome.sid), REQUIRED},
    {.key = "you", .form = FORM_ADDR, AT(welcome.you), REQUIRED},
    {NUMBER("ping", UINT32_MAX), AT(welcome.ping_s), REQUIRED},
    {NUMBER("dead", UINT32_MAX), AT(welcome.dead_s), REQUIRED},
    {NUMBER("ttl", UINT32_MAX), AT(welcome.ttl_s), REQUIRED},
    {NUMBER("grace", UINT32_MAX), AT(welcome.grace_s), REQUIRED},
    {OF_WORDS("data", FORM_WORD, data_words), AT(welcome.data)},
    {OF_WORDS("caps", FORM_SET, cap_words), AT(welcome.caps)},
    {TEXT("relay", REVTUN_MESSAGE_TEXT_MAX), AT(welcome.relay)},
    {0},
};
static const struct key bind_keys[] = {
    {NUMBER("rid", UINT64_MAX), AT(bind.rid), REQUIRED},
    {.key = "name", .form = FORM_NAME, AT(bind.name), REQUIRED},
    {OF_WORDS("kind", FORM_WORD, kind_words), AT(bind.kind), REQUIRED},
    {NUMBER("port", UINT16_MAX), AT(bind.port)},
    {.key = "hosts", .form = FORM_HOSTS, .limit = REVTUN_MESSAGE_HOSTS_MAX, AT(bind.hosts)},
    {NUMBER("max", UINT32_MAX), AT(bind.max)},
    {NUMBER("take", 1), AT(bind.take)},
    {0},
};
static const struct key bound_keys[] = {
    {NUMBER("rid", UINT64_MAX), AT(bound.rid), REQUIRED},
    {.key = "name", .form = FORM_NAME, AT(bound.name), REQUIRED},
    {TEXT("at", REVTUN_MESSAGE_AT_MAX), AT(bound.at), REQUIRED},
    {NUMBER("lease", UINT32_MAX), AT(bound.lease_s)},
    {0},
};
static const struct key unbind_keys[] = {
    {NUMBER("rid", UINT64_MAX), AT(unbind.rid), REQUIRED},
    {.key = "name", .form = FORM_NAME, AT(unbind.name), REQUIRED},
    {0},
};
static const struct key unbound_keys[] = {
    {NUMBER("rid", UINT64_MAX), AT(unbound.rid)},
    {.key = "name", .form = FORM_NAME, AT(unbound.name), REQUIRED},
    {OF_WORDS("code", FORM_CODE, code_words), AT(unbound.code), REQUIRED},
    {0},
};
static const struct key error_keys[] = {
    {NUMBER("rid", UINT64_MAX), AT(error.rid)},
    {OF_WORDS("code", FORM_CODE, code_words), AT(error.code), REQUIRED},
    {TEXT("key", REVTUN_FIELDS_KEY_MAX), AT(error.key)},
    {TEXT("text", REVTUN_MESSAGE_TEXT_MAX), AT(error.text)},
    {NUMBER("retry", UINT32_MAX), AT(error.retry_s)},
    {0},
};
static const struct key new_connection_keys[] = {
    {NUMBER("id", UINT64_MAX), AT(new_connection.id), REQUIRED},
    {.key = "name", .form = FORM_NAME, AT(new_connection.name), REQUIRED},
    {.key = "src", .form = FORM_ADDR, AT(new_connection.src), REQUIRED},
    {.key = "dst", .form = FORM_ADDR, AT(new_connection.dst), REQUIRED},
    {.key = "sni", .form = FORM_HOST, AT(new_connection.sni)},
    {0},
};
static const struct key standby_keys[] = {
    {NUMBER("id", UINT64_MAX), AT(standby.id), REQUIRED},
    {0},
};
static const struct key refuse_keys[] = {
    {NUMBER("id", UINT64_MAX), AT(refuse.id), REQUIRED},
    {OF_WORDS("code", FORM_CODE, code_words), AT(refuse.code), REQUIRED},
    {TEXT("text", REVTUN_MESSAGE_TEXT_MAX), AT(refuse.text)},
    {0},
};
static const struct key gone_keys[] = {
    {NUMBER("id", UINT64_MAX), AT(gone.id), REQUIRED},
    {OF_WORDS("code", FORM_CODE, code_words), AT(gone.code), REQUIRED},
    {0},
};
static const struct key ping_keys[] = {{NUMBER("n", UINT64_MAX), AT(ping.n), REQUIRED}, {0}};
static const struct key pong_keys[] = {{NUMBER("n", UINT64_MAX), AT(pong.n), REQUIRED}, {0}};
static const struct key drain_keys[] = {{NUMBER("in", UINT32_MAX), AT(drain.in_s), REQUIRED}, {0}};
static const struct key bye_keys[] = {
    {OF_WORDS("code", FORM_CODE, code_words), AT(bye.code), REQUIRED},
    {TEXT("text", REVTUN_MESSAGE_TEXT_MAX), AT(bye.text)},
    {NUMBER("retry", UINT32_MAX), AT(bye.retry_s)},
    {0},
};

static const struct verb {
    const char *word;
    enum revtun_message_side side;
    const struct key *keys; // up to one without a name
} verbs[] = {
#define VERB(NAME, word, side) {#word, REVTUN_MESSAGE_##side, word##_keys},
    REVTUN_MESSAGE_VERBS(VERB)
#undef VERB
};

// --- reading ------------------------------------------------------------------------------------

static bool is_text(struct bytes text, size_t max)
{
    return text.len > 0 && text.len <= max && utf8_is_printable(text);
}

static bool is_all_zero(struct bytes span)
{
    for (size_t i = 0; i < span.len; i++) {
        if (span.ptr[i] != 0) {
            return false;
        }
    }
    return true;
}

// The index of a word, or of the NULL behind the last.
static size_t word_index(const char *const *words, struct bytes word)
{
    size_t index = 0;

    while (words[index] != NULL && (word.len == 0 || !bytes_equal_text(word, words[index]))) {
        index++;
    }
    return index;
}

static bool word_read(const struct key *key, struct bytes text, uint64_t *out)
{
    const size_t index = word_index(key->words, text);
    const bool is_known = key->words[index] != NULL;

    if (!is_known && (key->form == FORM_WORD || text.len == 0)) {
        return false;
    }
    *out = is_known ? index : 0;
    return true;
}

static uint64_t set_read(const char *const *words, struct bytes list)
{
    struct bytes word = {0};
    uint64_t set = 0;

    while (revtun_pattern_take(&list, &word)) {
        const size_t index = word_index(words, word);
        set |= words[index] != NULL ? UINT64_C(1) << index : 0;
    }
    return set;
}

// The text is one of those that are kept as they stand.
static bool is_kept_text(const struct key *key, struct bytes text)
{
    switch (key->form) {
    case FORM_NAME:
        return revtun_pattern_is_name(text);
    case FORM_HOST:
        return revtun_pattern_is_host(text);
    case FORM_HOSTS:
        return text.len <= key->limit && revtun_pattern_is_list(text, revtun_pattern_is_of_hosts);
    case FORM_TEXT:
        return is_text(text, key->limit);
    case FORM_NUMBER:
    case FORM_HEX:
    case FORM_ADDR:
    case FORM_WORD:
    case FORM_CODE:
    case FORM_SET:
        break;
    }
    return false;
}

// Reads a value into its member.
static bool value_read(const struct key *key, struct bytes text, struct revtun_message *message)
{
    void *member = (uint8_t *)message + key->at;

    switch (key->form) {
    case FORM_NUMBER:
        return bytes_to_number(text, key->limit, member);
    case FORM_HEX:
        return revtun_fields_read_hex(text, member, key->limit);
    case FORM_ADDR:
        return addr_read_with_port(text, member);
    case FORM_WORD:
    case FORM_CODE:
        return word_read(key, text, member);
    case FORM_SET:
        *(uint64_t *)member = set_read(key->words, text);
        return true;
    case FORM_NAME:
    case FORM_HOST:
    case FORM_HOSTS:
    case FORM_TEXT:
        if (!is_kept_text(key, text)) {
            return false;
        }
        *(struct bytes *)member = text;
        return true;
    }
    assert(!"a form that there is not");
}

// What must hold between fields: the key of the one that breaks it, or NULL.
static const char *contradiction(const struct revtun_message *message)
{
    if (message->verb == REVTUN_MESSAGE_HELLO && message->hello.auth == REVTUN_MESSAGE_AUTH_TOKEN) {
        const struct bytes proof = {message->hello.proof, sizeof message->hello.proof};
        return message->hello.id.len == 0 ? "id" : is_all_zero(proof) ? "proof" : NULL;
    }
    if (message->verb == REVTUN_MESSAGE_UNBIND) {
        return message->unbind.rid == 0 ? "rid" : NULL;
    }
    if (message->verb == REVTUN_MESSAGE_BIND) {
        const bool is_sni = message->bind.kind == REVTUN_MESSAGE_KIND_SNI;
        return message->bind.rid == 0                    ? "rid"
               : is_sni != (message->bind.hosts.len > 0) ? "hosts"
               : is_sni && message->bind.port != 0       ? "port"
                                                         : NULL;
    }
    return NULL;
}

static const char *keys_read(const struct key *keys, const struct revtun_fields *fields,
                             struct revtun_message *message)
{
    for (const struct key *key = keys; key->key != NULL; key++) {
        struct bytes value = {0};
        const bool is_there = revtun_fields_find(fields, key->key, &value);

        if (is_there ? !value_read(key, value, message) : key->is_required) {
            return key->key;
        }
    }
    return contradiction(message);
}

static uint64_t rid_of(const struct revtun_fields *fields)
{
    struct bytes value = {0};
    uint64_t rid = 0;

    // A number that cannot be read is as good as none.
    if (revtun_fields_find(fields, "rid", &value)) {
        IGNORE(bytes_to_number(value, UINT64_MAX, &rid));
    }
    return rid;
}

enum revtun_message_outcome revtun_message_read(const struct revtun_fields *fields,
                                                enum revtun_message_side from,
                                                struct revtun_message *out,
                                                struct revtun_message_fault *fault)
{
    size_t verb = 0;

    while (verb < COUNT_OF(verbs) &&
           !(bytes_equal_text(fields->verb, verbs[verb].word) && (verbs[verb].side & from) != 0)) {
        verb++;
    }
    if (verb == COUNT_OF(verbs)) {
        *fault = (struct revtun_message_fault){.rid = rid_of(fields)};
        return REVTUN_MESSAGE_UNKNOWN;
    }
    struct revtun_message message = {.verb = (enum revtun_message_verb)verb};
    const char *bad_key = keys_read(verbs[verb].keys, fields, &message);
    if (bad_key != NULL) {
        *fault = (struct revtun_message_fault){.rid = rid_of(fields), .key = bad_key};
        return REVTUN_MESSAGE_BAD;
    }
    *out = message;
    return REVTUN_MESSAGE_OK;
}

// --- writing ------------------------------------------------------------------------------------

static void set_write(struct wr *wr, const struct key *key, uint64_t set)
{
    bool has_begun = false;

    revtun_fields_write_key(wr, key->key);
    for (size_t i = 0; key->words[i] != NULL; i++) {
        if ((set >> i & 1) != 0) {
            wr_text(wr, has_begun ? "," : "");
            wr_text(wr, key->words[i]);
            has_begun = true;
        }
    }
}

static void word_write(struct wr *wr, const struct key *key, uint64_t index)
{
    const char *word = key->words[index];

    assert(word != NULL);
    assert(word[0] != '\0'); // a required word that nobody has set
    revtun_fields_write_text(wr, key->key, bytes_of_text(word));
}

// It is as if it were not there.
static bool is_zero(const struct key *key, const void *member)
{
    switch (key->form) {
    case FORM_NUMBER:
    case FORM_WORD:
    case FORM_CODE:
    case FORM_SET:
        return *(const uint64_t *)member == 0;
    case FORM_HEX:
        return is_all_zero((struct bytes){member, key->limit});
    case FORM_ADDR:
        return ((const struct addr *)member)->family == ADDR_NONE;
    case FORM_NAME:
    case FORM_HOST:
    case FORM_HOSTS:
    case FORM_TEXT:
        return ((const struct bytes *)member)->len == 0;
    }
    assert(!"a form that there is not");
}

static void value_write(struct wr *wr, const struct key *key, const void *member)
{
    switch (key->form) {
    case FORM_NUMBER:
        assert(*(const uint64_t *)member <= key->limit);
        revtun_fields_write_number(wr, key->key, *(const uint64_t *)member);
        return;
    case FORM_HEX:
        revtun_fields_write_hex(wr, key->key, (struct bytes){member, key->limit});
        return;
    case FORM_ADDR:
        revtun_fields_write_addr(wr, key->key, member);
        return;
    case FORM_WORD:
    case FORM_CODE:
        word_write(wr, key, *(const uint64_t *)member);
        return;
    case FORM_SET:
        set_write(wr, key, *(const uint64_t *)member);
        return;
    case FORM_NAME:
    case FORM_HOST:
    case FORM_HOSTS:
    case FORM_TEXT:
        assert(is_kept_text(key, *(const struct bytes *)member));
        revtun_fields_write_text(wr, key->key, *(const struct bytes *)member);
        return;
    }
    assert(!"a form that there is not");
}

void revtun_message_write(struct wr *wr, const struct revtun_message *message)
{
    assert(message->verb < COUNT_OF(verbs));
    revtun_fields_write_verb(wr, verbs[message->verb].word);
    for (const struct key *key = verbs[message->verb].keys; key->key != NULL; key++) {
        const void *member = (const uint8_t *)message + key->at;
        if (key->is_required || !is_zero(key, member)) {
            value_write(wr, key, member);
        }
    }
    revtun_fields_write_end(wr);
}

const char *revtun_message_verb_word(enum revtun_message_verb verb)
{
    assert(verb < COUNT_OF(verbs));
    return verbs[verb].word;
}

const char *revtun_message_code_word(enum revtun_message_code code)
{
    assert(code < COUNT_OF(code_meanings));
    return code_words[code];
}

const char *revtun_message_code_meaning(enum revtun_message_code code)
{
    assert(code < COUNT_OF(code_meanings));
    return code_meanings[code];
}

// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct siphash_key hash_key = {1, 2};

// A store in memory of exactly its size.
static struct turn_credential make(const struct turn_user *users, size_t count, void **memory)
{
    struct turn_credential credential;
    struct turn_config config = turn_config_default();

    config.realm = bytes_of_text("example.org");
    config.users = users;
    config.user_count = count;
    *memory = calloc(1, turn_credential_size(users, count));
    assert_non_null(*memory);
    turn_credential_init(&credential, *memory, &hash_key, &config);
    return credential;
}

static void finds_the_key_of_rfc_8489(void **state)
{
    static const struct turn_user users[] = {{BYTES_LITERAL("alice"), BYTES_LITERAL("secret")}};
    uint8_t expected[STUN_KEY_LEN];
    uint8_t key[STUN_KEY_LEN] = {0};
    void *memory = NULL;

    (void)state;
    struct turn_credential credential = make(users, 1, &memory);
    stun_key_long_term(bytes_of_text("alice"), bytes_of_text("example.org"),
                       bytes_of_text("secret"), expected);
    assert_true(turn_credential_find(&credential, bytes_of_text("alice"), key));
    assert_memory_equal(key, expected, sizeof key);
    free(memory);
}

static void finds_no_stranger(void **state)
{
    static const struct turn_user users[] = {{BYTES_LITERAL("alice"), BYTES_LITERAL("secret")}};
    static const char *const strangers[] = {"",      "a",          "alic", "alice ",
                                            "Alice", "alicealice", "bob"};
    uint8_t key[STUN_KEY_LEN];
    uint8_t untouched[STUN_KEY_LEN];
    void *memory = NULL;

    (void)state;
    memset(key, 0xee, sizeof key);
    memset(untouched, 0xee, sizeof untouched);
    struct turn_credential credential = make(users, 1, &memory);
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        assert_false(turn_credential_find(&credential, bytes_of_text(strangers[i]), key));
        assert_memory_equal(key, untouched, sizeof key);
    }
    free(memory);
}

static void may_have_no_users(void **state)
{
    uint8_t key[STUN_KEY_LEN];
    void *memory = NULL;

    (void)state;
    struct turn_credential credential = make(NULL, 0, &memory);
    assert_false(turn_credential_find(&credential, bytes_of_text("alice"), key));
    assert_false(turn_credential_find(&credential, bytes_of_text(""), key));
    free(memory);
}

static void of_equal_names_the_last_one_counts(void **state)
{
    static const struct turn_user users[] = {
        {BYTES_LITERAL("alice"), BYTES_LITERAL("one")},
        {BYTES_LITERAL("bob"), BYTES_LITERAL("two")},
        {BYTES_LITERAL("alice"), BYTES_LITERAL("three")},
    };
    uint8_t expected[STUN_KEY_LEN];
    uint8_t key[STUN_KEY_LEN] = {0};
    void *memory = NULL;

    (void)state;
    struct turn_credential credential = make(users, COUNT_OF(users), &memory);
    stun_key_long_term(bytes_of_text("alice"), bytes_of_text("example.org"), bytes_of_text("three"),
                       expected);
    assert_true(turn_credential_find(&credential, bytes_of_text("alice"), key));
    assert_memory_equal(key, expected, sizeof key);
    assert_int_equal(credential.user_count, 2);
    free(memory);
}

static void finds_each_of_many(void **state)
{
    enum { COUNT = 1000 };
    static char names[COUNT][TURN_CONFIG_USERNAME_MAX + 1];
    static struct turn_user users[COUNT];
    void *memory = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) { // of every length there is, the longest too
        size_t len = 4 + i % (TURN_CONFIG_USERNAME_MAX - 3);
        memset(names[i], 'x', len);
        names[i][0] = (char)('a' + i % 10);
        names[i][1] = (char)('a' + i / 10 % 10);
        names[i][2] = (char)('a' + i / 100 % 10);
        users[i] = (struct turn_user){{(uint8_t *)names[i], len}, {(uint8_t *)names[i], 3}};
    }
    struct turn_credential credential = make(users, COUNT, &memory);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t expected[STUN_KEY_LEN];
        uint8_t key[STUN_KEY_LEN] = {0};
        stun_key_long_term(users[i].name, bytes_of_text("example.org"), users[i].password,
                           expected);
        assert_true(turn_credential_find(&credential, users[i].name, key));
        assert_memory_equal(key, expected, sizeof key);
    }
    free(memory);
}

static void keeps_nothing_of_what_it_was_given(void **state)
{
    char name[] = "alice";
    char password[] = "secret";
    struct turn_user user = {bytes_of_text(name), bytes_of_text(password)};
    uint8_t key[STUN_KEY_LEN];
    void *memory = NULL;

    (void)state;
    struct turn_credential credential = make(&user, 1, &memory);
    memset(name, 'z', sizeof name - 1);
    memset(password, 'z', sizeof password - 1);
    assert_true(turn_credential_find(&credential, bytes_of_text("alice"), key));
    assert_false(turn_credential_find(&credential, bytes_of_text("zzzzz"), key));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_key_of_rfc_8489),
        cmocka_unit_test(finds_no_stranger),
        cmocka_unit_test(may_have_no_users),
        cmocka_unit_test(of_equal_names_the_last_one_counts),
        cmocka_unit_test(finds_each_of_many),
        cmocka_unit_test(keeps_nothing_of_what_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

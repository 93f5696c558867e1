// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct siphash_key hash_key = {1, 2};
static const struct now now = {.wall_s = 1700000000};

// The first vector of Firezone's relay, its secret and what the portal makes of it.
static const char stamp[] = "4c98bf59c99b3e467ecd7cf9d6b3e5279645fca59be67bc5bb4af3cf653761ab";
static const char stamped_user[] = "1892160000:n23JJ2wKKtt30oXi";
static const char stamped_password[] = "00hqldgk5xLeKKOB+xls9mHMVtgqzie9DulfgQwMv68";

// A store in memory of exactly its size.
struct store {
    struct turn_credential credential;
    void *memory;
};

static struct turn_config config_of(const struct turn_user *users, size_t count)
{
    struct turn_config config = turn_config_default();

    config.realm = bytes_of_text("example.org");
    config.users = users;
    config.user_count = count;
    return config;
}

static struct store make_of(const struct turn_config *config)
{
    struct store store = {.memory = calloc(1, turn_credential_size(config))};

    assert_non_null(store.memory);
    turn_credential_init(&store.credential, store.memory, &hash_key, config, config->realm);
    return store;
}

static struct store make(const struct turn_user *users, size_t count)
{
    struct turn_config config = config_of(users, count);
    return make_of(&config);
}

static struct turn_credential_match find_claim(const struct store *store,
                                               const struct turn_credential_claim *claim,
                                               int64_t wall_s)
{
    struct turn_credential_match match;

    memset(&match, 0xee, sizeof match);
    turn_credential_find(&store->credential, (struct now){.wall_s = wall_s}, claim, &match);
    return match;
}

static struct turn_credential_match find_with(const struct store *store, struct bytes username,
                                              enum stun_password_algorithm algorithm)
{
    const struct turn_credential_claim claim = {.username = username, .algorithm = algorithm};
    return find_claim(store, &claim, now.wall_s);
}

static struct turn_credential_match find(const struct store *store, const char *username)
{
    return find_with(store, bytes_of_text(username), STUN_PASSWORD_MD5);
}

static struct turn_credential_match find_firezone(const struct store *store, const char *username,
                                                  int64_t wall_s)
{
    const struct turn_credential_claim claim = {
        .manner = TURN_MANNER_FIREZONE,
        .username = bytes_of_text(username),
        .algorithm = STUN_PASSWORD_MD5,
    };
    return find_claim(store, &claim, wall_s);
}

static void expect_key(const struct turn_key *key, enum stun_password_algorithm algorithm,
                       const char *username, const char *realm, const char *password)
{
    struct turn_key expected = turn_key_make(algorithm, bytes_of_text(username),
                                             bytes_of_text(realm), bytes_of_text(password));
    assert_true(bytes_equal(turn_key_bytes(key), turn_key_bytes(&expected)));
}

static const struct turn_user alice[] = {{BYTES_LITERAL("alice"), BYTES_LITERAL("secret")}};

// --- Users ---------------------------------------------------------------------------------------

static void finds_the_keys_of_rfc_8489(void **state)
{
    struct store store = make(alice, 1);

    (void)state;
    struct turn_credential_match match = find(&store, "alice");
    assert_int_equal(match.key_count, 1);
    assert_false(match.is_expired);
    assert_true(bytes_equal_text(match.username, "alice"));
    expect_key(&match.keys[0], STUN_PASSWORD_MD5, "alice", "example.org", "secret");
    match = find_with(&store, bytes_of_text("alice"), STUN_PASSWORD_SHA256);
    assert_int_equal(match.key_count, 1);
    expect_key(&match.keys[0], STUN_PASSWORD_SHA256, "alice", "example.org", "secret");
    free(store.memory);
}

static void finds_no_stranger(void **state)
{
    static const char *const strangers[] = {"",      "a",          "alic", "alice ",
                                            "Alice", "alicealice", "bob",  "1999999999:alice"};
    struct store store = make(alice, 1);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        assert_int_equal(find(&store, strangers[i]).key_count, 0);
    }
    free(store.memory);
}

static void may_have_no_users(void **state)
{
    struct store store = make(NULL, 0);

    (void)state;
    assert_int_equal(find(&store, "alice").key_count, 0);
    assert_int_equal(find(&store, "").key_count, 0);
    free(store.memory);
}

static void of_equal_names_the_last_one_counts(void **state)
{
    static const struct turn_user users[] = {
        {BYTES_LITERAL("alice"), BYTES_LITERAL("one")},
        {BYTES_LITERAL("bob"), BYTES_LITERAL("two")},
        {BYTES_LITERAL("alice"), BYTES_LITERAL("three")},
    };
    struct store store = make(users, COUNT_OF(users));

    (void)state;
    struct turn_credential_match match = find(&store, "alice");
    assert_int_equal(match.key_count, 1);
    expect_key(&match.keys[0], STUN_PASSWORD_MD5, "alice", "example.org", "three");
    match = find_with(&store, bytes_of_text("alice"), STUN_PASSWORD_SHA256);
    expect_key(&match.keys[0], STUN_PASSWORD_SHA256, "alice", "example.org", "three");
    assert_int_equal(store.credential.user_count, 2);
    free(store.memory);
}

static void finds_each_of_many_by_name_and_by_hash(void **state)
{
    enum { COUNT = 1000 };
    static char names[COUNT][TURN_CONFIG_USERNAME_MAX + 1];
    static struct turn_user users[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) { // of every length there is, the longest too
        size_t len = 4 + i % (TURN_CONFIG_USERNAME_MAX - 3);
        memset(names[i], 'x', len);
        names[i][0] = (char)('a' + i % 10);
        names[i][1] = (char)('a' + i / 10 % 10);
        names[i][2] = (char)('a' + i / 100 % 10);
        users[i] = (struct turn_user){{(uint8_t *)names[i], len}, {(uint8_t *)names[i], 3}};
    }
    struct store store = make(users, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t hash[STUN_USERHASH_LEN];
        struct turn_key expected = turn_key_make(STUN_PASSWORD_MD5, users[i].name,
                                                 bytes_of_text("example.org"), users[i].password);
        struct turn_credential_match match = find_with(&store, users[i].name, STUN_PASSWORD_MD5);
        assert_int_equal(match.key_count, 1);
        assert_true(bytes_equal(turn_key_bytes(&match.keys[0]), turn_key_bytes(&expected)));
        stun_userhash(users[i].name, bytes_of_text("example.org"), hash);
        const struct turn_credential_claim claim = {.hash = {hash, sizeof hash},
                                                    .algorithm = STUN_PASSWORD_MD5};
        match = find_claim(&store, &claim, now.wall_s);
        assert_int_equal(match.key_count, 1);
        assert_true(bytes_equal(turn_key_bytes(&match.keys[0]), turn_key_bytes(&expected)));
        assert_true(bytes_equal(match.username, users[i].name)); // the name behind the hash
        hash[i % sizeof hash] ^= 1;
        assert_int_equal(find_claim(&store, &claim, now.wall_s).key_count, 0);
    }
    free(store.memory);
}

static void keeps_nothing_of_what_it_was_given(void **state)
{
    char name[] = "alice";
    char password[] = "secret";
    char secret[] = "rest";
    struct bytes secrets[] = {bytes_of_text(secret)};
    struct turn_user user = {bytes_of_text(name), bytes_of_text(password)};
    struct turn_config config = config_of(&user, 1);

    (void)state;
    config.auth_secrets = secrets;
    config.auth_secret_count = 1;
    struct store store = make_of(&config);
    struct turn_credential_match before = find(&store, "1999999999:x");
    memset(name, 'z', sizeof name - 1);
    memset(password, 'z', sizeof password - 1);
    memset(secret, 'z', sizeof secret - 1);
    secrets[0].len = 0;
    assert_int_equal(find(&store, "alice").key_count, 1);
    assert_int_equal(find(&store, "zzzzz").key_count, 0);
    struct turn_credential_match after = find(&store, "1999999999:x");
    assert_true(bytes_equal(turn_key_bytes(&before.keys[0]), turn_key_bytes(&after.keys[0])));
    free(store.memory);
}

// --- TURN REST -----------------------------------------------------------------------------------

static void makes_the_rest_password_of_openssl(void **state)
{
    // printf 1700003600:alice | openssl dgst -sha1 -hmac north -binary | base64
    static const char expected[] = "wjwSXO2ch1B6VaLTLMy2Avn5O9o=";
    uint8_t text[TURN_CREDENTIAL_REST_LEN];

    (void)state;
    turn_credential_rest_password(bytes_of_text("north"), bytes_of_text("1700003600:alice"), text);
    assert_memory_equal(text, expected, sizeof text);
}

static void offers_a_key_per_secret_so_that_they_can_be_rotated(void **state)
{
    static const char username[] = "1700003600:alice";
    const struct bytes secrets[] = {bytes_of_text("old"), bytes_of_text("new"),
                                    bytes_of_text("next")};
    struct turn_config config = config_of(NULL, 0);

    (void)state;
    config.auth_secrets = secrets;
    config.auth_secret_count = COUNT_OF(secrets);
    struct store store = make_of(&config);
    struct turn_credential_match match = find(&store, username);
    assert_int_equal(match.key_count, COUNT_OF(secrets));
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        char password[TURN_CREDENTIAL_REST_LEN + 1] = {0};
        turn_credential_rest_password(secrets[i], bytes_of_text(username), (uint8_t *)password);
        expect_key(&match.keys[i], STUN_PASSWORD_MD5, username, "example.org", password);
    }
    free(store.memory);
}

static void a_rest_credential_is_good_up_to_its_very_second(void **state)
{
    static const struct turn_credential_claim claim = {
        .username = BYTES_LITERAL("1700003600:alice"), .algorithm = STUN_PASSWORD_MD5};
    const struct bytes secrets[] = {bytes_of_text("north")};
    struct turn_config config = config_of(NULL, 0);

    (void)state;
    config.auth_secrets = secrets;
    config.auth_secret_count = 1;
    struct store store = make_of(&config);
    assert_false(find_claim(&store, &claim, 0).is_expired);
    assert_false(find_claim(&store, &claim, 1700003599).is_expired);
    assert_false(find_claim(&store, &claim, 1700003600).is_expired);
    assert_true(find_claim(&store, &claim, 1700003601).is_expired);
    assert_true(find_claim(&store, &claim, INT64_MAX).is_expired);
    assert_int_equal(find_claim(&store, &claim, 1700003601).key_count, 1); // equal work
    free(store.memory);
}

static void takes_no_other_text_for_a_dated_username(void **state)
{
    static const char *const texts[] = {
        "",
        ":",
        ":alice",
        "alice",
        "alice:1700003600",
        "-1:alice",
        "+1700003600:a",
        " 1700003600:a",
        "1700003600 :a",
        "0x6553f100:a",
        "1.7e9:a",
        "9223372036854775808:a",
        "99999999999999999999999999:a",
        "17000036OO:a",
    };
    static const char *const dated[] = {"1700003600", "1700003600:", "1700003600:a:b:c",
                                        "9223372036854775807:a"};
    const struct bytes secrets[] = {bytes_of_text("north")};
    struct turn_config config = config_of(NULL, 0);

    (void)state;
    config.auth_secrets = secrets;
    config.auth_secret_count = 1;
    struct store store = make_of(&config);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(find(&store, texts[i]).key_count, 0);
    }
    for (size_t i = 0; i < COUNT_OF(dated); i++) {
        struct turn_credential_match match = find(&store, dated[i]);
        assert_int_equal(match.key_count, 1);
        assert_false(match.is_expired);
    }
    assert_true(find(&store, "0:a").is_expired);
    free(store.memory);
}

static void a_user_of_the_configuration_stands_above_a_dated_name(void **state)
{
    static const struct turn_user users[] = {{BYTES_LITERAL("1:a"), BYTES_LITERAL("fixed")}};
    const struct bytes secrets[] = {bytes_of_text("north")};
    struct turn_config config = config_of(users, 1);

    (void)state;
    config.auth_secrets = secrets;
    config.auth_secret_count = 1;
    struct store store = make_of(&config);
    struct turn_credential_match match = find(&store, "1:a");
    assert_int_equal(match.key_count, 1);
    assert_false(match.is_expired);
    expect_key(&match.keys[0], STUN_PASSWORD_MD5, "1:a", "example.org", "fixed");
    free(store.memory);
}

// --- Firezone ------------------------------------------------------------------------------------

static void makes_the_passwords_of_firezone(void **state)
{
    static const struct {
        const char *secret;
        const char *username;
        const char *password;
    } rows[] = {
        {stamp, stamped_user, stamped_password},
        {"1cab293a-4032-46f4-862a-40e5d174b0d2", "1685984278:uvdgKvS9GXYZ_vmv",
         "6xUIoZ+QvxKhRasLifwfRkMXl+ETLJUsFkHlXjlHAkg"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t text[TURN_CREDENTIAL_FIREZONE_LEN];
        assert_true(turn_credential_firezone_password(bytes_of_text(rows[i].secret),
                                                      bytes_of_text(rows[i].username), text));
        assert_int_equal(strlen(rows[i].password), sizeof text);
        assert_memory_equal(text, rows[i].password, sizeof text);
    }
}

static void makes_the_key_of_firezone(void **state)
{
    // MD5("1685984278:uvdgKvS9GXYZ_vmv:firezone:<password>"), of Firezone's own tests.
    static const uint8_t expected[] = {0xa1, 0x62, 0x8e, 0xa7, 0x5a, 0x65, 0x27, 0x05,
                                       0x05, 0xa9, 0x09, 0x53, 0x53, 0x48, 0x85, 0xc2};
    struct turn_config config = config_of(NULL, 0);

    (void)state;
    config.stamp_secret = bytes_of_text("1cab293a-4032-46f4-862a-40e5d174b0d2");
    struct store store = make_of(&config);
    struct turn_credential_match match =
        find_firezone(&store, "1685984278:uvdgKvS9GXYZ_vmv", 1685984278);
    assert_int_equal(match.key_count, 1);
    assert_false(match.is_expired);
    assert_int_equal(match.keys[0].len, sizeof expected);
    assert_memory_equal(match.keys[0].bytes, expected, sizeof expected);
    free(store.memory);
}

static void a_stamped_credential_is_good_up_to_its_very_second(void **state)
{
    struct turn_config config = config_of(NULL, 0);

    (void)state;
    config.stamp_secret = bytes_of_text(stamp);
    struct store store = make_of(&config);
    assert_false(find_firezone(&store, stamped_user, 1892159999).is_expired);
    assert_false(find_firezone(&store, stamped_user, 1892160000).is_expired);
    assert_true(find_firezone(&store, stamped_user, 1892160001).is_expired);
    free(store.memory);
}

static void a_stamped_username_has_one_colon(void **state)
{
    static const char *const texts[] = {"",     ":",      "alice",        "1892160000",
                                        ":abc", "1:a:b",  "1892160000::", "x:salt",
                                        "-1:a", "1 :salt"};
    struct turn_config config = config_of(alice, 1);
    uint8_t text[TURN_CREDENTIAL_FIREZONE_LEN];
    uint8_t untouched[TURN_CREDENTIAL_FIREZONE_LEN];

    (void)state;
    memset(text, 0xee, sizeof text);
    memset(untouched, 0xee, sizeof untouched);
    config.stamp_secret = bytes_of_text(stamp);
    struct store store = make_of(&config);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_false(
            turn_credential_firezone_password(bytes_of_text(stamp), bytes_of_text(texts[i]), text));
        assert_memory_equal(text, untouched, sizeof text);
        assert_int_equal(find_firezone(&store, texts[i], now.wall_s).key_count, 0);
    }
    free(store.memory);
}

static void the_manners_know_nothing_of_each_others_users(void **state)
{
    const struct bytes secrets[] = {bytes_of_text("north")};
    struct turn_config config = config_of(alice, 1);

    (void)state;
    config.stamp_secret = bytes_of_text(stamp);
    struct store store = make_of(&config);
    assert_int_equal(find(&store, stamped_user).key_count, 0);
    assert_int_equal(find_firezone(&store, "alice", now.wall_s).key_count, 0);
    free(store.memory);
    config.stamp_secret = (struct bytes){0};
    config.auth_secrets = secrets;
    config.auth_secret_count = 1;
    store = make_of(&config);
    assert_int_equal(find_firezone(&store, stamped_user, now.wall_s).key_count, 0);
    free(store.memory);
}

static void no_username_is_hidden_unless_all_can_be(void **state)
{
    const struct bytes secrets[] = {bytes_of_text("north")};
    struct turn_config config = config_of(alice, 1);

    (void)state;
    struct store store = make_of(&config);
    assert_true(turn_credential_has_anonymity(&store.credential));
    free(store.memory);
    config.auth_secrets = secrets;
    config.auth_secret_count = 1;
    store = make_of(&config);
    assert_false(turn_credential_has_anonymity(&store.credential));
    free(store.memory);
    config.auth_secret_count = 0;
    config.stamp_secret = bytes_of_text(stamp);
    store = make_of(&config);
    assert_false(turn_credential_has_anonymity(&store.credential));
    free(store.memory);
    config = config_of(NULL, 0);
    store = make_of(&config);
    assert_false(turn_credential_has_anonymity(&store.credential));
    free(store.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_keys_of_rfc_8489),
        cmocka_unit_test(finds_no_stranger),
        cmocka_unit_test(may_have_no_users),
        cmocka_unit_test(of_equal_names_the_last_one_counts),
        cmocka_unit_test(finds_each_of_many_by_name_and_by_hash),
        cmocka_unit_test(keeps_nothing_of_what_it_was_given),
        cmocka_unit_test(makes_the_rest_password_of_openssl),
        cmocka_unit_test(offers_a_key_per_secret_so_that_they_can_be_rotated),
        cmocka_unit_test(a_rest_credential_is_good_up_to_its_very_second),
        cmocka_unit_test(takes_no_other_text_for_a_dated_username),
        cmocka_unit_test(a_user_of_the_configuration_stands_above_a_dated_name),
        cmocka_unit_test(makes_the_passwords_of_firezone),
        cmocka_unit_test(makes_the_key_of_firezone),
        cmocka_unit_test(a_stamped_credential_is_good_up_to_its_very_second),
        cmocka_unit_test(a_stamped_username_has_one_colon),
        cmocka_unit_test(the_manners_know_nothing_of_each_others_users),
        cmocka_unit_test(no_username_is_hidden_unless_all_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

enum {
    UNAUTHENTICATED = 401,
    FORBIDDEN = 403,
    STALE_NONCE = 438,
    QUOTA_REACHED = 486,
    INSUFFICIENT_CAPACITY = 508,
};

static const struct turn_user carol = {BYTES_LITERAL("carol"), BYTES_LITERAL("sesame"), NULL};

static void become(struct turn_fixture *f, const char *user, const char *password)
{
    f->user = user;
    f->password = password;
}

static int ask_for_one(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    return turn_fixture_ask(f, &draft);
}

// --- users --------------------------------------------------------------------------------------

static void a_new_user_is_served_and_an_old_one_is_not(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    become(f, "carol", "sesame");
    assert_int_equal(ask_for_one(f), UNAUTHENTICATED);
    config.users = &carol;
    config.user_count = 1;
    turn_fixture_adopt(f, &config);
    assert_int_equal(ask_for_one(f), TURN_FIXTURE_SUCCESS);
    become(f, "alice", "secret");
    f->tuple.client.port++;
    assert_int_equal(ask_for_one(f), UNAUTHENTICATED);
}

static void a_removed_users_call_goes_on_until_it_expires(void **state)
{
    const struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    const struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    config.users = &carol;
    config.user_count = 1;
    turn_fixture_adopt(f, &config);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "on"), TURN_FORWARD);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, bytes_of_text("and on")),
                     TURN_FORWARD);
    assert_int_equal(turn_fixture_refresh(f, 600), UNAUTHENTICATED);
    assert_int_equal(turn_fixture_refresh(f, 0), UNAUTHENTICATED);
    turn_fixture_wait(f, 601 * SECOND_NS);
    assert_true(turn_fixture_is_empty(f));
}

static void a_new_password_is_the_only_one(void **state)
{
    static const struct turn_user alice = {BYTES_LITERAL("alice"), BYTES_LITERAL("changed"), NULL};
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    turn_fixture_allocate(f);
    config.users = &alice;
    config.user_count = 1;
    turn_fixture_adopt(f, &config);
    assert_int_equal(turn_fixture_refresh(f, 600), UNAUTHENTICATED);
    f->password = "changed";
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS); // it is still hers
}

static void users_are_kept_by_their_keys(void **state)
{
    struct turn_user kept[4];
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    config.user_count = turn_policy_users(f->server->policy, kept, COUNT_OF(kept));
    assert_int_equal(config.user_count, 2);
    assert_true(bytes_equal_text(kept[0].name, "alice"));
    assert_true(bytes_equal_text(kept[1].name, "bob"));
    assert_int_equal(kept[0].password.len, 0);
    config.users = kept;
    turn_fixture_adopt(f, &config); // which wipes the one from which they come
    turn_fixture_allocate(f);
    f->signing = TURN_FIXTURE_SHA256 | TURN_FIXTURE_SHA_NAMED | TURN_FIXTURE_HIDDEN;
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS);
    become(f, "bob", "hidden");
    f->tuple.client.port++;
    turn_fixture_allocate(f);
}

static void tells_how_many_users_there_are_even_if_they_do_not_fit(void **state)
{
    struct turn_user one = {.name = {0}};
    struct turn_fixture *f = *state;

    assert_int_equal(turn_policy_users(f->server->policy, &one, 1), 2);
    assert_true(bytes_equal_text(one.name, "alice"));
}

static void secrets_are_lent(void **state)
{
    const struct bytes secrets[] = {BYTES_LITERAL("north"), BYTES_LITERAL("south")};
    struct bytes lent[TURN_CONFIG_SECRET_COUNT] = {{0}};
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    assert_int_equal(turn_policy_auth_secrets(f->server->policy, lent), 0);
    assert_int_equal(turn_policy_stamp_secret(f->server->policy).len, 0);
    config.auth_secrets = secrets;
    config.auth_secret_count = COUNT_OF(secrets);
    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    turn_fixture_adopt(f, &config);
    assert_int_equal(turn_policy_auth_secrets(f->policy, lent), COUNT_OF(secrets));
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        assert_true(bytes_equal(lent[i], secrets[i]));
    }
    assert_true(bytes_equal_text(turn_policy_stamp_secret(f->policy), turn_fixture_stamp));
}

static void nonces_follow_what_they_tell_of_the_credentials(void **state)
{
    const struct bytes secret = BYTES_LITERAL("north");
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    const struct bytes old = {nonce, sizeof nonce};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct turn_config config = turn_fixture_config();

    turn_fixture_nonce(f, nonce);
    config.user_count = 1; // still nothing but users
    turn_fixture_adopt(f, &config);
    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign_with(f, &draft, old);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);

    config.auth_secrets = &secret; // their users cannot be told by USERHASH
    config.auth_secret_count = 1;
    turn_fixture_adopt(f, &config);
    f->tuple.client.port++;
    turn_fixture_nonce(f, nonce);
    f->tuple.client.port--;
    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign_with(f, &draft, old);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), STALE_NONCE);
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS); // with a fresh one
}

// --- numbers ------------------------------------------------------------------------------------

static void limits_are_those_of_the_new_one(void **state)
{
    const struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    const struct addr other = turn_fixture_addr("192.0.2.10", 9);
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    config.allocations_per_user = 1;
    config.permissions_per_allocation = 1;
    config.channels_per_allocation = 1;
    config.min_lifetime_s = 1200;
    config.software = bytes_of_text("another");
    turn_fixture_adopt(f, &config);
    assert_int_equal(turn_fixture_permit(f, &other), INSUFFICIENT_CAPACITY);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &other), INSUFFICIENT_CAPACITY);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), 1200);
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_SOFTWARE), "another"));
    f->tuple.client.port++;
    assert_int_equal(ask_for_one(f), QUOTA_REACHED);
}

static void the_rate_for_strangers_is_that_of_the_new_one(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct turn_config config = turn_fixture_config();

    config.unauthenticated_rate = 1;
    turn_fixture_adopt(f, &config);
    for (int i = 0; i < 2; i++) {
        turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)),
                         i == 0 ? TURN_FIXTURE_SUCCESS : TURN_FIXTURE_SILENCE);
    }
    config.unauthenticated_rate = 0;
    turn_fixture_adopt(f, &config);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
}

static void what_a_server_has_for_life_may_not_change(void **state)
{
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {
#define FIELD(name) {#name, offsetof(struct turn_config, name)}
        FIELD(public_ip4),   FIELD(public_ip6),       FIELD(bind_ip4),
        FIELD(bind_ip6),     FIELD(lowest_port),      FIELD(highest_port),
        FIELD(listen_port),  FIELD(max_allocations),  FIELD(max_permissions),
        FIELD(max_channels), FIELD(max_reservations), FIELD(max_pps),
        FIELD(max_bps),
#undef FIELD
    };
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    assert_true(turn_policy_may_follow(f->server->policy, &config));
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        config = turn_fixture_config();
        ((uint8_t *)&config)[fields[i].offset] ^= 1;
        if (turn_policy_may_follow(f->server->policy, &config)) {
            fail_msg("%s may not change", fields[i].name);
        }
    }
    config = turn_fixture_config();
    config.realm = bytes_of_text("firelead");
    assert_false(turn_policy_may_follow(f->server->policy, &config));
    config = turn_fixture_config();
    config.allocations_per_user = 1;
    config.user_count = 0;
    config.rule_count = 0;
    assert_true(turn_policy_may_follow(f->server->policy, &config));
}

static void the_rest_is_held_for_the_next_one(void **state)
{
    const struct bytes secret = BYTES_LITERAL("north");
    const struct addr own = turn_fixture_addr("192.0.2.77", 0);
    const struct turn_peer_rule rule = {.cidr = {own, 32}, .is_allowed = true};
    struct turn_fixture *f = *state;
    struct turn_config config = turn_config_default();

    config.public_ip4 = own;
    config.realm = bytes_of_text("another");
    config.max_channels = 1;
    config.highest_port = 1;
    config.software = bytes_of_text("another");
    config.allocations_per_user = 3;
    config.users = &carol;
    config.user_count = 1;
    config.auth_secrets = &secret;
    config.auth_secret_count = 1;
    config.stamp_secret = secret;
    config.rules = &rule;
    config.rule_count = 1;
    config.own_addrs = &own;
    config.own_addr_count = 1;
    turn_policy_hold(f->server->policy, &config);
    assert_true(bytes_equal_text(config.realm, "fairlead"));
    assert_true(addr_equal(&config.public_ip4, &f->config.public_ip4));
    assert_int_equal(config.max_channels, f->config.max_channels);
    assert_int_equal(config.highest_port, f->config.highest_port);
    assert_true(bytes_equal_text(config.software, "another"));
    assert_int_equal(config.allocations_per_user, 3);
    assert_ptr_equal(config.users, &carol);
    assert_int_equal(config.user_count, 1);
    assert_ptr_equal(config.auth_secrets, &secret);
    assert_int_equal(config.auth_secret_count, 1);
    assert_true(bytes_equal(config.stamp_secret, secret));
    assert_ptr_equal(config.rules, &rule);
    assert_int_equal(config.rule_count, 1);
    assert_ptr_equal(config.own_addrs, &own);
    assert_int_equal(config.own_addr_count, 1);
}

// --- several shards -----------------------------------------------------------------------------

static void shards_share_one_from_the_start(void **state)
{
    static const uint8_t seed[SIPHASH_KEY_LEN] = {1};
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    void *memory = calloc(1, turn_policy_size(&config));

    assert_non_null(memory);
    struct turn_policy *policy = turn_policy_init(memory, &config, seed);
    config.policy = policy;
    config.users = NULL; // all of it is in the policy
    config.user_count = 0;
    config.rule_count = 0;
    const size_t len = turn_server_size(&config);
    config.policy = NULL;
    assert_true(turn_server_size(&config) > len);
    config.policy = policy;
    turn_fixture_restart(f, &config);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    config = turn_fixture_config();
    turn_fixture_adopt(f, &config);
    turn_policy_deinit(policy);
    free(policy);
    turn_fixture_allocate(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(a_new_user_is_served_and_an_old_one_is_not),
        TURN_FIXTURE_TEST(a_removed_users_call_goes_on_until_it_expires),
        TURN_FIXTURE_TEST(a_new_password_is_the_only_one),
        TURN_FIXTURE_TEST(users_are_kept_by_their_keys),
        TURN_FIXTURE_TEST(tells_how_many_users_there_are_even_if_they_do_not_fit),
        TURN_FIXTURE_TEST(secrets_are_lent),
        TURN_FIXTURE_TEST(nonces_follow_what_they_tell_of_the_credentials),
        TURN_FIXTURE_TEST(limits_are_those_of_the_new_one),
        TURN_FIXTURE_TEST(the_rate_for_strangers_is_that_of_the_new_one),
        TURN_FIXTURE_TEST(what_a_server_has_for_life_may_not_change),
        TURN_FIXTURE_TEST(the_rest_is_held_for_the_next_one),
        TURN_FIXTURE_TEST(shards_share_one_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

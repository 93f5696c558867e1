// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_target.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "crypto/crypto_hmac.h"

enum {
    CREDENTIAL_S = 86400, // for which made-up credentials are good
    TEXT_MAX = 508,       // bytes of a user's name (RFC 8489 section 14.3)
    WAIT_MAX_MS = 60000,
    RATE_MAX = 100000, // a probe, not a flood
    JOBS_MAX = 32,
};

#define MS_NS (SECOND_NS / 1000)

static void read_credential(struct conf *conf, struct probe_target *target, const char *user_name,
                            const char *pass_name, struct bytes *username, struct bytes *password)
{
    const struct conf_value *user = conf_find(conf, user_name);
    const struct conf_value *pass = conf_find(conf, pass_name);

    conf_value_text(&conf->errors, user, 1, TEXT_MAX, username);
    conf_value_text(&conf->errors, pass, 1, SIZE_MAX, password);
    if (user != NULL && target->secret.len > 0) {
        conf_error_value(&conf->errors, user, "cannot be given beside --auth-secret");
    } else if (user != NULL && pass == NULL) {
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text(pass_name)));
    }
}

static void read_peers(struct conf *conf, struct probe_target *target)
{
    const struct conf_value *value = NULL;

    while ((value = conf_next(conf, "peer-address", value)) != NULL) {
        struct addr addr = {0};
        if (!conf_value_addr(&conf->errors, value, ADDR_NONE, &addr)) {
            continue;
        }
        struct addr *to = addr.family == ADDR_IP4 ? &target->peer_ip4 : &target->peer_ip6;
        if (to->family != ADDR_NONE) {
            conf_error_value(&conf->errors, value, "is a second one of its family");
        }
        *to = addr;
    }
}

static void read_number(struct conf *conf, const char *name, uint64_t max, uint32_t *out)
{
    uint64_t number = 0;

    if (conf_value_number(&conf->errors, conf_find(conf, name), 1, max, &number)) {
        *out = (uint32_t)number;
    }
}

void probe_target_read(struct conf *conf, struct probe_target *out)
{
    struct probe_target target = {0};

    probe_endpoint_take(conf, &target.server);
    conf_value_text(&conf->errors, conf_find(conf, "auth-secret"), 1, SIZE_MAX, &target.secret);
    read_credential(conf, &target, "user", "pass", &target.username, &target.password);
    read_credential(conf, &target, "other-user", "other-pass", &target.other_username,
                    &target.other_password);
    conf_value_text(&conf->errors, conf_find(conf, "realm"), 1, TEXT_MAX, &target.realm);
    read_peers(conf, &target);
    read_number(conf, "timeout", WAIT_MAX_MS, &target.patience_ms);
    read_number(conf, "quiet", WAIT_MAX_MS, &target.quiet_ms);
    read_number(conf, "rate", RATE_MAX, &target.rate);
    read_number(conf, "jobs", JOBS_MAX, &target.jobs);
    *out = target;
}

// A user of its own: "EXPIRY:NAME" (draft-uberti-behave-turn-rest).
static void make_user(struct bytes secret, int64_t expiry_s, const char *prefix, const char *id,
                      struct probe_target_user *user)
{
    uint8_t mac[CRYPTO_SHA1_LEN];
    struct wr wr = wr_init(user->password, sizeof user->password);
    int len = snprintf(user->name, sizeof user->name, "%" PRId64 ":%s-%s", expiry_s, prefix, id);

    assert(len > 0);
    assert(len <= PROBE_TARGET_NAME_MAX);
    struct bytes name = bytes_of_text(user->name);
    crypto_hmac_sha1(secret, &name, 1, mac);
    base64_write(&wr, (struct bytes){mac, sizeof mac}, true);
    assert(wr_ok(&wr));
    assert(wr.len == sizeof user->password);
}

void probe_target_of(const struct probe_target *target, const char *id, int64_t wall_s,
                     struct probe_target_user users[2], struct talk_target *out)
{
    *out = (struct talk_target){
        .server = target->server.addr,
        .username = target->username,
        .password = target->password,
        .realm = target->realm,
        .other_username = target->other_username,
        .other_password = target->other_password,
        .peer_ip4 = target->peer_ip4,
        .peer_ip6 = target->peer_ip6,
        .patience_ns = target->patience_ms * MS_NS,
        .quiet_ns = target->quiet_ms * MS_NS,
    };
    if (target->secret.len > 0) {
        make_user(target->secret, wall_s + CREDENTIAL_S, "probe", id, &users[0]);
        make_user(target->secret, wall_s + CREDENTIAL_S, "other", id, &users[1]);
        out->username = bytes_of_text(users[0].name);
        out->password = (struct bytes){users[0].password, sizeof users[0].password};
        out->other_username = bytes_of_text(users[1].name);
        out->other_password = (struct bytes){users[1].password, sizeof users[1].password};
    }
}

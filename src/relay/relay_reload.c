// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_reload.h"

#include <assert.h>
#include <string.h>

#include "crypto/crypto_wipe.h"
#include "relay/relay_address.h"
#include "relay/relay_options.h"

void relay_reload_init(struct relay_reload *reload, const struct relay_load *load,
                       const struct relay_config *config)
{
    const struct conf *conf = &load->daemon.conf;

    memset(reload, 0, sizeof *reload);
    daemon_reload_init(&reload->daemon, &load->daemon);
    reload->has_made_user = config->user_count > 0 && conf_find(conf, "user") == NULL;
    reload->has_made_stamp =
        config->stamp_secret.len > 0 && conf_find(conf, "stamp-secret") == NULL;
}

// Puts the credentials of `policy` in the place of those that no source can give.
static void keep_credentials(struct relay_reload *reload, const struct turn_policy *policy)
{
    struct turn_config *turn = &reload->turn;

    if (daemon_reload_is_held(&reload->daemon, "auth-secret")) {
        turn->auth_secrets = reload->kept_secrets;
        turn->auth_secret_count = turn_policy_auth_secrets(policy, reload->kept_secrets);
    }
    if (daemon_reload_is_held(&reload->daemon, "stamp-secret") || reload->has_made_stamp) {
        turn->stamp_secret = turn_policy_stamp_secret(policy);
    }
    const bool has_none =
        turn->user_count == 0 && turn->auth_secret_count == 0 && turn->stamp_secret.len == 0;
    if (daemon_reload_is_held(&reload->daemon, "user") || (reload->has_made_user && has_none)) {
        turn->users = reload->kept_users;
        turn->user_count =
            turn_policy_users(policy, reload->kept_users, COUNT_OF(reload->kept_users));
        assert(turn->user_count <= COUNT_OF(reload->kept_users)); // as many as could be given
    }
}

static bool judge(void *context, struct conf *conf)
{
    struct relay_reload *reload = context;

    return relay_config_read(conf, &reload->config);
}

bool relay_reload_read(struct relay_reload *reload, const struct turn_policy *policy)
{
    if (!daemon_reload_read(&reload->daemon, judge, reload)) {
        return false;
    }
    // This host's addresses may have changed, but not those that the relay serves.
    reload->config.public_ip4 = policy->config.public_ip4;
    reload->config.public_ip6 = policy->config.public_ip6;
    relay_address_list_own(&reload->config);
    if (reload->demo != NULL) {
        relay_demo_lend_secret(reload->demo, &reload->config);
    }
    reload->turn = relay_config_turn(&reload->config);
    keep_credentials(reload, policy);
    turn_policy_hold(policy, &reload->turn);
    if (reload->turn.user_count == 0 && reload->turn.auth_secret_count == 0 &&
        reload->turn.stamp_secret.len == 0) {
        conf_error_missing(&reload->daemon.load.conf.errors,
                           conf_option_find(&relay_options_table, bytes_of_text("user")));
        return false;
    }
    return true;
}

void relay_reload_log(const struct relay_reload *reload)
{
    daemon_reload_log(&reload->daemon, relay_options_program.name);
}

void relay_reload_write(const struct relay_reload *reload, struct wr *wr)
{
    daemon_reload_write(&reload->daemon, relay_options_program.name, wr);
}

void relay_reload_end(struct relay_reload *reload)
{
    daemon_reload_end(&reload->daemon);
    crypto_wipe(&reload->config, sizeof reload->config);
    crypto_wipe(&reload->turn, sizeof reload->turn);
}

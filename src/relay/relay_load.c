// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_load.h"

#include "relay/relay_options.h"

struct wanted {
    struct relay_token *token;
    struct relay_config *out;
};

static bool judge(void *context, struct conf *conf)
{
    const struct wanted *wanted = context;
    const bool has_token = relay_token_read(conf, wanted->token);

    if (!relay_config_read(conf, wanted->out)) {
        return false;
    }
    if (has_token) {
        wanted->out->token = (struct bytes){wanted->token->text, wanted->token->len};
    }
    return true;
}

enum daemon_load_outcome relay_load_open(struct relay_load *load,
                                         const struct daemon_load_sources *sources,
                                         struct relay_config *out)
{
    struct wanted wanted = {&load->token, out};

    return daemon_load_open(&load->daemon, &relay_options_table, sources, judge, &wanted);
}

void relay_load_close(struct relay_load *load)
{
    daemon_load_close(&load->daemon);
    relay_token_wipe(&load->token);
}

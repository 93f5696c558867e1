// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_greeting.h"

#include <assert.h>

#include "crypto/crypto_wipe.h"
#include "daemon/daemon_json.h"
#include "daemon/daemon_secret.h"
#include "log/log.h"

void relay_greeting_make_user(struct relay_config *config,
                              uint8_t password[RELAY_GREETING_PASSWORD_LEN])
{
    assert(config->user_count == 0);
    config->users[0] = (struct turn_user){
        .name = BYTES_LITERAL("fairlead"),
        .password = daemon_secret_make(password, RELAY_GREETING_PASSWORD_LEN),
    };
    config->user_count = 1;
}

static void url_write(struct wr *wr, const char *scheme, const struct addr *host, const char *query)
{
    wr_u8(wr, '"');
    wr_text(wr, scheme);
    addr_write(wr, host);
    wr_text(wr, query);
    wr_u8(wr, '"');
}

void relay_greeting_ice_servers_write(struct wr *wr, const struct relay_config *config)
{
    const struct addr *hosts[] = {&config->public_ip4, &config->public_ip6};
    bool is_first = true;

    assert(config->user_count > 0);
    wr_text(wr, "{\"iceServers\":[{\"urls\":[");
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        if (hosts[i]->family == ADDR_NONE) {
            continue;
        }
        struct addr host = addr_with_port(*hosts[i], config->listen_port);
        wr_text(wr, is_first ? "" : ",");
        url_write(wr, "stun:", &host, "");
        wr_u8(wr, ',');
        url_write(wr, "turn:", &host, "?transport=udp");
        is_first = false;
    }
    wr_text(wr, "],\"username\":");
    daemon_json_string_write(wr, config->users[0].name);
    wr_text(wr, ",\"credential\":");
    daemon_json_string_write(wr, config->users[0].password);
    wr_text(wr, "}]}");
}

// Two clients of this relay that talk to each other through it: no peer is needed.
static void trial_write(struct wr *wr, const struct relay_config *config)
{
    bool is_ip4 = config->public_ip4.family != ADDR_NONE;

    wr_text(wr,
            is_ip4 ? "turnutils_uclient -y -c -n 5 -u " : "turnutils_uclient -x -y -c -n 5 -u ");
    wr_bytes(wr, config->users[0].name);
    wr_text(wr, " -w ");
    wr_bytes(wr, config->users[0].password);
    wr_text(wr, " -p ");
    wr_decimal(wr, config->listen_port);
    wr_text(wr, " ");
    addr_ip_write(wr, is_ip4 ? &config->public_ip4 : &config->public_ip6);
}

void relay_greeting_write(struct wr *wr, const struct relay_config *config)
{
    wr_text(wr, "\nNo --user is given, so here is a credential until the relay ends:\n\n"
                "  username    ");
    wr_bytes(wr, config->users[0].name);
    wr_text(wr, "\n  credential  ");
    wr_bytes(wr, config->users[0].password);
    wr_text(wr, "\n\nFor a browser's RTCPeerConnection:\n\n  ");
    relay_greeting_ice_servers_write(wr, config);
    wr_text(wr, "\n\nTo try it out from another terminal (turnutils_uclient is in the package "
                "coturn, whose\nserver you will want to keep off: systemctl disable --now "
                "coturn):\n\n  ");
    trial_write(wr, config);
    wr_text(wr, "\n\n");
}

struct bytes relay_greeting_line_write(uint8_t out[LOG_LINE_MAX], const struct relay_config *config,
                                       int64_t wall_ms)
{
    uint8_t json[LOG_LINE_TEXT_MAX];
    struct wr wr = wr_init(json, sizeof json);

    relay_greeting_ice_servers_write(&wr, config);
    assert(wr_ok(&wr));
    const size_t len = log_line_write(out,
                                      &(struct log_line){
                                          .wall_ms = wall_ms,
                                          .level = LOG_LEVEL_INFO,
                                          .message = "credential made, since none is given",
                                          .fields = LOG_FIELDS(LOG_BYTES("config", wr_done(&wr))),
                                      },
                                      config->daemon.log_format, false);
    crypto_wipe(json, sizeof json);
    return (struct bytes){out, len};
}

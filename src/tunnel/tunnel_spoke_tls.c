// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spoke_tls.h"

#include "daemon/daemon_tell.h"

bool tunnel_spoke_tls_open(const struct tunnel_side *side, const struct tunnel_spoke_config *config,
                           bool is_data, struct io_tls_context **out)
{
    static const struct io_tls_protocol control[] = {
        {.name = TUNNEL_SPOKE_TLS_PROTOCOL, .least = IO_TLS_1_3},
        {.name = "tlsrelay/1", .least = IO_TLS_1_2}, // so that an older relay can say so
    };
    static const struct io_tls_protocol data[] = {
        {.name = TUNNEL_SPOKE_TLS_DATA_PROTOCOL, .least = IO_TLS_1_3},
    };
    const struct io_tls_settings settings = {
        .role = IO_TLS_CLIENT,
        .certificate = {.path = config->certificate},
        .key = {.path = config->key},
        .ca = {.path = config->ca},
        .trusts_system = config->ca == NULL,
        .least = is_data ? IO_TLS_1_3 : IO_TLS_1_2,
        .protocols = is_data ? data : control,
        .protocol_count = is_data ? COUNT_OF(data) : COUNT_OF(control),
    };
    struct io_tls_error warning;
    struct io_tls_error wrong;

    if (io_tls_context_open(&settings, out, &warning, &wrong) != 0) {
        daemon_tell_mistake(side->program, "%s", wrong.text);
        return false;
    }
    if (warning.text[0] != '\0' && !is_data) { // it is the same of both
        daemon_tell_mistake(side->program, "careful: %s", warning.text);
    }
    return true;
}

struct io_tls_wanted tunnel_spoke_tls_wanted(const struct tunnel_spoke_config *config)
{
    const bool has_pin = config->has_token && revtun_token_has_pin(&config->token);

    return (struct io_tls_wanted){
        .host = config->relay_name != NULL ? config->relay_name : config->relay.host,
        .checks_host = !has_pin,
        .pin = has_pin ? config->token.pin : NULL,
    };
}

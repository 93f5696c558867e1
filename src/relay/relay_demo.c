// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_demo.h"

#include <assert.h>
#include <string.h>

#include "crypto/crypto_wipe.h"
#include "daemon/daemon_json.h"
#include "daemon/daemon_secret.h"
#include "io/io_clock.h"
#include "relay/relay_demo_files.h"
#include "turn/turn_credential.h"

enum {
    TTL_S = 3600,      // of a credential: a long call, and no more
    USERNAME_MAX = 32, // bytes of "EXPIRY:demo"
};

// Nothing from anywhere else, no script or style within the page, and no other page around it.
static const char safety[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "Permissions-Policy: camera=(self), microphone=(self)\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n";

void relay_demo_make_secret(struct relay_config *config, uint8_t secret[RELAY_DEMO_SECRET_LEN])
{
    if (config->demo.addr.family == ADDR_NONE) {
        return;
    }
    assert(config->auth_secret_count < COUNT_OF(config->auth_secrets));
    config->demo_secret = daemon_secret_make(secret, RELAY_DEMO_SECRET_LEN);
    config->auth_secrets[config->auth_secret_count++] = config->demo_secret;
}

void relay_demo_init(struct relay_demo *demo, const struct relay_config *config,
                     struct relay_scrape *scrape)
{
    const bool has_ip4 = config->public_ip4.family != ADDR_NONE;

    *demo = (struct relay_demo){
        .server =
            addr_with_port(has_ip4 ? config->public_ip4 : config->public_ip6, config->listen_port),
        .scrape = scrape,
    };
    if (config->demo_secret.len > 0) {
        assert(config->demo_secret.len == sizeof demo->secret);
        memcpy(demo->secret, config->demo_secret.ptr, sizeof demo->secret);
        demo->has_secret = true;
    }
}

void relay_demo_lend_secret(const struct relay_demo *demo, struct relay_config *config)
{
    if (demo->has_secret && config->auth_secret_count < COUNT_OF(config->auth_secrets)) {
        config->demo_secret = (struct bytes){demo->secret, sizeof demo->secret};
        config->auth_secrets[config->auth_secret_count++] = config->demo_secret;
    }
}

void relay_demo_deinit(struct relay_demo *demo)
{
    demo->has_secret = false;
    crypto_wipe(demo->secret, sizeof demo->secret);
}

void relay_demo_credential_write(struct wr *wr, const struct relay_demo *demo, int64_t wall_s)
{
    uint8_t name[USERNAME_MAX];
    uint8_t password[TURN_CREDENTIAL_REST_LEN];
    struct wr name_wr = wr_init(name, sizeof name);

    wr_decimal(&name_wr, (uint64_t)wall_s + TTL_S);
    wr_text(&name_wr, ":demo");
    assert(wr_ok(&name_wr));
    turn_credential_rest_password((struct bytes){demo->secret, sizeof demo->secret},
                                  wr_done(&name_wr), password);
    wr_text(wr, "{\"iceServers\":[{\"urls\":[\"turn:");
    addr_write(wr, &demo->server);
    wr_text(wr, "?transport=udp\"],\"username\":\"");
    wr_bytes(wr, wr_done(&name_wr));
    wr_text(wr, "\",\"credential\":\"");
    wr_bytes(wr, (struct bytes){password, sizeof password});
    wr_text(wr, "\"}]}\n");
    crypto_wipe(password, sizeof password);
}

static void flow_write(struct wr *wr, const char *name, const struct relay_flow *flow)
{
    wr_text(wr, ",\"");
    wr_text(wr, name);
    wr_text(wr, "\":{\"packets\":");
    wr_decimal(wr, flow->packets);
    daemon_json_number_write(wr, "bytes", flow->bytes);
    wr_u8(wr, '}');
}

void relay_demo_figures_write(struct wr *wr, const struct relay_snapshot *snapshot)
{
    wr_text(wr, "{\"version\":\"" FAIRLEAD_VERSION "\"");
    daemon_json_number_write(wr, "allocations", snapshot->gauges.allocations);
    daemon_json_number_write(wr, "channels", snapshot->gauges.channels);
    flow_write(wr, "sockets", &snapshot->sums.by_sockets);
    flow_write(wr, "kernel", &snapshot->sums.by_kernel);
    wr_text(wr, "}\n");
}

// --- the routes ---------------------------------------------------------------------------------

static void page(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)context;
    (void)request;
    answer->type = "text/html; charset=utf-8";
    answer->fields = safety;
    answer->file = (struct bytes){relay_demo_index_html, sizeof relay_demo_index_html};
}

static void style(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)context;
    (void)request;
    answer->type = "text/css; charset=utf-8";
    answer->fields = safety;
    answer->file = (struct bytes){relay_demo_demo_css, sizeof relay_demo_demo_css};
}

static void script(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)context;
    (void)request;
    answer->type = "text/javascript; charset=utf-8";
    answer->fields = safety;
    answer->file = (struct bytes){relay_demo_demo_js, sizeof relay_demo_demo_js};
}

static void credentials(void *context, const struct http_request *request,
                        struct web_answer *answer)
{
    (void)request;
    answer->type = "application/json";
    answer->fields = safety;
    relay_demo_credential_write(&answer->body, context, io_clock_now().wall_s);
}

static void figures(void *context, const struct http_request *request, struct web_answer *answer)
{
    const struct relay_demo *demo = context;

    (void)request;
    answer->type = "application/json";
    answer->fields = safety;
    relay_demo_figures_write(&answer->body, relay_scrape_take(demo->scrape, io_clock_now()));
}

const struct web_route relay_demo_routes[RELAY_DEMO_ROUTE_COUNT] = {
    {"GET", "/", page},           {"GET", "/demo.css", style},
    {"GET", "/demo.js", script},  {"POST", "/credentials", credentials},
    {"GET", "/figures", figures},
};

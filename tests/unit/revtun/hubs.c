// SPDX-License-Identifier: Apache-2.0
#include "revtun/hubs.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/revtun_text.h"

enum { TICKS_MAX = 10000 };

struct revtun_hub_config hubs_config(void)
{
    struct revtun_hub_config config = revtun_hub_config_default();

    config.host = bytes_of_text("relay.test");
    config.program = bytes_of_text("fairlead/test");
    config.first_port = 12101;
    config.port_count = 4;
    config.tls_port = 443;
    return config;
}

static void take(struct hubs *hubs)
{
    struct revtun_command command;

    while (revtun_hub_take(hubs->hub, &command)) {
        char text[REVTUN_TEXT_MAX];
        revtun_text_write(text, &command);
        if (command.type == REVTUN_COMMAND_REPORT && command.report.name.len > 0 &&
            (command.report.event == REVTUN_EVENT_BOUND ||
             command.report.event == REVTUN_EVENT_UNBOUND)) {
            snprintf(text + strlen(text), sizeof text - strlen(text), " %.*s",
                     (int)command.report.name.len, (const char *)command.report.name.ptr);
        }
        if (command.type == REVTUN_COMMAND_REPORT && command.report.detail.len > 0) {
            snprintf(text + strlen(text), sizeof text - strlen(text), " %.*s: %.*s",
                     (int)command.report.name.len, (const char *)command.report.name.ptr,
                     (int)command.report.detail.len, (const char *)command.report.detail.ptr);
        }
        const size_t len = strlen(text);
        assert(hubs->len + len + 2 < sizeof hubs->text);
        memcpy(hubs->text + hubs->len, text, len);
        hubs->len += len;
        if (text[len - 1] != '\n') {
            hubs->text[hubs->len++] = '\n';
        }
        hubs->text[hubs->len] = 0;
        if (command.type == REVTUN_COMMAND_JOIN) {
            hubs->session = command.join.session;
            hubs->head_len = command.join.head.len;
            if (hubs->head_len > 0) {
                memcpy(hubs->head, command.join.head.ptr, hubs->head_len);
            }
        }
    }
}

void hubs_settle(struct hubs *hubs)
{
    take(hubs);
    for (int i = 0; revtun_hub_deadline(hubs->hub) <= hubs->now.mono_ns; i++) {
        assert(i < TICKS_MAX);
        revtun_hub_tick(hubs->hub, hubs->now);
        take(hubs);
    }
}

static void fresh(struct hubs *hubs)
{
    hubs->len = 0;
    hubs->text[0] = 0;
}

void hubs_open(struct hubs *hubs, const struct revtun_hub_config *config)
{
    static const uint8_t seed[REVTUN_HUB_SEED_LEN] = {7};
    static const uint8_t pin[REVTUN_TOKEN_PIN_LEN] = {0};
    static const char *const may[] = {" ports=*\n",
                                      " ports=12101 sni=shop.test tunnels=2 connections=3\n"};
    struct wr wr = wr_init((uint8_t *)hubs->list, sizeof hubs->list);
    struct revtun_access_mistakes mistakes = {0};

    for (uint8_t i = 0; i < 2; i++) {
        uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];
        const struct bytes id = bytes_of_text(i == 0 ? "laptop" : "shop");
        revtun_token_init(&hubs->tokens[i], id,
                          (const uint8_t[REVTUN_TOKEN_SECRET_LEN]){(uint8_t)(i + 1)}, pin);
        revtun_token_verifier(&hubs->tokens[i], verifier);
        revtun_access_token_write(&wr, id, verifier);
        wr_text(&wr, may[i]);
    }
    assert(wr_ok(&wr));
    hubs->config = *config;
    hubs->access = (struct revtun_access){.entries = hubs->entries, .capacity = HUBS_ENTRIES};
    const bool is_read = revtun_access_read(wr_done(&wr), &hubs->access, &mistakes);
    assert(is_read);
    void *memory = calloc(1, revtun_hub_size(config));
    assert(memory != NULL);
    hubs->hub = revtun_hub_init(memory, config, &hubs->access, seed);
    hubs->now = (struct now){.mono_ns = 1000 * SECOND_NS, .wall_s = 1000000};
}

void hubs_close(struct hubs *hubs)
{
    free(hubs->hub);
    hubs->hub = NULL;
}

int hubs_setup(void **state)
{
    struct hubs *hubs = calloc(1, sizeof *hubs);
    const struct revtun_hub_config config = hubs_config();

    assert(hubs != NULL);
    hubs_open(hubs, &config);
    *state = hubs;
    return 0;
}

int hubs_teardown(void **state)
{
    hubs_close(*state);
    free(*state);
    return 0;
}

void hubs_up(struct hubs *hubs, uint64_t conn, struct hubs_agent *out)
{
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];
    const struct revtun_hub_arrival arrival = {
        .conn = conn,
        .peer = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 50000),
        .exported = exported,
        .sid = out->sid,
    };

    memset(exported, (int)conn, sizeof exported);
    memset(out->sid, (int)conn, sizeof out->sid);
    out->conn = conn;
    out->secrets = revtun_secrets_read(exported);
    fresh(hubs);
    out->link = revtun_hub_link_up(hubs->hub, hubs->now, &arrival);
    hubs_settle(hubs);
}

void hubs_say(struct hubs *hubs, struct hubs_agent *agent, const char *lines)
{
    struct bytes received = bytes_of_text(lines);

    fresh(hubs);
    while (received.len > 0) {
        revtun_hub_link_read(hubs->hub, hubs->now, agent->link, &received);
        hubs_settle(hubs);
    }
}

void hubs_hello(struct hubs *hubs, struct hubs_agent *agent, size_t token, uint64_t instance,
                const char *more)
{
    uint8_t proof[REVTUN_MESSAGE_PROOF_LEN];
    char line[512];
    struct wr wr = wr_init((uint8_t *)line, sizeof line);

    revtun_token_proof(&hubs->tokens[token], &agent->secrets, proof);
    wr_text(&wr, "hello auth=token id=");
    wr_bytes(&wr, revtun_token_id(&hubs->tokens[token]));
    wr_text(&wr, " proof=");
    wr_hex(&wr, (struct bytes){proof, sizeof proof});
    wr_text(&wr, " instance=");
    wr_decimal(&wr, instance);
    wr_text(&wr, more);
    wr_text(&wr, "\r\n");
    wr_u8(&wr, 0);
    assert(wr_ok(&wr));
    hubs_say(hubs, agent, line);
}

void hubs_come(struct hubs *hubs, uint64_t conn, size_t token, uint64_t instance, const char *more,
               struct hubs_agent *out)
{
    hubs_up(hubs, conn, out);
    hubs_hello(hubs, out, token, instance, more);
    assert(hubs_has(hubs, "welcome sid="));
}

void hubs_down(struct hubs *hubs, struct hubs_agent *agent)
{
    fresh(hubs);
    revtun_hub_link_down(hubs->hub, hubs->now, agent->link);
    hubs_settle(hubs);
}

struct pool_ref hubs_client(struct hubs *hubs, uint64_t conn, uint16_t port, const char *host)
{
    const struct revtun_hub_client client = {
        .conn = conn,
        .from = addr_ip4((const uint8_t[]){198, 51, 100, (uint8_t)conn}, 40000),
        .dst = addr_ip4((const uint8_t[]){203, 0, 113, 1}, port),
        .host = bytes_of_text(host),
    };

    fresh(hubs);
    const struct pool_ref ref = revtun_hub_client(hubs->hub, hubs->now, &client);
    hubs_settle(hubs);
    return ref;
}

struct pool_ref hubs_data(struct hubs *hubs, const struct hubs_agent *agent, uint64_t conn,
                          enum revtun_preface_type type, uint64_t id)
{
    struct revtun_preface preface = {.type = type, .id = id};
    uint8_t raw[REVTUN_PREFACE_LEN];

    memcpy(preface.sid, agent->sid, sizeof preface.sid);
    revtun_preface_write(&preface, agent->secrets.preface, raw);
    fresh(hubs);
    const struct pool_ref ref = revtun_hub_data(hubs->hub, hubs->now, conn, raw, false);
    hubs_settle(hubs);
    return ref;
}

void hubs_gone(struct hubs *hubs, struct pool_ref client)
{
    fresh(hubs);
    revtun_hub_gone(hubs->hub, hubs->now, client);
    hubs_settle(hubs);
}

// In steps, as a clock goes.
void hubs_pass(struct hubs *hubs, uint64_t ns)
{
    const uint64_t end_ns = hubs->now.mono_ns + ns;

    fresh(hubs);
    while (revtun_hub_deadline(hubs->hub) <= end_ns) {
        const uint64_t due_ns = revtun_hub_deadline(hubs->hub);
        hubs->now.mono_ns = due_ns > hubs->now.mono_ns ? due_ns : hubs->now.mono_ns;
        hubs_settle(hubs);
    }
    hubs->now.mono_ns = end_ns;
    hubs->now.wall_s += (int64_t)(ns / SECOND_NS);
}

bool hubs_has(const struct hubs *hubs, const char *text)
{
    return strstr(hubs->text, text) != NULL;
}

uint64_t hubs_id(const struct hubs *hubs, const char *word, size_t n)
{
    const char *at = hubs->text;

    for (size_t i = 0; i <= n; i++) {
        at = strstr(at + (i > 0), word);
        assert(at != NULL);
    }
    const char *id = strstr(at, " id=");
    assert(id != NULL);
    return strtoull(id + 4, NULL, 10);
}

void hubs_expect(const struct hubs *hubs, struct revtun_hub_gauges want)
{
    const struct revtun_hub_gauges is = revtun_hub_gauges(hubs->hub);

    assert_int_equal(is.links, want.links);
    assert_int_equal(is.agents, want.agents);
    assert_int_equal(is.services, want.services);
    assert_int_equal(is.waiting, want.waiting);
    assert_int_equal(is.sessions, want.sessions);
    assert_int_equal(is.standing, want.standing);
}

// SPDX-License-Identifier: Apache-2.0
// A hub for tests, with agents that can do what agents do: a clock, an access list, and all that
// the last call brought, as text.
#pragma once

#include <stdbool.h>

#include "revtun/revtun_hub.h"
#include "revtun/revtun_token.h"

#define BIND_WEB "bind rid=1 name=web kind=tcp\r\n"
#define HUB_TEST(test) cmocka_unit_test_setup_teardown(test, hubs_setup, hubs_teardown)

enum {
    HUBS_TEXT_MAX = 131072,
    HUBS_HEAD_MAX = 1024,
    HUBS_ENTRIES = 8,
};

// A control connection as its agent sees it.
struct hubs_agent {
    uint64_t conn;
    struct pool_ref link;
    struct revtun_secrets secrets;
    uint8_t sid[REVTUN_MESSAGE_SID_LEN];
};

struct hubs {
    struct revtun_hub_config config;
    struct revtun_access access;
    struct revtun_access_entry entries[HUBS_ENTRIES];
    struct revtun_token tokens[2]; // of "laptop" and "shop"
    char list[1024];
    struct revtun_hub *hub;
    struct now now;
    char text[HUBS_TEXT_MAX];    // of the last call: each command a line
    size_t len;                  // bytes
    uint8_t head[HUBS_HEAD_MAX]; // of the last JOIN
    size_t head_len;             // bytes
    struct pool_ref session;     // likewise
};

// laptop may have all ports, shop only 12101, two tunnels, three clients and the host shop.test.
struct revtun_hub_config hubs_config(void);
void hubs_open(struct hubs *hubs, const struct revtun_hub_config *config);
void hubs_close(struct hubs *hubs);
int hubs_setup(void **state);
int hubs_teardown(void **state);

// A control connection is up, with secrets and a sid that its number tells.
void hubs_up(struct hubs *hubs, uint64_t conn, struct hubs_agent *out);
// It says hello with a token, 0 or 1, and an instance.
void hubs_hello(struct hubs *hubs, struct hubs_agent *agent, size_t token, uint64_t instance,
                const char *more);
void hubs_say(struct hubs *hubs, struct hubs_agent *agent, const char *lines);
void hubs_down(struct hubs *hubs, struct hubs_agent *agent);
// Both at once: up, and welcome.
void hubs_come(struct hubs *hubs, uint64_t conn, size_t token, uint64_t instance, const char *more,
               struct hubs_agent *out);

struct pool_ref hubs_client(struct hubs *hubs, uint64_t conn, uint16_t port, const char *host);
// A data connection with a preface of the agent's.
struct pool_ref hubs_data(struct hubs *hubs, const struct hubs_agent *agent, uint64_t conn,
                          enum revtun_preface_type type, uint64_t id);
void hubs_gone(struct hubs *hubs, struct pool_ref client);
void hubs_pass(struct hubs *hubs, uint64_t ns);
// Does what is due, and adds it to the text.
void hubs_settle(struct hubs *hubs);

// The number behind " id=" of the n-th line, from 0, that holds the word; it is there.
uint64_t hubs_id(const struct hubs *hubs, const char *word, size_t n);
bool hubs_has(const struct hubs *hubs, const char *text);
// The test fails if the hub does not hold so many.
void hubs_expect(const struct hubs *hubs, struct revtun_hub_gauges want);

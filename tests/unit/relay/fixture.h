// SPDX-License-Identifier: Apache-2.0
// One worker, and over loopback a client and a peer of it: what a test of the worker needs to say
// "allocate, permit, send" and to look at what came of it.
//
// The worker runs in the test's own thread: what has been sent over loopback lies at its sockets,
// and fixture_serve() lets it work until nothing more is there. So nothing here depends on time.
#pragma once

#include "client.h"
#include "relay/relay_crew.h"

// For tests that speak to a worker: it serves 127.0.0.1, and its host's log is caught.
#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

struct fixture {
    struct io_loop loop; // of the control thread
    struct relay_crew crew;
    struct relay_worker *worker; // the only one
    struct relay_config config;
    struct client client;
    struct io_udp peer;
    size_t descriptors; // open before the test
    bool is_skipped;    // a test could not run here, and has said so
};

extern struct fixture fixture;

int fixture_setup(void **state);
int fixture_teardown(void **state);
// The exit code of a program of which so many tests failed.
int fixture_result(int failed_count);
// IPv6 works on loopback; if not, the test is skipped.
bool fixture_has_ip6(void);

// A small configuration that serves loopback, and allows it as a peer.
struct relay_config fixture_config(enum addr_family family);
// Opens all, with that configuration or with `config` as the test has set it.
void fixture_open(enum addr_family family);
void fixture_open_with_config(enum addr_family family);
void fixture_close(void);

// Lets the worker take all that has been sent to it, and what comes of that.
void fixture_serve(void);
// Signs and sends a request, and says what came of it, as client_response() does.
int fixture_ask(struct client_draft *draft);

// Begins an Allocate with REQUESTED-TRANSPORT, for the family of the server.
void fixture_begin_allocate(struct client_draft *draft);
int fixture_try_to_allocate(void);
// An allocation, which must succeed; its relayed address.
struct addr fixture_allocate(void);
int fixture_refresh(uint32_t lifetime_s);
int fixture_permit(const struct addr *peer);
int fixture_bind(uint16_t number, const struct addr *peer);
// The client's address as the relay sees it.
struct addr fixture_mapped_address(void);

// Data on its way: a Send indication of the client, a datagram of the peer.
void fixture_send(const struct addr *to, const char *text);
void fixture_send_from_peer(const struct addr *to, const char *text);
// What the peer received, or nothing.
struct bytes fixture_at_peer(void);
// The client received a Data indication with the peer's text.
void fixture_expect_data(const char *text);

// The whole way of an allocation, and its end.
void fixture_relay_both_ways(void);
// Channel 0x4000 works, both ways.
void fixture_relay_by_channel(const struct addr *relayed);

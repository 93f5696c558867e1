// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_chandata.h"
#include "stun/stun_icmp.h"
#include "turn/turn_fixture.h"

static const char peer_ip4[] = "192.0.2.9";
static const char peer_ip6[] = "2001:db8::9";

static struct bytes text(const char *of)
{
    return bytes_of_text(of);
}

// The forward as one datagram, as it would leave.
static struct bytes joined(const struct turn_fixture *f, uint8_t *to, size_t room)
{
    struct wr wr = wr_init(to, room);

    wr_bytes(&wr, (struct bytes){f->forward.head, f->forward.head_len});
    wr_bytes(&wr, f->forward.payload);
    wr_zero(&wr, f->forward.padding_len);
    assert_true(wr_ok(&wr));
    return wr_done(&wr);
}

// An allocation that relays in the family of `peer`, with a permission for it.
static struct pool_ref permitted(struct turn_fixture *f, const struct addr *peer)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                       peer->family == ADDR_IP4 ? STUN_ATTR_FAMILY_IP4 : STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    struct pool_ref allocation = f->commands[0].socket.allocation;
    assert_int_equal(turn_fixture_permit(f, peer), TURN_FIXTURE_SUCCESS);
    return allocation;
}

// --- From peers ----------------------------------------------------------------------------------

static void check_indication(struct turn_fixture *f, const struct addr *peer, size_t len)
{
    uint8_t data[64];
    uint8_t raw[256];
    struct stun_message message = {0};
    struct bytes value = {0};
    struct addr from = {0};

    memset(data, 0xda, sizeof data);
    struct pool_ref allocation = permitted(f, peer);
    assert_int_equal(turn_fixture_from_peer(f, allocation, peer, (struct bytes){data, len}),
                     TURN_FORWARD);
    assert_false(f->forward.is_to_peer);
    assert_int_equal(f->forward.head_len, peer->family == ADDR_IP4 ? 36 : 48);
    assert_int_equal(f->forward.padding_len, (4 - len % 4) % 4);
    assert_memory_equal(&f->forward.allocation, &allocation, sizeof allocation);
    assert_memory_equal(&f->forward.tuple, &f->tuple, sizeof f->tuple);
    assert_ptr_equal(f->forward.payload.ptr, f->datagram); // not copied
    struct bytes whole = joined(f, raw, sizeof raw);
    assert_int_equal(stun_message_read(whole, &message), STUN_MESSAGE_OK);
    assert_int_equal(message.header.class, STUN_INDICATION);
    assert_int_equal(message.header.method, STUN_DATA);
    assert_true(stun_message_find(&message, STUN_ATTR_XOR_PEER_ADDRESS, &value));
    assert_true(stun_attr_xor_addr_read(value, &message.header.transaction, &from));
    assert_true(addr_equal(&from, peer));
    assert_true(stun_message_find(&message, STUN_ATTR_DATA, &value));
    assert_int_equal(value.len, len);
    assert_memory_equal(value.ptr, data, len);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
}

static void wraps_data_of_peers_in_indications(void **state)
{
    struct turn_fixture *f = *state;
    struct addr ip4 = turn_fixture_addr(peer_ip4, 9);
    struct addr ip6 = turn_fixture_addr(peer_ip6, 9);

    for (size_t len = 0; len <= 9; len++) {
        check_indication(f, &ip4, len);
        check_indication(f, &ip6, len);
    }
}

static void each_indication_has_a_transaction_of_its_own(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);
    uint8_t first[TURN_FORWARD_HEAD_MAX];

    struct pool_ref allocation = permitted(f, &peer);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, text("x")), TURN_FORWARD);
    memcpy(first, f->forward.head, sizeof first);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, text("x")), TURN_FORWARD);
    assert_memory_equal(f->forward.head, first, 8);
    assert_memory_not_equal(f->forward.head + 8, first + 8, STUN_TRANSACTION_LEN);
}

static void wraps_data_of_bound_peers_in_channel_data(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);
    struct addr other_port = turn_fixture_addr(peer_ip4, 10);

    struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4123, &peer), TURN_FIXTURE_SUCCESS);
    for (uint16_t len = 0; len < 9; len++) {
        const uint8_t head[] = {0x41, 0x23, 0, (uint8_t)len};
        struct bytes data = bytes_first(text("123456789"), len);
        assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, data), TURN_FORWARD);
        assert_false(f->forward.is_to_peer);
        assert_int_equal(f->forward.head_len, sizeof head);
        assert_memory_equal(f->forward.head, head, sizeof head);
        assert_int_equal(f->forward.padding_len, 0); // RFC 8656 section 12.5: none over UDP
        assert_true(bytes_equal(f->forward.payload, data));
        assert_memory_equal(&f->forward.tuple, &f->tuple, sizeof f->tuple);
    }
    // The permission is for the address, the channel for the port.
    assert_int_equal(turn_fixture_from_peer(f, allocation, &other_port, text("x")), TURN_FORWARD);
    assert_int_equal(f->forward.head_len, 36);
}

static void drops_peers_without_a_permission(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);
    struct addr other = turn_fixture_addr("192.0.2.10", 9);

    struct pool_ref allocation = permitted(f, &peer);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &other, text("x")), TURN_DROP);
    assert_int_equal(turn_server_stats(f->server)->dropped_no_permission, 1);
}

static void drops_data_for_an_allocation_that_is_gone(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);

    struct pool_ref old = permitted(f, &peer);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_from_peer(f, old, &peer, text("x")), TURN_DROP);
    struct pool_ref new = permitted(f, &peer); // the same index, another life
    assert_int_equal(new.index, old.index);
    assert_int_equal(turn_fixture_from_peer(f, old, &peer, text("x")), TURN_DROP);
    assert_int_equal(turn_fixture_from_peer(f, new, &peer, text("x")), TURN_FORWARD);
    assert_int_equal(turn_fixture_from_peer(f, (struct pool_ref){POOL_NONE, 0}, &peer, text("x")),
                     TURN_DROP);
    assert_int_equal(turn_server_stats(f->server)->dropped_no_allocation, 3);
}

static void drops_what_does_not_fit_with_its_head(void **state)
{
    static uint8_t data[65536];
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);
    struct addr bound = turn_fixture_addr(peer_ip4, 10);

    struct pool_ref allocation = permitted(f, &peer);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &bound), TURN_FIXTURE_SUCCESS);
    for (size_t len = 65400; len <= 65535; len++) {
        const struct addr *from[] = {&peer, &bound};
        for (size_t i = 0; i < COUNT_OF(from); i++) {
            struct bytes all = {data, len};
            if (turn_fixture_from_peer(f, allocation, from[i], all) == TURN_FORWARD) {
                size_t whole = f->forward.head_len + len + f->forward.padding_len;
                assert_in_range(whole, len, 65507); // what UDP over IPv4 can carry
            } else {
                assert_true(len > 65507 - TURN_FORWARD_HEAD_MAX - 3);
            }
        }
    }
    assert_true(turn_server_stats(f->server)->dropped_too_long > 0);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &bound, (struct bytes){data, 65500}),
                     TURN_FORWARD);
}

// --- To peers ------------------------------------------------------------------------------------

static void sends_what_an_indication_carries(void **state)
{
    struct turn_fixture *f = *state;

    for (int family = 0; family < 2; family++) {
        struct addr peer = turn_fixture_addr(family == 0 ? peer_ip4 : peer_ip6, 9);
        struct pool_ref allocation = permitted(f, &peer);
        assert_int_equal(turn_fixture_send_data(f, &peer, "hello"), TURN_FORWARD);
        assert_true(f->forward.is_to_peer);
        assert_false(f->forward.is_unfragmented);
        assert_int_equal(f->forward.head_len, 0);
        assert_int_equal(f->forward.padding_len, 0);
        assert_true(addr_equal(&f->forward.peer, &peer));
        assert_memory_equal(&f->forward.allocation, &allocation, sizeof allocation);
        assert_true(bytes_equal_text(f->forward.payload, "hello"));
        assert_int_equal(turn_fixture_send_data(f, &peer, ""), TURN_FORWARD); // no data is data
        assert_int_equal(f->forward.payload.len, 0);
        assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    }
}

static void honours_dont_fragment(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);
    struct turn_fixture_draft draft;

    permitted(f, &peer);
    turn_fixture_begin(f, &draft, STUN_INDICATION, STUN_SEND);
    turn_fixture_add_peer(&draft, &peer);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DONT_FRAGMENT, (struct bytes){0});
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, text("x"));
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SILENCE);
    assert_int_equal(f->verdict, TURN_FORWARD);
    assert_true(f->forward.is_unfragmented);
}

static void ignores_dont_fragment_where_ipv6_takes_part(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peers[] = {turn_fixture_addr(peer_ip4, 9), turn_fixture_addr(peer_ip6, 9)};
    struct addr clients[] = {f->tuple.client, turn_fixture_addr("2001:db8:1::1", 4001)};

    for (size_t i = 1; i < 4; i++) { // not from IPv4 to IPv4
        const struct addr *peer = &peers[i % 2];
        struct turn_fixture_draft draft;
        f->tuple.client = clients[i / 2];
        f->tuple.client.port = (uint16_t)(4001 + i);
        permitted(f, peer);
        turn_fixture_begin(f, &draft, STUN_INDICATION, STUN_SEND);
        turn_fixture_add_peer(&draft, peer);
        stun_attr_write(&draft.writer.wr, STUN_ATTR_DONT_FRAGMENT, (struct bytes){0});
        stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, text("x"));
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SILENCE);
        assert_int_equal(f->verdict, TURN_FORWARD);
        assert_false(f->forward.is_unfragmented);
    }
}

static void drops_indications_that_lack_something(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);

    permitted(f, &peer);
    for (int lacking = 0; lacking < 4; lacking++) {
        struct turn_fixture_draft draft;
        struct addr to = addr_with_port(peer, lacking == 2 ? 0 : 9);
        turn_fixture_begin(f, &draft, STUN_INDICATION, STUN_SEND);
        if (lacking != 0) {
            turn_fixture_add_peer(&draft, &to);
        }
        if (lacking != 1) {
            stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, text("x"));
        }
        if (lacking == 3) { // understanding
            stun_attr_u32_write(&draft.writer.wr, 0x002f, 0);
        }
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SILENCE);
        assert_int_equal(f->verdict, TURN_DROP);
        assert_int_equal(turn_server_stats(f->server)->dropped_malformed, lacking + 1);
    }
}

static void sends_nothing_without_permission_or_allocation(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);
    struct addr other = turn_fixture_addr("192.0.2.10", 9);
    struct addr ip6 = turn_fixture_addr(peer_ip6, 9);
    struct addr mapped = turn_fixture_addr("::ffff:192.0.2.9", 9);

    assert_int_equal(turn_fixture_send_data(f, &peer, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_server_stats(f->server)->dropped_no_allocation, 2);
    permitted(f, &peer);
    assert_int_equal(turn_fixture_send_data(f, &other, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_send_data(f, &ip6, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_send_data(f, &mapped, "x"), TURN_DROP);
    assert_int_equal(turn_server_stats(f->server)->dropped_no_permission, 3);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_server_stats(f->server)->dropped_no_channel, 1);
    f->tuple.client.port++; // somebody else
    assert_int_equal(turn_fixture_send_data(f, &peer, "x"), TURN_DROP);
}

static void sends_what_channel_data_carries(void **state)
{
    static const uint8_t padded[] = {0x40, 0, 0, 1, 'x', 0, 0, 0};
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);

    struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "hello"), TURN_FORWARD);
    assert_true(f->forward.is_to_peer);
    assert_true(addr_equal(&f->forward.peer, &peer));
    assert_memory_equal(&f->forward.allocation, &allocation, sizeof allocation);
    assert_true(bytes_equal_text(f->forward.payload, "hello"));
    assert_int_equal(f->forward.head_len, 0);
    (void)turn_fixture_send(f, (struct bytes){padded, sizeof padded});
    assert_int_equal(f->verdict, TURN_FORWARD);
    assert_true(bytes_equal_text(f->forward.payload, "x"));
    for (size_t len = 1; len < 5; len++) { // cut short
        (void)turn_fixture_send(f, (struct bytes){padded, len});
        assert_int_equal(f->verdict, TURN_DROP);
    }
}

static void a_channel_without_its_permission_relays_nothing(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);

    struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 300 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, text("x")), TURN_FORWARD);
    turn_fixture_wait(f, 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 1);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, text("x")), TURN_DROP);
    assert_int_equal(turn_server_stats(f->server)->dropped_no_permission, 2);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, text("x")), TURN_FORWARD);
    assert_int_equal(f->forward.head_len, STUN_CHANDATA_HEAD_LEN);
}

static void counts_what_it_relays(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);

    struct pool_ref allocation = permitted(f, &peer);
    assert_int_equal(turn_fixture_send_data(f, &peer, "hello"), TURN_FORWARD);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, text("hi")), TURN_FORWARD);
    const struct turn_stats *stats = turn_server_stats(f->server);
    assert_int_equal(stats->packets_to_peer, 1);
    assert_int_equal(stats->bytes_to_peer, 5);
    assert_int_equal(stats->packets_to_client, 1);
    assert_int_equal(stats->bytes_to_client, 2);
}

// --- ICMP, RFC 8656 sections 11.5 and 11.6 -------------------------------------------------------

static enum turn_verdict icmp_from(struct turn_fixture *f, struct pool_ref allocation,
                                   const struct addr *peer, uint8_t type, uint16_t code)
{
    const struct stun_icmp icmp = {.type = type, .code = code, .data = 1280};

    memset(&f->forward, 0xee, sizeof f->forward);
    return turn_server_icmp(f->server, allocation, peer, &icmp, &f->forward);
}

static void passes_on_the_icmp_errors_of_the_rfc_and_no_others(void **state)
{
    struct turn_fixture *f = *state;
    static const char *const peers[] = {peer_ip4, peer_ip6};

    for (int family = 0; family < 2; family++) {
        struct addr peer = turn_fixture_addr(peers[family], 9);
        struct pool_ref allocation = permitted(f, &peer);
        uint64_t passed = turn_server_stats(f->server)->errors_to_client;
        for (unsigned type = 0; type < 128; type++) {
            bool is_named = family == 0 ? type == 3 || type == 11 : type >= 1 && type <= 3;
            assert_int_equal(icmp_from(f, allocation, &peer, (uint8_t)type, 4),
                             is_named ? TURN_FORWARD : TURN_DROP);
            passed += is_named;
        }
        assert_int_equal(turn_server_stats(f->server)->errors_to_client, passed);
        assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    }
}

static void an_icmp_error_comes_as_an_indication_without_data(void **state)
{
    struct turn_fixture *f = *state;
    static const char *const peers[] = {peer_ip4, peer_ip6};

    for (int family = 0; family < 2; family++) {
        uint8_t raw[TURN_FORWARD_HEAD_MAX];
        struct stun_message message = {0};
        struct stun_icmp icmp = {0};
        struct bytes value = {0};
        struct addr from = {0};
        struct addr peer = turn_fixture_addr(peers[family], 9);
        struct pool_ref allocation = permitted(f, &peer);
        uint8_t type = family == 0 ? 3 : 2;
        // Over a channel there is no way to say it: it comes as an indication too.
        assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
        assert_int_equal(icmp_from(f, allocation, &peer, type, 4), TURN_FORWARD);
        assert_false(f->forward.is_to_peer);
        assert_false(f->forward.is_unfragmented);
        assert_memory_equal(&f->forward.tuple, &f->tuple, sizeof f->tuple);
        assert_int_equal(f->forward.payload.len, 0);
        assert_int_equal(f->forward.padding_len, 0);
        struct bytes whole = joined(f, raw, sizeof raw);
        assert_int_equal(stun_message_read(whole, &message), STUN_MESSAGE_OK);
        assert_int_equal(message.header.class, STUN_INDICATION);
        assert_int_equal(message.header.method, STUN_DATA);
        assert_false(stun_message_has(&message, STUN_ATTR_DATA));
        assert_true(stun_message_find(&message, STUN_ATTR_XOR_PEER_ADDRESS, &value));
        assert_true(stun_attr_xor_addr_read(value, &message.header.transaction, &from));
        assert_true(addr_equal(&from, &peer));
        assert_true(stun_message_find(&message, STUN_ATTR_ICMP, &value));
        assert_true(stun_icmp_read(value, &icmp));
        assert_int_equal(icmp.type, type);
        assert_int_equal(icmp.code, 4);
        assert_int_equal(icmp.data, 1280);
        assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    }
}

static void an_icmp_error_needs_a_permission_and_an_allocation(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);
    struct addr stranger = turn_fixture_addr("192.0.2.77", 9);
    struct addr other_family = turn_fixture_addr(peer_ip6, 9);
    struct pool_ref allocation = permitted(f, &peer);
    struct pool_ref stale = {allocation.index, allocation.generation + 1};

    assert_int_equal(icmp_from(f, allocation, &stranger, 3, 3), TURN_DROP);
    assert_int_equal(icmp_from(f, allocation, &other_family, 1, 4), TURN_DROP);
    assert_int_equal(icmp_from(f, stale, &peer, 3, 3), TURN_DROP);
    assert_int_equal(icmp_from(f, allocation, &peer, 3, 3), TURN_FORWARD);
    turn_fixture_wait(f, 300 * SECOND_NS);
    assert_int_equal(icmp_from(f, allocation, &peer, 3, 3), TURN_DROP);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(icmp_from(f, allocation, &peer, 3, 3), TURN_DROP);
}

static void firezones_channel_lets_icmp_errors_of_its_peer_through(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip4, 9);
    struct addr other_port = turn_fixture_addr(peer_ip4, 10);

    turn_fixture_become_firezone(f);
    struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(icmp_from(f, allocation, &peer, 3, 3), TURN_FORWARD);
    assert_int_equal(icmp_from(f, allocation, &other_port, 3, 3), TURN_DROP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(wraps_data_of_peers_in_indications),
        TURN_FIXTURE_TEST(each_indication_has_a_transaction_of_its_own),
        TURN_FIXTURE_TEST(wraps_data_of_bound_peers_in_channel_data),
        TURN_FIXTURE_TEST(drops_peers_without_a_permission),
        TURN_FIXTURE_TEST(drops_data_for_an_allocation_that_is_gone),
        TURN_FIXTURE_TEST(drops_what_does_not_fit_with_its_head),
        TURN_FIXTURE_TEST(sends_what_an_indication_carries),
        TURN_FIXTURE_TEST(honours_dont_fragment),
        TURN_FIXTURE_TEST(ignores_dont_fragment_where_ipv6_takes_part),
        TURN_FIXTURE_TEST(drops_indications_that_lack_something),
        TURN_FIXTURE_TEST(sends_nothing_without_permission_or_allocation),
        TURN_FIXTURE_TEST(sends_what_channel_data_carries),
        TURN_FIXTURE_TEST(a_channel_without_its_permission_relays_nothing),
        TURN_FIXTURE_TEST(counts_what_it_relays),
        TURN_FIXTURE_TEST(passes_on_the_icmp_errors_of_the_rfc_and_no_others),
        TURN_FIXTURE_TEST(an_icmp_error_comes_as_an_indication_without_data),
        TURN_FIXTURE_TEST(an_icmp_error_needs_a_permission_and_an_allocation),
        TURN_FIXTURE_TEST(firezones_channel_lets_icmp_errors_of_its_peer_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

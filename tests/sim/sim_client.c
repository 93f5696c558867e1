// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_client.h"

#include <string.h>

#include "sim/sim_payload.h"
#include "sim/sim_world.h"
#include "stun/stun_chandata.h"
#include "stun/stun_message.h"

#define MILLISECOND_NS UINT64_C(1000000)

void sim_client_init(struct sim_client *client, struct sim_world *world, unsigned index)
{
    static const uint8_t ip6[ADDR_IP6_LEN] = {0x20, 0x01, 0x0d, 0xb8, 1, [15] = 7};
    const uint8_t ip4[] = {198, 51, 100, (uint8_t)(1 + index / 2)}; // pairs behind one NAT
    bool is_ip4 = rng_chance(&world->rng, 70);
    uint16_t port = (uint16_t)(40000 + 100 * index);

    *client = (struct sim_client){
        .index = index,
        .is_modern = rng_chance(&world->rng, 40),
        .first_port = port,
        .addr = is_ip4 ? addr_ip4(ip4, port) : addr_ip6(ip6, port),
        .server = is_ip4 ? world->setup.listen_ip4 : world->setup.listen_ip6,
    };
    client->credential.kind = sim_credential_kind_of(&world->setup, &world->rng);
    sim_client_renew(client, world);
    if (client->credential.kind == SIM_CREDENTIAL_FIREZONE) { // it knows its realm
        struct bytes realm = bytes_of_text("firezone");
        memcpy(client->realm, realm.ptr, realm.len);
        client->realm_len = realm.len;
    }
}

void sim_client_renew(struct sim_client *client, struct sim_world *world)
{
    client->credential = sim_credential_make(&world->setup, &world->rng, client->credential.kind,
                                             client->index, world->now);
}

void sim_client_send(struct sim_client *client, struct sim_world *world, struct bytes datagram)
{
    struct rng *rng = &world->rng;

    if (datagram.ptr[0] == 0 && (datagram.ptr[1] & 0x10) == 0) {
        unsigned at = client->sent_count++ % SIM_CLIENT_SENT;
        client->sent[at].len = datagram.len;
        memcpy(client->sent[at].bytes, datagram.ptr, datagram.len);
        sim_stranger_hear(&world->stranger, &client->addr, &client->server, datagram);
    }
    sim_link_send(world, &client->addr, &client->server, datagram);
    if (rng_chance(rng, 10)) { // an impatient retransmission
        sim_link_send(world, &client->addr, &client->server, datagram);
    }
}

static void send_again(struct sim_client *client, struct sim_world *world)
{
    unsigned known = client->sent_count < SIM_CLIENT_SENT ? client->sent_count : SIM_CLIENT_SENT;

    if (known > 0) {
        unsigned at = (unsigned)rng_below(&world->rng, known);
        sim_link_send(world, &client->addr, &client->server,
                      (struct bytes){client->sent[at].bytes, client->sent[at].len});
    }
}

struct addr sim_client_some_peer(const struct sim_client *client, struct sim_world *world)
{
    struct rng *rng = &world->rng;
    const struct turn_config *config = &world->setup.config;
    unsigned count = rng_chance(rng, 80) ? SIM_PEER_PLAIN : SIM_PEER_COUNT;
    struct addr peer = world->peers[rng_below(rng, count)].addr;
    const struct sim_socket *socket = sim_system_any(world);
    unsigned family = client->relayed.family != ADDR_NONE ? client->relayed.family : ADDR_IP4;

    if (client->is_dual) {
        family = rng_chance(rng, 50) ? ADDR_IP4 : ADDR_IP6;
    }
    if (socket != NULL && rng_chance(rng, 25)) {
        peer = socket->relayed;
    }
    for (int i = 0; peer.family != family && i < 4; i++) { // mostly of its own family
        peer = world->peers[rng_below(rng, count)].addr;
    }
    if (socket != NULL && rng_chance(rng, 4)) { // by the other name of the relay
        peer = addr_with_port(peer.family == ADDR_IP4 ? config->bind_ip4 : config->bind_ip6,
                              socket->relayed.port);
    }
    if (peer.family == ADDR_NONE) {
        peer = world->peers[0].addr;
    }
    if (rng_chance(rng, 3)) { // one of its own addresses, at any port
        peer = family == ADDR_IP4 ? world->setup.listen_ip4 : world->setup.listen_ip6;
        peer.port =
            rng_chance(rng, 50) ? peer.port : (uint16_t)(config->lowest_port + rng_below(rng, 8));
    }
    if (rng_chance(rng, 2)) { // where clients are listened to, on whichever address
        peer.port = client->server.port;
    }
    return rng_chance(rng, 2) ? addr_with_port(peer, 0) : peer;
}

static void send_indication(struct sim_client *client, struct sim_world *world)
{
    struct rng *rng = &world->rng;
    struct addr peer = sim_client_some_peer(client, world);
    struct sim_message message;
    uint8_t payload[1200];
    size_t len = rng_below(rng, rng_chance(rng, 10) ? sizeof payload : 50);

    sim_message_begin(&message, rng, STUN_INDICATION, STUN_SEND);
    struct wr *wr = &message.writer.wr;
    sim_payload_write(rng, payload, len);
    if (rng_chance(rng, 95)) {
        stun_attr_xor_addr_write(wr, STUN_ATTR_XOR_PEER_ADDRESS, &message.header.transaction,
                                 &peer);
    }
    if (rng_chance(rng, 20)) {
        stun_attr_write(wr, STUN_ATTR_DONT_FRAGMENT, (struct bytes){0});
    }
    if (rng_chance(rng, 95)) {
        stun_attr_write(wr, STUN_ATTR_DATA, (struct bytes){payload, len});
    }
    sim_client_send(client, world, sim_message_end(&message, rng_chance(rng, 10)));
}

static void send_chandata(struct sim_client *client, struct sim_world *world)
{
    struct rng *rng = &world->rng;
    uint8_t bytes[1300];
    struct wr wr = wr_init(bytes, sizeof bytes);
    size_t len = rng_below(rng, rng_chance(rng, 10) ? 1200 : 50);

    stun_chandata_head_write(&wr, (uint16_t)(0x4000 + rng_below(rng, 5)), (uint16_t)len);
    sim_payload_write(rng, bytes + wr.len, len);
    size_t whole = wr.len + len;
    if (rng_chance(rng, 30)) { // padding, which a client may send
        memset(bytes + whole, 0, 4);
        whole = (whole + 3) / 4 * 4;
    }
    sim_client_send(client, world, (struct bytes){bytes, whole});
}

static uint64_t pause_ns(struct rng *rng)
{
    static const uint32_t edges_s[] = {30, 60, 300, 600};
    uint64_t kind = rng_below(rng, 1000);

    if (kind < 600) {
        return rng_below(rng, 300 * MILLISECOND_NS);
    }
    if (kind < 900) {
        return rng_below(rng, 8 * SECOND_NS);
    }
    if (kind < 960) {
        return rng_below(rng, 120 * SECOND_NS);
    }
    if (kind < 995) { // about when something expires
        return edges_s[rng_below(rng, COUNT_OF(edges_s))] * SECOND_NS +
               rng_below(rng, 2 * SECOND_NS) - SECOND_NS;
    }
    return 3500 * SECOND_NS + rng_below(rng, 200 * SECOND_NS); // about when nonces do
}

void sim_client_wake(struct sim_client *client, struct sim_world *world)
{
    struct rng *rng = &world->rng;
    uint64_t what = rng_below(rng, 100);

    if (what < 55 || client->realm_len == 0) {
        sim_client_request(client, world);
    } else if (what < 70) {
        send_indication(client, world);
    } else if (what < 91) {
        send_chandata(client, world);
    } else if (what < 99) {
        send_again(client, world);
    } else { // its NAT forgets it
        client->addr.port = client->addr.port != client->first_port && rng_chance(rng, 50)
                                ? client->first_port
                                : (uint16_t)(client->addr.port + 1 + rng_below(rng, 3));
        sim_cover_point(world->cover, SIM_COVER_REBOUND);
    }
    if (++client->rounds < world->setup.rounds) {
        sim_world_wake(world, client->index, pause_ns(rng));
    }
}

// --- what it is told ----------------------------------------------------------------------------

static void keep(struct bytes value, uint8_t *to, size_t *len)
{
    if (value.len <= SIM_CLIENT_TEXT_MAX) {
        memcpy(to, value.ptr, value.len);
        *len = value.len;
    }
}

static void check_data(struct sim_world *world, struct bytes payload)
{
    if (!sim_payload_is_whole(payload)) {
        sim_trace_fail(&world->trace, "a client received what nobody sent");
    }
    sim_cover_point(world->cover, SIM_COVER_CLIENT_RECEIVED);
}

static bool has_two(const struct stun_message *message)
{
    struct bytes value = {0};
    size_t at = 0;
    unsigned count = 0;

    while (stun_message_next(message, STUN_ATTR_XOR_RELAYED_ADDRESS, &at, &value)) {
        count++;
    }
    return count == 2;
}

static void learn(struct sim_client *client, const struct stun_message *message)
{
    struct bytes value = {0};

    if (stun_message_find(message, STUN_ATTR_REALM, &value) &&
        client->credential.kind != SIM_CREDENTIAL_FIREZONE) {
        keep(value, client->realm, &client->realm_len);
    }
    if (stun_message_find(message, STUN_ATTR_NONCE, &value)) {
        keep(value, client->nonce, &client->nonce_len);
    }
    if (stun_message_find(message, STUN_ATTR_XOR_RELAYED_ADDRESS, &value)) {
        IGNORE(stun_attr_xor_addr_read(value, &message->header.transaction, &client->relayed));
        client->is_dual = has_two(message);
    }
    if (stun_message_find(message, STUN_ATTR_RESERVATION_TOKEN, &value)) {
        memcpy(client->token, value.ptr, sizeof client->token);
        client->has_token = true;
    }
    if (stun_message_find(message, STUN_ATTR_ERROR_CODE, &value) && value.ptr[3] == 37) {
        client->relayed = (struct addr){0}; // 437: it is gone
        client->is_dual = false;
    }
}

void sim_client_receive(struct sim_client *client, struct sim_world *world,
                        const struct sim_datagram *datagram)
{
    struct stun_message message;
    struct bytes data = {0};
    uint16_t number = 0;

    sim_trace_packet(&world->trace, "to a client", &datagram->from, &datagram->to, datagram->bytes);
    if (!addr_equal(&datagram->from, &client->server)) {
        return;
    }
    if (stun_chandata_read(datagram->bytes, &number, &data)) {
        check_data(world, data);
        return;
    }
    if (stun_message_read(datagram->bytes, &message) != STUN_MESSAGE_OK) {
        sim_trace_fail(&world->trace, "a client received neither STUN nor ChannelData");
    }
    if (message.header.method == STUN_DATA) {
        if (stun_message_find(&message, STUN_ATTR_DATA, &data)) {
            check_data(world, data);
        }
        return;
    }
    learn(client, &message);
}

// SPDX-License-Identifier: Apache-2.0
// A fuzzer that signs: the input chooses methods, attributes, users, the passing of time, what the
// system says to sockets and what peers send; the target adds a fresh nonce and the right key, so
// that requests reach their methods.
//
// Beside the server it keeps naive lists of what successful responses have promised. A packet is
// forwarded if and only if they allow it, every success is signed by the key of whoever asked,
// sockets are opened and closed in pairs, and in the end nothing is held.
#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "stun/stun_chandata.h"
#include "stun/stun_key.h"
#include "stun/stun_writer.h"
#include "turn/turn_nonce.h"
#include "turn/turn_story.h"

enum { LIST_MAX = 64, SOCKETS_MAX = 8, DATAGRAM_MAX = 1500 };

struct promise {
    bool is_made;
    uint64_t until_ns;
    uint16_t number; // of a channel
    struct addr peer;
};

struct client {
    bool has_allocation;
    uint64_t until_ns;
    struct pool_ref allocation;
    bool has_family[ADDR_IP6 + 1]; // that are relayed now, by enum addr_family
    struct promise permissions[LIST_MAX];
    struct promise channels[LIST_MAX];
};

struct open_socket {
    struct pool_ref allocation;
    struct addr relayed;
};

struct world {
    struct turn_story story;
    struct client clients[TURN_STORY_CLIENTS];
    struct open_socket sockets[SOCKETS_MAX]; // open now
    uint32_t socket_count;
    struct pool_ref opened; // the last one
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    uint32_t transaction;
    uint8_t last[DATAGRAM_MAX]; // the last request, to be sent again
    size_t last_len;
    uint8_t response[TURN_COMMAND_MESSAGE_MAX];
    size_t response_len; // 0: none came
};

static struct world world; // begun anew for each input

// --- The naive lists -----------------------------------------------------------------------------

static bool is_live(const struct client *client)
{
    return client->has_allocation && client->until_ns > world.story.now.mono_ns;
}

static bool holds(const struct promise *promise)
{
    return promise->is_made && promise->until_ns > world.story.now.mono_ns;
}

static bool is_permitted(const struct client *client, const struct addr *peer)
{
    bool is_relayed = is_live(client) && client->has_family[peer->family];

    for (size_t i = 0; is_relayed && i < LIST_MAX; i++) {
        if (holds(&client->permissions[i]) && addr_same_ip(&client->permissions[i].peer, peer)) {
            return true;
        }
    }
    return false;
}

static const struct promise *channel_of(const struct client *client, uint16_t number)
{
    for (size_t i = 0; is_live(client) && i < LIST_MAX; i++) {
        if (holds(&client->channels[i]) && client->channels[i].number == number) {
            return &client->channels[i];
        }
    }
    return NULL;
}

// Makes a promise, or the same one for longer.
static void promise(struct promise *list, uint16_t number, const struct addr *peer, uint64_t ns)
{
    struct promise *free_one = NULL;

    for (size_t i = 0; i < LIST_MAX; i++) {
        if (holds(&list[i]) && list[i].number == number && addr_equal(&list[i].peer, peer)) {
            list[i].until_ns = world.story.now.mono_ns + ns;
            return;
        }
        if (!holds(&list[i])) {
            free_one = &list[i];
        }
    }
    assert(free_one != NULL); // the quotas are far smaller than the lists
    *free_one = (struct promise){true, world.story.now.mono_ns + ns, number, *peer};
}

static void promise_permission(struct client *client, const struct addr *peer)
{
    struct addr ip = addr_with_port(*peer, 0);

    assert(!addr_is_loopback(&ip));
    promise(client->permissions, 0, &ip, 300 * SECOND_NS);
}

// --- What a success means ------------------------------------------------------------------------

static uint32_t lifetime_of(const struct stun_message *response)
{
    struct bytes value = {0};
    uint32_t lifetime_s = 0;
    bool is_there = stun_message_find(response, STUN_ATTR_LIFETIME, &value) &&
                    stun_attr_u32_read(value, &lifetime_s);

    assert(is_there);
    assert(lifetime_s == 0 || (lifetime_s >= 600 && lifetime_s <= 3600));
    return lifetime_s;
}

static void allocated(struct client *client, const struct stun_message *response)
{
    struct bytes token = {0};
    struct bytes value = {0};
    size_t at = 0;

    if (is_live(client)) {
        return; // a retransmission
    }
    *client = (struct client){
        .has_allocation = true,
        .until_ns = world.story.now.mono_ns + lifetime_of(response) * SECOND_NS,
        .allocation = world.opened,
    };
    while (stun_message_next(response, STUN_ATTR_XOR_RELAYED_ADDRESS, &at, &value)) {
        struct addr relayed = {0};
        bool is_read = stun_attr_xor_addr_read(value, &response->header.transaction, &relayed);
        assert(is_read);
        assert(!client->has_family[relayed.family]);
        client->has_family[relayed.family] = true;
    }
    assert(at != 0);
    if (stun_message_find(response, STUN_ATTR_RESERVATION_TOKEN, &token)) {
        memcpy(world.token, token.ptr, sizeof world.token);
    }
}

// The family that a request names, ADDR_NONE if none.
static enum addr_family family_of(const struct stun_message *request)
{
    struct bytes value = {0};
    uint8_t family = 0;

    if (!stun_message_find(request, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, &value)) {
        return ADDR_NONE;
    }
    bool is_read = stun_attr_u8_read(value, &family);
    assert(is_read);
    return family == STUN_ATTR_FAMILY_IP4 ? ADDR_IP4 : ADDR_IP6;
}

static void refreshed(struct client *client, const struct stun_message *request,
                      const struct stun_message *response)
{
    uint32_t lifetime_s = lifetime_of(response);
    enum addr_family family = family_of(request);

    assert(is_live(client));
    assert(family == ADDR_NONE || client->has_family[family]);
    if (lifetime_s != 0) {
        client->until_ns = world.story.now.mono_ns + lifetime_s * SECOND_NS;
    } else if (family != ADDR_NONE && client->has_family[ADDR_IP4] &&
               client->has_family[ADDR_IP6]) {
        client->has_family[family] = false;
    } else {
        client->has_allocation = false;
    }
}

static void permitted(struct client *client, const struct stun_message *request)
{
    struct bytes value = {0};
    struct addr peer = {0};
    size_t at = 0;

    assert(is_live(client));
    while (stun_message_next(request, STUN_ATTR_XOR_PEER_ADDRESS, &at, &value)) {
        bool is_read = stun_attr_xor_addr_read(value, &request->header.transaction, &peer);
        assert(is_read);
        promise_permission(client, &peer);
    }
    assert(at != 0);
}

static void bound(struct client *client, const struct stun_message *request)
{
    struct bytes peer_value = {0};
    struct bytes number_value = {0};
    struct addr peer = {0};
    uint16_t number = 0;
    bool is_read = stun_message_find(request, STUN_ATTR_XOR_PEER_ADDRESS, &peer_value) &&
                   stun_attr_xor_addr_read(peer_value, &request->header.transaction, &peer) &&
                   stun_message_find(request, STUN_ATTR_CHANNEL_NUMBER, &number_value) &&
                   stun_attr_u16_read(number_value, &number);

    assert(is_read);
    assert(is_live(client));
    assert(peer.port != 0);
    for (size_t i = 0; i < LIST_MAX; i++) { // neither is bound to anything else
        if (holds(&client->channels[i])) {
            assert((client->channels[i].number == number) ==
                   addr_equal(&client->channels[i].peer, &peer));
        }
    }
    promise(client->channels, number, &peer, 600 * SECOND_NS);
    promise_permission(client, &peer);
}

static void succeeded(struct client *client, const struct stun_message *request,
                      const struct stun_message *response)
{
    switch (request->header.method) {
    case STUN_ALLOCATE:
        allocated(client, response);
        break;
    case STUN_REFRESH:
        refreshed(client, request, response);
        break;
    case STUN_CREATE_PERMISSION:
        permitted(client, request);
        break;
    case STUN_CHANNEL_BIND:
        bound(client, request);
        break;
    default:
        assert(request->header.method == STUN_BINDING);
        break;
    }
}

// --- The owner of the sockets --------------------------------------------------------------------

static void close_socket(const struct turn_command_socket *socket)
{
    for (uint32_t i = 0; i < world.socket_count; i++) {
        if (memcmp(&world.sockets[i].allocation, &socket->allocation, sizeof socket->allocation) ==
                0 &&
            addr_equal(&world.sockets[i].relayed, &socket->relayed)) {
            world.sockets[i] = world.sockets[--world.socket_count];
            return;
        }
    }
    assert(!"a socket is closed that is not open");
}

static void open_socket(const struct turn_command_socket *socket, uint8_t how)
{
    enum turn_opened opened = TURN_OPENED;

    if (how % 8 == 6) {
        opened = TURN_PORT_REFUSED;
    } else if (how % 8 == 7) {
        opened = TURN_SYSTEM_REFUSED;
    } else {
        assert(world.socket_count < SOCKETS_MAX);
        world.sockets[world.socket_count++] =
            (struct open_socket){socket->allocation, socket->relayed};
        world.opened = socket->allocation;
    }
    turn_server_opened(world.story.server, world.story.now, socket->allocation, opened);
}

static void carry_out(const struct turn_tuple *tuple)
{
    struct turn_command command;

    world.response_len = 0;
    while (turn_server_take(world.story.server, &command)) {
        switch (command.type) {
        case TURN_COMMAND_SEND:
            assert(tuple != NULL);
            assert(world.response_len == 0);
            assert(memcmp(&command.send.tuple, tuple, sizeof *tuple) == 0);
            assert(command.send.message.len <= sizeof world.response);
            memcpy(world.response, command.send.message.ptr, command.send.message.len);
            world.response_len = command.send.message.len;
            break;
        case TURN_COMMAND_OPEN:
            assert(command.socket.relayed.port >= 50001);
            assert(command.socket.relayed.port <= 50006);
            open_socket(&command.socket, rd_u8(&world.story.rd));
            break;
        case TURN_COMMAND_CLOSE:
            close_socket(&command.socket);
            break;
        case TURN_COMMAND_BIND:
        case TURN_COMMAND_UNBIND:
            assert(!"nobody has asked for them");
            break;
        case TURN_COMMAND_WAKE:
            assert(!"there is one server only");
            break;
        case TURN_COMMAND_REPORT:
            break;
        }
    }
}

static void wait(uint64_t ns)
{
    world.story.now.mono_ns += ns;
    while (turn_server_deadline(world.story.server) <= world.story.now.mono_ns) {
        turn_server_tick(world.story.server, world.story.now);
        carry_out(NULL);
    }
}

// --- Requests ------------------------------------------------------------------------------------

// Sends what is no data; the response, if any, lies in world.response afterwards.
static void ask(uint8_t client, struct bytes datagram)
{
    struct turn_tuple tuple = turn_story_client(client);
    struct turn_forward forward;

    datagram = turn_story_lay(&world.story, datagram);
    enum turn_verdict verdict =
        turn_server_from_client(world.story.server, world.story.now, &tuple, datagram, &forward);
    carry_out(&tuple);
    assert((verdict == TURN_COMMANDS) == (world.response_len > 0));
}

static struct stun_message response_read(void)
{
    struct stun_message message = {0};
    enum stun_message_outcome outcome =
        stun_message_read((struct bytes){world.response, world.response_len}, &message);

    assert(outcome == STUN_MESSAGE_OK);
    return message;
}

static void begin(struct stun_writer *writer, uint8_t *raw, struct stun_header *header)
{
    struct wr id = wr_init(header->transaction.id, STUN_TRANSACTION_LEN);

    wr_u32(&id, ++world.transaction);
    stun_writer_init(writer, raw, DATAGRAM_MAX, header);
}

static void fetch_nonce(uint8_t client, uint8_t out[TURN_NONCE_LEN])
{
    struct stun_header header = {.method = STUN_REFRESH, .body_len = STUN_ATTR_HEAD_LEN + 4};
    uint8_t raw[STUN_HEADER_LEN + STUN_ATTR_HEAD_LEN + 4];
    struct wr wr = wr_init(raw, sizeof raw);
    struct bytes nonce = {0};

    stun_header_write(&wr, &header);
    stun_attr_u32_write(&wr, STUN_ATTR_LIFETIME, 600);
    ask(client, wr_done(&wr));
    struct stun_message response = response_read();
    bool is_there = stun_message_find(&response, STUN_ATTR_NONCE, &nonce);
    assert(is_there);
    assert(nonce.len == TURN_NONCE_LEN);
    memcpy(out, nonce.ptr, TURN_NONCE_LEN);
}

// One attribute, mostly of a sensible value.
static void add_attribute(struct wr *wr, const struct stun_transaction *transaction)
{
    struct rd *rd = &world.story.rd;
    uint8_t kind = rd_u8(rd);
    struct addr peer;

    switch (kind % 12) {
    case 0:
        stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, kind < 24 ? 0 : rd_u16(rd));
        break;
    case 1:
        stun_attr_u16_write(wr, STUN_ATTR_CHANNEL_NUMBER, (uint16_t)(0x3fff + rd_u8(rd) % 5));
        break;
    case 2:
    case 3:
    case 4:
        peer = turn_story_peer(rd_u8(rd));
        stun_attr_xor_addr_write(wr, STUN_ATTR_XOR_PEER_ADDRESS, transaction, &peer);
        break;
    case 5:
        stun_attr_u8_write(wr, STUN_ATTR_EVEN_PORT, rd_u8(rd));
        break;
    case 6:
        stun_attr_write(wr, STUN_ATTR_RESERVATION_TOKEN,
                        (struct bytes){world.token, sizeof world.token});
        break;
    case 7:
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, rd_u8(rd) % 4);
        break;
    case 8:
        stun_attr_write(wr, STUN_ATTR_DONT_FRAGMENT, (struct bytes){0});
        break;
    case 9:
        stun_attr_u8_write(wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, kind < 200 ? 2 : rd_u8(rd));
        break;
    case 10:
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_TRANSPORT, kind < 240 ? 17 : rd_u8(rd));
        break;
    default:
        stun_attr_write(wr, rd_u16(rd), turn_story_bytes(&world.story, 24));
        break;
    }
}

static void check_response(uint8_t client, struct bytes request_bytes, struct bytes key)
{
    struct stun_message request = {0};

    if (stun_message_read(request_bytes, &request) != STUN_MESSAGE_OK) {
        return; // an attribute of the input's own spoilt it
    }
    bool is_intact = stun_message_is_intact(&request, key);
    assert(world.response_len > 0);
    struct stun_message response = response_read();
    assert(memcmp(&response.header.transaction, &request.header.transaction,
                  sizeof request.header.transaction) == 0);
    if (response.header.class == STUN_SUCCESS) {
        assert(is_intact);
        assert(stun_message_is_intact(&response, key));
        succeeded(&world.clients[client], &request, &response);
    }
}

static void sign(struct stun_writer *writer, const struct turn_user *user, struct bytes nonce,
                 uint8_t key[STUN_KEY_LEN])
{
    struct bytes realm = bytes_of_text("fairlead");

    stun_key_long_term(user->name, realm, user->password, key);
    stun_attr_write(&writer->wr, STUN_ATTR_USERNAME, user->name);
    stun_attr_write(&writer->wr, STUN_ATTR_REALM, realm);
    stun_attr_write(&writer->wr, STUN_ATTR_NONCE, nonce);
    stun_writer_integrity(writer, (struct bytes){key, STUN_KEY_LEN});
}

static void send_request(uint8_t client)
{
    static const uint16_t methods[] = {STUN_ALLOCATE, STUN_REFRESH, STUN_CREATE_PERMISSION,
                                       STUN_CHANNEL_BIND};
    uint8_t choice = rd_u8(&world.story.rd);
    struct stun_header header = {.method = methods[choice % 4]};
    // Clients mostly are one user each.
    const struct turn_user *user = &turn_story_users[(client + (choice >= 240)) % 2];
    struct stun_writer writer;
    uint8_t nonce[TURN_NONCE_LEN];
    uint8_t key[STUN_KEY_LEN];
    struct bytes whole = {0};

    fetch_nonce(client, nonce);
    begin(&writer, world.last, &header);
    if (header.method == STUN_ALLOCATE && choice < 200) {
        stun_attr_u8_write(&writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    }
    for (int i = choice / 4 % 8; i > 0; i--) {
        add_attribute(&writer.wr, &header.transaction);
    }
    sign(&writer, user, (struct bytes){nonce, sizeof nonce}, key);
    bool is_finished = stun_writer_finish(&writer, &whole);
    assert(is_finished);
    world.last_len = whole.len;
    ask(client, whole);
    check_response(client, whole, (struct bytes){key, sizeof key});
}

// What a network may do: the last request comes once more, later, or from another client.
static void send_again(uint8_t client)
{
    struct bytes whole = {world.last, world.last_len};

    ask(client, whole);
    for (size_t i = 0; i < TURN_STORY_USERS && world.response_len > 0; i++) {
        uint8_t key[STUN_KEY_LEN];
        struct stun_message request = {0};
        stun_key_long_term(turn_story_users[i].name, bytes_of_text("fairlead"),
                           turn_story_users[i].password, key);
        if (stun_message_read(whole, &request) == STUN_MESSAGE_OK &&
            stun_message_is_intact(&request, (struct bytes){key, sizeof key})) {
            check_response(client, whole, (struct bytes){key, sizeof key});
        }
    }
}

// --- Data ----------------------------------------------------------------------------------------

// Sends data, which must go to `peer` if that is not NULL and nowhere else.
static void send_data(uint8_t client, struct bytes datagram, struct bytes data,
                      const struct addr *peer)
{
    struct turn_tuple tuple = turn_story_client(client);
    struct turn_forward forward;

    datagram = turn_story_lay(&world.story, datagram);
    enum turn_verdict verdict =
        turn_server_from_client(world.story.server, world.story.now, &tuple, datagram, &forward);
    assert((verdict == TURN_FORWARD) == (peer != NULL));
    assert(verdict != TURN_COMMANDS);
    if (peer != NULL) {
        assert(forward.is_to_peer);
        assert(forward.head_len == 0);
        assert(forward.padding_len == 0);
        assert(addr_equal(&forward.peer, peer));
        assert(bytes_equal(forward.payload, data));
        assert(memcmp(&forward.allocation, &world.clients[client].allocation,
                      sizeof forward.allocation) == 0);
    }
}

static void send_chandata(uint8_t client)
{
    uint8_t raw[STUN_CHANDATA_HEAD_LEN + 16];
    struct wr wr = wr_init(raw, sizeof raw);
    uint16_t number = (uint16_t)(0x4000 + rd_u8(&world.story.rd) % 4);
    struct bytes data = turn_story_bytes(&world.story, 16);
    const struct promise *channel = channel_of(&world.clients[client], number);

    stun_chandata_head_write(&wr, number, (uint16_t)data.len);
    wr_bytes(&wr, data);
    bool is_allowed = channel != NULL && is_permitted(&world.clients[client], &channel->peer);
    send_data(client, wr_done(&wr), data, is_allowed ? &channel->peer : NULL);
}

static void send_indication(uint8_t client)
{
    struct stun_header header = {.method = STUN_SEND, .class = STUN_INDICATION};
    uint8_t raw[DATAGRAM_MAX];
    struct stun_writer writer;
    struct bytes whole = {0};
    struct addr peer = turn_story_peer(rd_u8(&world.story.rd));
    struct bytes data = turn_story_bytes(&world.story, 16);

    begin(&writer, raw, &header);
    stun_attr_xor_addr_write(&writer.wr, STUN_ATTR_XOR_PEER_ADDRESS, &header.transaction, &peer);
    stun_attr_write(&writer.wr, STUN_ATTR_DATA, data);
    bool is_finished = stun_writer_finish(&writer, &whole);
    assert(is_finished);
    bool is_allowed = peer.port != 0 && is_permitted(&world.clients[client], &peer);
    send_data(client, whole, data, is_allowed ? &peer : NULL);
}

static void send_from_peer(uint8_t number)
{
    const struct client *client = &world.clients[number];
    struct addr peer = turn_story_peer(rd_u8(&world.story.rd));
    struct turn_tuple tuple = turn_story_client(number);
    struct bytes data = turn_story_lay(&world.story, turn_story_bytes(&world.story, 16));
    struct turn_forward forward;

    enum turn_verdict verdict = turn_server_from_peer(world.story.server, world.story.now,
                                                      client->allocation, &peer, data, &forward);
    assert((verdict == TURN_FORWARD) == is_permitted(client, &peer));
    if (verdict == TURN_FORWARD) {
        bool is_bound = false;
        for (size_t i = 0; i < LIST_MAX; i++) {
            is_bound = is_bound || (holds(&client->channels[i]) &&
                                    addr_equal(&client->channels[i].peer, &peer));
        }
        assert(!forward.is_to_peer);
        assert(memcmp(&forward.tuple, &tuple, sizeof tuple) == 0);
        assert(bytes_equal(forward.payload, data));
        assert(forward.head_len == (is_bound                  ? STUN_CHANDATA_HEAD_LEN
                                    : peer.family == ADDR_IP4 ? 36
                                                              : 48));
    }
}

// Anything at all.
static void send_raw(uint8_t client)
{
    struct turn_tuple tuple = turn_story_client(client);
    struct bytes datagram = turn_story_lay(&world.story, turn_story_bytes(&world.story, 64));
    struct turn_forward forward;

    enum turn_verdict verdict =
        turn_server_from_client(world.story.server, world.story.now, &tuple, datagram, &forward);
    carry_out(&tuple);
    if (verdict == TURN_FORWARD) {
        assert(is_permitted(&world.clients[client], &forward.peer));
    }
}

// --- The story -----------------------------------------------------------------------------------

static void step(void)
{
    uint8_t what = rd_u8(&world.story.rd);
    uint8_t client = what / 8 % TURN_STORY_CLIENTS;

    switch (what % 8) {
    case 0:
    case 1:
        send_request(client);
        break;
    case 2:
        send_again(client);
        break;
    case 3:
        wait(rd_u8(&world.story.rd) * 5 * SECOND_NS);
        break;
    case 4:
        send_chandata(client);
        break;
    case 5:
        send_indication(client);
        break;
    case 6:
        send_from_peer(client);
        break;
    default:
        send_raw(client);
        break;
    }
}

static void check_counts(void)
{
    struct turn_gauges gauges = turn_server_gauges(world.story.server, world.story.now);
    uint32_t live = 0;
    uint32_t relayed = 0;

    for (size_t i = 0; i < TURN_STORY_CLIENTS; i++) {
        const struct client *client = &world.clients[i];
        if (is_live(client)) {
            live++;
            relayed += client->has_family[ADDR_IP4] + client->has_family[ADDR_IP6];
        }
    }
    assert(gauges.allocations == live);
    assert(world.socket_count == relayed);
    assert(gauges.timers == gauges.allocations + gauges.permissions + gauges.channels);
    assert(gauges.ports_in_use >= gauges.allocations + gauges.reservations);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct turn_gauges none;

    memset(&world, 0, sizeof world);
    turn_story_begin(&world.story, data, size, true);
    while (rd_ok(&world.story.rd) && world.story.rd.left > 0) {
        step();
        check_counts();
    }
    wait(3600 * SECOND_NS);
    struct turn_gauges gauges = turn_server_gauges(world.story.server, world.story.now);
    assert(memcmp(&gauges, &none, sizeof gauges) == 0);
    assert(world.socket_count == 0);
    turn_story_end(&world.story);
    return 0;
}

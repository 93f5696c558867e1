// SPDX-License-Identifier: Apache-2.0
// The requests of a client: mostly right, often unwise, sometimes wrong.
#include "sim/sim_client.h"
#include "sim/sim_world.h"

static void add_address(struct sim_message *message, const struct addr *addr)
{
    stun_attr_xor_addr_write(&message->writer.wr, STUN_ATTR_XOR_PEER_ADDRESS,
                             &message->header.transaction, addr);
}

static void add_family(struct sim_message *message, struct rng *rng, unsigned percent)
{
    if (rng_chance(rng, percent)) {
        uint8_t number = rng_chance(rng, 97) ? (uint8_t)(1 + rng_below(rng, 2)) : 3;
        stun_attr_u8_write(&message->writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, number);
    }
}

static void add_second(struct sim_message *message, struct rng *rng)
{
    stun_attr_u8_write(&message->writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY,
                       rng_chance(rng, 97) ? STUN_ATTR_FAMILY_IP6 : STUN_ATTR_FAMILY_IP4);
}

static void add_lifetime(struct sim_message *message, struct rng *rng, unsigned zero_percent)
{
    static const uint32_t some_s[] = {1, 7, 30, 300, 600, 601, 1800, 3600, 100000, UINT32_MAX};
    uint32_t lifetime_s = some_s[rng_below(rng, COUNT_OF(some_s))];

    if (rng_chance(rng, 50)) {
        return;
    }
    stun_attr_u32_write(&message->writer.wr, STUN_ATTR_LIFETIME,
                        rng_chance(rng, zero_percent) ? 0 : lifetime_s);
}

// An attribute that should not be there: unknown, of a wrong length, once more.
static void add_odd(struct sim_message *message, struct rng *rng)
{
    static const uint8_t value[24];
    uint16_t type = (uint16_t)rng_below(rng, rng_chance(rng, 50) ? 0x30 : 0x10000);

    if (type == STUN_ATTR_MESSAGE_INTEGRITY || type == STUN_ATTR_FINGERPRINT) {
        return;
    }
    stun_attr_write(&message->writer.wr, type, (struct bytes){value, rng_below(rng, sizeof value)});
}

static bool is_same_user(const struct sim_client *a, const struct sim_client *b)
{
    return a->credential.kind == b->credential.kind &&
           bytes_equal((struct bytes){a->credential.name, a->credential.name_len},
                       (struct bytes){b->credential.name, b->credential.name_len});
}

// A client that has a token, mostly of the same user: it is redeemed from another 5-tuple.
static struct sim_client *token_holder(const struct sim_client *client, struct sim_world *world)
{
    bool is_thief = rng_chance(&world->rng, 30);

    for (unsigned i = 0; i < world->client_count; i++) {
        if (world->clients[i].has_token && (is_thief || is_same_user(&world->clients[i], client))) {
            return &world->clients[i];
        }
    }
    return NULL;
}

static void write_allocate(const struct sim_client *client, struct sim_world *world,
                           struct sim_message *message)
{
    struct rng *rng = &world->rng;
    struct wr *wr = &message->writer.wr;
    struct sim_client *holder = token_holder(client, world);

    if (rng_chance(rng, 97)) {
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_TRANSPORT, rng_chance(rng, 97) ? 17 : 6);
    }
    bool is_redeeming = holder != NULL && rng_chance(rng, 60);
    if (is_redeeming) {
        if (rng_chance(rng, 10)) {
            holder->token[0]++; // nobody's
        }
        stun_attr_write(wr, STUN_ATTR_RESERVATION_TOKEN,
                        (struct bytes){holder->token, sizeof holder->token});
        holder->has_token = rng_chance(rng, 50); // some try twice
    }
    bool is_firezone = client->credential.kind == SIM_CREDENTIAL_FIREZONE;
    bool is_dual = rng_chance(rng, is_firezone ? 85 : is_redeeming ? 3 : 30);
    if (is_dual) {
        add_second(message, rng);
    }
    add_family(message, rng, is_redeeming || is_dual ? 3 : 60);
    if (rng_chance(rng, is_redeeming || is_dual ? 5 : 35)) {
        const uint8_t flags = rng_chance(rng, 60) ? 0x80 : 0;
        stun_attr_write(wr, STUN_ATTR_EVEN_PORT, (struct bytes){&flags, 1});
    }
    if (rng_chance(rng, 10)) {
        stun_attr_write(wr, STUN_ATTR_DONT_FRAGMENT, (struct bytes){0});
    }
    add_lifetime(message, rng, 5);
}

static void write_permissions(struct sim_client *client, struct sim_world *world,
                              struct sim_message *message)
{
    uint64_t count = rng_chance(&world->rng, 97) ? 1 + rng_below(&world->rng, 3) : 0;

    for (; count > 0; count--) {
        struct addr peer = sim_client_some_peer(client, world);
        add_address(message, &peer);
    }
}

static void write_bind(struct sim_client *client, struct sim_world *world,
                       struct sim_message *message)
{
    struct rng *rng = &world->rng;
    struct addr peer = sim_client_some_peer(client, world);
    // Few numbers, so that they are bound again, to the same peer and to others.
    uint16_t number = (uint16_t)(rng_chance(rng, 97) ? 0x4000 + rng_below(rng, 4) : rng_next(rng));

    if (rng_chance(rng, 60)) { // most stay with one number for each peer
        number = (uint16_t)(0x4000 + (peer.ip[3] + peer.ip[15] + peer.port) % 4);
    }
    if (rng_chance(rng, 98)) {
        stun_attr_u16_write(&message->writer.wr, STUN_ATTR_CHANNEL_NUMBER, number);
    }
    if (rng_chance(rng, 98)) {
        add_address(message, &peer);
    }
}

static enum stun_method some_method(const struct sim_client *client, struct rng *rng)
{
    uint64_t what = rng_below(rng, 100);

    if (what < 4) {
        return STUN_BINDING;
    }
    if (client->relayed.family == ADDR_NONE ? what < 75 : what < 12) {
        return STUN_ALLOCATE;
    }
    return what < 30 ? STUN_REFRESH : what < 60 ? STUN_CREATE_PERMISSION : STUN_CHANNEL_BIND;
}

static void write_refresh(const struct sim_client *client, struct rng *rng,
                          struct sim_message *message)
{
    struct wr *wr = &message->writer.wr;

    if (client->credential.kind == SIM_CREDENTIAL_FIREZONE) { // as in its Allocate
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
        add_second(message, rng);
    }
    if (client->is_dual && rng_chance(rng, 25)) { // it needs one of its two families no longer
        stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, 0);
        add_family(message, rng, 100);
        return;
    }
    add_lifetime(message, rng, 25);
    add_family(message, rng, 20);
}

static void write_body(struct sim_client *client, struct sim_world *world,
                       struct sim_message *message)
{
    struct rng *rng = &world->rng;

    switch ((enum stun_method)message->header.method) {
    case STUN_ALLOCATE:
        write_allocate(client, world, message);
        break;
    case STUN_REFRESH:
        write_refresh(client, rng, message);
        break;
    case STUN_CREATE_PERMISSION:
        write_permissions(client, world, message);
        break;
    case STUN_CHANNEL_BIND:
        write_bind(client, world, message);
        break;
    case STUN_BINDING:
    case STUN_SEND:
    case STUN_DATA:
        break;
    }
    if (rng_chance(rng, 5)) {
        add_odd(message, rng);
    }
    // What makes a request long enough for an answer by whoever must not amplify.
    if (rng_chance(rng, client->nonce_len == 0 ? 50 : 5)) {
        static const uint8_t text[120];
        stun_attr_write(&message->writer.wr, STUN_ATTR_SOFTWARE,
                        (struct bytes){text, rng_below(rng, sizeof text)});
    }
}

static struct bytes name_of(const struct sim_client *client)
{
    return (struct bytes){client->credential.name, client->credential.name_len};
}

static struct bytes password_of(const struct sim_client *client)
{
    return (struct bytes){client->credential.password, client->credential.password_len};
}

// Algorithms and integrity: as RFC 5389 has them, or as RFC 8489 allows; sometimes cut down by
// somebody on the way.
static void choose_algorithms(const struct sim_client *client, struct rng *rng,
                              struct sim_message_proof *proof)
{
    static const uint8_t whole[] = {0, 2, 0, 0, 0, 1, 0, 0};
    static const uint8_t cut[] = {0, 1, 0, 0};

    proof->algorithm = STUN_PASSWORD_MD5;
    proof->has_sha1 = true;
    if (!client->is_modern && rng_chance(rng, 97)) {
        return;
    }
    proof->is_hashed = rng_chance(rng, 30);
    proof->has_sha256 = rng_chance(rng, 70);
    proof->has_sha1 = !proof->has_sha256 || rng_chance(rng, 20);
    if (rng_chance(rng, 20)) {
        return; // as though it were MD5
    }
    proof->algorithm = rng_chance(rng, 70) ? STUN_PASSWORD_SHA256 : STUN_PASSWORD_MD5;
    proof->has_choice = rng_chance(rng, 97);
    if (rng_chance(rng, 97)) {
        proof->offer = (struct bytes){whole, sizeof whole};
    }
    if (rng_chance(rng, 4)) {
        proof->offer = (struct bytes){cut, sizeof cut};
        proof->algorithm = STUN_PASSWORD_MD5;
    }
}

// What else may be wrong with a proof.
static void spoil(const struct sim_client *client, struct sim_world *world,
                  struct sim_message_proof *proof)
{
    struct rng *rng = &world->rng;
    const struct sim_client *other = &world->clients[rng_below(rng, world->client_count)];

    switch (rng_below(rng, 70)) {
    case 0:
        proof->user = bytes_of_text("nobody");
        break;
    case 1:
        proof->password = bytes_of_text("wrong");
        break;
    case 2: // another user on this 5-tuple
    case 3:
        proof->user = name_of(other);
        proof->password = password_of(other);
        break;
    case 4: // another client's nonce
        proof->nonce = (struct bytes){other->nonce, other->nonce_len};
        break;
    case 5:
        proof->nonce = (struct bytes){0};
        break;
    case 6:
        proof->user = (struct bytes){0};
        break;
    case 7:
        proof->realm = bytes_of_text("another realm");
        break;
    case 8:
        proof->nonce = bytes_of_text("obMatJos2AAABAAAAAAAAAAAAAAAAAAAA");
        break;
    case 9: // a client of the other manner
        proof->realm = bytes_equal_text(proof->realm, "firezone") ? world->setup.config.realm
                                                                  : bytes_of_text("firezone");
        break;
    case 10:
        proof->user = bytes_of_text("1999999999:a:b");
        break;
    case 11:
        proof->has_sha1 = false;
        proof->has_sha256 = false;
        break;
    default:
        break;
    }
    if (proof->nonce.len == 0 && client->credential.kind == SIM_CREDENTIAL_FIREZONE) {
        proof->nonce = (struct bytes){0}; // its first request
    }
}

void sim_client_request(struct sim_client *client, struct sim_world *world)
{
    struct rng *rng = &world->rng;
    struct sim_message message;
    struct addr own = client->addr;

    if (client->credential.expiry_s < world->now.wall_s ? rng_chance(rng, 30)
                                                        : rng_below(rng, 200) == 0) {
        sim_client_renew(client, world);
    }
    sim_message_begin(&message, rng, STUN_REQUEST, some_method(client, rng));
    write_body(client, world, &message);
    bool is_proven = message.header.method != STUN_BINDING && client->realm_len > 0;
    if (is_proven && rng_chance(rng, 98)) {
        struct sim_message_proof proof = {
            .user = name_of(client),
            .password = password_of(client),
            .realm = {client->realm, client->realm_len},
            .nonce = {client->nonce, client->nonce_len},
        };
        choose_algorithms(client, rng, &proof);
        spoil(client, world, &proof);
        sim_message_prove(&message, &proof);
        if (rng_chance(rng, 2)) {
            add_odd(&message, rng); // behind the integrity it does not count
        }
    }
    const struct sim_client *other = &world->clients[rng_below(rng, world->client_count)];
    if (rng_chance(rng, 2) && other->addr.family == own.family) {
        client->addr = other->addr; // under another's address: somebody else's 5-tuple
    }
    sim_client_send(client, world, sim_message_end(&message, rng_chance(rng, 20)));
    client->addr = own;
}

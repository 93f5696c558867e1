// SPDX-License-Identifier: Apache-2.0
// What the TURN server costs without sockets, beside the least that the work could cost.
//
// The floor of a request is one HMAC-SHA1 over a message of its size, since its proof must be
// checked. The floor of a packet is three SipHashes, since allocation, channel and permission must
// be found in tables whose keys a stranger chooses. The clients come in turn, as on a busy relay,
// so that with many of them the caches miss.
//
// This program has its own malloc(3), which counts and hands on to that of glibc. Between the
// server's start and the end of all measuring nothing may be allocated, by whatever library.
#define _GNU_SOURCE
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/siphash.h"
#include "crypto/crypto_hmac.h"
#include "stun/stun_chandata.h"
#include "stun/stun_error.h"
#include "stun/stun_integrity.h"
#include "stun/stun_key.h"
#include "stun/stun_message.h"
#include "stun/stun_writer.h"
#include "turn/turn_server.h"

enum {
    CLIENTS_MAX = 16000,
    PACKETS = 4 * 1000 * 1000,
    DATA_LEN = 160, // bytes: a voice packet
    MESSAGE_MAX = 512,
    CHANNEL = 0x4000,
};

static const struct bytes user = BYTES_LITERAL("alice");
static const struct bytes password = BYTES_LITERAL("secret");
static const struct bytes realm = BYTES_LITERAL("fairlead");

struct client {
    struct turn_tuple tuple;
    struct addr peer;
    struct pool_ref allocation;
    uint8_t nonce[64];
    size_t nonce_len;
};

struct bench {
    struct turn_server *server;
    struct now now;
    uint8_t key[STUN_KEY_LEN];
    uint32_t request_count;
    struct client clients[CLIENTS_MAX];
};

static volatile uint64_t sink; // keeps what the floors compute alive
static uint64_t heap_count;    // allocations so far

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *memory, size_t len);
void *__libc_memalign(size_t alignment, size_t len);

void *malloc(size_t len)
{
    heap_count++;
    return __libc_malloc(len);
}

void *calloc(size_t count, size_t len)
{
    heap_count++;
    return __libc_calloc(count, len);
}

void *realloc(void *memory, size_t len)
{
    heap_count++;
    return __libc_realloc(memory, len);
}

void *aligned_alloc(size_t alignment, size_t len)
{
    heap_count++;
    return __libc_memalign(alignment, len);
}

static double now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static struct addr address(uint8_t net, uint32_t host, uint16_t port)
{
    return addr_ip4(
        (const uint8_t[]){net, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host}, port);
}

static struct stun_writer begin(struct bench *bench, uint16_t method, uint8_t out[MESSAGE_MAX])
{
    struct stun_header header = {.method = method, .class = STUN_REQUEST};
    struct stun_writer writer;
    struct wr id = wr_init(header.transaction.id, STUN_TRANSACTION_LEN);

    wr_u32(&id, ++bench->request_count);
    stun_writer_init(&writer, out, MESSAGE_MAX, &header);
    return writer;
}

static struct bytes finish(const struct bench *bench, const struct client *client,
                           struct stun_writer *writer)
{
    struct bytes message = {0};

    stun_attr_write(&writer->wr, STUN_ATTR_USERNAME, user);
    stun_attr_write(&writer->wr, STUN_ATTR_REALM, realm);
    stun_attr_write(&writer->wr, STUN_ATTR_NONCE, (struct bytes){client->nonce, client->nonce_len});
    stun_writer_integrity(writer, (struct bytes){bench->key, sizeof bench->key});
    bool has_fitted = stun_writer_finish(writer, &message);
    assert(has_fitted);
    return message;
}

// Gives a request to the server and carries out what it orders. Answers the response's class.
static enum stun_class exchange(struct bench *bench, struct client *client, struct bytes request)
{
    struct turn_forward forward;
    struct turn_command command;
    struct stun_message response = {0};

    enum turn_verdict verdict =
        turn_server_from_client(bench->server, bench->now, &client->tuple, request, &forward);
    assert(verdict == TURN_COMMANDS);
    while (turn_server_take(bench->server, &command)) {
        if (command.type == TURN_COMMAND_OPEN) {
            client->allocation = command.socket.allocation;
            turn_server_opened(bench->server, bench->now, command.socket.allocation, TURN_OPENED);
        } else if (command.type == TURN_COMMAND_SEND) {
            enum stun_message_outcome outcome = stun_message_read(command.send.message, &response);
            struct bytes nonce = {0};
            assert(outcome == STUN_MESSAGE_OK);
            if (stun_message_find(&response, STUN_ATTR_NONCE, &nonce)) {
                memcpy(client->nonce, nonce.ptr, nonce.len);
                client->nonce_len = nonce.len;
            }
        }
    }
    return response.header.class;
}

// 401, Allocate, ChannelBind: what every client does first.
static void set_up(struct bench *bench, struct client *client)
{
    uint8_t memory[MESSAGE_MAX];
    struct stun_transaction none = {0};
    struct stun_writer writer = begin(bench, STUN_ALLOCATE, memory);
    struct bytes bare = {0};

    stun_attr_u8_write(&writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    bool has_fitted = stun_writer_finish(&writer, &bare);
    assert(has_fitted);
    enum stun_class class = exchange(bench, client, bare);
    assert(class == STUN_ERROR);

    writer = begin(bench, STUN_ALLOCATE, memory);
    stun_attr_u8_write(&writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    class = exchange(bench, client, finish(bench, client, &writer));
    assert(class == STUN_SUCCESS);

    writer = begin(bench, STUN_CHANNEL_BIND, memory);
    memcpy(none.id, memory + STUN_HEADER_LEN - STUN_TRANSACTION_LEN, STUN_TRANSACTION_LEN);
    stun_attr_u16_write(&writer.wr, STUN_ATTR_CHANNEL_NUMBER, CHANNEL);
    stun_attr_xor_addr_write(&writer.wr, STUN_ATTR_XOR_PEER_ADDRESS, &none, &client->peer);
    class = exchange(bench, client, finish(bench, client, &writer));
    assert(class == STUN_SUCCESS);
}

static void open_bench(struct bench *bench)
{
    struct turn_config config = turn_config_default();
    struct turn_user alice = {user, password};
    uint8_t seed[TURN_SERVER_SEED_LEN] = {1};

    config.public_ip4 = address(203, 1, 0);
    config.lowest_port = 1024;
    config.realm = realm;
    config.users = &alice;
    config.user_count = 1;
    config.allocations_per_user = CLIENTS_MAX;
    bench->now = (struct now){.mono_ns = SECOND_NS, .wall_s = 1};
    stun_key_long_term(user, realm, password, bench->key);
    void *memory = aligned_alloc(64, turn_server_size(&config));
    assert(memory != NULL);
    memset(memory, 0, turn_server_size(&config));
    bench->server = turn_server_init(memory, &config, seed);
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        bench->clients[i].tuple.client = address(198, i, (uint16_t)(1024 + i));
        bench->clients[i].tuple.server = address(203, 1, 3478);
        bench->clients[i].peer = address(193, i, 5000);
    }
}

static double time_to_peers(struct bench *bench, uint32_t count)
{
    uint8_t datagram[STUN_CHANDATA_HEAD_LEN + DATA_LEN] = {0};
    struct wr wr = wr_init(datagram, sizeof datagram);
    struct turn_forward forward;
    double begun = now_ns();

    stun_chandata_head_write(&wr, CHANNEL, DATA_LEN);
    for (uint32_t i = 0; i < PACKETS; i++) {
        enum turn_verdict verdict =
            turn_server_from_client(bench->server, bench->now, &bench->clients[i % count].tuple,
                                    (struct bytes){datagram, sizeof datagram}, &forward);
        assert(verdict == TURN_FORWARD);
    }
    return (now_ns() - begun) / PACKETS;
}

static double time_to_clients(struct bench *bench, uint32_t count)
{
    uint8_t datagram[DATA_LEN] = {0};
    struct turn_forward forward;
    double begun = now_ns();

    for (uint32_t i = 0; i < PACKETS; i++) {
        const struct client *client = &bench->clients[i % count];
        enum turn_verdict verdict =
            turn_server_from_peer(bench->server, bench->now, client->allocation, &client->peer,
                                  (struct bytes){datagram, sizeof datagram}, &forward);
        assert(verdict == TURN_FORWARD);
    }
    return (now_ns() - begun) / PACKETS;
}

static double time_packet_floor(const struct bench *bench, uint32_t count)
{
    struct siphash_key key = {1, 2};
    double begun = now_ns();

    for (uint32_t i = 0; i < PACKETS; i++) {
        const struct client *client = &bench->clients[i % count];
        sink += siphash(&key, (struct bytes){(const uint8_t *)&client->tuple, 40});
        sink += siphash(&key, (struct bytes){(const uint8_t *)&client->tuple, 28});
        sink += siphash(&key, (struct bytes){(const uint8_t *)&client->tuple, 24});
    }
    return (now_ns() - begun) / PACKETS;
}

static double time_request_floor(const struct bench *bench)
{
    enum { ROUNDS = 200 * 1000 };
    uint8_t message[100] = {0};
    uint8_t mac[STUN_INTEGRITY_LEN];
    double begun = now_ns();

    for (int i = 0; i < ROUNDS; i++) {
        message[0] = (uint8_t)i;
        stun_integrity((struct bytes){message, sizeof message},
                       (struct bytes){bench->key, sizeof bench->key}, mac);
        sink += mac[0];
    }
    return (now_ns() - begun) / ROUNDS;
}

static void print(const char *what, double ns, double floor_ns)
{
    printf("%-48s %8.0f %8.0f %6.2f\n", what, ns, floor_ns, ns / floor_ns);
}

// Refreshes of 600 s, one client after another: what a request costs once all is set up. Two HMACs
// are the server's, one is the client's.
static double time_refreshes(struct bench *bench)
{
    uint8_t memory[MESSAGE_MAX];
    double begun = now_ns();

    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &bench->clients[i];
        struct stun_writer writer = begin(bench, STUN_REFRESH, memory);
        enum stun_class class = exchange(bench, client, finish(bench, client, &writer));
        assert(class == STUN_SUCCESS);
    }
    return (now_ns() - begun) / CLIENTS_MAX;
}

// Binding, the request that proves nothing, as often as clients ask it to stay reachable.
static double time_bindings(struct bench *bench)
{
    enum { ROUNDS = 1000 * 1000 };
    uint8_t memory[MESSAGE_MAX];
    double begun = now_ns();

    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct stun_writer writer = begin(bench, STUN_BINDING, memory);
        struct bytes request = {0};
        bool has_fitted = stun_writer_finish(&writer, &request);
        assert(has_fitted);
        enum stun_class class = exchange(bench, &bench->clients[i % CLIENTS_MAX], request);
        assert(class == STUN_SUCCESS);
    }
    return (now_ns() - begun) / ROUNDS;
}

static void print_rate(const char *what, double ns)
{
    printf("%-48s %8.0f per second\n", what, 1e9 / ns);
}

int main(void)
{
    static const uint32_t counts[] = {1, 1000, CLIENTS_MAX};
    static struct bench bench;
    char what[64];
    uint32_t set_up_count = 0;

    open_bench(&bench);
    printf("%-48s %8s %8s %6s\n", "", "ns", "floor", "ratio");
    const uint64_t heap_count_at_start = heap_count;
    double floor_ns = time_request_floor(&bench);
    double begun = now_ns();
    for (; set_up_count < CLIENTS_MAX; set_up_count++) {
        set_up(&bench, &bench.clients[set_up_count]);
    }
    // Six HMACs: the client's two and the server's four, since it signs what it answers.
    print("a whole set-up (401, Allocate, ChannelBind)", (now_ns() - begun) / CLIENTS_MAX,
          6 * floor_ns);
    double refresh_ns = time_refreshes(&bench);
    print("Refresh", refresh_ns, 3 * floor_ns);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        double packet_ns = time_packet_floor(&bench, counts[i]);
        snprintf(what, sizeof what, "ChannelData to a peer, %u allocations", counts[i]);
        print(what, time_to_peers(&bench, counts[i]), packet_ns);
        snprintf(what, sizeof what, "ChannelData to a client, %u allocations", counts[i]);
        print(what, time_to_clients(&bench, counts[i]), packet_ns);
    }
    print_rate("Binding requests, both sides' work", time_bindings(&bench));
    print_rate("Refresh requests, both sides' work", refresh_ns);
    printf("%-48s %8" PRIu64 "\n", "heap allocations after start",
           heap_count - heap_count_at_start);
    bool is_clean = heap_count == heap_count_at_start;
    free(bench.server);
    return is_clean ? 0 : 1;
}

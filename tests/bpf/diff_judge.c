// SPDX-License-Identifier: Apache-2.0
#include "bpf/diff_judge.h"

#include <bpf/bpf.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/diff_reading.h"
#include "bpf/kernel.h"
#include "stun/stun_chandata.h"

enum {
    DF = 0x4000,
    BINDING_TTL = 64, // as the system's own packets have it
    PADDING_MAX = 3,  // bytes behind ChannelData
};

// What the server makes of a datagram.
struct answer {
    bool is_forward;
    bool is_response;
    bool is_relayable;        // from and to kinds of packets that the program knows
    struct diff_reading want; // what the relay would send
    uint8_t data[PACKET_MAX];
};

// One frame on trial.
struct trial {
    struct diff_world *world;
    const uint8_t *frame;
    size_t len;
    uint32_t network;
    struct kernel_result got;
};

static void print_bytes(const char *name, const uint8_t *bytes, size_t len)
{
    print_message("%s, %zu bytes:", name, len);
    for (size_t i = 0; i < len && i < 128; i++) {
        print_message("%s%02x", i % 16 == 0 ? "\n  " : " ", bytes[i]);
    }
    print_message("\n");
}

static void check(const struct trial *trial, bool is_so, const char *what)
{
    if (is_so) {
        return;
    }
    print_message("step %" PRIu64 " of life 0x%" PRIx64 ": %s; action %u, verdict %d\n",
                  trial->world->step, trial->world->seed, what, trial->got.action,
                  (int)trial->got.verdict);
    print_bytes("in", trial->frame, trial->len);
    print_bytes("out", trial->got.frame, trial->got.frame_len);
    fail_msg("%s", what);
}

// --- the program --------------------------------------------------------------------------------

static void run_once(struct trial *trial)
{
    const struct xdp_program *program = &trial->world->offload.program;
    struct xdp_md context = {
        .data_end = (uint32_t)trial->len,
        .ingress_ifindex = trial->world->ifindexes[trial->network],
    };
    struct xdp_counts before;
    struct xdp_counts after;
    uint64_t verdicts = 0;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = trial->frame,
                .data_size_in = (uint32_t)trial->len, .data_out = trial->got.frame,
                .data_size_out = sizeof trial->got.frame, .ctx_in = &context,
                .ctx_size_in = sizeof context);

    assert_int_equal(xdp_counts_read(program, &before), 0);
    assert_int_equal(bpf_prog_test_run_opts(program->fd, &opts), 0);
    assert_int_equal(xdp_counts_read(program, &after), 0);
    trial->got.action = opts.retval;
    trial->got.frame_len = opts.data_size_out;
    for (uint32_t i = 0; i < RELAY_ABI_VERDICT_COUNT; i++) {
        if (after.packets[i] != before.packets[i]) {
            trial->got.verdict = i;
            verdicts += after.packets[i] - before.packets[i];
        }
    }
    check(trial, verdicts == 1, "each packet has one verdict");
    trial->world->cover->verdicts[trial->got.verdict]++;
}

static bool has_left(const struct trial *trial)
{
    return trial->got.verdict <= RELAY_ABI_VERDICT_binding;
}

static void check_untouched(const struct trial *trial)
{
    check(trial, trial->got.action == XDP_PASS, "it should pass");
    check(trial,
          trial->got.frame_len == trial->len &&
              memcmp(trial->got.frame, trial->frame, trial->len) == 0,
          "it passes as it came");
}

// What passes only for the sake of a neighbour comes again.
static void run(struct trial *trial)
{
    run_once(trial);
    if (trial->got.verdict == RELAY_ABI_VERDICT_pass_spoken) {
        check_untouched(trial);
        run_once(trial);
    }
    if (!has_left(trial)) {
        check_untouched(trial);
    }
}

// --- the server ---------------------------------------------------------------------------------

static void keep_forward(const struct trial *trial, const struct diff_reading *in,
                         const struct turn_forward *forward, struct answer *out)
{
    struct packet *packet = &out->want.packet;
    struct bytes datagram = {in->packet.data, in->packet.data_len};
    struct wr wr = wr_init(out->data, sizeof out->data);

    wr_bytes(&wr, (struct bytes){forward->head, forward->head_len});
    wr_bytes(&wr, forward->payload);
    wr_zero(&wr, forward->padding_len);
    assert_true(wr_ok(&wr));
    *packet = in->packet;
    packet->data = out->data;
    packet->data_len = wr.len;
    packet->trailer_len = 0;
    packet->ttl--;
    if (forward->is_to_peer) {
        packet->from = diff_world_relayed(trial->world, forward->allocation, forward->peer.family);
        packet->to = forward->peer;
    } else {
        packet->from = forward->tuple.server;
        packet->to = forward->tuple.client;
    }
    out->is_forward = true;
    out->is_relayable = stun_chandata_is_likely(
        forward->is_to_peer ? datagram : (struct bytes){forward->head, forward->head_len});
}

// The fields of IP that each family has for itself, and what is wrong with the sums.
static void keep_header(const struct diff_reading *in, struct diff_reading *want)
{
    bool was_ip4 = in->packet.from.family == ADDR_IP4;
    bool is_ip4 = want->packet.from.family == ADDR_IP4;

    want->udp_error = in->udp_error;
    want->ip_error = was_ip4 && is_ip4 ? in->ip_error : 0;
    want->fragment = was_ip4 ? in->fragment : DF;
    want->packet.id = was_ip4 ? in->packet.id : 0;
    want->packet.flow_label = was_ip4 ? 0 : in->packet.flow_label;
}

static void keep_response(const struct diff_reading *in, const struct turn_command_send *send,
                          struct answer *out)
{
    struct packet *packet = &out->want.packet;

    *packet = (struct packet){
        .from = in->packet.to,
        .to = in->packet.from,
        .ttl = BINDING_TTL,
        .channel = PACKET_CHANNEL_NONE,
        .data = send->message.ptr,
        .data_len = send->message.len,
    };
    memcpy(packet->to_mac, in->packet.from_mac, sizeof packet->to_mac);
    memcpy(packet->from_mac, in->packet.to_mac, sizeof packet->from_mac);
    out->want.fragment = DF;
    out->want.udp_error = in->udp_error;
    out->is_response = true;
}

static void ask_listener(const struct trial *trial, const struct diff_reading *in,
                         struct answer *out)
{
    struct turn_fixture *f = trial->world->turn;
    struct bytes datagram = {in->packet.data, in->packet.data_len};

    if (in->packet.from.port == 0) { // the system has no such packets
        return;
    }
    f->tuple = (struct turn_tuple){in->packet.from, in->packet.to};
    IGNORE(turn_fixture_send(f, datagram)); // what came of it stands in f
    diff_world_carry_out(trial->world, DIFF_CAUSE_NONE);
    for (uint32_t i = 0; i < f->command_count; i++) {
        if (f->commands[i].type == TURN_COMMAND_SEND) {
            keep_response(in, &f->commands[i].send, out);
        }
    }
    if (f->verdict == TURN_FORWARD) {
        keep_forward(trial, in, &f->forward, out);
    }
}

static void ask_socket(const struct trial *trial, const struct diff_reading *in, struct answer *out)
{
    struct turn_fixture *f = trial->world->turn;
    const struct diff_socket *socket = diff_world_socket(trial->world, &in->packet.to);
    struct bytes datagram = {in->packet.data, in->packet.data_len};

    if (diff_world_is_own(&in->packet.from)) { // the system drops what claims to be from itself
        return;
    }
    if (socket != NULL &&
        turn_fixture_from_peer(f, socket->allocation, &in->packet.from, datagram) == TURN_FORWARD) {
        keep_forward(trial, in, &f->forward, out);
    }
}

static void ask(const struct trial *trial, const struct diff_reading *in, struct answer *out)
{
    if (!diff_world_is_own(&in->packet.to)) {
        return;
    }
    if (in->packet.to.port == DIFF_LISTEN_PORT) {
        ask_listener(trial, in, out);
    } else {
        ask_socket(trial, in, out);
    }
    if (out->is_forward) {
        keep_header(in, &out->want);
    }
}

// --- the judgement ------------------------------------------------------------------------------

static size_t ip_len(const struct packet *packet)
{
    return packet_payload_at(packet) - PACKET_ETH_LEN + packet->data_len;
}

// Nothing is in the way of relaying in the kernel.
static bool must_leave(const struct diff_reading *in, const struct answer *answer)
{
    const struct packet *want = &answer->want.packet;
    bool is_ip4 = in->packet.from.family == ADDR_IP4 && want->from.family == ADDR_IP4;
    bool is_from_client = in->packet.to.port == DIFF_LISTEN_PORT;
    size_t room = 0;

    if (in->is_unfinished) {
        return false;
    }
    if (answer->is_response) {
        return in->packet.data_len == STUN_HEADER_LEN && !in->packet.has_no_checksum &&
               in->ip_error == 0 && diff_world_network(&want->to) < DIFF_NETWORK_COUNT &&
               stun_header_is_likely((struct bytes){want->data, want->data_len}) &&
               want->data[0] == 1 && want->data[1] == 1;
    }
    if (!answer->is_forward || !answer->is_relayable || in->ip_error != 0) {
        return false;
    }
    if (is_from_client) {
        assert_true(in->packet.data_len >= 4);
        room = in->packet.data_len - 4 - (in->packet.data[2] << 8 | in->packet.data[3]);
    }
    return in->packet.ttl > 1 && (is_ip4 || !in->packet.has_no_checksum) &&
           ip_len(want) <= DIFF_MTU && diff_world_network(&want->to) < DIFF_NETWORK_UNKNOWN &&
           room <= PADDING_MAX;
}

static void count_way(const struct trial *trial, const struct diff_reading *in,
                      const struct answer *answer)
{
    struct diff_cover *cover = trial->world->cover;

    if (trial->got.verdict != RELAY_ABI_VERDICT_binding) {
        cover->ways[trial->got.verdict][in->packet.from.family == ADDR_IP6]
                   [answer->want.packet.from.family == ADDR_IP6]++;
    }
    cover->redirects += trial->got.action == XDP_REDIRECT;
    cover->wrong_sums += in->udp_error != 0;
}

static void check_left(const struct trial *trial, const struct diff_reading *in,
                       struct answer *answer)
{
    struct packet *want = &answer->want.packet;

    check(trial, !in->is_unfinished, "nobody finishes its checksum");
    if (trial->got.verdict == RELAY_ABI_VERDICT_binding) {
        check(trial, answer->is_response, "the server does not answer");
        check(trial, trial->got.action == XDP_TX, "an answer goes back");
        check(trial, !in->packet.has_no_checksum, "an answer without a checksum");
    } else {
        uint32_t network = diff_world_network(&want->to);
        check(trial, answer->is_forward, "the server does not forward");
        check(trial, in->packet.ttl > 1, "its TTL ends here");
        check(trial, want->from.family == ADDR_IP4 || !want->has_no_checksum,
              "over IPv6 there is a checksum");
        check(trial, ip_len(want) <= DIFF_MTU, "it is too long");
        check(trial, network < DIFF_NETWORK_UNKNOWN, "nobody knows where it goes");
        check(trial, trial->got.action == (network == trial->network ? XDP_TX : XDP_REDIRECT),
              "it leaves by the wrong interface");
        diff_world_macs(network, want);
    }
    check(trial, in->ip_error == answer->want.ip_error, "a wrong header is mended");
    check(trial, diff_reading_matches(&answer->want, trial->got.frame, trial->got.frame_len),
          "the server would have sent other bytes");
    count_way(trial, in, answer);
}

uint16_t diff_judge(struct diff_world *world, const uint8_t *frame, size_t len, uint32_t network)
{
    struct trial trial = {.world = world, .frame = frame, .len = len, .network = network};
    struct diff_reading in;
    struct answer answer = {0};

    // The program first: the server's answer changes nothing that the program has looked at.
    run(&trial);
    if (!diff_reading_read(frame, len, &in)) {
        check(&trial, !has_left(&trial), "it is no sound packet of UDP");
        return 0;
    }
    ask(&trial, &in, &answer);
    if (!has_left(&trial)) {
        check(&trial, !must_leave(&in, &answer), "the program could have relayed it");
        return 0;
    }
    check_left(&trial, &in, &answer);
    const uint8_t *udp = trial.got.frame + packet_udp_at(&answer.want.packet);
    return (uint16_t)(udp[6] << 8 | udp[7]);
}

struct packet diff_judge_from_client(const struct turn_command_bind *bind)
{
    return (struct packet){
        .to_mac = {2, 1, 1, 1, 1, 1},
        .from_mac = {2, 2, 2, 2, 2, 2},
        .from = bind->tuple.client,
        .to = bind->tuple.server,
        .ttl = 64,
        .channel = bind->number,
    };
}

struct packet diff_judge_from_peer(const struct diff_world *world,
                                   const struct turn_command_bind *bind)
{
    const struct addr *relayed = &world->offload.relayed[bind->relayed.family == ADDR_IP6];

    return (struct packet){
        .to_mac = {2, 1, 1, 1, 1, 1},
        .from_mac = {2, 2, 2, 2, 2, 2},
        // Another client's relayed address is on no packet from outside.
        .from = bind->is_turned ? addr_with_port(*relayed, bind->peer.port) : bind->peer,
        .to = addr_with_port(*relayed, bind->relayed.port),
        .ttl = 64,
        .channel = PACKET_CHANNEL_NONE,
    };
}

void diff_judge_unbound(struct diff_world *world, const struct turn_command_bind *bind)
{
    uint8_t frame[PACKET_MAX];
    const struct packet packets[] = {
        diff_judge_from_client(bind),
        diff_judge_from_peer(world, bind),
    };

    for (size_t i = 0; i < COUNT_OF(packets); i++) {
        struct trial trial = {.world = world, .frame = frame};
        struct diff_reading in;
        trial.len = packet_write(&packets[i], frame);
        run(&trial);
        assert_true(diff_reading_read(frame, trial.len, &in));
        check(&trial, in.is_unfinished || trial.got.verdict == RELAY_ABI_VERDICT_pass_unbound,
              "it is unbound");
    }
}

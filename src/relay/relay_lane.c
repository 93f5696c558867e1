// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_lane.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

// The program, in classic BPF (A and X are its registers, M its memory):
//
//      hash     = of the source address and the source port, under the key
//      slot     = hash % (workers * DATA_COUNT)
//      worker   = slot / DATA_COUNT
//      control:   return worker * COUNT                  (the lane is 0)
//      data:      return worker * COUNT + slot % DATA_COUNT + 1  =  slot + worker + 1
//
// A load beyond the end of a packet ends the program, and it returns 0.

enum {
    M_HASH,
    M_SLOT,
    M_WORKER,
    M_NEXT,               // the kind of an IPv6 header that comes next
    WALK_MAX = 4,         // extension headers: one of each kind, and a second Destination Options
    IP4_SOURCE_AT = 12,   // bytes into the header; RFC 791 section 3.1
    IP6_NEXT_AT = 6,      // RFC 8200 section 3
    IP6_SOURCE_AT = 8,    //
    IP6_WORDS = 4,        // of an address
    IP6_LEN = 40,         //
    IP6_HOP_BY_HOP = 0,   // RFC 8200 section 4
    IP6_ROUTING = 43,     //
    IP6_DESTINATION = 60, //
    UDP = 17,             //
    STUN_HEADER_LEN = 20, // bytes; RFC 8489 section 5
    STUN_CLASS_BITS = 0xc000, // both 0 in STUN, not both in ChannelData
    SEND_INDICATION = 0x0016, // RFC 8656 section 17
    REFRESH_REQUEST = 0x0004, //
    LABEL_MAX = 8,
};

_Static_assert(RELAY_LANE_CONTROL == 0, "the program returns no lane in its place");

// The program as far as it is written. Jumps lead forward, to a label that is set later.
struct draft {
    struct sock_filter *out;
    size_t len;
    const uint8_t *key;
    size_t key_used; // bytes
};

static void put(struct draft *draft, int code, uint32_t k)
{
    assert(draft->len < RELAY_LANE_PROGRAM_MAX);
    draft->out[draft->len++] = (struct sock_filter){.code = (uint16_t)code, .k = k};
}

// A = A operation k
static void put_with(struct draft *draft, int operation, uint32_t k)
{
    put(draft, BPF_ALU | operation | BPF_K, k);
}

// A = A operation X
static void put_with_x(struct draft *draft, int operation)
{
    put(draft, BPF_ALU | operation | BPF_X, 0);
}

// Jumps that wait for their label.
struct label {
    struct {
        size_t at;
        bool is_true_branch;
    } jumps[LABEL_MAX];
    size_t count;
};

// Goes to the label if the comparison of A with k holds, or, with `is_when` false, if it does not.
static void jump(struct draft *draft, int comparison, uint32_t k, bool is_when, struct label *label)
{
    assert(label->count < LABEL_MAX);
    label->jumps[label->count].at = draft->len;
    label->jumps[label->count].is_true_branch = is_when;
    label->count++;
    put(draft, BPF_JMP | comparison | BPF_K, k);
}

// The label is here.
static void land(struct draft *draft, const struct label *label)
{
    for (size_t i = 0; i < label->count; i++) {
        struct sock_filter *from = &draft->out[label->jumps[i].at];
        const size_t distance = draft->len - label->jumps[i].at - 1;

        assert(distance <= UINT8_MAX);
        *(label->jumps[i].is_true_branch ? &from->jt : &from->jf) = (uint8_t)distance;
    }
}

static uint32_t key_word(struct draft *draft)
{
    uint32_t word = 0;

    assert(draft->key_used + sizeof word <= RELAY_LANE_KEY_LEN);
    memcpy(&word, draft->key + draft->key_used, sizeof word);
    draft->key_used += sizeof word;
    return word;
}

// A = mixed(A), one to one. X is lost.
static void put_mix(struct draft *draft)
{
    put_with(draft, BPF_XOR, key_word(draft));
    put_with(draft, BPF_MUL, key_word(draft) | 1);
    put(draft, BPF_MISC | BPF_TAX, 0);
    put_with(draft, BPF_RSH, 16);
    put_with_x(draft, BPF_XOR);
}

static void put_net(struct draft *draft, int size, uint32_t at)
{
    put(draft, BPF_LD | size | BPF_ABS, (uint32_t)SKF_NET_OFF + at);
}

// A = the port at X bytes into the IP packet.
static void put_port(struct draft *draft)
{
    put(draft, BPF_LD | BPF_H | BPF_IND, (uint32_t)SKF_NET_OFF);
}

static void put_ip4(struct draft *draft)
{
    put_net(draft, BPF_W, IP4_SOURCE_AT);
    put_mix(draft);
    put(draft, BPF_ST, M_HASH);
    put(draft, BPF_LDX | BPF_B | BPF_MSH, (uint32_t)SKF_NET_OFF); // options make it longer
    put_port(draft);
}

// One extension header: X goes behind it, and A is the kind of the next one.
static void put_step(struct draft *draft)
{
    put(draft, BPF_LD | BPF_B | BPF_IND, (uint32_t)SKF_NET_OFF);
    put(draft, BPF_ST, M_NEXT);
    put(draft, BPF_LD | BPF_B | BPF_IND, (uint32_t)SKF_NET_OFF + 1);
    put_with(draft, BPF_ADD, 1);
    put_with(draft, BPF_LSH, 3);
    put_with_x(draft, BPF_ADD);
    put(draft, BPF_MISC | BPF_TAX, 0);
    put(draft, BPF_LD | BPF_MEM, M_NEXT);
}

// Behind more or stranger extension headers than anybody sends, the address alone counts.
static void put_ip6(struct draft *draft)
{
    struct label at_udp = {.count = 0};
    struct label is_strange = {.count = 0};
    struct label is_done = {.count = 0};

    for (uint32_t i = 0; i < IP6_WORDS; i++) {
        put_net(draft, BPF_W, IP6_SOURCE_AT + 4 * i);
        if (i > 0) {
            put(draft, BPF_LDX | BPF_MEM, M_HASH);
            put_with_x(draft, BPF_XOR);
        }
        put_mix(draft);
        put(draft, BPF_ST, M_HASH);
    }
    put_net(draft, BPF_B, IP6_NEXT_AT);
    put(draft, BPF_LDX | BPF_IMM, IP6_LEN);
    for (int i = 0; i < WALK_MAX; i++) {
        struct label is_known = {.count = 0};

        jump(draft, BPF_JEQ, UDP, true, &at_udp);
        jump(draft, BPF_JEQ, IP6_HOP_BY_HOP, true, &is_known);
        jump(draft, BPF_JEQ, IP6_ROUTING, true, &is_known);
        jump(draft, BPF_JEQ, IP6_DESTINATION, false, &is_strange);
        land(draft, &is_known);
        put_step(draft);
    }
    jump(draft, BPF_JEQ, UDP, true, &at_udp);
    land(draft, &is_strange);
    put(draft, BPF_LD | BPF_IMM, 0);
    jump(draft, BPF_JEQ, 0, true, &is_done);
    land(draft, &at_udp);
    put_port(draft);
    land(draft, &is_done);
}

// A is the port; M_SLOT and M_WORKER are set.
static void put_choice(struct draft *draft, uint32_t worker_count)
{
    put(draft, BPF_LDX | BPF_MEM, M_HASH);
    put_with_x(draft, BPF_XOR);
    put_mix(draft);
    put_mix(draft);
    put_with(draft, BPF_MOD, worker_count * RELAY_LANE_DATA_COUNT);
    put(draft, BPF_ST, M_SLOT);
    put_with(draft, BPF_DIV, RELAY_LANE_DATA_COUNT);
    put(draft, BPF_ST, M_WORKER);
}

static void put_return(struct draft *draft)
{
    struct label is_data = {.count = 0};

    put(draft, BPF_LD | BPF_W | BPF_LEN, 0);
    jump(draft, BPF_JGE, STUN_HEADER_LEN, false, &is_data);
    put(draft, BPF_LD | BPF_H | BPF_ABS, 0);
    jump(draft, BPF_JEQ, SEND_INDICATION, true, &is_data);
    jump(draft, BPF_JEQ, REFRESH_REQUEST, true, &is_data);
    jump(draft, BPF_JSET, STUN_CLASS_BITS, true, &is_data);
    put(draft, BPF_LD | BPF_MEM, M_WORKER);
    put_with(draft, BPF_MUL, RELAY_LANE_COUNT);
    put(draft, BPF_RET | BPF_A, 0);
    land(draft, &is_data);
    put(draft, BPF_LD | BPF_MEM, M_SLOT);
    put(draft, BPF_LDX | BPF_MEM, M_WORKER);
    put_with_x(draft, BPF_ADD);
    put_with(draft, BPF_ADD, 1);
    put(draft, BPF_RET | BPF_A, 0);
}

size_t relay_lane_program(struct sock_filter out[RELAY_LANE_PROGRAM_MAX], enum addr_family family,
                          uint32_t worker_count, const uint8_t key[RELAY_LANE_KEY_LEN])
{
    struct draft draft = {.out = out, .key = key};

    assert(worker_count >= 1);
    assert(worker_count <= UINT16_MAX);
    if (family == ADDR_IP4) {
        put_ip4(&draft);
    } else {
        put_ip6(&draft);
    }
    put_choice(&draft, worker_count);
    put_return(&draft);
    return draft.len;
}

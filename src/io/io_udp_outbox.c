// SPDX-License-Identifier: Apache-2.0
// Flows lie in a table, at one of PLACE_TRY_MAX places by their hash. One that finds all of them
// taken sends the train in the first and takes its place.
#define _GNU_SOURCE
#include "io/io_udp_outbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTS_PER_MESSAGE = 3,
    PART_MAX = IO_UDP_TRAIN_MAX * PARTS_PER_MESSAGE,
    PLACE_TRY_MAX = 4, // places that a flow may have
    NONE = UINT16_MAX, // no message
};
_Static_assert(IO_UDP_OUTBOX_MESSAGE_MAX < (int)NONE, "an index tells a message, or none");

struct message {
    struct bytes payload;
    uint16_t next; // of the same train, or NONE
    uint8_t head_len;
    uint8_t padding_len;
    uint8_t head[IO_UDP_OUTBOX_HEAD_MAX];
};

// A flow and the train of it that waits.
struct flow {
    struct io_udp *udp; // NULL: nothing waits
    struct addr to;
    struct addr from;
    uint32_t scope;
    bool has_from;
    bool is_df;
    uint8_t ttl;
    uint8_t tos;
    bool is_over;         // its last datagram is shorter than the others
    uint16_t first;       // message
    uint16_t last;        // message
    uint16_t count;       // messages
    uint32_t segment_len; // bytes of each but the last
    uint32_t len;         // bytes of all
};

struct io_udp_outbox_memory {
    struct flow flows[IO_UDP_OUTBOX_FLOW_MAX];
    uint16_t waiting[IO_UDP_OUTBOX_FLOW_MAX]; // which flows, in the order in which they began
    struct message messages[IO_UDP_OUTBOX_MESSAGE_MAX];
    struct iovec parts[PART_MAX];
};
_Static_assert(sizeof(struct io_udp_outbox_memory) < 256UL * 1024, "as the header says");

int io_udp_outbox_open(struct io_udp_outbox *outbox)
{
    struct io_udp_outbox_memory *const memory = calloc(1, sizeof *memory);

    if (memory == NULL) {
        return -ENOMEM;
    }
    *outbox = (struct io_udp_outbox){.memory = memory};
    return 0;
}

void io_udp_outbox_close(struct io_udp_outbox *outbox)
{
    free(outbox->memory);
    *outbox = (struct io_udp_outbox){0};
}

static struct io_udp_message whole_of(const struct flow *flow, const struct message *message)
{
    return (struct io_udp_message){
        .to = &flow->to,
        .from = flow->has_from ? &flow->from : NULL,
        .scope = flow->scope,
        .is_df = flow->is_df,
        .ttl = flow->ttl,
        .tos = flow->tos,
        .head = {message->head, message->head_len},
        .payload = message->payload,
        .padding_len = message->padding_len,
    };
}

// Lays out the messages of a train behind one another.
static size_t lay_out(struct io_udp_outbox_memory *memory, const struct flow *flow)
{
    static const uint8_t padding[IO_UDP_PADDING_MAX];
    size_t count = 0;

    for (uint16_t i = flow->first; i != NONE; i = memory->messages[i].next) {
        const struct message *const message = &memory->messages[i];
        const struct bytes spans[PARTS_PER_MESSAGE] = {
            {message->head, message->head_len},
            message->payload,
            {padding, message->padding_len},
        };
        for (size_t k = 0; k < COUNT_OF(spans); k++) {
            if (spans[k].len > 0) {
                assert(count < COUNT_OF(memory->parts));
                memory->parts[count++] = io_udp_part(spans[k]);
            }
        }
    }
    return count;
}

static void send_singly(struct io_udp_outbox *outbox, struct flow *flow)
{
    const struct message *const messages = outbox->memory->messages;

    for (uint16_t i = flow->first; i != NONE; i = messages[i].next) {
        const struct io_udp_message whole = whole_of(flow, &messages[i]);
        const int error = io_udp_send(flow->udp, &whole);
        if (error != 0) {
            outbox->unsent(outbox->context, flow->udp, &flow->to, 1, error);
        }
    }
}

// Whether a train such as this was refused not long ago.
static bool is_refused(const struct flow *flow)
{
    struct io_udp_refusal *const refusal = &flow->udp->refusal;

    if (refusal->rest == 0 || flow->segment_len < refusal->segment_len ||
        !addr_equal(&flow->to, &refusal->to)) {
        return false;
    }
    refusal->rest--;
    return true;
}

static void send_train(struct io_udp_outbox *outbox, struct flow *flow)
{
    struct io_udp_outbox_memory *const memory = outbox->memory;
    const struct io_udp_message message = whole_of(flow, &memory->messages[flow->first]);
    const struct io_udp_train train = {
        .parts = memory->parts,
        .part_count = lay_out(memory, flow),
        .segment_len = (uint16_t)flow->segment_len,
    };

    const int error = io_udp_send_train(flow->udp, &message, &train);
    if (error == -EINVAL || error == -EMSGSIZE || error == -EIO) {
        flow->udp->refusal = (struct io_udp_refusal){
            .to = flow->to, .segment_len = flow->segment_len, .rest = IO_UDP_OUTBOX_REST};
        send_singly(outbox, flow);
    } else if (error != 0) {
        outbox->unsent(outbox->context, flow->udp, &flow->to, flow->count, error);
    }
}

// Sends the train of a flow. Its place is still the flow's.
static void send_flow(struct io_udp_outbox *outbox, struct flow *flow)
{
    if (flow->count > 1 && !is_refused(flow)) {
        send_train(outbox, flow);
    } else {
        send_singly(outbox, flow);
    }
}

void io_udp_outbox_flush(struct io_udp_outbox *outbox)
{
    struct io_udp_outbox_memory *const memory = outbox->memory;

    for (uint32_t i = 0; i < outbox->flow_count; i++) {
        struct flow *const flow = &memory->flows[memory->waiting[i]];
        send_flow(outbox, flow);
        flow->udp = NULL;
    }
    outbox->flow_count = 0;
    outbox->message_count = 0;
}

static uint32_t hash_of(const struct io_udp *udp, const struct addr *to)
{
    uint32_t words[sizeof *to / sizeof(uint32_t)];
    uint32_t hash = (uint32_t)udp->fd;

    memcpy(words, to, sizeof words);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        hash = (hash ^ words[i]) * 0x9e3779b1; // 2^32 over the golden ratio, which is odd
    }
    return hash >> 16;
}

// The place of what goes by this socket to this address: where its train waits, else a free one,
// else one whose train is in the way.
static uint32_t place_of(const struct io_udp_outbox_memory *memory, const struct io_udp *udp,
                         const struct addr *to)
{
    const uint32_t home = hash_of(udp, to);
    uint32_t found = home % IO_UDP_OUTBOX_FLOW_MAX;

    for (uint32_t i = PLACE_TRY_MAX; i > 0; i--) {
        const uint32_t place = (home + i - 1) % IO_UDP_OUTBOX_FLOW_MAX;
        const struct flow *const flow = &memory->flows[place];
        if (flow->udp == udp && addr_equal(&flow->to, to)) {
            return place;
        }
        if (flow->udp == NULL) {
            found = place;
        }
    }
    return found;
}

static bool is_same_flow(const struct flow *flow, const struct io_udp *udp,
                         const struct io_udp_message *message)
{
    return flow->udp == udp && addr_equal(&flow->to, message->to) &&
           flow->has_from == (message->from != NULL) &&
           (message->from == NULL || addr_equal(&flow->from, message->from)) &&
           flow->scope == message->scope && flow->is_df == message->is_df &&
           flow->ttl == message->ttl && flow->tos == message->tos;
}

// Whether one more datagram of so many bytes can join the train.
static bool is_next(const struct flow *flow, uint32_t len)
{
    return !flow->is_over && flow->count < IO_UDP_TRAIN_MAX && len > 0 &&
           len <= flow->segment_len && flow->len + len <= IO_UDP_OUTBOX_TRAIN_LEN_MAX;
}

static void begin(struct flow *flow, struct io_udp *udp, const struct io_udp_message *message,
                  uint32_t len)
{
    *flow = (struct flow){
        .udp = udp,
        .to = *message->to,
        .has_from = message->from != NULL,
        .scope = message->scope,
        .is_df = message->is_df,
        .ttl = message->ttl,
        .tos = message->tos,
        .segment_len = len,
    };
    if (message->from != NULL) {
        flow->from = *message->from;
    }
}

static void append(struct io_udp_outbox *outbox, struct flow *flow,
                   const struct io_udp_message *from, uint32_t len)
{
    const uint16_t index = (uint16_t)outbox->message_count++;
    struct message *const messages = outbox->memory->messages;
    struct message *const message = &messages[index];

    message->payload = from->payload;
    message->next = NONE;
    message->head_len = (uint8_t)from->head.len;
    message->padding_len = (uint8_t)from->padding_len;
    if (from->head.len > 0) {
        memcpy(message->head, from->head.ptr, from->head.len);
    }
    if (flow->count == 0) {
        flow->first = index;
    } else {
        messages[flow->last].next = index;
    }
    flow->last = index;
    flow->count++;
    flow->len += len;
    flow->is_over = len < flow->segment_len || len == 0;
}

void io_udp_outbox_put(struct io_udp_outbox *outbox, struct io_udp *udp,
                       const struct io_udp_message *message)
{
    const size_t len = message->head.len + message->payload.len + message->padding_len;

    assert(message->head.len <= IO_UDP_OUTBOX_HEAD_MAX);
    assert(message->padding_len <= IO_UDP_PADDING_MAX);
    if (outbox->message_count == IO_UDP_OUTBOX_MESSAGE_MAX) {
        io_udp_outbox_flush(outbox);
    }
    const uint32_t place = place_of(outbox->memory, udp, message->to);
    struct flow *const flow = &outbox->memory->flows[place];
    if (flow->udp == NULL) {
        outbox->memory->waiting[outbox->flow_count++] = (uint16_t)place;
        begin(flow, udp, message, (uint32_t)len);
    } else if (!is_same_flow(flow, udp, message) || !is_next(flow, (uint32_t)len)) {
        send_flow(outbox, flow);
        begin(flow, udp, message, (uint32_t)len);
    }
    append(outbox, flow, message, (uint32_t)len);
}

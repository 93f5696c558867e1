// SPDX-License-Identifier: Apache-2.0
// Any bytes are a stream of control lines: wherever it is split they are the same lines, and each
// message that is read is read again from what is written of it.
#include "revtun/revtun_message.h"

#include <assert.h>

#include "fuzz/fuzz.h"
#include "revtun/revtun_stream.h"

static struct revtun_fields fields;
static struct revtun_fields fields_again;

static void try_rewriting(const struct revtun_message *message, enum revtun_message_side from)
{
    uint8_t raw[REVTUN_STREAM_LINE_MAX];
    uint8_t raw_again[REVTUN_STREAM_LINE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);
    struct wr wr_again = wr_init(raw_again, sizeof raw_again);
    struct revtun_message again = {0};
    struct revtun_message_fault fault = {0};

    revtun_message_write(&wr, message);
    assert(wr_ok(&wr));
    const bool is_read = revtun_fields_read(bytes_first(wr_done(&wr), wr.len - 2), &fields_again);
    assert(is_read);
    const enum revtun_message_outcome outcome =
        revtun_message_read(&fields_again, from, &again, &fault);
    assert(outcome == REVTUN_MESSAGE_OK);
    revtun_message_write(&wr_again, &again);
    assert(bytes_equal(wr_done(&wr), wr_done(&wr_again)));
}

static void try_line(struct bytes line)
{
    if (!revtun_fields_read(line, &fields)) {
        return;
    }
    for (int from = REVTUN_MESSAGE_AGENT; from <= REVTUN_MESSAGE_RELAY; from++) {
        struct revtun_message message = {0};
        struct revtun_message_fault fault = {0};
        switch (revtun_message_read(&fields, (enum revtun_message_side)from, &message, &fault)) {
        case REVTUN_MESSAGE_OK:
            try_rewriting(&message, (enum revtun_message_side)from);
            break;
        case REVTUN_MESSAGE_BAD:
            assert(fault.key != NULL);
            break;
        case REVTUN_MESSAGE_UNKNOWN:
            assert(fault.key == NULL);
            break;
        }
    }
}

// Takes all lines; answers a sum of them, which knows their order.
static uint64_t take_all(struct revtun_stream *stream, struct bytes received, uint64_t sum,
                         bool is_tried)
{
    struct bytes line = {0};

    while (revtun_stream_take(stream, &received, &line) == REVTUN_STREAM_LINE) {
        for (size_t i = 0; i < line.len; i++) {
            sum = sum * 31 + line.ptr[i];
        }
        sum = sum * 31 + 256;
        if (is_tried) {
            try_line(line);
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct revtun_stream stream;
    const struct bytes input = {data, size};

    revtun_stream_init(&stream);
    const uint64_t sum = take_all(&stream, input, 0, true);
    // Each place of short ones, 64 places of others.
    for (size_t at = 0; at <= size; at += size / 64 + 1) {
        revtun_stream_init(&stream);
        const uint64_t first = take_all(&stream, bytes_first(input, at), 0, false);
        const uint64_t both = take_all(&stream, bytes_from(input, at), first, false);
        assert(both == sum);
    }
    try_line(input); // without its end
    return 0;
}

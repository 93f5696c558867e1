// SPDX-License-Identifier: Apache-2.0
// Strangers and a server that knows nobody: whatever they send, it holds nothing, forwards nothing
// and answers with at most four times their bytes.
#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "turn/turn_story.h"

static void check_nothing_is_held(const struct turn_story *story)
{
    static const struct turn_gauges none;
    struct turn_gauges gauges = turn_server_gauges(story->server, story->now);

    assert(memcmp(&gauges, &none, sizeof gauges) == 0);
    assert(turn_server_deadline(story->server) == NEVER);
}

static void check_response(const struct turn_command *command, const struct turn_tuple *tuple,
                           struct bytes request)
{
    struct stun_message message = {0};

    assert(command->type == TURN_COMMAND_SEND);
    assert(memcmp(&command->send.tuple, tuple, sizeof *tuple) == 0);
    assert(command->send.message.len <= 4 * request.len);
    enum stun_message_outcome outcome = stun_message_read(command->send.message, &message);
    assert(outcome == STUN_MESSAGE_OK);
    assert(message.header.class == STUN_SUCCESS || message.header.class == STUN_ERROR);
    assert(message.header.class == STUN_ERROR || message.header.method == STUN_BINDING);
    assert(!stun_message_has(&message, STUN_ATTR_MESSAGE_INTEGRITY));
    assert(memcmp(message.header.transaction.id, request.ptr + 8, STUN_TRANSACTION_LEN) == 0);
}

static void send(struct turn_story *story, uint8_t client, struct bytes datagram)
{
    struct turn_tuple tuple = turn_story_client(client);
    struct turn_forward forward;
    struct turn_command command;
    uint32_t response_count = 0;
    uint32_t report_count = 0;

    datagram = turn_story_lay(story, datagram);
    enum turn_verdict verdict =
        turn_server_from_client(story->server, story->now, &tuple, datagram, &forward);
    assert(verdict != TURN_FORWARD);
    while (turn_server_take(story->server, &command)) {
        if (command.type == TURN_COMMAND_REPORT) {
            assert(command.report.event == TURN_EVENT_UNPROVEN);
            report_count++;
            continue;
        }
        check_response(&command, &tuple, datagram);
        response_count++;
    }
    assert(response_count <= 1);
    assert(report_count <= 1); // with its response, or with one that is withheld
    assert((response_count + report_count > 0) == (verdict == TURN_COMMANDS));
}

// Puts a right header in front of bytes of the input.
static void send_message(struct turn_story *story, uint8_t client)
{
    static const uint16_t methods[] = {1, 3, 4, 6, 7, 8, 9, 10};
    uint8_t raw[STUN_HEADER_LEN + 255];
    struct wr wr = wr_init(raw, sizeof raw);
    uint8_t choice = rd_u8(&story->rd);
    struct bytes body = turn_story_bytes(story, 255);
    struct stun_header header = {.method = methods[choice % 8], .class = choice / 64};

    body.len -= body.len % 4;
    header.body_len = (uint16_t)body.len;
    stun_header_write(&wr, &header);
    wr_bytes(&wr, body);
    assert(wr_ok(&wr));
    send(story, client, wr_done(&wr));
}

static void send_from_peer(struct turn_story *story)
{
    struct pool_ref allocation = {rd_u8(&story->rd) % 4, rd_u8(&story->rd)};
    struct addr peer = turn_story_peer(rd_u8(&story->rd));
    struct bytes datagram = turn_story_lay(story, turn_story_bytes(story, 64));
    struct turn_forward forward;

    enum turn_verdict verdict =
        turn_server_from_peer(story->server, story->now, allocation, &peer, datagram, &forward);
    assert(verdict == TURN_DROP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct turn_story story;

    turn_story_begin(&story, data, size, false);
    while (rd_ok(&story.rd) && story.rd.left > 0) {
        uint8_t step = rd_u8(&story.rd);

        switch (step % 4) {
        case 0:
            send(&story, step / 4, turn_story_bytes(&story, 255));
            break;
        case 1:
            send_message(&story, step / 4);
            break;
        case 2:
            send_from_peer(&story);
            break;
        default:
            story.now.mono_ns += rd_u32(&story.rd) * UINT64_C(1000000);
            turn_server_tick(story.server, story.now);
            break;
        }
        check_nothing_is_held(&story);
    }
    turn_story_end(&story);
    return 0;
}

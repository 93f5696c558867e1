// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_channel.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_chandata.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_data.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum {
    NUMBER = 0x4000, // the lowest
    OTHER = 0x4FFF,  // the highest
    PAYLOAD = 41,    // bytes of data: no multiple of four
};

static void ask_bind(struct talk *talk, uint32_t peer, uint16_t number)
{
    stun_attr_u16_write(talk_request(talk, STUN_CHANNEL_BIND), STUN_ATTR_CHANNEL_NUMBER, number);
    talk_request_peer(talk, peer);
    talk_ask(talk);
}

static void bind_number(struct talk *talk, uint16_t number)
{
    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    ask_bind(talk, 0, number);
    talk_need_that(talk, talk->is_decided || talk_answer_code(talk) != STUN_ERROR_FORBIDDEN,
                   "the server forbids the peer: it must allow --peer-address");
}

static void lowest(struct talk *talk)
{
    bind_number(talk, NUMBER);
    talk_expect_success(talk);
}

static void highest(struct talk *talk)
{
    bind_number(talk, OTHER);
    talk_expect_success(talk);
}

static void rebind(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_channel(talk, 0, NUMBER);
    ask_bind(talk, 0, NUMBER);
    talk_expect_success(talk);
}

static void below(struct talk *talk)
{
    bind_number(talk, 0x3FFF);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void above(struct talk *talk)
{
    bind_number(talk, 0x8000);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void reserved(struct talk *talk)
{
    bind_number(talk, 0x5000);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void no_number(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    IGNORE(talk_request(talk, STUN_CHANNEL_BIND) != NULL);
    talk_request_peer(talk, 0);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void no_peer(struct talk *talk)
{
    talk_need_allocation(talk);
    stun_attr_u16_write(talk_request(talk, STUN_CHANNEL_BIND), STUN_ATTR_CHANNEL_NUMBER, NUMBER);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void number_in_use(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_channel(talk, 0, NUMBER);
    talk_need_peer(talk, 1);
    ask_bind(talk, 1, NUMBER);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void peer_in_use(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_channel(talk, 0, NUMBER);
    ask_bind(talk, 0, OTHER);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void two_ports(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_channel(talk, 0, NUMBER);
    talk_need_peer(talk, 1);
    ask_bind(talk, 1, OTHER);
    talk_expect_success(talk);
}

static void of_each_allocation(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_channel(talk, 0, NUMBER);
    talk_be(talk, 1);
    talk_need_allocation(talk);
    talk_need_peer(talk, 1);
    ask_bind(talk, 1, NUMBER);
    talk_expect_success(talk);
}

static void mismatch(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_need_peer(talk, 0);
    ask_bind(talk, 0, NUMBER);
    talk_expect_error(talk, STUN_ERROR_ALLOCATION_MISMATCH);
}

static void need_channel(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_channel(talk, 0, NUMBER);
}

static void up(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    need_channel(talk);
    talk_data_up(talk, 0, NUMBER, talk_payload(talk, memory, sizeof memory));
}

static void down(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    need_channel(talk);
    talk_data_down(talk, 0, NUMBER, talk_payload(talk, memory, sizeof memory));
}

static void permits(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    // Another port of the peer's address has no channel: its data come in an indication.
    need_channel(talk);
    talk_need_peer(talk, 1);
    talk_data_down(talk, 1, 0, talk_payload(talk, memory, sizeof memory));
}

static void indication_beside(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    need_channel(talk);
    talk_data_up(talk, 0, 0, talk_payload(talk, memory, sizeof memory));
}

static void up_padded(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_channel(talk);
    struct wr wr = wr_init(talk->message, sizeof talk->message);
    stun_chandata_head_write(&wr, NUMBER, PAYLOAD);
    wr_bytes(&wr, data);
    wr_zero(&wr, 3);
    talk->message_len = wr.len;
    talk_data_message_up(talk, 0, data);
}

static void up_nothing(struct talk *talk)
{
    need_channel(talk);
    talk_data_up(talk, 0, NUMBER, (struct bytes){NULL, 0});
}

static void down_nothing(struct talk *talk)
{
    need_channel(talk);
    talk_data_down(talk, 0, NUMBER, (struct bytes){NULL, 0});
}

static void up_much(struct talk *talk)
{
    uint8_t memory[1200];

    need_channel(talk);
    talk_data_up(talk, 0, NUMBER, talk_payload(talk, memory, sizeof memory));
}

static void down_much(struct talk *talk)
{
    uint8_t memory[1200];

    need_channel(talk);
    talk_data_down(talk, 0, NUMBER, talk_payload(talk, memory, sizeof memory));
}

static void up_unbound(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_channel(talk);
    talk_data_send(talk, 0, OTHER, data);
    talk_data_is_dropped(talk, 0, data);
}

static void up_cut(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    uint8_t datagram[STUN_CHANDATA_HEAD_LEN + PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);
    struct wr wr = wr_init(datagram, sizeof datagram);

    need_channel(talk);
    stun_chandata_head_write(&wr, NUMBER, PAYLOAD + 100); // that do not follow
    wr_bytes(&wr, data);
    talk_send(talk, wr_done(&wr));
    talk_data_is_dropped(talk, 0, data);
}

static const struct talk_check checks[] = {
    {
        .id = "channel-lowest",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "The lowest channel number, 0x4000, can be bound.",
        .words = "The channel number is in the range 0x4000 through 0x4FFF (inclusive)",
        .run = lowest,
    },
    {
        .id = "channel-highest",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "The highest one, 0x4FFF, can be bound.",
        .words = "The channel number is in the range 0x4000 through 0x4FFF (inclusive)",
        .run = highest,
    },
    {
        .id = "channel-rebind",
        .section = "RFC 8656, 12",
        .level = TALK_MUST,
        .rule = "Binding it to the same peer again succeeds.",
        .words =
            "Refreshing the binding (by the server receiving a ChannelBind request rebinding "
            "the channel to the same peer) resets the time-to-expiry timer back to 10 minutes.",
        .run = rebind,
    },
    {
        .id = "channel-below-400",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A number below 0x4000 gets 400.",
        .words = "If any of these tests fail, the server replies with a 400 (Bad Request) error.",
        .run = below,
    },
    {
        .id = "channel-above-400",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A number of 0x8000, which no RFC ever allowed, gets 400.",
        .words = "If any of these tests fail, the server replies with a 400 (Bad Request) error.",
        .run = above,
    },
    {
        .id = "channel-reserved-400",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A number of 0x5000, which RFC 5766 allowed and RFC 8656 does not, gets 400.",
        .words = "The channel number is in the range 0x4000 through 0x4FFF (inclusive) [...] If "
                 "any of these tests fail, the server replies with a 400 (Bad Request) error.",
        .run = reserved,
    },
    {
        .id = "channel-no-number-400",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A ChannelBind without a number gets 400.",
        .words = "The request contains both a CHANNEL-NUMBER and an XOR-PEER-ADDRESS attribute",
        .run = no_number,
    },
    {
        .id = "channel-no-peer-400",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A ChannelBind without a peer gets 400.",
        .words = "The request contains both a CHANNEL-NUMBER and an XOR-PEER-ADDRESS attribute",
        .run = no_peer,
    },
    {
        .id = "channel-number-in-use-400",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A number that is bound to another peer gets 400.",
        .words = "The channel number is not currently bound to a different transport address",
        .run = number_in_use,
    },
    {
        .id = "channel-peer-in-use-400",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A peer that is bound to another number gets 400.",
        .words = "The transport address is not currently bound to a different channel number.",
        .run = peer_in_use,
    },
    {
        .id = "channel-two-ports",
        .section = "RFC 8656, 12",
        .level = TALK_MUST,
        .rule = "Two ports of one address are two peers, with a channel each.",
        .words = "a channel binding is uniquely identified either by the channel number or by the "
                 "peer's transport address",
        .run = two_ports,
    },
    {
        .id = "channel-of-each-allocation",
        .section = "RFC 8656, 12",
        .level = TALK_MUST,
        .rule = "Two allocations may use the same number.",
        .words = "the use of a channel number or peer transport address in a channel binding in "
                 "one allocation has no impact on their use in a different allocation",
        .run = of_each_allocation,
    },
    {
        .id = "channel-mismatch-437",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "A ChannelBind without an allocation gets 437.",
        .words = "if the 5-tuple does not identify an existing allocation, then the message MUST "
                 "either be rejected with a 437 Allocation Mismatch error (if it is a request) or "
                 "be silently ignored",
        .run = mismatch,
    },
    {
        .id = "channel-to-peer",
        .section = "RFC 8656, 12.6",
        .level = TALK_MUST,
        .rule = "ChannelData reaches the peer from the relayed address.",
        .words = "On the server, if no errors are detected, the server relays the application data "
                 "to the peer by forming a UDP datagram",
        .run = up,
    },
    {
        .id = "channel-to-client",
        .section = "RFC 8656, 12.5",
        .level = TALK_MUST,
        .rule = "What the peer of a channel sends comes as ChannelData.",
        .words = "The server, on the other hand, MUST use the ChannelData message if a channel has "
                 "been bound to the peer.",
        .run = down,
    },
    {
        .id = "channel-permits",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A channel is a permission for its peer's address as well.",
        .words = "The server also installs or refreshes a permission for the IP address in the "
                 "XOR-PEER-ADDRESS attribute as described in Section 9.",
        .run = permits,
    },
    {
        .id = "channel-and-indication",
        .section = "RFC 8656, 12.5",
        .level = TALK_MUST,
        .rule = "A Send indication to the peer of a channel is relayed too.",
        .words = "the client is not obligated to use the channel when it exists and may freely "
                 "intermix the two message types when sending data to the peer",
        .run = indication_beside,
    },
    {
        .id = "channel-padded",
        .section = "RFC 8656, 12.5",
        .level = TALK_MUST,
        .rule = "ChannelData with padding reaches the peer without it.",
        .words = "Over UDP, the padding is not required but MAY be included.",
        .run = up_padded,
    },
    {
        .id = "channel-empty-to-peer",
        .section = "RFC 8656, 12.6",
        .level = TALK_MUST,
        .rule = "ChannelData without data reaches the peer as an empty datagram.",
        .words = "if the Length field in the ChannelData message is 0, then there will be no data "
                 "in the UDP datagram, but the UDP datagram is still formed and sent",
        .run = up_nothing,
    },
    {
        .id = "channel-empty-to-client",
        .section = "RFC 8656, 12.4",
        .level = TALK_MUST,
        .rule = "An empty datagram of the peer comes as ChannelData without data.",
        .words = "Note that 0 is a valid length.",
        .run = down_nothing,
    },
    {
        .id = "channel-large-to-peer",
        .section = "RFC 8656, 12.6",
        .level = TALK_MUST,
        .rule = "1200 bytes reach the peer whole.",
        .words = "the data following the UDP header is the contents of the data field of the "
                 "ChannelData message",
        .run = up_much,
    },
    {
        .id = "channel-large-to-client",
        .section = "RFC 8656, 12.7",
        .level = TALK_MUST,
        .rule = "1200 bytes reach the client whole.",
        .words = "then the server forms and sends a ChannelData message as described in Section "
                 "12.5",
        .run = down_much,
    },
    {
        .id = "channel-unbound",
        .section = "RFC 8656, 12.6",
        .level = TALK_MUST,
        .rule = "ChannelData of a number that is not bound goes nowhere.",
        .words = "If the ChannelData message is received on a channel that is not bound to any "
                 "peer, then the message is silently discarded.",
        .run = up_unbound,
    },
    {
        .id = "channel-cut",
        .section = "RFC 8656, 12.6",
        .level = TALK_MUST,
        .rule = "ChannelData that says it is longer than its datagram goes nowhere.",
        .words = "if the UDP datagram is too short to contain the claimed length of the "
                 "ChannelData message [...] then the message is silently discarded",
        .run = up_cut,
    },
};

const struct talk_subject conform_channel = {
    .name = "channels",
    .about = "Channels are how most data go. Numbers and peers belong together one to one; what "
             "arrives on a number that a client did not bind is somebody else's data.",
    .checks = checks,
    .count = COUNT_OF(checks),
};

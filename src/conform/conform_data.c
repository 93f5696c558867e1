// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_data.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_icmp.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_data.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"
#include "talk/talk_words.h"

enum {
    PAYLOAD = 39, // bytes of data: no multiple of four
    NUMBER = 0x4001,
    UNREACHABLE_IP4 = 3, // type of ICMP
    UNREACHABLE_IP6 = 1, // of ICMPv6
};

static void need_peer(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
}

static void up(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    need_peer(talk);
    talk_data_up(talk, 0, 0, talk_payload(talk, memory, sizeof memory));
}

static void up_nothing(struct talk *talk)
{
    need_peer(talk);
    talk_data_up(talk, 0, 0, (struct bytes){NULL, 0});
}

static void down_nothing(struct talk *talk)
{
    need_peer(talk);
    talk_data_down(talk, 0, 0, (struct bytes){NULL, 0});
}

static void up_much(struct talk *talk)
{
    uint8_t memory[1200];

    need_peer(talk);
    talk_data_up(talk, 0, 0, talk_payload(talk, memory, sizeof memory));
}

static void down_much(struct talk *talk)
{
    uint8_t memory[1200];

    need_peer(talk);
    talk_data_down(talk, 0, 0, talk_payload(talk, memory, sizeof memory));
}

static void every_length(struct talk *talk)
{
    uint8_t memory[8];

    need_peer(talk);
    for (size_t len = 5; len <= sizeof memory; len++) {
        talk_data_up(talk, 0, 0, talk_payload(talk, memory, len));
        talk_data_down(talk, 0, 0, talk_payload(talk, memory, len));
    }
}

static void like_stun(struct talk *talk)
{
    uint8_t memory[STUN_HEADER_LEN];
    struct wr wr = wr_init(memory, sizeof memory);
    const struct stun_header header = {.method = STUN_BINDING, .class = STUN_REQUEST};

    // Peers speak STUN to one another: it is data like any other.
    need_peer(talk);
    stun_header_write(&wr, &header);
    talk_data_down(talk, 0, 0, wr_done(&wr));
    talk_data_up(talk, 0, 0, wr_done(&wr));
}

static void send_message(struct talk *talk)
{
    talk_request_end(talk);
    talk_send(talk, (struct bytes){talk->message, talk->message_len});
}

static void without_peer(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_peer(talk);
    stun_attr_write(talk_request_indication(talk, STUN_SEND), STUN_ATTR_DATA, data);
    talk_request_end(talk);
    talk_expect_silence(talk);
    talk_data_is_dropped(talk, 0, data);
}

static void without_data(struct talk *talk)
{
    need_peer(talk);
    IGNORE(talk_request_indication(talk, STUN_SEND) != NULL);
    talk_request_peer(talk, 0);
    talk_request_end(talk);
    talk_expect_silence(talk);
}

static void unknown_required(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);
    struct wr *wr;

    need_peer(talk);
    wr = talk_request_indication(talk, STUN_SEND);
    talk_request_peer(talk, 0);
    stun_attr_write(wr, STUN_ATTR_DATA, data);
    stun_attr_u32_write(wr, 0x7F71, 0);
    send_message(talk);
    talk_data_is_dropped(talk, 0, data);
}

static void unknown_optional(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);
    struct wr *wr;

    need_peer(talk);
    wr = talk_request_indication(talk, STUN_SEND);
    talk_request_peer(talk, 0);
    stun_attr_write(wr, STUN_ATTR_DATA, data);
    stun_attr_u32_write(wr, 0xFF71, 0);
    talk_request_end(talk);
    talk_data_message_up(talk, 0, data);
}

static void without_allocation(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    talk_need_nonce(talk);
    talk_need_peer(talk, 0);
    stun_attr_write(talk_request_indication(talk, STUN_SEND), STUN_ATTR_DATA, data);
    talk_request_peer(talk, 0);
    talk_request_end(talk);
    talk_expect_silence(talk);
}

static void channel_without_allocation(struct talk *talk)
{
    talk_need_nonce(talk);
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_request_end(talk);
    // ChannelData of four bytes in place of the message.
    const uint8_t datagram[] = {NUMBER >> 8, NUMBER & 0xFF, 0, 4, 1, 2, 3, 4};
    struct wr wr = wr_init(talk->message, sizeof talk->message);
    wr_bytes(&wr, (struct bytes){datagram, sizeof datagram});
    talk->message_len = wr.len;
    talk_expect_silence(talk);
}

static void data_from_client(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_peer(talk);
    stun_attr_write(talk_request_indication(talk, STUN_DATA), STUN_ATTR_DATA, data);
    talk_request_peer(talk, 0);
    send_message(talk);
    talk_data_is_dropped(talk, 0, data);
}

static void dont_fragment(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);
    struct wr *wr;

    need_peer(talk);
    wr = talk_request_indication(talk, STUN_SEND);
    talk_request_peer(talk, 0);
    stun_attr_write(wr, STUN_ATTR_DONT_FRAGMENT, (struct bytes){NULL, 0});
    stun_attr_write(wr, STUN_ATTR_DATA, data);
    talk_request_end(talk);
    talk_data_message_up(talk, 0, data);
}

static void after_deletion(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_peer(talk);
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 0);
    talk_ask(talk);
    talk_need_success(talk, "the allocation cannot be deleted");
    talk_data_send(talk, 0, 0, data);
    talk_data_is_dropped(talk, 0, data);
    talk_data_down_is_dropped(talk, 0, data);
}

static void two_clients(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_peer(talk);
    talk_be(talk, 1);
    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    talk_data_up(talk, 0, 0, data);
    talk_data_down(talk, 0, 0, data);
    talk_be(talk, 0);
    talk_data_up(talk, 0, 0, data);
    talk_data_down(talk, 0, 0, data);
}

// --- ICMP ----------------------------------------------------------------------------------------

// A Data indication with an ICMP error.
static bool is_icmp(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    struct stun_message message;
    struct bytes value;

    (void)arg;
    if (arrival->socket != talk_me(talk)->socket ||
        stun_message_read((struct bytes){arrival->bytes, arrival->len}, &message) !=
            STUN_MESSAGE_OK ||
        message.header.method != STUN_DATA || message.header.class != STUN_INDICATION ||
        !stun_message_find(&message, STUN_ATTR_ICMP, &value)) {
        return false;
    }
    talk->answer_len = arrival->len;
    struct wr wr = wr_init(talk->answer_bytes, sizeof talk->answer_bytes);
    wr_bytes(&wr, (struct bytes){arrival->bytes, arrival->len});
    return true;
}

// Sends to a peer that has closed its port, until an ICMP error of it comes or not.
static void provoke_icmp(struct talk *talk)
{
    enum { TRIES = 4 };
    const struct talk_arrival *found = NULL;

    need_peer(talk);
    if (talk->is_decided) {
        return;
    }
    struct talk_peer *peer = &talk->peers[0];
    talk_need_that(talk, addr_equal(&peer->local, &peer->seen),
                   "a NAT is between the server and the peer");
    talk->world->close(talk->world->self, peer->socket);
    peer->is_open = false;
    for (int i = 0; i < TRIES && found == NULL && !talk->is_decided; i++) {
        talk_data_send(talk, 0, 0, (struct bytes)BYTES_LITERAL("anybody?"));
        uint64_t wait_ns = talk->target->patience_ns / TRIES;
        found =
            talk_wait(talk, talk->world->now(talk->world->self).mono_ns + wait_ns, is_icmp, NULL);
    }
    if (found == NULL) {
        talk_need_way(talk, 0);
        talk_fail(talk, bytes_of_text("a Data indication with ICMP"),
                  bytes_of_text("none came, though the peer's port is closed"));
    }
}

static void icmp(struct talk *talk)
{
    provoke_icmp(talk);
}

static void icmp_says_what(struct talk *talk)
{
    struct stun_message message;
    struct stun_icmp error = {0};
    struct addr peer = {0};
    struct bytes value;

    provoke_icmp(talk);
    if (talk->is_decided) {
        talk->verdict = TALK_SKIP; // that there is none is another check's finding
        return;
    }
    bool is_right = stun_message_read((struct bytes){talk->answer_bytes, talk->answer_len},
                                      &message) == STUN_MESSAGE_OK &&
                    stun_message_find(&message, STUN_ATTR_ICMP, &value) &&
                    stun_icmp_read(value, &error) &&
                    stun_message_find(&message, STUN_ATTR_XOR_PEER_ADDRESS, &value) &&
                    stun_attr_xor_addr_read(value, &message.header.transaction, &peer);
    is_right = is_right && addr_same_ip(&peer, &talk->peers[0].seen) &&
               (peer.port == 0 || peer.port == talk->peers[0].seen.port) &&
               error.type == (peer.family == ADDR_IP4 ? UNREACHABLE_IP4 : UNREACHABLE_IP6) &&
               error.data == 0;
    if (!is_right) {
        uint8_t text[TALK_TEXT_MAX];
        struct wr wr = wr_init(text, sizeof text);
        talk_words_write(&wr, (struct bytes){talk->answer_bytes, talk->answer_len});
        talk_fail(talk, bytes_of_text("the peer's address, and that its port is unreachable"),
                  wr_done(&wr));
    }
}

static const struct talk_check checks[] = {
    {
        .id = "data-to-peer",
        .section = "RFC 8656, 11.2",
        .level = TALK_MUST,
        .rule = "A Send indication reaches the peer from the relayed address.",
        .words = "the source transport address is the relayed transport address of the allocation",
        .run = up,
    },
    {
        .id = "data-every-length",
        .section = "RFC 8656, 18.4",
        .level = TALK_MUST,
        .rule = "Padding of DATA is not part of the data, both ways.",
        .words = "If the length of this attribute is not a multiple of 4, then padding must be "
                 "added after this attribute.",
        .run = every_length,
    },
    {
        .id = "data-empty-to-peer",
        .section = "RFC 8656, 11.2",
        .level = TALK_MUST,
        .rule = "A Send indication without data reaches the peer as an empty datagram.",
        .words = "Note that the DATA attribute is allowed to contain zero bytes of data.",
        .run = up_nothing,
    },
    {
        .id = "data-empty-to-client",
        .section = "RFC 8656, 11.3",
        .level = TALK_MUST,
        .rule = "An empty datagram of the peer comes as an empty DATA.",
        .words = "The DATA attribute is set to the value of the \"data octets\" field from the "
                 "datagram",
        .run = down_nothing,
    },
    {
        .id = "data-large-to-peer",
        .section = "RFC 8656, 11.2",
        .level = TALK_MUST,
        .rule = "1200 bytes reach the peer whole.",
        .words = "the data following the UDP header is the contents of the value field of the DATA "
                 "attribute",
        .run = up_much,
    },
    {
        .id = "data-large-to-client",
        .section = "RFC 8656, 11.3",
        .level = TALK_MUST,
        .rule = "1200 bytes reach the client whole.",
        .words = "The DATA attribute is set to the value of the \"data octets\" field from the "
                 "datagram",
        .run = down_much,
    },
    {
        .id = "data-like-stun",
        .section = "RFC 8656, 11.3",
        .level = TALK_MUST,
        .rule = "What peers say to one another may look like STUN, and is relayed all the same.",
        .words = "the server looks up the allocation associated with the relayed transport address",
        .run = like_stun,
    },
    {
        .id = "data-no-peer",
        .section = "RFC 8656, 11.2",
        .level = TALK_MUST,
        .rule = "A Send indication without a peer goes nowhere, and is not answered.",
        .words = "If one of these attributes is missing or invalid, then the message is discarded.",
        .run = without_peer,
    },
    {
        .id = "data-no-data",
        .section = "RFC 8656, 11.2",
        .level = TALK_MUST,
        .rule = "A Send indication without DATA is not answered.",
        .words = "If one of these attributes is missing or invalid, then the message is discarded.",
        .run = without_data,
    },
    {
        .id = "data-unknown-required",
        .section = "RFC 8489, 6.3.2",
        .level = TALK_MUST,
        .rule = "An indication with an unknown attribute that must be understood goes nowhere.",
        .words = "If the indication contains unknown comprehension-required attributes, the "
                 "indication is discarded and processing ceases.",
        .run = unknown_required,
    },
    {
        .id = "data-unknown-optional",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "One that may be ignored does not keep it from its way.",
        .words = "Unknown comprehension-optional attributes MUST be ignored by the agent.",
        .run = unknown_optional,
    },
    {
        .id = "data-without-allocation",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "A Send indication without an allocation is not answered.",
        .words = "or be silently ignored (if it is an indication or a ChannelData message)",
        .run = without_allocation,
    },
    {
        .id = "data-channel-without-allocation",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "ChannelData without an allocation is not answered.",
        .words = "or be silently ignored (if it is an indication or a ChannelData message)",
        .run = channel_without_allocation,
    },
    {
        .id = "data-indication-of-client",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "A Data indication, which is the server's to send, goes nowhere.",
        .words = "It checks that the message class is allowed for the particular method. [...] If "
                 "any errors are detected, the message is silently discarded.",
        .run = data_from_client,
    },
    {
        .id = "data-dont-fragment",
        .section = "RFC 8656, 11.2",
        .level = TALK_MAY,
        .rule = "A Send indication with DONT-FRAGMENT is relayed.",
        .words = "If the server is unable to set the DF bit on outgoing UDP datagrams when this "
                 "attribute is present, then the server acts as if the DONT-FRAGMENT attribute is "
                 "an unknown comprehension-required attribute",
        .run = dont_fragment,
    },
    {
        .id = "data-after-deletion",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "When an allocation was deleted nothing is relayed any more, either way.",
        .words = "if the 5-tuple does not identify an existing allocation, then the message MUST "
                 "[...] be silently ignored",
        .run = after_deletion,
    },
    {
        .id = "data-two-clients",
        .section = "RFC 8656, 11.2",
        .level = TALK_MUST,
        .rule = "Two clients speak to one peer, each from its own relayed address.",
        .words = "where the allocation is determined by the 5-tuple on which the Send indication "
                 "arrived",
        .run = two_clients,
    },
    {
        .id = "data-icmp",
        .section = "RFC 8656, 11.5",
        .level = TALK_SHOULD,
        .rule = "That a peer's port is closed is told to the client.",
        .words = "If relaying is permitted, then the server forms and sends a Data indication. The "
                 "Data indication MUST contain both an XOR-PEER-ADDRESS and an ICMP attribute.",
        .run = icmp,
    },
    {
        .id = "data-icmp-says-what",
        .section = "RFC 8656, 11.5",
        .level = TALK_MUST,
        .rule = "What is told is the type of the error and the address of the peer.",
        .words = "The ICMP attribute is set to the value of the type and code fields from the ICMP "
                 "packet. The IP address portion of XOR-PEER-ADDRESS attribute is set to the "
                 "destination IP address in the encapsulated IP header.",
        .run = icmp_says_what,
    },
};

const struct talk_subject conform_data = {
    .name = "data",
    .about = "What is relayed, and what must not be. Data that are changed, cut or sent on without "
             "an allocation are the worst that a relay can do.",
    .checks = checks,
    .count = COUNT_OF(checks),
};

// SPDX-License-Identifier: Apache-2.0
// Frames as the tests know them: fields, from which all bytes follow, with every checksum summed
// from scratch.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
    PACKET_MAX = 4096,        // bytes of the longest frame
    PACKET_ETH_LEN = 14,      // bytes
    PACKET_TRAILER_MAX = 96,  // bytes
    PACKET_CHANNEL_NONE = -1, // plain UDP
};

struct packet {
    uint8_t to_mac[6];
    uint8_t from_mac[6];
    struct addr from; // its family is the packet's
    struct addr to;
    uint8_t tos;         // or traffic class
    uint8_t ttl;         // or hop limit
    uint16_t id;         // IPv4 only
    bool may_fragment;   // IPv4 only: DF is not set
    uint32_t flow_label; // IPv6 only
    bool has_no_checksum;
    int channel; // ChannelData of that number, or PACKET_CHANNEL_NONE
    const uint8_t *data;
    size_t data_len;
    uint8_t padding[3]; // behind ChannelData
    size_t padding_len;
    size_t trailer_len; // bytes behind the IP packet, 0xEE each
};

// Writes the frame into PACKET_MAX bytes, and says how long it is.
size_t packet_write(const struct packet *packet, uint8_t *out);

// How far its parts lie behind the frame's beginning.
size_t packet_udp_at(const struct packet *packet);
size_t packet_payload_at(const struct packet *packet);

// After bytes were changed: sums the IPv4 header anew.
void packet_sum_ip4(uint8_t *frame);
// And the UDP datagram, by the lengths that the headers have.
void packet_sum_udp(const struct packet *packet, uint8_t *frame);
// As a sender leaves it to hardware: the sum of the pseudo header in the place of the checksum.
void packet_sum_pseudo(const struct packet *packet, uint8_t *frame);

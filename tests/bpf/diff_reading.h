// SPDX-License-Identifier: Apache-2.0
// Reads frames in a way that owes nothing to the program: field by field, sums from scratch.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/packet.h"

// A frame to one host that this hands to a UDP socket at once: no fragment, no options, no
// extension headers, and over IPv6 a checksum.
struct diff_reading {
    struct packet packet; // its data is the datagram, borrowed from the frame
    uint16_t fragment;    // IPv4: flags and offset
    // By how much checksums are wrong, in ones' complement; 0: they are right.
    uint16_t ip_error; // IPv4 only
    uint16_t udp_error;
    // By chance or not, the UDP checksum is that of the pseudo header alone: packet_sum_pseudo().
    bool is_unfinished;
};

// False, with *out untouched, for any other frame.
bool diff_reading_read(const uint8_t *frame, size_t len, struct diff_reading *out);

// The same frames, except for checksums, and those are wrong by just as much. What is right has one
// form only.
bool diff_reading_matches(const struct diff_reading *want, const uint8_t *frame, size_t len);

// SPDX-License-Identifier: Apache-2.0
// ChannelData: four bytes of channel number and length in front of the data (RFC 8656
// section 12.4).
#pragma once

#include "base/bytes.h"

enum {
    STUN_CHANDATA_HEAD_LEN = 4,    // bytes
    STUN_CHANDATA_LOWEST = 0x4000, // channel numbers
    STUN_CHANDATA_HIGHEST = 0x7FFF,
};

// A number that a client may bind. RFC 8656 section 12 ends the range at 0x4FFF, so that other
// protocols can share a port; RFC 5766 section 11 had it end at 0x7FFF, and its clients, which are
// many, choose among all of those. No other protocol shares this port, so both are served.
bool stun_chandata_is_number(uint16_t number);

// The first byte is one with which ChannelData begins: 64 to 127.
bool stun_chandata_is_likely(struct bytes datagram);

// Reads a message from a datagram. False, with nothing written, when it is cut short or its number
// is none. Bytes behind the data are padding, which UDP allows (section 12.5), and are left out.
MUST_USE bool stun_chandata_read(struct bytes datagram, uint16_t *number, struct bytes *data);
void stun_chandata_head_write(struct wr *wr, uint16_t number, uint16_t data_len);

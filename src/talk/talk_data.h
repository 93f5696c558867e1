// SPDX-License-Identifier: Apache-2.0
// Data through the server: sent to and from peers, and whether they arrive.
//
// A channel number of 0 stands for no channel: Send and Data indications.
#pragma once

#include "talk/talk.h"

// Sends data of the client that speaks to a peer, once.
void talk_data_send(struct talk *talk, uint32_t peer, uint16_t number, struct bytes data);

// Data sent to the peer must arrive there, from the relayed address. Sent again while it does not.
void talk_data_up(struct talk *talk, uint32_t peer, uint16_t number, struct bytes data);
// talk->message is sent, and the data in it must arrive likewise.
void talk_data_message_up(struct talk *talk, uint32_t peer, struct bytes data);
// What has been sent must not arrive at the peer.
void talk_data_is_dropped(struct talk *talk, uint32_t peer, struct bytes data);

// Data sent by the peer must reach the client: as ChannelData of that number, or in an indication.
void talk_data_down(struct talk *talk, uint32_t peer, uint16_t number, struct bytes data);
// It must not reach the client in whatever form.
void talk_data_down_is_dropped(struct talk *talk, uint32_t peer, struct bytes data);

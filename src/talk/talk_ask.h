// SPDX-License-Identifier: Apache-2.0
// Asking the server, and waiting for its answer; telling it what is not answered.
//
// The answer lies in talk->answer (talk_answer.h); that none came is no verdict yet.
#pragma once

#include "talk/talk.h"
#include "talk/talk_request.h"

// Sends what was begun by talk_request(), proven as all servers know it if the client has met the
// server, and waits for the answer. It is sent again, at the times of RFC 8489 section 6.2.1, while
// none comes and talk_target.patience_ns is not over.
void talk_ask(struct talk *talk);
// The same with other proofs.
void talk_ask_with(struct talk *talk, unsigned proof);
// Sends talk->message as it stands, and waits likewise.
void talk_ask_again(struct talk *talk);

// Sends what was begun, without proof, once.
void talk_ask_nothing(struct talk *talk);

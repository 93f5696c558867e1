// SPDX-License-Identifier: Apache-2.0
// One request over UDP until it is answered: sent again at the times of RFC 8489 section 6.2.1.
//
//      sent at        0   500   1500   3500   7500   15500   31500 ms
//      given up at 39500 ms: 16 times the first interval behind the last time
//
// Its only timer is the next of these times.
#pragma once

#include "base/bytes.h"
#include "base/now.h"
#include "stun/stun_header.h"

enum {
    TURNC_TRANSACTION_MESSAGE_MAX = 1024, // bytes of a request
    TURNC_TRANSACTION_SENDINGS = 7,       // Rc
    TURNC_TRANSACTION_LAST = 16,          // Rm
};

#define TURNC_TRANSACTION_RTO_NS (UINT64_C(500) * 1000 * 1000)

struct turnc_transaction {
    bool is_open;          // a request waits for its answer
    bool is_due;           // it is to be sent now
    uint8_t sending_count; // how often it was, or is to be sent
    uint16_t message_len;  // bytes
    uint64_t deadline_ns;  // when it is sent again, or given up
    uint64_t interval_ns;  // between the last sending and the next
    struct stun_header header;
    uint8_t message[TURNC_TRANSACTION_MESSAGE_MAX];
};

// Opens it with a request of up to TURNC_TRANSACTION_MESSAGE_MAX bytes, which is due at once.
void turnc_transaction_begin(struct turnc_transaction *transaction, struct now now,
                             const struct stun_header *header, struct bytes message);

// The request, when it is to be sent now; it is then taken as sent.
MUST_USE bool turnc_transaction_take(struct turnc_transaction *transaction, struct bytes *out);

// The message answers this request: its class, method and id do.
bool turnc_transaction_is_answer(const struct turnc_transaction *transaction,
                                 const struct stun_header *header);
void turnc_transaction_end(struct turnc_transaction *transaction);

// When turnc_transaction_tick() is due, or NEVER.
uint64_t turnc_transaction_deadline(const struct turnc_transaction *transaction);
// Makes the request due again when it is time. False when it has been given up, and is closed.
MUST_USE bool turnc_transaction_tick(struct turnc_transaction *transaction, struct now now);

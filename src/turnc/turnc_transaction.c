// SPDX-License-Identifier: Apache-2.0
#include "turnc/turnc_transaction.h"

#include <assert.h>
#include <string.h>

void turnc_transaction_begin(struct turnc_transaction *transaction, struct now now,
                             const struct stun_header *header, struct bytes message)
{
    assert(!transaction->is_open);
    assert(header->class == STUN_REQUEST);
    assert(message.len <= sizeof transaction->message);
    transaction->is_open = true;
    transaction->is_due = true;
    transaction->sending_count = 1;
    transaction->interval_ns = TURNC_TRANSACTION_RTO_NS;
    transaction->deadline_ns = now.mono_ns + TURNC_TRANSACTION_RTO_NS;
    transaction->header = *header;
    transaction->message_len = (uint16_t)message.len;
    memcpy(transaction->message, message.ptr, message.len);
}

bool turnc_transaction_take(struct turnc_transaction *transaction, struct bytes *out)
{
    if (!transaction->is_due) {
        return false;
    }
    assert(transaction->is_open);
    transaction->is_due = false;
    *out = (struct bytes){transaction->message, transaction->message_len};
    return true;
}

bool turnc_transaction_is_answer(const struct turnc_transaction *transaction,
                                 const struct stun_header *header)
{
    const struct stun_header *own = &transaction->header;

    if (!transaction->is_open || header->method != own->method ||
        (header->class != STUN_SUCCESS && header->class != STUN_ERROR)) {
        return false;
    }
    return memcmp(header->transaction.id, own->transaction.id, STUN_TRANSACTION_LEN) == 0;
}

void turnc_transaction_end(struct turnc_transaction *transaction)
{
    assert(transaction->is_open);
    transaction->is_open = false;
    transaction->is_due = false;
}

uint64_t turnc_transaction_deadline(const struct turnc_transaction *transaction)
{
    return transaction->is_open ? transaction->deadline_ns : NEVER;
}

bool turnc_transaction_tick(struct turnc_transaction *transaction, struct now now)
{
    if (!transaction->is_open || now.mono_ns < transaction->deadline_ns) {
        return true;
    }
    if (transaction->sending_count == TURNC_TRANSACTION_SENDINGS) {
        turnc_transaction_end(transaction);
        return false;
    }
    transaction->sending_count++;
    transaction->is_due = true;
    transaction->interval_ns *= 2;
    bool is_last = transaction->sending_count == TURNC_TRANSACTION_SENDINGS;
    transaction->deadline_ns +=
        is_last ? TURNC_TRANSACTION_LAST * TURNC_TRANSACTION_RTO_NS : transaction->interval_ns;
    return true;
}

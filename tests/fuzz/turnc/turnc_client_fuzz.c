// SPDX-License-Identifier: Apache-2.0
// Whatever a server answers, the client's state is one that it can go on from.
//
// A blind fuzzer does not guess a transaction's id, so it is put into a copy of the input.
#include "turnc/turnc_client.h"

#include <assert.h>
#include <string.h>

#include "base/macro.h"
#include "fuzz/fuzz.h"

enum {
    INPUT_MAX = 2048, // bytes
    ID_AT = 8,        // offset of the transaction's id in a message
};

static const struct now now = {.mono_ns = SECOND_NS};

static void answer(struct turnc_client *client, const uint8_t *data, size_t size)
{
    uint8_t copy[INPUT_MAX];

    memcpy(copy, data, size);
    if (size >= STUN_HEADER_LEN) {
        memcpy(copy + ID_AT, client->transaction.header.transaction.id, STUN_TRANSACTION_LEN);
    }
    bool is_answer = turnc_client_read(client, now, (struct bytes){copy, size});
    assert(is_answer || client->state == TURNC_WAITING);
    assert((client->state == TURNC_WAITING) == client->transaction.is_open);
    assert((client->state == TURNC_REFUSED) == (client->error_code != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {1};
    struct turnc_client client;
    struct bytes request;

    if (size > INPUT_MAX) {
        return 0;
    }
    turnc_client_init(&client, bytes_of_text("alice"), bytes_of_text("wonder"), seed);
    turnc_client_allocate(&client, now, ADDR_IP4);
    // As often as it may ask, and once too often.
    for (int i = 0; i <= TURNC_CLIENT_TRIES && client.state == TURNC_WAITING; i++) {
        bool is_due = turnc_client_take(&client, &request);
        assert(is_due == (i == 0 || client.try_count == i + 1));
        answer(&client, data, size);
    }
    return 0;
}

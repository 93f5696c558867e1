// SPDX-License-Identifier: Apache-2.0
#include "stun/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/exact.h"

enum stun_message_outcome reading_outcome(struct bytes datagram)
{
    struct bytes copy = exact_copy(datagram);
    struct stun_message message = {.unknown_count = 99};
    enum stun_message_outcome outcome = stun_message_read(copy, &message);

    switch (outcome) {
    case STUN_MESSAGE_OK:
        break;
    case STUN_MESSAGE_NOT_STUN:
    case STUN_MESSAGE_BAD_CHECKSUM:
        assert_int_equal(message.unknown_count, 99); // untouched
        assert_null(message.whole.ptr);
        break;
    case STUN_MESSAGE_MALFORMED:
    case STUN_MESSAGE_BAD_VALUE:
        assert_int_equal(message.unknown_count, 0);
        assert_int_equal(message.header.body_len, datagram.len - STUN_HEADER_LEN);
        for (size_t i = 0; i < STUN_MESSAGE_PLACE_COUNT; i++) {
            assert_int_equal(message.at[i], 0);
        }
        break;
    }
    exact_free(copy);
    return outcome;
}

bool reading_has_text(const struct stun_message *message, enum stun_attr_type type,
                      const char *expected)
{
    struct bytes value = {0};

    return stun_message_find(message, type, &value) && bytes_equal_text(value, expected);
}

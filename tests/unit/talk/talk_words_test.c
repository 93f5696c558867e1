// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_chandata.h"
#include "stun/stun_error.h"
#include "stun/stun_icmp.h"
#include "stun/stun_writer.h"

static const char *words_of(struct bytes datagram)
{
    static uint8_t text[1024];
    struct wr wr = wr_init(text, sizeof text - 1);

    talk_words_write(&wr, datagram);
    text[wr.len] = '\0';
    return (const char *)text;
}

static void tells_each_form_of_attribute(void **state)
{
    static const uint8_t ip[] = {192, 0, 2, 1};
    const struct addr addr = addr_ip4(ip, 3478);
    const struct stun_header header = {.method = STUN_ALLOCATE, .class = STUN_ERROR};
    const struct stun_icmp icmp = {.type = 3, .code = 4};
    struct stun_writer writer;
    struct bytes message;
    uint8_t memory[512];

    (void)state;
    stun_writer_init(&writer, memory, sizeof memory, &header);
    stun_error_write(&writer.wr, STUN_ERROR_ALLOCATION_MISMATCH);
    stun_attr_write(&writer.wr, STUN_ATTR_REALM, (struct bytes)BYTES_LITERAL("a\"b\n"));
    stun_attr_u8_write(&writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, 17);
    stun_attr_u16_write(&writer.wr, STUN_ATTR_CHANNEL_NUMBER, 0x4001);
    stun_attr_u32_write(&writer.wr, STUN_ATTR_LIFETIME, 600);
    stun_attr_addr_write(&writer.wr, STUN_ATTR_MAPPED_ADDRESS, &addr);
    stun_attr_xor_addr_write(&writer.wr, STUN_ATTR_XOR_PEER_ADDRESS, &header.transaction, &addr);
    stun_icmp_write(&writer.wr, &icmp);
    stun_attr_write(&writer.wr, STUN_ATTR_DATA, (struct bytes)BYTES_LITERAL("12345"));
    stun_attr_write(&writer.wr, 0x7F71, (struct bytes)BYTES_LITERAL("four"));
    assert_true(stun_writer_finish(&writer, &message));
    assert_string_equal(words_of(message),
                        "Allocate error response, ERROR-CODE 437 \"Allocation Mismatch\", "
                        "REALM \"a.b.\", REQUESTED-TRANSPORT 17, CHANNEL-NUMBER 0x4001, "
                        "LIFETIME 600, MAPPED-ADDRESS 192.0.2.1:3478, "
                        "XOR-PEER-ADDRESS 192.0.2.1:3478, ICMP type 3 code 4, DATA (5 bytes), "
                        "attribute 0x7f71 666f7572");
}

static void tells_what_is_malformed(void **state)
{
    const struct stun_header header = {.method = 0x7F, .class = STUN_SUCCESS};
    struct stun_writer writer;
    struct bytes message;
    uint8_t memory[128];

    (void)state;
    stun_writer_init(&writer, memory, sizeof memory, &header);
    stun_attr_write(&writer.wr, STUN_ATTR_LIFETIME, (struct bytes)BYTES_LITERAL("eight!!!"));
    assert_true(stun_writer_finish(&writer, &message));
    assert_string_equal(words_of(message), "method 0x007f success response, "
                                           "LIFETIME (malformed) 6569676874212121");
    memory[STUN_HEADER_LEN + 3] = 200;
    assert_string_equal(words_of(message),
                        "method 0x007f success response, and attributes that are malformed");
    memory[STUN_HEADER_LEN + 3] = 8;
    assert_string_equal(words_of(bytes_first(message, STUN_HEADER_LEN)),
                        "method 0x007f success response (of other length than it says)");
    assert_string_equal(words_of((struct bytes)BYTES_LITERAL("\xFF\x01")),
                        "2 bytes that are neither STUN nor ChannelData ff01");
    assert_string_equal(words_of((struct bytes){NULL, 0}),
                        "0 bytes that are neither STUN nor ChannelData");
}

static void tells_channel_data(void **state)
{
    (void)state;
    assert_string_equal(words_of((struct bytes)BYTES_LITERAL("\x40\x02\x00\x03"
                                                             "abc")),
                        "ChannelData 0x4002, 3 bytes");
}

static void names_attributes(void **state)
{
    (void)state;
    assert_string_equal(talk_words_attr(STUN_ATTR_SOFTWARE), "SOFTWARE");
    assert_null(talk_words_attr(0x7F71));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_each_form_of_attribute),
        cmocka_unit_test(tells_what_is_malformed),
        cmocka_unit_test(tells_channel_data),
        cmocka_unit_test(names_attributes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

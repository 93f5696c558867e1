// SPDX-License-Identifier: Apache-2.0
#include "http/http_head.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct http_head unavailable = {
    .status = HTTP_STATUS_UNAVAILABLE,
    .date = "Sun, 06 Nov 1994 08:49:37 GMT",
    .type = "text/plain",
    .fields = "Retry-After: 1\r\n",
    .body_len = 12,
};
static const char unavailable_text[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                       "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                       "Content-Type: text/plain\r\n"
                                       "Content-Length: 12\r\n"
                                       "Connection: close\r\n"
                                       "Cache-Control: no-store\r\n"
                                       "X-Content-Type-Options: nosniff\r\n"
                                       "Retry-After: 1\r\n"
                                       "\r\n";

static void writes_the_whole_head(void **state)
{
    uint8_t room[512];
    struct wr wr = wr_init(room, sizeof room);

    (void)state;
    http_head_write(&wr, &unavailable);
    assert_true(wr_ok(&wr));
    assert_true(bytes_equal_text(wr_done(&wr), unavailable_text));
}

static void fails_where_there_is_no_room(void **state)
{
    uint8_t room[sizeof unavailable_text - 2];
    struct wr wr = wr_init(room, sizeof room);

    (void)state;
    http_head_write(&wr, &unavailable);
    assert_false(wr_ok(&wr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_whole_head),
        cmocka_unit_test(fails_where_there_is_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

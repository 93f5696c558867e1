// SPDX-License-Identifier: Apache-2.0
#include "caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_sockaddr.h"

const char *caller_ask(const struct addr *at, const char *line, const char *field)
{
    static char received[1 << 17];
    struct sockaddr_storage storage = {0};
    char text[4096];
    size_t len = 0;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const socklen_t storage_len = io_sockaddr_write(at, 0, &storage);
    const int text_len =
        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", line, field);

    assert_in_range(text_len, 1, sizeof text - 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&storage, storage_len), 0);
    assert_int_equal(send(fd, text, (size_t)text_len, MSG_NOSIGNAL), text_len);
    for (ssize_t got = 1; got > 0; len += (size_t)got) {
        got = recv(fd, received + len, sizeof received - 1 - len, 0);
        assert_true(got >= 0);
    }
    received[len] = '\0';
    close(fd);
    return received + strlen("HTTP/1.1 ");
}

void caller_expect(const struct addr *at, const char *line, const char *status, const char *body)
{
    const char *text = caller_ask(at, line, "");

    assert_memory_equal(text, status, strlen(status));
    text = strstr(text, "\r\n\r\n");
    assert_non_null(text);
    assert_string_equal(text + 4, body);
}

// SPDX-License-Identifier: Apache-2.0
#include "http/http_head.h"

void http_head_write(struct wr *wr, const struct http_head *head)
{
    wr_text(wr, "HTTP/1.1 ");
    wr_decimal(wr, head->status);
    wr_u8(wr, ' ');
    wr_text(wr, http_status_phrase(head->status));
    wr_text(wr, "\r\nDate: ");
    wr_text(wr, head->date);
    wr_text(wr, "\r\nContent-Type: ");
    wr_text(wr, head->type);
    wr_text(wr, "\r\nContent-Length: ");
    wr_decimal(wr, head->body_len);
    wr_text(wr, "\r\nConnection: close\r\nCache-Control: no-store\r\n"
                "X-Content-Type-Options: nosniff\r\n");
    wr_text(wr, head->fields);
    wr_text(wr, "\r\n");
}

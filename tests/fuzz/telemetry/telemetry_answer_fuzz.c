// SPDX-License-Identifier: Apache-2.0
// Whatever a collector answers, there is a verdict and a text that ends. The input is the protocol
// and status, then header by header a length and its bytes, then the body.
#include "telemetry/telemetry_answer.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct telemetry_arena arena;
    struct rd rd = rd_init((struct bytes){data, size});
    struct telemetry_answer answer;

    if (arena.ptr == NULL && telemetry_arena_open(&arena, 8192) != 0) {
        return 0;
    }
    const uint8_t first = rd_u8(&rd);
    struct telemetry_reply reply = {
        .protocol = (first & 1) != 0 ? TELEMETRY_GRPC : TELEMETRY_HTTP,
        .http_status = (first & 2) != 0 ? 200 : rd_u16(&rd),
    };
    if ((first & 4) != 0) {
        reply.content_type = bytes_of_text("application/x-protobuf");
        reply.grpc_status = bytes_of_text("0");
    } else {
        reply.content_type = rd_bytes(&rd, rd_u8(&rd));
        reply.grpc_status = rd_bytes(&rd, rd_u8(&rd));
        reply.grpc_message = rd_bytes(&rd, rd_u8(&rd));
        reply.retry_after = rd_bytes(&rd, rd_u8(&rd));
    }
    reply.body = rd_bytes(&rd, rd.left);
    memset(&answer, 0xff, sizeof answer);
    telemetry_answer_read(&reply, &arena, &answer);
    assert(memchr(answer.text, 0, sizeof answer.text) != NULL);
    assert(answer.kind <= TELEMETRY_ANSWER_UNSUPPORTED);
    assert(answer.wait_s <= TELEMETRY_ANSWER_WAIT_MAX_S);
    assert(answer.wait_s == 0 || answer.kind == TELEMETRY_ANSWER_LATER);
    assert(answer.rejected_count == 0 || answer.kind == TELEMETRY_ANSWER_TAKEN);
    assert(answer.kind == TELEMETRY_ANSWER_TAKEN || answer.text[0] != '\0');
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_answer.h"

#include <otlp.pb-c.h>

#include "base/percent.h"
#include "http/http_retry.h"

enum {
    FRAME_HEAD_LEN = 5, // gRPC: a flag and a length
    GRPC_OK = 0,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_MAX = 16,
    HTTP_OK = 200,
    HTTP_OK_END = 300,
};

static void say(struct telemetry_answer *out, const char *text, struct bytes more)
{
    struct wr wr = wr_init((uint8_t *)out->text, sizeof out->text - 1);

    wr_text(&wr, text);
    if (more.len > 0) {
        wr_text(&wr, wr.len > 0 ? ": " : "");
        wr_bytes(&wr, bytes_first(more, wr.room));
    }
    out->text[wr.len] = '\0';
}

static void say_number(struct telemetry_answer *out, const char *what, uint64_t number,
                       struct bytes more)
{
    char text[64];
    struct wr wr = wr_init((uint8_t *)text, sizeof text);

    wr_text(&wr, what);
    wr_decimal(&wr, number);
    wr_u8(&wr, 0);
    say(out, text, more);
}

static void judge(struct telemetry_answer *out, enum telemetry_answer_kind kind, const char *text)
{
    out->kind = kind;
    say(out, text, (struct bytes){0});
}

void telemetry_answer_none(struct telemetry_answer *out, const char *text)
{
    *out = (struct telemetry_answer){0};
    judge(out, TELEMETRY_ANSWER_LATER, text);
}

// --- the message of a success ------------------------------------------------------------------

static void *take(void *arena, size_t len)
{
    return telemetry_arena_take(arena, 1, len);
}

static void leave(void *arena, void *ptr)
{
    (void)arena;
    (void)ptr; // all is given back together
}

static bool read_message(struct bytes message, struct telemetry_arena *arena,
                         struct telemetry_answer *out)
{
    ProtobufCAllocator allocator = {take, leave, arena};

    telemetry_arena_reset(arena);
    const Otlp__ExportResponse *response =
        otlp__export_response__unpack(&allocator, message.len, message.ptr);
    if (response == NULL) {
        return false;
    }
    const Otlp__PartialSuccess *partial = response->partial_success;
    if (partial != NULL) {
        out->rejected_count = partial->rejected > 0 ? (uint64_t)partial->rejected : 0;
        say(out, "", bytes_of_text(partial->error_message));
    }
    return true;
}

// Takes the one message of a unary call out of its frame.
static bool read_frame(struct bytes body, struct bytes *message)
{
    struct rd rd = rd_init(body);
    const uint8_t flags = rd_u8(&rd);
    const struct bytes inside = rd_bytes(&rd, rd_u32(&rd));

    if (!rd_is_done(&rd) || flags != 0) {
        return false;
    }
    *message = inside;
    return true;
}

// --- gRPC --------------------------------------------------------------------------------------

// https://opentelemetry.io/docs/specs/otlp/#failures. RESOURCE_EXHAUSTED is to be sent again only
// if the answer says when, in details that we do not read; a next request comes in any case.
static bool is_passing(uint64_t status)
{
    enum {
        CANCELLED = 1,
        DEADLINE_EXCEEDED = 4,
        RESOURCE_EXHAUSTED = 8,
        ABORTED = 10,
        OUT_OF_RANGE = 11,
        UNAVAILABLE = 14,
        DATA_LOSS = 15,
    };
    return status == CANCELLED || status == DEADLINE_EXCEEDED || status == RESOURCE_EXHAUSTED ||
           status == ABORTED || status == OUT_OF_RANGE || status == UNAVAILABLE ||
           status == DATA_LOSS;
}

static bool is_http_passing(long status)
{
    enum { TOO_MANY = 429, BAD_GATEWAY = 502, UNAVAILABLE = 503, GATEWAY_TIMEOUT = 504 };

    return status == TOO_MANY || status == BAD_GATEWAY || status == UNAVAILABLE ||
           status == GATEWAY_TIMEOUT;
}

static void read_failed_call(const struct telemetry_reply *reply, uint64_t status,
                             struct telemetry_answer *out)
{
    uint8_t message[TELEMETRY_ANSWER_TEXT_MAX];
    struct wr wr = wr_init(message, sizeof message);

    out->kind = is_passing(status) ? TELEMETRY_ANSWER_LATER : TELEMETRY_ANSWER_REFUSED;
    if (status == GRPC_UNIMPLEMENTED) {
        out->kind = TELEMETRY_ANSWER_UNSUPPORTED;
    }
    // What of it cannot be decoded is left off: it is for people.
    IGNORE(percent_decode(bytes_first(reply->grpc_message, sizeof message), &wr));
    say_number(out, "grpc-status ", status, wr_done(&wr));
}

static void read_grpc(const struct telemetry_reply *reply, struct telemetry_arena *arena,
                      struct telemetry_answer *out)
{
    const struct bytes nothing = {0};
    struct bytes message = {0};
    uint64_t status = 0;

    if (reply->http_status != HTTP_OK) {
        out->kind =
            is_http_passing(reply->http_status) ? TELEMETRY_ANSWER_LATER : TELEMETRY_ANSWER_REFUSED;
        say_number(out, "HTTP status ", (uint64_t)reply->http_status, nothing);
    } else if (reply->grpc_status.len == 0) {
        judge(out, TELEMETRY_ANSWER_REFUSED, "the answer is not one of gRPC");
    } else if (!bytes_to_number(reply->grpc_status, GRPC_MAX, &status)) {
        judge(out, TELEMETRY_ANSWER_REFUSED, "grpc-status is not a number from 0 to 16");
    } else if (status != GRPC_OK) {
        read_failed_call(reply, status, out);
    } else if (!read_frame(reply->body, &message) || !read_message(message, arena, out)) {
        judge(out, TELEMETRY_ANSWER_REFUSED, "the answer cannot be read");
    }
}

// --- HTTP --------------------------------------------------------------------------------------

static void read_http(const struct telemetry_reply *reply, struct telemetry_arena *arena,
                      struct telemetry_answer *out)
{
    enum { NOT_FOUND = 404, NOT_ALLOWED = 405, NOT_IMPLEMENTED = 501 };
    const struct bytes type = bytes_of_text("application/x-protobuf");
    const long status = reply->http_status;
    const struct bytes nothing = {0};

    if (status < HTTP_OK || status >= HTTP_OK_END) {
        out->kind = is_http_passing(status) ? TELEMETRY_ANSWER_LATER : TELEMETRY_ANSWER_REFUSED;
        if (status == NOT_FOUND || status == NOT_ALLOWED || status == NOT_IMPLEMENTED) {
            out->kind = TELEMETRY_ANSWER_UNSUPPORTED;
        }
        say_number(out, "HTTP status ", (uint64_t)status, nothing);
    } else if (reply->body.len == 0) {
        return; // a message all of whose fields have their defaults
    } else if (!bytes_equal(bytes_first(reply->content_type, type.len), type)) {
        judge(out, TELEMETRY_ANSWER_REFUSED, "the answer is not one of OTLP");
    } else if (!read_message(reply->body, arena, out)) {
        judge(out, TELEMETRY_ANSWER_REFUSED, "the answer cannot be read");
    }
}

void telemetry_answer_read(const struct telemetry_reply *reply, struct telemetry_arena *arena,
                           struct telemetry_answer *out)
{
    uint64_t wait_s = 0;

    *out = (struct telemetry_answer){.kind = TELEMETRY_ANSWER_TAKEN};
    if (reply->protocol == TELEMETRY_GRPC) {
        read_grpc(reply, arena, out);
    } else {
        read_http(reply, arena, out);
    }
    if (out->kind == TELEMETRY_ANSWER_LATER &&
        http_retry_read(reply->retry_after, reply->wall_s, &wait_s)) {
        out->wait_s =
            wait_s < TELEMETRY_ANSWER_WAIT_MAX_S ? (uint32_t)wait_s : TELEMETRY_ANSWER_WAIT_MAX_S;
    }
}

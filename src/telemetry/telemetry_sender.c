// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_sender.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/now.h"
#include "telemetry/telemetry_baggage.h"
#include "telemetry/telemetry_gzip.h"

enum {
    HEAD_MAX = 32768,   // bytes of an answer's headers and trailers
    ARENA_SIZE = 32768, // bytes for what an answer says
    HEADER_MAX = 20480, // bytes of one header of ours
    MILLIS_PER_SECOND = 1000,
    NANOS_PER_MILLI = 1000000,
};

static uint64_t mono_ns(void)
{
    struct timespec at = {0};

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * SECOND_NS + (uint64_t)at.tv_nsec;
}

// --- opening -----------------------------------------------------------------------------------

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer != NULL) {
        *list = longer;
    }
    return longer != NULL;
}

// The headers that the operator wants.
static bool add_wanted(struct curl_slist **list, struct bytes wanted)
{
    uint8_t value_text[HEADER_MAX / 2];
    char line[HEADER_MAX];
    struct bytes key = {0};
    struct bytes value = {0};

    for (;;) {
        struct wr memory = wr_init(value_text, sizeof value_text);
        struct wr wr = wr_init((uint8_t *)line, sizeof line);

        if (telemetry_baggage_next(&wanted, &memory, &key, &value) != TELEMETRY_BAGGAGE_PAIR) {
            return true; // it was found to be well formed before
        }
        wr_bytes(&wr, key);
        // libcurl takes "Name:" for a wish to leave a header off.
        wr_text(&wr, value.len > 0 ? ": " : ";");
        wr_bytes(&wr, value);
        wr_u8(&wr, 0);
        if (!wr_ok(&wr) || !add_header(list, line)) {
            return false;
        }
    }
}

static bool open_headers(struct telemetry_sender *sender,
                         const struct telemetry_sender_config *config)
{
    struct curl_slist **grpc = &sender->headers[TELEMETRY_GRPC];
    struct curl_slist **http = &sender->headers[TELEMETRY_HTTP];
    char timeout[32];

    snprintf(timeout, sizeof timeout, "grpc-timeout: %um", config->timeout_ms);
    if (config->gzip_max > 0 &&
        (!add_header(grpc, "grpc-encoding: gzip") || !add_header(http, "Content-Encoding: gzip"))) {
        return false;
    }
    return add_header(grpc, "Content-Type: application/grpc") && add_header(grpc, "TE: trailers") &&
           add_header(grpc, timeout) && add_wanted(grpc, config->headers) &&
           add_header(http, "Content-Type: application/x-protobuf") &&
           add_header(http, "Expect:") && add_wanted(http, config->headers);
}

static bool open_packed(struct telemetry_sender *sender, size_t gzip_max)
{
    if (gzip_max > 0) {
        sender->packed_size = TELEMETRY_SENDER_HEAD_LEN + gzip_max + TELEMETRY_GZIP_MORE;
        sender->packed = malloc(sender->packed_size);
    }
    return gzip_max == 0 || sender->packed != NULL;
}

int telemetry_sender_open(struct telemetry_sender *sender,
                          const struct telemetry_sender_config *config)
{
    *sender = (struct telemetry_sender){
        .certificate = config->certificate,
        .timeout_ms = config->timeout_ms,
        .end_ns = NEVER,
    };
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return -ENOMEM;
    }
    sender->multi = curl_multi_init();
    if (sender->multi == NULL) {
        curl_global_cleanup();
        return -ENOMEM;
    }
    if (telemetry_arena_open(&sender->arena, ARENA_SIZE) != 0 || !open_headers(sender, config) ||
        !open_packed(sender, config->gzip_max)) {
        telemetry_sender_close(sender);
        return -ENOMEM;
    }
    return 0;
}

void telemetry_sender_close(struct telemetry_sender *sender)
{
    if (sender->multi == NULL) {
        return;
    }
    curl_multi_cleanup(sender->multi);
    for (size_t i = 0; i < COUNT_OF(sender->headers); i++) {
        curl_slist_free_all(sender->headers[i]);
        sender->headers[i] = NULL;
    }
    telemetry_arena_close(&sender->arena);
    free(sender->packed);
    sender->packed = NULL;
    sender->multi = NULL;
    curl_global_cleanup();
}

// --- what libcurl calls ------------------------------------------------------------------------

// Both answer less than what they were given to end the transfer.

static size_t on_body(char *ptr, size_t size, size_t count, void *context)
{
    struct telemetry_sender *sender = context;
    const size_t len = size * count;

    if (len > sizeof sender->body - sender->body_len) {
        sender->is_flooded = true;
        return 0;
    }
    memcpy(sender->body + sender->body_len, ptr, len);
    sender->body_len += len;
    return len;
}

// NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type
static size_t on_head(char *ptr, size_t size, size_t count, void *context)
{
    struct telemetry_sender *sender = context;
    const size_t len = size * count;

    (void)ptr; // libcurl keeps it
    if (len > HEAD_MAX - sender->head_len) {
        sender->is_flooded = true;
        return 0;
    }
    sender->head_len += len;
    return len;
}

// --- a request ---------------------------------------------------------------------------------

static bool set_protocol(const struct telemetry_sender *sender,
                         const struct telemetry_target *target, CURL *easy)
{
    const bool is_tls = strncmp(target->url, "https:", 6) == 0;

    if (target->protocol == TELEMETRY_HTTP) {
        return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, sender->headers[TELEMETRY_HTTP]) ==
               CURLE_OK;
    }
    const long version =
        is_tls ? CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    // A second request on a connection of plaintext HTTP/2 fails in libcurl before 8.0 (its issue
    // 10634).
    return curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, is_tls ? 0L : 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, sender->headers[TELEMETRY_GRPC]) == CURLE_OK;
}

// Everything but the body.
static bool set_up(struct telemetry_sender *sender, const struct telemetry_target *target,
                   CURL *easy)
{
    const long timeout_ms = (long)sender->timeout_ms;

    return set_protocol(sender, target, easy) &&
           curl_easy_setopt(easy, CURLOPT_URL, target->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT,
                            "OTel-OTLP-Exporter-Fairlead/" FAIRLEAD_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           // Whoever wants to end does not wait for a resolver's thread.
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, sender) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, sender) == CURLE_OK &&
           (sender->certificate == NULL ||
            curl_easy_setopt(easy, CURLOPT_CAINFO, sender->certificate) == CURLE_OK);
}

// Compresses a request into memory of our own, behind the same room in front.
static bool pack(struct telemetry_sender *sender, uint8_t **request, size_t *request_len)
{
    const struct bytes plain = {*request + TELEMETRY_SENDER_HEAD_LEN, *request_len};
    struct wr wr = wr_init(sender->packed + TELEMETRY_SENDER_HEAD_LEN,
                           sender->packed_size - TELEMETRY_SENDER_HEAD_LEN);

    if (!telemetry_gzip_write(plain, &wr)) {
        return false;
    }
    *request = sender->packed;
    *request_len = wr.len;
    return true;
}

static void set_body(const struct telemetry_sender *sender, const struct telemetry_target *target,
                     uint8_t *request, size_t request_len, CURL *easy)
{
    uint8_t *from = request + TELEMETRY_SENDER_HEAD_LEN;
    size_t len = request_len;

    if (target->protocol == TELEMETRY_GRPC) {
        struct wr head = wr_init(request, TELEMETRY_SENDER_HEAD_LEN);
        assert(request_len <= UINT32_MAX);
        wr_u8(&head, sender->packed != NULL); // whether it is compressed
        wr_u32(&head, (uint32_t)request_len);
        from = request;
        len += TELEMETRY_SENDER_HEAD_LEN;
    }
    // These only store what they are given.
    IGNORE(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len));
    IGNORE(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, from));
}

static int wait_ms(uint64_t until_ns)
{
    const uint64_t now_ns = mono_ns();
    const uint64_t left_ms =
        until_ns > now_ns ? (until_ns - now_ns + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI : 0;

    // Longer waits are several.
    return left_ms < MILLIS_PER_SECOND ? (int)left_ms : MILLIS_PER_SECOND;
}

// Until the transfer is over; false if it has to be given up.
static bool run(struct telemetry_sender *sender, CURLcode *result)
{
    for (;;) {
        int running = 0;
        int queued = 0;

        if (curl_multi_perform(sender->multi, &running) != CURLM_OK) {
            return false;
        }
        const CURLMsg *message = curl_multi_info_read(sender->multi, &queued);
        if (message != NULL) {
            assert(message->msg == CURLMSG_DONE);
            *result = message->data.result;
            return true;
        }
        const uint64_t end_ns = atomic_load(&sender->end_ns);
        if (end_ns <= mono_ns() ||
            curl_multi_poll(sender->multi, NULL, 0, wait_ms(end_ns), NULL) != CURLM_OK) {
            return false;
        }
    }
}

static struct bytes header_of(CURL *easy, const char *name, unsigned int origins)
{
    struct curl_header *header = NULL;

    if (curl_easy_header(easy, name, 0, origins, -1, &header) != CURLHE_OK) {
        return (struct bytes){0};
    }
    return bytes_of_text(header->value);
}

// gRPC's own headers come as trailers, or as headers where there is nothing else.
static struct bytes trailer_of(CURL *easy, const char *name)
{
    const struct bytes trailer = header_of(easy, name, CURLH_TRAILER);

    return trailer.len > 0 ? trailer : header_of(easy, name, CURLH_HEADER);
}

static void judge(struct telemetry_sender *sender, const struct telemetry_target *target,
                  CURL *easy, struct telemetry_answer *out)
{
    struct telemetry_reply reply = {
        .protocol = target->protocol,
        .wall_s = time(NULL),
        .content_type = header_of(easy, "content-type", CURLH_HEADER),
        .retry_after = header_of(easy, "retry-after", CURLH_HEADER),
        .grpc_status = trailer_of(easy, "grpc-status"),
        .grpc_message = trailer_of(easy, "grpc-message"),
        .body = {sender->body, sender->body_len},
    };

    IGNORE(curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply.http_status)); // 0: none
    telemetry_answer_read(&reply, &sender->arena, out);
}

static void transfer(struct telemetry_sender *sender, const struct telemetry_target *target,
                     CURL *easy, struct telemetry_answer *out)
{
    char why[CURL_ERROR_SIZE] = "";
    CURLcode result = CURLE_OK;

    IGNORE(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why)); // without it texts are shorter
    if (curl_multi_add_handle(sender->multi, easy) != CURLM_OK) {
        telemetry_answer_none(out, "no memory");
        return;
    }
    const bool is_over = run(sender, &result);
    if (sender->is_flooded) {
        telemetry_answer_none(out, "the answer is too long");
    } else if (!is_over) {
        telemetry_answer_none(out, "no answer in time");
    } else if (result != CURLE_OK) {
        telemetry_answer_none(out, why[0] != '\0' ? why : curl_easy_strerror(result));
    } else {
        judge(sender, target, easy, out);
    }
    IGNORE(curl_multi_remove_handle(sender->multi, easy)); // it is there
}

void telemetry_sender_post(struct telemetry_sender *sender, const struct telemetry_target *target,
                           uint8_t *request, size_t request_len, struct telemetry_answer *out)
{
    CURL *easy = curl_easy_init();

    sender->body_len = 0;
    sender->head_len = 0;
    sender->is_flooded = false;
    if (easy == NULL || !set_up(sender, target, easy) ||
        (sender->packed != NULL && !pack(sender, &request, &request_len))) {
        telemetry_answer_none(out, "no memory");
    } else {
        set_body(sender, target, request, request_len, easy);
        transfer(sender, target, easy, out);
    }
    curl_easy_cleanup(easy);
}

// --- waiting -----------------------------------------------------------------------------------

void telemetry_sender_wait(struct telemetry_sender *sender, uint64_t until_ns)
{
    int ready = 0;

    // Without a transfer it only waits, and is woken by the other two. An error is a short wait.
    IGNORE(curl_multi_poll(sender->multi, NULL, 0, wait_ms(until_ns), &ready));
}

void telemetry_sender_wake(struct telemetry_sender *sender)
{
    IGNORE(curl_multi_wakeup(sender->multi)); // it fails when it is awake for long
}

void telemetry_sender_end_by(struct telemetry_sender *sender, uint64_t end_ns)
{
    atomic_store(&sender->end_ns, end_ns);
    telemetry_sender_wake(sender);
}

// SPDX-License-Identifier: Apache-2.0
#include "portal_link/portal_link.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "crypto/crypto_wipe.h"
#include "io/io_clock.h"
#include "io/io_random.h"
#include "log/log.h"
#include "portal_link/portal_link_agent.h"
#include "portal_link/portal_link_frame.h"

static const struct bytes topic = BYTES_LITERAL("relay");

#define MILLI_NS (SECOND_NS / 1000)

static struct phoenix_turn turn_now(void)
{
    struct phoenix_turn turn = {.now_ns = io_clock_now().mono_ns};

    io_random_fill((uint8_t *)&turn.random, sizeof turn.random);
    return turn;
}

static void enter(struct portal_link *link, enum portal_link_state state)
{
    if (link->state != state) {
        link->state = state;
        link->changed(link->context, state);
    }
}

static const char *words_of(enum phoenix_cause cause)
{
    static const char *const words[] = {
        [PHOENIX_NO_CAUSE] = "",
        [PHOENIX_LOST] = "there is no connection",
        [PHOENIX_REFUSED] = "it refuses the connection",
        [PHOENIX_SILENT] = "it answers no heartbeats",
        [PHOENIX_UNJOINED] = "it does not answer the join",
        [PHOENIX_CLOSED] = "it has closed the channel",
        [PHOENIX_STRAY] = "it does not know the topic",
        [PHOENIX_REJECTED] = "it rejects the token",
        [PHOENIX_EXPIRED] = "it says that the token has expired",
        [PHOENIX_DENIED] = "it refuses the join",
        [PHOENIX_LEFT] = "",
    };
    return words[cause];
}

// A WebSocket's end, or a message's reason: what the portal, or the way to it, says in its own
// words.
struct said {
    struct bytes text;
    uint16_t status;
};

static void log_wait(const struct portal_link *link, uint64_t now_ns, const struct said *said)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    const struct phoenix_channel *channel = &link->channel;
    const uint64_t wait_ns = channel->deadline_ns - now_ns;

    LOG_LIMITED(&limit, LOG_LEVEL_WARN, "portal out of reach, trying again",
                LOG_TEXT("host", link->host), LOG_TEXT("why", words_of(channel->cause)),
                LOG_BYTES("said", said->text), LOG_NUMBER("status", said->status),
                LOG_NUMBER("wait_ms", wait_ns / MILLI_NS));
}

static void log_end(const struct portal_link *link, const struct said *said)
{
    if (phoenix_channel_is_refused(&link->channel)) {
        LOG_ERROR("portal refuses the relay for good", LOG_TEXT("host", link->host),
                  LOG_TEXT("why", words_of(link->channel.cause)), LOG_BYTES("said", said->text),
                  LOG_NUMBER("status", said->status));
    } else {
        LOG_INFO("portal left", LOG_TEXT("host", link->host));
    }
}

// Says what has become of the channel, if anything has.
static void tell(struct portal_link *link, enum phoenix_state before, uint64_t now_ns,
                 const struct said *said)
{
    const enum phoenix_state after = link->channel.state;

    if (before == after) {
        return;
    }
    switch (after) {
    case PHOENIX_WAITING:
        log_wait(link, now_ns, said);
        enter(link, PORTAL_LINK_CONNECTING);
        break;
    case PHOENIX_JOINED:
        LOG_INFO("portal joined", LOG_TEXT("host", link->host));
        enter(link, PORTAL_LINK_JOINED);
        break;
    case PHOENIX_ENDED:
        log_end(link, said);
        enter(link,
              phoenix_channel_is_refused(&link->channel) ? PORTAL_LINK_REFUSED : PORTAL_LINK_LEFT);
        break;
    case PHOENIX_JOINING:
        enter(link, PORTAL_LINK_CONNECTING); // it was joined before, perhaps
        break;
    case PHOENIX_CONNECTING:
    case PHOENIX_LEAVING:
        break;
    }
}

static bool push(struct portal_link *link, const struct phoenix_push *push)
{
    uint8_t text[WEB_SOCKET_SEND_MAX];
    struct wr wr = wr_init(text, sizeof text);

    portal_link_frame_write(&wr, push, topic, (struct bytes){link->secret, link->secret_len});
    assert(wr_ok(&wr));
    const bool is_sent = web_socket_send(&link->socket, wr_done(&wr));
    crypto_wipe(text, sizeof text);
    return is_sent;
}

static void connect_socket(struct portal_link *link)
{
    web_socket_connect(&link->socket, &(struct web_socket_target){
                                          .is_tls = link->is_tls,
                                          .address = link->address,
                                          .host = link->host,
                                          .port = link->port,
                                          .path = link->path,
                                          .headers = {link->headers, link->headers_len},
                                      });
}

static void obey(struct portal_link *link, const struct phoenix_turn *turn)
{
    struct phoenix_order order;

    while (phoenix_channel_take(&link->channel, &order)) {
        switch (order.kind) {
        case PHOENIX_HANG_UP:
            web_socket_hang_up(&link->socket);
            break;
        case PHOENIX_CONNECT:
            connect_socket(link);
            break;
        case PHOENIX_PUSH:
            if (!push(link, &order.push)) { // nothing goes out any more
                web_socket_hang_up(&link->socket);
                phoenix_channel_lost(&link->channel, turn);
            }
            break;
        }
    }
}

static void on_opened(void *context)
{
    struct portal_link *link = context;
    const struct phoenix_turn turn = turn_now();
    const enum phoenix_state before = link->channel.state;

    phoenix_channel_opened(&link->channel, &turn);
    obey(link, &turn);
    tell(link, before, turn.now_ns, &(struct said){0});
}

static void on_received(void *context, struct bytes text)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    struct portal_link *link = context;
    const struct phoenix_turn turn = turn_now();
    const enum phoenix_state before = link->channel.state;
    struct portal_link_frame frame;

    switch (portal_link_frame_read(text, &frame)) {
    case PORTAL_LINK_FRAME_READ:
        break;
    case PORTAL_LINK_FRAME_DEEP:
    case PORTAL_LINK_FRAME_UNKNOWN:
    case PORTAL_LINK_FRAME_STRANGE:
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "portal sends what is no message",
                    LOG_TEXT("host", link->host), LOG_NUMBER("len", text.len));
        return;
    }
    const struct said said = {.text = frame.message.reason};
    if (phoenix_channel_read(&link->channel, &turn, &frame.message) == PHOENIX_UNEXPECTED) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "portal sends an unexpected message",
                    LOG_TEXT("host", link->host), LOG_BYTES("topic", frame.message.topic),
                    LOG_BYTES("event", frame.message.event));
    }
    obey(link, &turn);
    tell(link, before, turn.now_ns, &said);
    portal_link_frame_free(&frame);
}

static void on_ended(void *context, const struct web_socket_end *end)
{
    struct portal_link *link = context;
    const struct phoenix_turn turn = turn_now();
    const enum phoenix_state before = link->channel.state;
    const struct said said = {.text = bytes_of_text(end->reason), .status = end->status};

    if (end->kind == WEB_SOCKET_REFUSED) {
        phoenix_channel_refused(&link->channel, &turn, end->status, end->retry_after_s);
    } else {
        phoenix_channel_lost(&link->channel, &turn);
    }
    tell(link, before, turn.now_ns, &said);
}

static const struct web_socket_events events = {
    .opened = on_opened, .received = on_received, .ended = on_ended};

static void copy_text(char *to, size_t room, const char *before, struct bytes text,
                      const char *after)
{
    struct wr wr = wr_init((uint8_t *)to, room);

    wr_text(&wr, before);
    wr_bytes(&wr, text);
    wr_text(&wr, after);
    wr_u8(&wr, '\0');
    assert(wr_ok(&wr));
}

static void write_headers(struct portal_link *link, struct bytes token)
{
    struct wr wr = wr_init(link->headers, sizeof link->headers);

    wr_text(&wr, "User-Agent: ");
    portal_link_agent_write(&wr);
    wr_text(&wr, "\r\nX-Authorization: Bearer ");
    wr_bytes(&wr, token);
    wr_text(&wr, "\r\n");
    assert(wr_ok(&wr));
    link->headers_len = wr.len;
}

int portal_link_open(struct portal_link *link, const struct portal_link_options *options)
{
    const struct portal_link_url *url = &options->url;
    struct wr path = wr_init((uint8_t *)link->path, sizeof link->path);

    assert(options->token.len >= 1);
    assert(options->token.len <= PORTAL_LINK_TOKEN_MAX);
    assert(options->secret.len >= 1);
    assert(options->secret.len <= PORTAL_LINK_SECRET_MAX);
    int error = web_socket_open(&link->socket, &events, link, options->ca_path);
    if (error != 0) {
        return error;
    }
    json_object_seed(0); // jansson's own, from the system's randomness
    link->state = PORTAL_LINK_CONNECTING;
    link->changed = options->changed;
    link->context = options->context;
    atomic_init(&link->is_leaving, false);
    link->is_tls = url->is_tls;
    link->port = url->port;
    copy_text(link->address, sizeof link->address, "", url->host, "");
    copy_text(link->host, sizeof link->host, url->is_ip6 ? "[" : "", url->host,
              url->is_ip6 ? "]" : "");
    portal_link_url_target_write(&path, url, &options->self);
    write_headers(link, options->token);
    link->secret_len = options->secret.len;
    memcpy(link->secret, options->secret.ptr, options->secret.len);
    phoenix_channel_init(&link->channel, topic, io_clock_now().mono_ns);
    return 0;
}

void portal_link_close(struct portal_link *link)
{
    web_socket_close(&link->socket);
    crypto_wipe(link->headers, sizeof link->headers);
    crypto_wipe(link->secret, sizeof link->secret);
}

bool portal_link_turn(struct portal_link *link)
{
    const struct phoenix_turn turn = turn_now();
    const enum phoenix_state before = link->channel.state;

    if (atomic_load(&link->is_leaving)) {
        phoenix_channel_leave(&link->channel, turn.now_ns);
    }
    phoenix_channel_tick(&link->channel, &turn);
    obey(link, &turn);
    tell(link, before, turn.now_ns, &(struct said){0});
    if (link->channel.state == PHOENIX_ENDED) {
        web_socket_linger(&link->socket);
        return false;
    }
    web_socket_turn(&link->socket, phoenix_channel_deadline(&link->channel));
    return true;
}

void portal_link_leave(struct portal_link *link)
{
    atomic_store(&link->is_leaving, true);
    web_socket_wake(&link->socket);
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_previews.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"
#include "tunnel/tunnel_controls.h"
#include "tunnel/tunnel_sealed.h"

// What is known of a connection by its first bytes.
enum verdict {
    VERDICT_MORE, // nothing yet
    VERDICT_TLS,
    VERDICT_SEALED,
    VERDICT_CLIENT,
    VERDICT_DATA,
    VERDICT_UNKNOWN,
};

int tunnel_previews_open(struct tunnel_previews *previews, struct io_loop *loop,
                         const struct tunnel_previews_events *events, void *context)
{
    assert(previews->loop == NULL);
    previews->timers_memory = calloc(1, heap_size(TUNNEL_PREVIEWS_MAX));
    if (previews->timers_memory == NULL) {
        return -ENOMEM;
    }
    if (tunnel_crowd_open(&previews->crowd, TUNNEL_PREVIEWS_MAX, TUNNEL_PREVIEWS_ADDRESS_MAX) !=
        0) {
        return -ENOMEM;
    }
    heap_init(&previews->timers, previews->timers_memory, TUNNEL_PREVIEWS_MAX);
    previews->loop = loop;
    previews->events = events;
    previews->context = context;
    for (uint32_t i = 0; i < TUNNEL_PREVIEWS_MAX; i++) {
        previews->places[i].watch.fd = -1;
        previews->places[i].next_free = i + 1;
    }
    return 0;
}

static uint32_t number_of(const struct tunnel_preview *preview)
{
    return (uint32_t)(preview - preview->previews->places);
}

// Hands the connection out; its place is free.
static int take(struct tunnel_preview *preview)
{
    struct tunnel_previews *previews = preview->previews;
    const int fd = preview->watch.fd;

    tunnel_crowd_leave(&previews->crowd, number_of(preview));
    heap_clear(&previews->timers, number_of(preview));
    io_loop_remove(previews->loop, &preview->watch);
    preview->watch.fd = -1;
    preview->next_free = previews->first_free;
    previews->first_free = number_of(preview);
    return fd;
}

static void end(struct tunnel_preview *preview)
{
    int fd = take(preview);

    io_tcp_reset(&fd);
}

void tunnel_previews_close(struct tunnel_previews *previews)
{
    uint32_t number = 0;

    while ((number = tunnel_crowd_any(&previews->crowd)) != TUNNEL_CROWD_NOBODY) {
        int fd = take(&previews->places[number]);
        io_fd_close(&fd);
    }
    tunnel_crowd_close(&previews->crowd);
    free(previews->timers_memory);
    previews->timers_memory = NULL;
    previews->loop = NULL;
}

// --- looking -------------------------------------------------------------------------------------

// Where data connections are not taken in TLS, those who come with one hear so from TLS.
static enum verdict judge_protocols(const struct tunnel_preview *preview,
                                    const struct revtun_hello *hello)
{
    const bool is_data = revtun_hello_offers(hello, TUNNEL_SEALED_PROTOCOL);

    if (revtun_hello_offers(hello, TUNNEL_CONTROLS_SECOND)) {
        return VERDICT_TLS;
    }
    if (is_data && preview->previews->events->sealed != NULL) {
        return VERDICT_SEALED;
    }
    return preview->is_shared && !is_data ? VERDICT_CLIENT : VERDICT_TLS;
}

// A handshake costs us more than the two bytes that it begins with: it is one when its ClientHello
// is whole.
static enum verdict judge_hello(const struct tunnel_preview *preview, struct bytes received,
                                struct revtun_hello *hello)
{
    switch (revtun_hello_read(received, preview->previews->scratch, hello)) {
    case REVTUN_HELLO_WHOLE:
        return judge_protocols(preview, hello);
    case REVTUN_HELLO_PART:
        return VERDICT_MORE;
    case REVTUN_HELLO_NONE:
    case REVTUN_HELLO_BAD:
    case REVTUN_HELLO_LONG:
        break;
    }
    return VERDICT_UNKNOWN;
}

static enum verdict judge(struct tunnel_preview *preview, struct bytes received,
                          struct revtun_hello *hello)
{
    if (revtun_preface_is_likely(received)) {
        preview->has_begun = true;
        return received.len >= REVTUN_PREFACE_LEN ? VERDICT_DATA : VERDICT_MORE;
    }
    if (!revtun_hello_is_likely(received)) {
        return VERDICT_UNKNOWN;
    }
    return judge_hello(preview, received, hello);
}

// Looks at what has come. True: there is something, which may be the end.
static bool peek(struct tunnel_preview *preview, struct bytes *received, bool *has_ended)
{
    struct tunnel_previews *previews = preview->previews;
    ssize_t got = 0;

    do {
        got = recv(preview->watch.fd, previews->received, sizeof previews->received,
                   MSG_PEEK | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return false;
    }
    *has_ended = got <= 0;
    *received = (struct bytes){previews->received, got > 0 ? (size_t)got : 0};
    return true;
}

static void give_data(struct tunnel_preview *preview)
{
    const struct tunnel_previews *previews = preview->previews;
    const struct addr from = preview->from;
    uint8_t raw[REVTUN_PREFACE_LEN];
    int fd = take(preview);

    if (recv(fd, raw, sizeof raw, MSG_DONTWAIT) == (ssize_t)sizeof raw) { // it has been seen there
        previews->events->data(previews->context, fd, &from, raw);
    } else {
        io_tcp_reset(&fd);
    }
}

// Finds out what it is, if that can be known already.
static void look(struct tunnel_preview *preview)
{
    struct tunnel_previews *previews = preview->previews;
    const struct addr from = preview->from;
    const bool had_begun = preview->has_begun;
    struct revtun_hello hello;
    struct bytes received;
    bool has_ended = false;

    if (!peek(preview, &received, &has_ended)) {
        return;
    }
    switch (has_ended ? VERDICT_UNKNOWN : judge(preview, received, &hello)) {
    case VERDICT_MORE:
        if (preview->has_begun && !had_begun) {
            heap_set(&previews->timers, number_of(preview),
                     io_clock_mono_ns() + TUNNEL_PREVIEWS_HELLO_S * SECOND_NS);
        }
        return;
    case VERDICT_TLS:
        previews->events->tls(previews->context, take(preview), &from);
        return;
    case VERDICT_SEALED:
        previews->events->sealed(previews->context, take(preview), &from);
        return;
    case VERDICT_CLIENT:
        previews->events->client(previews->context, take(preview), &from,
                                 revtun_hello_host(&hello));
        return;
    case VERDICT_DATA:
        give_data(preview);
        return;
    case VERDICT_UNKNOWN:
        previews->unknown_count++;
        end(preview);
        return;
    }
}

static void on_event(struct io_watch *watch, uint32_t events)
{
    (void)events; // an end, or an error, is met by looking
    look(watch->context);
}

// --- coming and going ----------------------------------------------------------------------------

void tunnel_previews_add(struct tunnel_previews *previews, struct now now, int fd,
                         const struct addr *from, bool is_shared)
{
    const uint32_t displaced = tunnel_crowd_displaced(&previews->crowd, from);

    if (displaced != TUNNEL_CROWD_NOBODY) {
        previews->displaced_count++;
        end(&previews->places[displaced]);
    }
    const uint32_t number = previews->first_free;
    struct tunnel_preview *preview = &previews->places[number];
    assert(preview->watch.fd < 0);
    previews->first_free = preview->next_free;
    *preview = (struct tunnel_preview){
        .watch = {.fd = fd, .fn = on_event, .context = preview},
        .previews = previews,
        .from = *from,
        .is_shared = is_shared,
    };
    tunnel_crowd_join(&previews->crowd, number, from);
    const uint64_t wait_s = is_shared ? TUNNEL_PREVIEWS_HELLO_S : TUNNEL_PREVIEWS_FIRST_S;
    heap_set(&previews->timers, number, now.mono_ns + wait_s * SECOND_NS);
    // What is only looked at stays there: so it is told once for each piece that comes.
    if (io_loop_add(previews->loop, &preview->watch, IO_READABLE | IO_EDGE) != 0) {
        previews->unknown_count++;
        end(preview);
        return;
    }
    look(preview); // most have said it all by now
}

uint64_t tunnel_previews_tick(struct tunnel_previews *previews, struct now now)
{
    uint32_t number = 0;

    while (heap_take(&previews->timers, now.mono_ns, &number)) {
        previews->late_count++;
        end(&previews->places[number]);
    }
    return heap_deadline(&previews->timers);
}

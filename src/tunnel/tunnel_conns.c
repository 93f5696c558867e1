// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_conns.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

int tunnel_conns_open(struct tunnel_conns *conns, struct io_loop *loop, uint32_t capacity,
                      tunnel_conns_fn on_gone, void *context)
{
    assert(conns->places == NULL);
    conns->places = calloc(capacity, sizeof conns->places[0]);
    if (conns->places == NULL) {
        return -ENOMEM;
    }
    conns->loop = loop;
    conns->on_gone = on_gone;
    conns->context = context;
    conns->capacity = capacity;
    for (uint32_t i = 0; i < capacity; i++) {
        conns->places[i].stream = IO_STREAM_NONE;
        conns->places[i].next_free = i + 1;
    }
    return 0;
}

static struct tunnel_conn *place_of(const struct tunnel_conns *conns, uint32_t number)
{
    assert(tunnel_conns_has(conns, number));
    return &conns->places[number];
}

void tunnel_conns_close(struct tunnel_conns *conns)
{
    for (uint32_t i = 0; conns->places != NULL && i < conns->capacity; i++) {
        if (tunnel_conns_has(conns, i)) {
            struct io_stream stream = tunnel_conns_take(conns, i);
            io_stream_close(&stream);
        }
    }
    free(conns->places);
    conns->places = NULL;
}

// Of a client only errors count: data and the end of what it sends are for whoever it is joined
// with.
static void on_event(struct io_watch *watch, uint32_t events)
{
    struct tunnel_conn *conn = watch->context;
    struct tunnel_conns *conns = conn->conns;

    if ((events & IO_ERROR) != 0 || conn->is_standing) {
        struct io_stream stream = tunnel_conns_take(conns, (uint32_t)(conn - conns->places));
        io_stream_close(&stream);
        conns->on_gone(conns->context, conn->client);
    }
}

uint32_t tunnel_conns_add(struct tunnel_conns *conns, struct io_stream stream)
{
    const uint32_t number = conns->first_free;

    assert(number < conns->capacity);
    struct tunnel_conn *conn = &conns->places[number];
    conns->first_free = conn->next_free;
    conns->count++;
    conn->conns = conns;
    conn->is_standing = false;
    conn->stream = stream;
    conn->watch = (struct io_watch){.fd = stream.fd, .fn = on_event, .context = conn};
    return number;
}

bool tunnel_conns_has(const struct tunnel_conns *conns, uint32_t number)
{
    assert(number < conns->capacity);
    return io_stream_is_there(&conns->places[number].stream);
}

int tunnel_conns_watch(struct tunnel_conns *conns, uint32_t number, struct pool_ref client)
{
    struct tunnel_conn *conn = place_of(conns, number);

    conn->client = client;
    return io_loop_add(conns->loop, &conn->watch, IO_READABLE | IO_EDGE);
}

int tunnel_conns_stand(struct tunnel_conns *conns, uint32_t number, struct pool_ref standing)
{
    struct tunnel_conn *conn = place_of(conns, number);

    // What TLS has taken off the socket already nobody tells of again.
    if (conn->stream.tls != NULL && io_tls_channel_pending(conn->stream.tls) > 0) {
        return -EPROTO;
    }
    conn->is_standing = true;
    return tunnel_conns_watch(conns, number, standing);
}

struct io_stream tunnel_conns_take(struct tunnel_conns *conns, uint32_t number)
{
    struct tunnel_conn *conn = place_of(conns, number);
    const struct io_stream stream = io_stream_take(&conn->stream);

    io_loop_remove(conns->loop, &conn->watch);
    conn->next_free = conns->first_free;
    conns->first_free = number;
    assert(conns->count > 0);
    conns->count--;
    return stream;
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_controls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"
#include "io/io_tls_session.h"
#include "log/log.h"
#include "revtun/revtun_origin.h"
#include "tunnel/tunnel_sealed.h"

static struct tunnel_control *control_of(struct io_tls *tls)
{
    return tls->context;
}

static uint32_t number_of(const struct tunnel_control *control)
{
    return (uint32_t)(control - control->controls->places);
}

static bool is_stranger(const struct tunnel_control *control)
{
    return control->state == TUNNEL_CONTROL_SHAKING || control->state == TUNNEL_CONTROL_PROVING ||
           control->state == TUNNEL_CONTROL_CLOSING;
}

// The owner knows of it.
static bool is_known(const struct tunnel_control *control)
{
    return control->state == TUNNEL_CONTROL_PROVING || control->state == TUNNEL_CONTROL_UP;
}

static void add_stranger(struct tunnel_controls *controls, struct tunnel_control *control)
{
    assert(controls->stranger_count < controls->capacity);
    control->at = controls->stranger_count;
    controls->strangers[controls->stranger_count++] = number_of(control);
}

static void remove_stranger(struct tunnel_controls *controls, const struct tunnel_control *control)
{
    const uint32_t last = controls->strangers[--controls->stranger_count];

    controls->strangers[control->at] = last;
    controls->places[last].at = control->at;
}

// The counts follow the state, here alone.
static void enter(struct tunnel_control *control, enum tunnel_control_state state)
{
    struct tunnel_controls *controls = control->controls;

    if (is_stranger(control)) {
        remove_stranger(controls, control);
    }
    if (control->state == TUNNEL_CONTROL_UP || state == TUNNEL_CONTROL_UP) {
        tunnel_handshakes_prove(&controls->handshakes, io_clock_now(), &control->peer);
    }
    controls->up_count -= control->state == TUNNEL_CONTROL_UP;
    control->state = state;
    controls->up_count += state == TUNNEL_CONTROL_UP;
    if (is_stranger(control)) {
        add_stranger(controls, control);
    }
}

// A connection that is closed leaves its place.
static void leave(struct tunnel_control *control)
{
    struct tunnel_controls *controls = control->controls;

    heap_clear(&controls->timers, number_of(control));
    enter(control, TUNNEL_CONTROL_FREE);
    control->next_free = controls->first_free;
    controls->first_free = number_of(control);
}

static void close_it(struct tunnel_control *control, struct now now)
{
    struct tunnel_controls *controls = control->controls;

    enter(control, TUNNEL_CONTROL_CLOSING);
    heap_set(&controls->timers, number_of(control),
             now.mono_ns + TUNNEL_CONTROLS_CLOSE_S * SECOND_NS);
    io_tls_close(&control->tls);
}

static void on_opened(struct io_tls *tls)
{
    struct tunnel_control *control = control_of(tls);
    struct tunnel_controls *controls = control->controls;

    assert(control->state == TUNNEL_CONTROL_SHAKING);
    heap_clear(&controls->timers, number_of(control));
    if (bytes_equal_text(io_tls_session_alpn(tls), TUNNEL_SEALED_PROTOCOL)) {
        close_it(control, io_clock_now()); // it began as nothing that was known for one
        return;
    }
    enter(control, bytes_equal_text(io_tls_session_alpn(tls), TUNNEL_CONTROLS_SECOND)
                       ? TUNNEL_CONTROL_PROVING
                       : TUNNEL_CONTROL_UP);
    controls->events->up(controls->context, number_of(control), &control->peer);
}

static void on_received(struct io_tls *tls, struct bytes bytes)
{
    struct tunnel_control *control = control_of(tls);

    if (is_known(control)) {
        control->controls->events->received(control->controls->context, number_of(control), bytes);
    }
}

static void on_drained(struct io_tls *tls)
{
    const struct tunnel_control *control = control_of(tls);

    if (heap_at(&control->controls->timers, number_of(control)) != NEVER) {
        return; // it rests
    }
    IGNORE(io_tls_resume(tls)); // in an event, where it cannot fail
}

static void on_ended(struct io_tls *tls, const struct io_tls_end *end)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    struct tunnel_control *control = control_of(tls);
    struct tunnel_controls *controls = control->controls;
    const enum tunnel_control_state state = control->state;
    const struct addr peer = control->peer;

    leave(control);
    switch (state) {
    case TUNNEL_CONTROL_FREE:
        assert(!"a place that is free has no connection");
        break;
    case TUNNEL_CONTROL_SHAKING:
        controls->refused[end->kind]++;
        controls->events->refused(controls->context, &peer, TUNNEL_REFUSAL_HANDSHAKE, end->text);
        LOG_LIMITED(&limit, LOG_LEVEL_INFO, "a control connection was refused",
                    LOG_ADDR("from", &peer), LOG_TEXT("reason", end->text));
        break;
    case TUNNEL_CONTROL_PROVING:
    case TUNNEL_CONTROL_UP:
        LOG_DEBUG("a control connection has ended", LOG_ADDR("from", &peer),
                  LOG_TEXT("reason", end->text));
        controls->events->down(controls->context, number_of(control), end->text);
        break;
    case TUNNEL_CONTROL_CLOSING:
        break;
    }
}

static const struct io_tls_events tls_events = {
    .opened = on_opened,
    .received = on_received,
    .drained = on_drained,
    .ended = on_ended,
};

int tunnel_controls_open(struct tunnel_controls *controls, struct io_loop *loop, uint32_t up_max,
                         const struct tunnel_controls_events *events, void *context)
{
    const uint32_t capacity = up_max + TUNNEL_CONTROLS_STRANGER_MAX;

    assert(controls->loop == NULL);
    controls->loop = loop;
    controls->events = events;
    controls->context = context;
    controls->places = calloc(capacity, sizeof controls->places[0]);
    controls->strangers = calloc(capacity, sizeof controls->strangers[0]);
    controls->timers_memory = calloc(1, heap_size(capacity));
    if (controls->places == NULL || controls->strangers == NULL ||
        controls->timers_memory == NULL) {
        return -ENOMEM;
    }
    controls->capacity = capacity;
    for (uint32_t i = 0; i < capacity; i++) {
        controls->places[i].next_free = i + 1;
    }
    heap_init(&controls->timers, controls->timers_memory, capacity);
    return 0;
}

void tunnel_controls_close_all(struct tunnel_controls *controls)
{
    for (uint32_t i = 0; i < controls->capacity; i++) {
        io_tls_abort(&controls->places[i].tls);
    }
    free(controls->places);
    free(controls->strangers);
    free(controls->timers_memory);
    *controls = (struct tunnel_controls){0};
}

// Ends the stranger who has to go when another one comes from there, if any has to.
static void make_room(struct tunnel_controls *controls, const struct addr *origin)
{
    const struct tunnel_control *oldest = NULL;
    const struct tunnel_control *oldest_there = NULL;
    uint32_t count_there = 0;

    for (uint32_t i = 0; i < controls->stranger_count; i++) {
        const struct tunnel_control *control = &controls->places[controls->strangers[i]];

        if (oldest == NULL || control->opened_count < oldest->opened_count) {
            oldest = control;
        }
        if (!addr_equal(&control->origin, origin)) {
            continue;
        }
        count_there++;
        if (oldest_there == NULL || control->opened_count < oldest_there->opened_count) {
            oldest_there = control;
        }
    }
    if (count_there >= TUNNEL_CONTROLS_ADDRESS_MAX) {
        oldest = oldest_there;
    } else if (controls->stranger_count < TUNNEL_CONTROLS_STRANGER_MAX) {
        return;
    }
    const uint32_t number = number_of(oldest);
    const bool was_known = is_known(oldest);
    controls->displaced_count++;
    tunnel_controls_abort(controls, number);
    if (was_known) {
        controls->events->down(controls->context, number, "another one has taken its place");
    }
}

static struct tunnel_control *take_place(struct tunnel_controls *controls)
{
    assert(controls->first_free < controls->capacity); // those that are UP have places of their own
    struct tunnel_control *control = &controls->places[controls->first_free];

    assert(control->state == TUNNEL_CONTROL_FREE);
    controls->first_free = control->next_free;
    return control;
}

void tunnel_controls_add(struct tunnel_controls *controls, struct now now, int fd,
                         const struct addr *from)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    static struct log_limit crowd = LOG_LIMIT_DEFAULT;
    const struct addr origin = revtun_origin_of(from);

    if (!tunnel_handshakes_take(&controls->handshakes, now, from)) {
        controls->crowded_count++;
        controls->events->refused(controls->context, from, TUNNEL_REFUSAL_CROWDED, NULL);
        LOG_LIMITED(&crowd, LOG_LEVEL_WARN,
                    "control connections are turned away, since too many handshakes are asked for",
                    LOG_ADDR("from", from));
        io_tcp_reset(&fd);
        return;
    }
    make_room(controls, &origin);
    struct tunnel_control *control = take_place(controls);
    *control = (struct tunnel_control){
        .tls = {.loop = controls->loop, .events = &tls_events, .context = control},
        .controls = controls,
        .peer = *from,
        .origin = origin,
        .opened_count = controls->opened_count++,
    };
    const int error = io_tls_accept(&control->tls, controls->tls, fd);
    if (error != 0) {
        LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "a control connection cannot be served",
                    LOG_ADDR("from", from), LOG_ERROR_NUMBER("error", error));
        io_fd_close(&fd);
        leave(control);
        return;
    }
    enter(control, TUNNEL_CONTROL_SHAKING);
    heap_set(&controls->timers, number_of(control),
             now.mono_ns + TUNNEL_CONTROLS_SHAKE_S * SECOND_NS);
}

bool tunnel_controls_is_second(const struct tunnel_controls *controls, uint32_t number)
{
    return bytes_equal_text(io_tls_session_alpn(tunnel_controls_tls(controls, number)),
                            TUNNEL_CONTROLS_SECOND);
}

bool tunnel_controls_is_home(const struct tunnel_controls *controls, const struct addr *from)
{
    const struct addr origin = revtun_origin_of(from);

    for (uint32_t i = 0; i < controls->capacity; i++) {
        const struct tunnel_control *control = &controls->places[i];

        if (control->state == TUNNEL_CONTROL_UP && addr_equal(&control->origin, &origin) &&
            tunnel_controls_is_second(controls, i)) {
            return true;
        }
    }
    return false;
}

const struct io_tls *tunnel_controls_tls(const struct tunnel_controls *controls, uint32_t number)
{
    const struct tunnel_control *control = &controls->places[number];

    assert(is_known(control));
    return &control->tls;
}

void tunnel_controls_prove(struct tunnel_controls *controls, uint32_t number)
{
    struct tunnel_control *control = &controls->places[number];

    assert(control->state == TUNNEL_CONTROL_PROVING);
    enter(control, TUNNEL_CONTROL_UP);
}

bool tunnel_controls_send(struct tunnel_controls *controls, uint32_t number, struct bytes bytes)
{
    struct tunnel_control *control = &controls->places[number];

    assert(is_known(control));
    if (io_tls_send(&control->tls, bytes) != 0) {
        return false;
    }
    if (io_tls_queued(&control->tls) > IO_TLS_QUEUE_MAX / 2) {
        io_tls_pause(&control->tls);
    }
    return true;
}

void tunnel_controls_rest(struct tunnel_controls *controls, uint32_t number, uint64_t until_ns)
{
    struct tunnel_control *control = &controls->places[number];

    if (control->state == TUNNEL_CONTROL_UP) {
        controls->rested_count++;
        heap_set(&controls->timers, number, until_ns);
        io_tls_pause(&control->tls);
    }
}

// It has rested. Who still has much to read is read when that is less.
static void wake(struct tunnel_control *control)
{
    if (io_tls_queued(&control->tls) <= IO_TLS_QUEUE_MAX / 2 && io_tls_resume(&control->tls) != 0) {
        io_tls_expire(&control->tls); // the system has no room for it: on_ended() follows
    }
}

void tunnel_controls_close(struct tunnel_controls *controls, struct now now, uint32_t number)
{
    struct tunnel_control *control = &controls->places[number];

    assert(is_known(control));
    close_it(control, now);
}

void tunnel_controls_abort(struct tunnel_controls *controls, uint32_t number)
{
    struct tunnel_control *control = &controls->places[number];

    assert(control->state != TUNNEL_CONTROL_FREE);
    io_tls_abort(&control->tls);
    leave(control);
}

uint64_t tunnel_controls_tick(struct tunnel_controls *controls, struct now now)
{
    uint32_t number = 0;

    while (heap_take(&controls->timers, now.mono_ns, &number)) {
        struct tunnel_control *control = &controls->places[number];

        if (control->state == TUNNEL_CONTROL_UP) {
            wake(control);
        } else {
            io_tls_expire(&control->tls); // on_ended() follows
        }
    }
    return heap_deadline(&controls->timers);
}

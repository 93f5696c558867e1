// SPDX-License-Identifier: Apache-2.0
#include "io/io_pump.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "io/io_tcp.h"

// Deadlines, each kind in a list of its own:
//     silent    silence_ns after the last byte, while one direction has ended and the other has not
//     ending    end_ns after io_pump_end()
//     breaking  every IO_PUMP_RECHECK_MS, since nothing tells when all is acknowledged; end_ns in
//     all

#define RECHECK_NS (IO_PUMP_RECHECK_MS * (SECOND_NS / 1000))

enum { A, B };

// --- lists -------------------------------------------------------------------------------------

static void list_append(struct io_pump_list *list, struct io_pump *pump)
{
    pump->links[list->link].next = NULL;
    pump->links[list->link].previous = list->last;
    if (list->last == NULL) {
        list->first = pump;
    } else {
        list->last->links[list->link].next = pump;
    }
    list->last = pump;
    list->count++;
}

static void list_remove(struct io_pump_list *list, struct io_pump *pump)
{
    struct io_pump *next = pump->links[list->link].next;
    struct io_pump *previous = pump->links[list->link].previous;

    if (previous == NULL) {
        assert(list->first == pump);
        list->first = next;
    } else {
        previous->links[list->link].next = next;
    }
    if (next == NULL) {
        assert(list->last == pump);
        list->last = previous;
    } else {
        next->links[list->link].previous = previous;
    }
    list->count--;
}

static void want(struct io_pump *pump)
{
    if (pump->wanted == NULL) {
        const bool is_bulk = pump->flows[A].is_bulk || pump->flows[B].is_bulk;
        pump->wanted = is_bulk ? &pump->pumps->bulk : &pump->pumps->ready;
        list_append(pump->wanted, pump);
    }
}

static void unwant(struct io_pump *pump)
{
    if (pump->wanted != NULL) {
        list_remove(pump->wanted, pump);
        pump->wanted = NULL;
    }
}

// Puts it at the end of a list with a time, out of the one that it is in; NULL: out only.
static void set_timer(struct io_pump *pump, struct io_pump_list *list, uint64_t deadline_ns)
{
    if (pump->timed != NULL) {
        list_remove(pump->timed, pump);
    }
    pump->timed = list;
    if (list != NULL) {
        // Whoever read the clock a little earlier than others stands behind them all the same.
        const uint64_t before_ns = list->last != NULL ? list->last->deadline_ns : 0;
        pump->deadline_ns = deadline_ns > before_ns ? deadline_ns : before_ns;
        list_append(list, pump);
    }
}

// --- the sockets -------------------------------------------------------------------------------

static void on_event(struct io_watch *watch, uint32_t events)
{
    struct io_pump *pump = watch->context;
    const int side = watch == &pump->watches[A] ? A : B;
    struct io_flow *from = &pump->flows[side];
    struct io_flow *to = &pump->flows[1 - side];

    if (from->is_from_sealed) { // TLS may write so as to read, and the other way round
        events |= IO_READABLE | IO_WRITABLE;
    }
    from->can_read = from->can_read || (events & (IO_READABLE | IO_ENDED)) != 0;
    from->is_at_end = from->is_at_end || (events & IO_ENDED) != 0;
    from->has_urgent = from->has_urgent || (events & IO_URGENT) != 0;
    to->can_write = to->can_write || (events & IO_WRITABLE) != 0;
    pump->is_failed[side] = pump->is_failed[side] || (events & IO_ERROR) != 0;
    want(pump);
}

// Frees all that it holds but the descriptors.
static void release(struct io_pump *pump)
{
    unwant(pump);
    set_timer(pump, NULL, 0);
    for (int i = A; i <= B; i++) {
        io_loop_remove(pump->pumps->loop, &pump->watches[i]);
        io_flow_deinit(&pump->flows[i], &pump->pumps->means);
    }
    pump->state = IO_PUMP_OVER;
    assert(pump->pumps->count > 0);
    pump->pumps->count--;
}

// Of one that is released.
static struct io_stream take_stream(struct io_pump *pump, int side)
{
    const struct io_stream stream = {
        .fd = pump->watches[side].fd,
        .tls = pump->flows[side].is_from_sealed ? pump->flows[side].tls : NULL,
    };

    pump->watches[side].fd = -1;
    return stream;
}

static void finish(struct io_pump *pump, enum io_pump_why why)
{
    release(pump);
    for (int i = A; i <= B; i++) {
        struct io_stream stream = take_stream(pump, i);
        if (why == IO_PUMP_FINISHED || why == IO_PUMP_TOLD) {
            io_stream_close(&stream);
        } else {
            io_stream_reset(&stream);
        }
    }
    pump->on_end(pump, why);
}

// --- PUMPING -----------------------------------------------------------------------------------

static void break_off(struct io_pump *pump, int lost, uint64_t now_ns);

// A direction has ended: its destination is told.
static void shut(struct io_pump *pump, int side)
{
    // One that is gone meanwhile tells so by itself; TLS has said it, and may still have to write.
    if (!pump->flows[1 - side].is_from_sealed) {
        IGNORE(shutdown(pump->flows[side].to_fd, SHUT_WR));
    }
    pump->ways[side] = IO_PUMP_SHUT;
}

// False when it is over, or in another state.
static bool pump_way(struct io_pump *pump, int side, uint64_t now_ns)
{
    struct io_flow *flow = &pump->flows[side];
    const uint64_t count_before = flow->byte_count;
    const enum io_flow_outcome outcome = io_flow_run(flow, &pump->pumps->means);

    switch (outcome) {
    case IO_FLOW_MORE:
        want(pump);
        break;
    case IO_FLOW_WAITS:
        break;
    case IO_FLOW_ENDED:
        if (pump->ways[1 - side] != IO_PUMP_FLOWS) {
            finish(pump, IO_PUMP_FINISHED); // which tells it, too
            return false;
        }
        shut(pump, side);
        set_timer(pump, &pump->pumps->silent, now_ns + pump->pumps->silence_ns);
        return true;
    case IO_FLOW_SOURCE_LOST:
    case IO_FLOW_TARGET_LOST:
        pump->error = flow->error;
        break_off(pump, outcome == IO_FLOW_SOURCE_LOST ? side : 1 - side, now_ns);
        return false;
    case IO_FLOW_NO_MEMORY:
        finish(pump, IO_PUMP_NO_MEMORY);
        return false;
    }
    if (flow->byte_count != count_before && pump->timed != NULL) {
        set_timer(pump, &pump->pumps->silent, now_ns + pump->pumps->silence_ns);
    }
    return true;
}

static void run_pumping(struct io_pump *pump, uint64_t now_ns)
{
    for (int side = A; side <= B; side++) {
        if (pump->is_failed[side]) {
            break_off(pump, side, now_ns);
            return;
        }
    }
    for (int side = A; side <= B; side++) {
        if (pump->ways[side] == IO_PUMP_FLOWS && !pump_way(pump, side, now_ns)) {
            return;
        }
    }
}

// --- BREAKING ----------------------------------------------------------------------------------

// The other side gets what the lost one has brought, as far as that can be.
static void run_breaking(struct io_pump *pump, uint64_t now_ns)
{
    const int lost = pump->why == IO_PUMP_LOST_A ? A : B;
    const int left = 1 - lost;
    struct io_flow *flow = &pump->flows[lost];
    bool is_all = true;

    if (pump->ways[lost] == IO_PUMP_FLOWS) {
        const enum io_flow_outcome outcome = io_flow_run(flow, &pump->pumps->means);
        pump->error = pump->error != 0 ? pump->error : flow->error;
        if (outcome == IO_FLOW_TARGET_LOST || outcome == IO_FLOW_NO_MEMORY) {
            finish(pump, pump->why); // nobody is left to wait for, or nothing to give
            return;
        }
        // A lost source brings nothing more once it has been read to its end: it is the destination
        // that keeps others waiting.
        is_all = outcome != IO_FLOW_MORE && (outcome != IO_FLOW_WAITS || !flow->can_read);
        if (is_all) {
            pump->ways[lost] = IO_PUMP_SHUT;
        } else if (outcome == IO_FLOW_MORE) {
            want(pump);
        }
    }
    if ((is_all && io_tcp_unacknowledged_len(pump->watches[left].fd) == 0) ||
        pump->is_failed[left] || now_ns >= pump->last_ns) {
        finish(pump, pump->why);
    } else {
        set_timer(pump, &pump->pumps->breaking, now_ns + RECHECK_NS);
    }
}

static void break_off(struct io_pump *pump, int lost, uint64_t now_ns)
{
    assert(pump->state == IO_PUMP_PUMPING);
    pump->state = IO_PUMP_BREAKING;
    pump->why = lost == A ? IO_PUMP_LOST_A : IO_PUMP_LOST_B;
    pump->last_ns = now_ns + pump->pumps->end_ns;
    pump->flows[lost].can_read = true;
    pump->flows[lost].is_at_end = true;
    pump->flows[lost].is_broken = true;
    run_breaking(pump, now_ns);
}

// --- ENDING ------------------------------------------------------------------------------------

// What a lost side wants to know, or has sent, matters no more: it only must not hold up the other.
static void run_ending(struct io_pump *pump)
{
    for (int side = A; side <= B; side++) {
        struct io_flow *flow = &pump->flows[side];
        enum io_flow_outcome outcome = IO_FLOW_WAITS;
        if (pump->ways[side] == IO_PUMP_FLOWS) {
            outcome = io_flow_run(flow, &pump->pumps->means);
            if (outcome == IO_FLOW_NO_MEMORY) {
                finish(pump, IO_PUMP_NO_MEMORY);
                return;
            }
            if (outcome != IO_FLOW_MORE && outcome != IO_FLOW_WAITS) {
                shut(pump, side);
                flow->can_read = true;
            }
        }
        if (pump->ways[side] == IO_PUMP_SHUT && flow->can_read) {
            outcome = io_flow_drop(flow, &pump->pumps->means);
            if (outcome == IO_FLOW_ENDED || outcome == IO_FLOW_SOURCE_LOST) {
                pump->ways[side] = IO_PUMP_DRAINED;
            }
        }
        if (outcome == IO_FLOW_MORE) {
            want(pump);
        }
    }
    if (pump->ways[A] == IO_PUMP_DRAINED && pump->ways[B] == IO_PUMP_DRAINED) {
        finish(pump, IO_PUMP_TOLD);
    }
}

void io_pump_end(struct io_pump *pump, uint64_t now_ns)
{
    if (pump->state != IO_PUMP_PUMPING) {
        return;
    }
    pump->state = IO_PUMP_ENDING;
    pump->why = IO_PUMP_TOLD;
    for (int side = A; side <= B; side++) {
        if (pump->ways[side] == IO_PUMP_FLOWS) {
            io_flow_limit(&pump->flows[side]);
        }
        pump->flows[side].can_read = true;
    }
    set_timer(pump, &pump->pumps->ending, now_ns + pump->pumps->end_ns);
    want(pump);
}

// --- all of them -------------------------------------------------------------------------------

void io_pump_all_open(struct io_pumps *pumps, struct io_loop *loop, enum io_flow_way way)
{
    pumps->loop = loop;
    pumps->count = 0;
    pumps->silence_ns = IO_PUMP_SILENCE_S * SECOND_NS;
    pumps->end_ns = IO_PUMP_END_S * SECOND_NS;
    pumps->ready = (struct io_pump_list){.link = IO_PUMP_READY};
    pumps->bulk = pumps->ready;
    pumps->silent = (struct io_pump_list){.link = IO_PUMP_TIMED};
    pumps->ending = pumps->silent;
    pumps->breaking = pumps->silent;
    io_flow_means_open(&pumps->means, way);
}

void io_pump_all_close(struct io_pumps *pumps)
{
    assert(pumps->count == 0);
    io_flow_means_close(&pumps->means);
}

static void seal(struct io_pump *pump, int side, const struct io_stream streams[2])
{
    struct io_tls_channel *tls = streams[side].tls;

    assert(streams[1 - side].tls == NULL);
    io_flow_seal(&pump->flows[side], tls, true);
    io_flow_seal(&pump->flows[1 - side], tls, false);
    want(pump);
}

int io_pump_start(struct io_pumps *pumps, struct io_pump *pump, struct io_stream a,
                  struct io_stream b, struct bytes head)
{
    const uint32_t events = IO_READABLE | IO_WRITABLE | IO_ENDED | IO_URGENT | IO_EDGE;
    const struct io_stream streams[] = {a, b};

    assert(pump->state == IO_PUMP_OVER);
    *pump = (struct io_pump){
        .pumps = pumps, .on_end = pump->on_end, .context = pump->context, .state = IO_PUMP_PUMPING};
    pumps->count++;
    for (int i = A; i <= B; i++) {
        pump->watches[i] = (struct io_watch){.fd = streams[i].fd, .fn = on_event, .context = pump};
        io_flow_init(&pump->flows[i], streams[i].fd, streams[1 - i].fd);
    }
    if (a.tls != NULL || b.tls != NULL) {
        seal(pump, a.tls != NULL ? A : B, streams);
    }
    int error = io_flow_begin(&pump->flows[A], &pumps->means, head);
    for (int i = A; i <= B && error == 0; i++) {
        error = io_loop_add(pumps->loop, &pump->watches[i], events);
    }
    if (error != 0) {
        io_pump_cut(pump);
    }
    return error;
}

void io_pump_cut(struct io_pump *pump)
{
    if (pump->state != IO_PUMP_OVER) {
        release(pump);
        for (int i = A; i <= B; i++) {
            struct io_stream stream = take_stream(pump, i);
            io_stream_reset(&stream);
        }
    }
}

static void run(struct io_pump *pump, uint64_t now_ns)
{
    switch (pump->state) {
    case IO_PUMP_PUMPING:
        run_pumping(pump, now_ns);
        break;
    case IO_PUMP_ENDING:
        run_ending(pump);
        break;
    case IO_PUMP_BREAKING:
        run_breaking(pump, now_ns);
        break;
    case IO_PUMP_OVER:
        assert(!"what is over is in no list");
        break;
    }
}

// Runs up to so many of a list of the ready, from its front.
static void run_list(struct io_pump_list *list, uint32_t most, uint64_t now_ns)
{
    for (uint32_t i = 0; i < most && list->first != NULL; i++) {
        struct io_pump *pump = list->first;
        unwant(pump);
        run(pump, now_ns);
    }
}

static bool is_due(const struct io_pump_list *list, uint64_t now_ns)
{
    return list->first != NULL && list->first->deadline_ns <= now_ns;
}

uint64_t io_pump_all_deadline(const struct io_pumps *pumps)
{
    const struct io_pump *const firsts[] = {pumps->silent.first, pumps->ending.first,
                                            pumps->breaking.first};
    uint64_t next_ns = NEVER;

    if (pumps->ready.count + pumps->bulk.count > 0) {
        return 0;
    }
    for (size_t i = 0; i < COUNT_OF(firsts); i++) {
        if (firsts[i] != NULL && firsts[i]->deadline_ns < next_ns) {
            next_ns = firsts[i]->deadline_ns;
        }
    }
    return next_ns;
}

void io_pump_all_run(struct io_pumps *pumps, uint64_t now_ns)
{
    // Those that want more after their turn stand behind, for the next; so do most of those in
    // bulk.
    const uint32_t ready_count = pumps->ready.count;
    const uint32_t bulk_count =
        pumps->bulk.count < IO_PUMP_BULK_TURNS ? pumps->bulk.count : IO_PUMP_BULK_TURNS;

    while (is_due(&pumps->silent, now_ns)) {
        finish(pumps->silent.first, IO_PUMP_SILENT);
    }
    while (is_due(&pumps->ending, now_ns)) {
        finish(pumps->ending.first, IO_PUMP_TOLD);
    }
    while (is_due(&pumps->breaking, now_ns)) {
        run(pumps->breaking.first, now_ns);
    }
    run_list(&pumps->ready, ready_count, now_ns);
    run_list(&pumps->bulk, bulk_count, now_ns);
}

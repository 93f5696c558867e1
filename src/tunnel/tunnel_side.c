// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_side.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_limit.h"
#include "io/io_signal.h"

enum {
    DESCRIPTORS_EACH = 3,   // of a connection: itself, what it is joined to, a file
    DESCRIPTORS_OTHER = 64, // of the loop, signals, libraries and look-ups
    TIMERS_OTHER = 8,
};

static void on_end_time(struct tunnel_timer *timer)
{
    struct tunnel_side *side = timer->context;

    tunnel_side_over(side, EXIT_SUCCESS);
}

static void on_signal(struct io_watch *watch, uint32_t events)
{
    struct tunnel_side *side = watch->context;
    int number = 0;

    (void)events;
    if (!io_signal_read(watch->fd, &number) || number == SIGUSR1 || number == SIGUSR2) {
        return;
    }
    if (side->is_ending || side->on_end == NULL) {
        tunnel_side_over(side, EXIT_SUCCESS);
        return;
    }
    side->is_ending = true;
    tunnel_timers_set(&side->timers, &side->timer, io_clock_mono_ns() + side->end_s * SECOND_NS);
    side->on_end(side->context);
}

static int open_all(struct tunnel_side *side, uint32_t connection_max)
{
    int error = io_loop_open(&side->loop);

    if (error == 0) {
        error = io_signal_open(&side->signals.fd);
    }
    if (error == 0) {
        error = io_loop_add(&side->loop, &side->signals, IO_READABLE);
    }
    if (error == 0) {
        error = tunnel_names_open(&side->names, &side->loop);
    }
    if (error == 0) {
        error = tunnel_timers_open(&side->timers, 2 * connection_max + TIMERS_OTHER);
    }
    return error;
}

// Tells it when there are too few descriptors.
static bool has_descriptors(const struct tunnel_side *side, uint32_t connection_max)
{
    uint64_t limit = 0;
    const uint64_t wanted =
        (uint64_t)connection_max * DESCRIPTORS_EACH + DESCRIPTORS_OTHER + IO_PIPES_DESCRIPTORS;

    if (io_limit_raise(&limit) == 0 && limit < wanted) {
        daemon_tell_mistake(side->program,
                            "%u connections at a time take up to %llu descriptors, and the limit "
                            "is %llu (ulimit -n): with fewer, some will fail",
                            connection_max, (unsigned long long)wanted, (unsigned long long)limit);
        return false;
    }
    return true;
}

bool tunnel_side_open(struct tunnel_side *side, const char *program, uint32_t connection_max)
{
    *side = (struct tunnel_side){
        .program = program,
        .loop.epoll_fd = -1,
        .signals = {.fd = -1, .fn = on_signal, .context = side},
        .timer = {.fn = on_end_time, .context = side},
        .end_s = TUNNEL_SIDE_END_S,
        .status = EXIT_FAILURE,
    };
    const int error = open_all(side, connection_max);
    if (error != 0) {
        daemon_tell_mistake(program, "it cannot start: %s", strerror(-error));
        return false;
    }
    io_pump_all_open(&side->pumps, &side->loop, IO_FLOW_SWITCHES);
    IGNORE(has_descriptors(side, connection_max)); // it is told, and most will do with fewer
    return true;
}

void tunnel_side_close(struct tunnel_side *side)
{
    if (side->pumps.loop != NULL) {
        io_pump_all_close(&side->pumps);
    }
    tunnel_names_close(&side->names);
    tunnel_timers_close(&side->timers);
    io_loop_remove(&side->loop, &side->signals);
    io_fd_close(&side->signals.fd);
    io_loop_close(&side->loop);
}

void tunnel_side_over(struct tunnel_side *side, int status)
{
    if (!side->is_over) {
        side->is_over = true;
        side->status = status;
    }
}

void tunnel_side_run(struct tunnel_side *side)
{
    while (!side->is_over) {
        const uint64_t now_ns = io_clock_mono_ns();
        tunnel_timers_tick(&side->timers, now_ns);
        const uint64_t turn_ns = side->on_turn(side->context, now_ns);
        const uint64_t timer_ns = tunnel_timers_deadline(&side->timers);
        const uint64_t pump_ns = io_pump_all_deadline(&side->pumps);
        uint64_t next_ns = turn_ns < timer_ns ? turn_ns : timer_ns;

        next_ns = pump_ns < next_ns ? pump_ns : next_ns;
        const int error = side->is_over ? 0 : io_loop_turn(&side->loop, next_ns);
        if (error != 0) {
            daemon_tell_mistake(side->program, "waiting failed: %s", strerror(-error));
            tunnel_side_over(side, EXIT_FAILURE);
            return;
        }
        io_pump_all_run(&side->pumps, side->loop.woken_ns);
    }
}

bool tunnel_side_certify(const struct tunnel_side *side, struct bytes folder, enum io_tls_role role,
                         struct io_tls_context **out)
{
    struct io_tls_error warning;
    struct io_tls_error wrong;

    const int error = tunnel_folder_open(folder, role, out, &warning, &wrong);
    if (error != 0) {
        daemon_tell_mistake(side->program, "%s%s", wrong.text,
                            error == -ENOENT ? " (fairlead-tunnel keys makes certificates)" : "");
        return false;
    }
    if (warning.text[0] != '\0') {
        daemon_tell_mistake(side->program, "careful: %s", warning.text);
    }
    return true;
}

const char *tunnel_side_name(const struct daemon_load_sources *sources, const char *name)
{
    const char *slash = strrchr(sources->argv[0], '/');
    const char *base = slash == NULL ? sources->argv[0] : slash + 1;
    const char *word = strrchr(name, ' ') + 1;

    return strcmp(base, word) == 0 ? name : base;
}

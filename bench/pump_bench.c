// SPDX-License-Identifier: Apache-2.0
// What it costs to bring bytes from one TCP connection to another: io_pump by each of its ways,
// beside plain loops of recv and send (the floor), level- and edge-triggered.
//
// Usage: pump_bench [SECONDS [ROUNDS]]     (of each measurement: 0.5, of all: 7)
//
// The relay is a process of its own on the first core; who sends and who receives are two threads
// on the last one. "CPU s/GB" is what the relay's process computed, the kernel's share included,
// for 10^9 bytes that arrived; "us/message" the same for one message of 64 bytes and its echo, of
// which each connection has one under way. All ways take turns, round by round; the median counts,
// and the ratio is that to the first row.
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/io_accept.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_limit.h"
#include "io/io_pump.h"
#include "io/io_tcp.h"

enum {
    CONNECTION_MAX = 64,
    BLOCK_LEN = 256 * 1024,
    MESSAGE_LEN = 64,
    FLOOR_LEN = 64 * 1024,
    FLOOR_TURN_MAX = 4, // reads of one direction in a turn
    ROUND_MAX = 99,
    WARM_UP_US = 200000,
};

enum way { LEVEL, EDGE, COPY, SPLICE, SWITCH, WAY_COUNT };

static const char *const names[] = {"floor, level-triggered", "floor, edge-triggered",
                                    "pump, copies", "pump, splices", "pump, switches"};
static const struct io_tcp_options plain;
static const struct addr loopback = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4};

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void check(int error, const char *what)
{
    if (error != 0) {
        errno = -error;
        fail(what);
    }
}

static void pin(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        fail("sched_setaffinity");
    }
}

// --- the floor ---------------------------------------------------------------------------------

// One direction. What could not be sent waits in a buffer of its own.
struct lane {
    int from;
    int to;
    bool can_read;
    bool can_write;
    size_t at;
    size_t len;
    uint8_t *buffer;
};

static struct lane lanes[2 * CONNECTION_MAX]; // [2i] from A, [2i + 1] from B
static int floor_epoll;

static void ask(int index, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)index};

    if (epoll_ctl(floor_epoll, operation, lanes[index].from, &event) != 0) {
        fail("epoll_ctl");
    }
}

// A socket is read for its own lane, and written for the other one.
static void ask_level(int index)
{
    const struct lane *own = &lanes[index];
    const struct lane *other = &lanes[index ^ 1];

    ask(index, (own->len == 0 ? EPOLLIN : 0) | (other->len > 0 ? EPOLLOUT : 0), EPOLL_CTL_MOD);
}

// False when nothing more can be done for now.
static bool floor_send(struct lane *lane)
{
    const ssize_t sent = send(lane->to, lane->buffer + lane->at, lane->len, MSG_NOSIGNAL);

    lane->at += sent > 0 ? (size_t)sent : 0;
    lane->len -= sent > 0 ? (size_t)sent : 0;
    lane->can_write = lane->len == 0;
    return lane->can_write;
}

static bool floor_move(struct lane *lane)
{
    const ssize_t len = recv(lane->from, lane->buffer, FLOOR_LEN, 0);

    if (len <= 0) {
        lane->can_read = false;
        return false;
    }
    lane->can_read = len == FLOOR_LEN;
    lane->at = 0;
    lane->len = (size_t)len;
    return floor_send(lane);
}

static void turn_level(int index, uint32_t events)
{
    struct lane *own = &lanes[index];
    struct lane *other = &lanes[index ^ 1];

    if ((events & EPOLLOUT) != 0 && other->len > 0 && floor_send(other)) {
        ask_level(index);
        ask_level(index ^ 1);
    }
    if ((events & EPOLLIN) != 0 && own->len == 0) {
        for (int i = 0; i < FLOOR_TURN_MAX; i++) {
            if (!floor_move(own) || !own->can_read) {
                break;
            }
        }
        if (own->len > 0) {
            ask_level(index);
            ask_level(index ^ 1);
        }
    }
}

// True when it could go on.
static bool turn_edge(struct lane *lane)
{
    for (int i = 0; i < FLOOR_TURN_MAX; i++) {
        if (!lane->can_write || (lane->len == 0 && !lane->can_read)) {
            return false;
        }
        if (lane->len > 0 ? !floor_send(lane) : !floor_move(lane)) {
            return false;
        }
    }
    return true;
}

static void run_floor(bool is_edge, int count)
{
    struct epoll_event events[64];
    bool is_more = false;

    for (;;) {
        const int found = epoll_wait(floor_epoll, events, 64, is_more ? 0 : -1);
        for (int i = 0; i < found; i++) {
            const int index = (int)events[i].data.u32;
            if (!is_edge) {
                turn_level(index, events[i].events);
                continue;
            }
            lanes[index].can_read |= (events[i].events & EPOLLIN) != 0;
            lanes[index ^ 1].can_write |= (events[i].events & EPOLLOUT) != 0;
        }
        is_more = false;
        for (int i = 0; is_edge && i < 2 * count; i++) {
            is_more |= turn_edge(&lanes[i]);
        }
    }
}

static void start_floor(bool is_edge, int fds[][2], int count)
{
    floor_epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++) {
        for (int side = 0; side < 2; side++) {
            const int index = 2 * i + side;
            lanes[index] = (struct lane){
                .from = fds[i][side], .to = fds[i][1 - side], .buffer = malloc(FLOOR_LEN)};
            ask(index, is_edge ? EPOLLIN | EPOLLOUT | EPOLLET : EPOLLIN, EPOLL_CTL_ADD);
        }
    }
    run_floor(is_edge, count);
}

// --- the pump ----------------------------------------------------------------------------------

static void note_end(struct io_pump *pump, enum io_pump_why why)
{
    (void)pump;
    fprintf(stderr, "a pump has ended: %d\n", (int)why);
    exit(EXIT_FAILURE);
}

static void run_pumps(enum io_flow_way way, int fds[][2], int count)
{
    static struct io_loop loop;
    static struct io_pumps pumps;
    static struct io_pump all[CONNECTION_MAX];

    check(io_loop_open(&loop), "io_loop_open");
    io_pump_all_open(&pumps, &loop, way);
    for (int i = 0; i < count; i++) {
        all[i].on_end = note_end;
        check(io_pump_start(&pumps, &all[i], io_stream_plain(fds[i][0]), io_stream_plain(fds[i][1]),
                            (struct bytes){0}),
              "io_pump_start");
    }
    for (;;) {
        check(io_loop_turn(&loop, io_pump_all_deadline(&pumps)), "io_loop_turn");
        io_pump_all_run(&pumps, loop.woken_ns);
    }
}

// --- the world ---------------------------------------------------------------------------------

static int ends[CONNECTION_MAX][2]; // of who sends, and who receives
static int end_count;
static _Atomic uint64_t arrived_count; // bytes, or echoes
static atomic_bool is_over;

static void connect_pair(int listener, const struct addr *at, int *near, int *far)
{
    struct addr from = {0};

    check(io_tcp_connect(at, NULL, &plain, far), "connect");
    check(io_tcp_accept(listener, near, &from), "accept");
}

static void *send_bulk(void *unused)
{
    static uint8_t block[BLOCK_LEN];
    struct epoll_event event = {.events = EPOLLOUT};
    struct epoll_event events[CONNECTION_MAX];
    IO_FD_AUTO int epoll = epoll_create1(EPOLL_CLOEXEC);

    for (int i = 0; i < end_count; i++) {
        event.data.fd = ends[i][0];
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, ends[i][0], &event) != 0) {
            fail("epoll_ctl");
        }
    }
    while (!is_over) {
        const int found = epoll_wait(epoll, events, CONNECTION_MAX, 10);
        for (int i = 0; i < found; i++) {
            (void)send(events[i].data.fd, block, sizeof block, MSG_NOSIGNAL);
        }
    }
    return unused;
}

static void wait_readable(int epoll, int side)
{
    struct epoll_event event = {.events = EPOLLIN};

    for (int i = 0; i < end_count; i++) {
        event.data.fd = ends[i][side];
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, ends[i][side], &event) != 0) {
            fail("epoll_ctl");
        }
    }
}

static void *receive_bulk(void *unused)
{
    struct epoll_event events[CONNECTION_MAX];
    IO_FD_AUTO int epoll = epoll_create1(EPOLL_CLOEXEC);

    wait_readable(epoll, 1);
    while (!is_over) {
        const int found = epoll_wait(epoll, events, CONNECTION_MAX, 10);
        for (int i = 0; i < found; i++) {
            const ssize_t len = recv(events[i].data.fd, NULL, BLOCK_LEN, MSG_TRUNC); // dropped
            arrived_count += len > 0 ? (uint64_t)len : 0;
        }
    }
    return unused;
}

// Sends back what comes: [1] echoes, [0] sends the next message.
static void *answer(void *context)
{
    const int side = context == NULL ? 0 : 1;
    struct epoll_event events[CONNECTION_MAX];
    char message[MESSAGE_LEN] = {0};
    IO_FD_AUTO int epoll = epoll_create1(EPOLL_CLOEXEC);

    wait_readable(epoll, side);
    for (int i = 0; i < end_count && side == 0; i++) {
        (void)send(ends[i][0], message, sizeof message, MSG_NOSIGNAL);
    }
    while (!is_over) {
        const int found = epoll_wait(epoll, events, CONNECTION_MAX, 10);
        for (int i = 0; i < found; i++) {
            const ssize_t len = recv(events[i].data.fd, message, sizeof message, 0);
            if (len > 0) {
                (void)send(events[i].data.fd, message, (size_t)len, MSG_NOSIGNAL);
                arrived_count += side == 0;
            }
        }
    }
    return context;
}

static pid_t start_relay(enum way way, int fds[][2], int count)
{
    static const enum io_flow_way ways[] = {
        [COPY] = IO_FLOW_COPIES, [SPLICE] = IO_FLOW_SPLICES, [SWITCH] = IO_FLOW_SWITCHES};
    const pid_t pid = fork();

    if (pid < 0) {
        fail("fork");
    }
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN);
        pin(0);
        if (way == LEVEL || way == EDGE) {
            start_floor(way == EDGE, fds, count);
        } else {
            run_pumps(ways[way], fds, count);
        }
    }
    return pid;
}

static uint64_t cpu_ns(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) != 0) {
        fail("clock_gettime");
    }
    return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}

struct result {
    double cost; // nanoseconds for a byte, or an echo
    double rate; // bytes or echoes a second
};

static struct result measure(enum way way, int count, bool is_bulk, double seconds)
{
    int near[CONNECTION_MAX][2];
    struct addr at = {0};
    int listener = -1;
    pthread_t threads[2];
    clockid_t clock;

    check(io_tcp_listen(&loopback, &plain, &listener, &at), "listen");
    for (int i = 0; i < count; i++) {
        connect_pair(listener, &at, &near[i][0], &ends[i][0]);
        connect_pair(listener, &at, &near[i][1], &ends[i][1]);
    }
    end_count = count;
    is_over = false;
    const pid_t pid = start_relay(way, near, count);
    check(clock_getcpuclockid(pid, &clock), "clock_getcpuclockid");
    check(pthread_create(&threads[0], NULL, is_bulk ? receive_bulk : answer, ends), "thread");
    check(pthread_create(&threads[1], NULL, is_bulk ? send_bulk : answer, NULL), "thread");
    usleep(WARM_UP_US);
    const uint64_t count_before = arrived_count;
    const uint64_t cpu_before = cpu_ns(clock);
    const uint64_t start_ns = io_clock_mono_ns();
    usleep((useconds_t)(seconds * 1e6));
    const double arrived = (double)(arrived_count - count_before);
    const double computed_ns = (double)(cpu_ns(clock) - cpu_before);
    const double took_ns = (double)(io_clock_mono_ns() - start_ns);
    is_over = true;
    for (int i = 0; i < 2; i++) {
        check(-pthread_join(threads[i], NULL), "join");
    }
    if (arrived == 0) {
        fprintf(stderr, "nothing arrives: %s\n", names[way]);
        exit(EXIT_FAILURE);
    }
    if (kill(pid, SIGKILL) != 0 || waitpid(pid, NULL, 0) != pid) {
        fail("kill");
    }
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < 2; k++) {
            io_tcp_reset(&near[i][k]);
            io_tcp_reset(&ends[i][k]);
        }
    }
    io_fd_close(&listener);
    return (struct result){computed_ns / arrived, arrived * 1e9 / took_ns};
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void show(int count, bool is_bulk, double seconds, int rounds)
{
    static double costs[WAY_COUNT][ROUND_MAX];
    static double rates[WAY_COUNT][ROUND_MAX];
    double base = 0;

    for (int round = 0; round < rounds; round++) {
        for (int way = 0; way < WAY_COUNT; way++) {
            const struct result result = measure((enum way)way, count, is_bulk, seconds);
            costs[way][round] = result.cost;
            rates[way][round] = result.rate;
        }
    }
    printf("\n%2d connection%-12s %10s %6s %9s\n", count, count == 1 ? "" : "s",
           is_bulk ? "CPU s/GB" : "us/message", "ratio", is_bulk ? "Gbit/s" : "1/s");
    for (int way = 0; way < WAY_COUNT; way++) {
        const double cost = median(costs[way], rounds);
        base = way == 0 ? cost : base;
        printf("%-25s %10.3f %6.2f ", names[way], is_bulk ? cost : cost / 1e3, cost / base);
        const double rate = median(rates[way], rounds);
        printf(is_bulk ? "%9.1f\n" : "%9.0f\n", is_bulk ? rate * 8 / 1e9 : rate);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const int counts[] = {1, 8, 64};
    const double seconds = argc > 1 ? atof(argv[1]) : 0.5;
    const int rounds = argc > 2 ? atoi(argv[2]) : 7;
    uint64_t limit = 0;

    if (argc > 3 || seconds <= 0 || rounds < 1 || rounds > ROUND_MAX) {
        fputs("usage: pump_bench [SECONDS [ROUNDS]]\n", stderr);
        return EXIT_FAILURE;
    }
    check(io_limit_raise(&limit), "io_limit_raise");
    pin((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        show(counts[i], true, seconds, rounds);
    }
    show(CONNECTION_MAX, false, seconds, rounds);
    return EXIT_SUCCESS;
}

// SPDX-License-Identifier: Apache-2.0
// Sends frames out of an interface as fast as the kernel can make them, and counts the UDP frames
// that come back in by it. Or turns round what comes in, as the floor of such a measurement.
//
// Usage: frame_load INTERFACE           reads orders from standard input, counts by XDP
//        frame_load INTERFACE trains    counts at the stack's door, where nobody must cut trains:
//                                       a program for XDP has the other end do that
//        frame_load INTERFACE turn      stays until it is ended
//        frame_load INTERFACE look      likewise; and reads a line of memory for each flow
//
// Orders, one a line:
//   head HEX [CUT]    how one frame begins: FRAME_LOAD_HEAD_MAX bytes as hexadecimal digits; it is
//                     CUT bytes shorter than LEN
//   go SECONDS LEN [RATE [BURST [SHORTEST [STAMPS]]]]
//                     sends frames of LEN bytes, with these heads in turns and zeros behind them,
//                     RATE of them a second (0: as many as can be made), BURST at a time; prints
//                     frames sent, frames back that have SHORTEST bytes or more, seconds, and
//                     with STAMPS, which go into frames of IPv4, how many nanoseconds 50, 99 and
//                     99.9 % of those that are back were under way at most; then forgets the heads
//
// The frames are made by BPF_PROG_TEST_RUN in its live mode. The program on the interface passes
// everything but while it counts: then UDP is dropped. Counting at the stack's door belongs to a
// network namespace that goes away afterwards.
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "frame_load.h"
#include "frame_load.skel.h"

enum {
    REPEAT = 1 << 20, // frames of one call
    BATCH = 64,       // frames that the kernel makes at once
    SETTLE_US = 100000,
};

#define WARM_S 0.1 // of frames that do not count

static void fail(const char *what, int error)
{
    fprintf(stderr, "frame_load: %s: %s\n", what, strerror(error < 0 ? -error : error));
    exit(EXIT_FAILURE);
}

static struct frame_load_bpf *load(bool looks_up)
{
    struct frame_load_bpf *skel = frame_load_bpf__open();

    if (skel == NULL) {
        fail("cannot open the programs", errno);
    }
    skel->rodata->looks_up = looks_up;
    int error = frame_load_bpf__load(skel);
    if (error != 0) {
        fail("cannot load the programs", error);
    }
    return skel;
}

static void add_head(const struct frame_load_bpf *skel, uint32_t index, const char *text)
{
    struct frame_load_head head = {0};

    for (size_t i = 0; i < sizeof head.bytes; i++) {
        if (sscanf(text + 2 * i, "%2hhx", &head.bytes[i]) != 1) {
            fail("a head is wrong", EINVAL);
        }
    }
    if (strlen(text) > 2 * sizeof head.bytes) {
        head.cut = (uint32_t)strtoul(text + 2 * sizeof head.bytes, NULL, 10);
    }
    if (bpf_map_update_elem(bpf_map__fd(skel->maps.heads), &index, &head, BPF_ANY) != 0) {
        fail("cannot add a head", errno);
    }
}

static void attach(struct bpf_program *program, unsigned ifindex)
{
    if (bpf_program__attach_xdp(program, (int)ifindex) == NULL) {
        fail("cannot attach", errno);
    }
}

static void attach_door(struct bpf_program *program, unsigned ifindex)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = bpf_program__fd(program));
    int error = bpf_tc_hook_create(&hook);

    if (error != 0 && error != -EEXIST) {
        fail("cannot make a door", error);
    }
    error = bpf_tc_attach(&hook, &options);
    if (error != 0) {
        fail("cannot attach", error);
    }
}

// What is wanted.
struct order {
    double seconds;
    uint32_t len;      // bytes of a frame
    double rate;       // frames a second; 0: as many as can be made
    uint32_t burst;    // frames behind one another
    uint32_t shortest; // bytes of a frame that counts
    uint32_t stamps;   // not 0: frames bear the time
};

struct sent {
    uint64_t frames;
    double seconds;
};

// Has the kernel make frames, or those of them that are due, until an alarm. The seconds in which
// it did: before and after it waits for others.
static double make_frames(int program, unsigned ifindex, uint32_t len, int count)
{
    static uint8_t frame[FRAME_LOAD_FRAME_MAX];
    struct xdp_md context = {.data_end = len, .ingress_ifindex = ifindex};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = len,
                .ctx_in = &context, .ctx_size_in = sizeof context, .repeat = count,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
    int error = bpf_prog_test_run_opts(program, &options);

    if (error != 0 && error != -EINTR) {
        fail("cannot send", error);
    }
    return (double)options.duration * count / 1e9;
}

// As many as can be made in the time.
static struct sent send_all(int program, unsigned ifindex, const struct order *order)
{
    struct sent sent = {0};

    while (sent.seconds < order->seconds) {
        sent.seconds += make_frames(program, ifindex, order->len, REPEAT);
        sent.frames += REPEAT;
    }
    return sent;
}

static void on_alarm(int number)
{
    (void)number; // it has interrupted the call, which is all
}

// So many a second. What cannot be made in time is left out: the rate that came about counts.
static struct sent send_paced(struct frame_load_bpf *skel, unsigned ifindex,
                              const struct order *order)
{
    struct sigaction action = {.sa_handler = on_alarm};
    double micros = order->seconds * 1e6;
    const struct itimerval time = {.it_value = {(time_t)(micros / 1e6), (long)micros % 1000000}};

    skel->bss->burst = order->burst > 0 ? order->burst : 1;
    skel->bss->burst_left = 0;
    skel->bss->due_ns = 0;
    skel->bss->first_ns = 0;
    skel->bss->frames_sent = 0;
    skel->bss->interval_ns = (uint64_t)(skel->bss->burst * 1e9 / order->rate);
    if (sigaction(SIGALRM, &action, NULL) != 0 || setitimer(ITIMER_REAL, &time, NULL) != 0) {
        fail("cannot set an alarm", errno);
    }
    (void)make_frames(bpf_program__fd(skel->progs.make), ifindex, order->len, INT32_MAX);
    uint64_t took = skel->bss->last_ns - skel->bss->first_ns + skel->bss->interval_ns;
    skel->bss->interval_ns = 0;
    return (struct sent){skel->bss->frames_sent, (double)took / 1e9};
}

static struct sent send_frames(struct frame_load_bpf *skel, unsigned ifindex,
                               const struct order *order)
{
    if (order->rate > 0) {
        return send_paced(skel, ifindex, order);
    }
    return send_all(bpf_program__fd(skel->progs.make), ifindex, order);
}

static void turn_round(unsigned ifindex, bool looks_up)
{
    struct frame_load_bpf *skel = load(looks_up);

    attach(skel->progs.turn_round, ifindex);
    puts("turning");
    fflush(stdout);
    pause();
}

// The delay in nanoseconds that so many of a thousand frames do not exceed; 0 when there are none.
static uint64_t delay_of(const struct frame_load_bpf *skel, uint64_t of_1000)
{
    uint64_t all = 0;
    uint64_t below = 0;

    for (uint64_t i = 0; i < FRAME_LOAD_STEP_COUNT; i++) {
        all += skel->bss->delays[i];
    }
    for (uint64_t i = 0; i < FRAME_LOAD_STEP_COUNT && all > 0; i++) {
        below += skel->bss->delays[i];
        if (below * 1000 >= all * of_1000) {
            return (i + 1) * FRAME_LOAD_STEP_NS;
        }
    }
    return 0;
}

static void measure(struct frame_load_bpf *skel, unsigned ifindex, const struct order *order)
{
    struct order warm = *order;

    warm.seconds = WARM_S;
    skel->bss->shortest = order->shortest;
    skel->bss->is_counting = true;
    skel->bss->is_stamping = order->stamps != 0;
    (void)send_frames(skel, ifindex, &warm);
    usleep(SETTLE_US);
    uint64_t before = skel->bss->frames_seen;
    memset(skel->bss->delays, 0, sizeof skel->bss->delays);
    struct sent sent = send_frames(skel, ifindex, order);
    usleep(SETTLE_US);
    skel->bss->is_counting = false;
    printf("%llu %llu %.6f %llu %llu %llu\n", (unsigned long long)sent.frames,
           (unsigned long long)(skel->bss->frames_seen - before), sent.seconds,
           (unsigned long long)delay_of(skel, 500), (unsigned long long)delay_of(skel, 990),
           (unsigned long long)delay_of(skel, 999));
    fflush(stdout);
}

static void obey(unsigned ifindex, bool has_trains)
{
    struct frame_load_bpf *skel = load(false);
    char line[4 * FRAME_LOAD_HEAD_MAX];
    uint32_t head_count = 0;

    if (has_trains) {
        attach_door(skel->progs.count_trains, ifindex);
    } else {
        attach(skel->progs.count, ifindex);
    }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct order order = {0};
        if (strncmp(line, "head ", 5) == 0 && head_count < FRAME_LOAD_HEAD_COUNT) {
            add_head(skel, head_count++, line + 5);
        } else if (sscanf(line, "go %lf %u %lf %u %u %u", &order.seconds, &order.len, &order.rate,
                          &order.burst, &order.shortest, &order.stamps) >= 2 &&
                   head_count > 0 && order.len >= FRAME_LOAD_HEAD_MAX &&
                   order.len <= FRAME_LOAD_FRAME_MAX) {
            skel->bss->head_count = head_count;
            skel->bss->next_head = 0;
            measure(skel, ifindex, &order);
            head_count = 0;
        } else {
            fail(line, EINVAL);
        }
    }
}

int main(int argc, char **argv)
{
    unsigned ifindex = argc > 1 ? if_nametoindex(argv[1]) : 0;

    if (ifindex != 0 && argc == 3 && strcmp(argv[2], "turn") == 0) {
        turn_round(ifindex, false);
    } else if (ifindex != 0 && argc == 3 && strcmp(argv[2], "look") == 0) {
        turn_round(ifindex, true);
    } else if (ifindex != 0 && argc == 3 && strcmp(argv[2], "trains") == 0) {
        obey(ifindex, true);
    } else if (ifindex != 0 && argc == 2) {
        obey(ifindex, false);
    } else {
        fputs("usage: frame_load INTERFACE [trains|turn|look]\n", stderr);
        return 2;
    }
    return EXIT_SUCCESS;
}

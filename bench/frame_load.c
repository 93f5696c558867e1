// SPDX-License-Identifier: Apache-2.0
// Sends frames out of an interface as fast as the kernel can make them, and counts the UDP frames
// that come back in by it. Or turns round what comes in, as the floor of such a measurement.
//
// Usage: frame_load INTERFACE         reads orders from standard input
//        frame_load INTERFACE turn    stays until it is ended
//
// Orders, one a line:
//   head HEX          how one frame begins: FRAME_LOAD_HEAD_MAX bytes as hexadecimal digits
//   go SECONDS LEN    sends frames of LEN bytes, with these heads in turns and zeros behind them;
//                     prints frames sent, frames back, seconds; then forgets the heads
//
// The frames are made by BPF_PROG_TEST_RUN in its live mode. The program on the interface passes
// everything but while it counts: then UDP is dropped.
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static struct frame_load_bpf *load(void)
{
    struct frame_load_bpf *skel = frame_load_bpf__open_and_load();

    if (skel == NULL) {
        fail("cannot load the programs", errno);
    }
    return skel;
}

static void add_head(const struct frame_load_bpf *skel, uint32_t index, const char *text)
{
    struct frame_load_head head;

    for (size_t i = 0; i < sizeof head.bytes; i++) {
        if (sscanf(text + 2 * i, "%2hhx", &head.bytes[i]) != 1) {
            fail("a head is wrong", EINVAL);
        }
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

struct sent {
    uint64_t frames;
    double seconds; // in which the kernel made them: before and after each call it waits for others
};

// Sends for so long.
static struct sent send_frames(int program, unsigned ifindex, double seconds, uint32_t len)
{
    static uint8_t frame[FRAME_LOAD_FRAME_MAX];
    struct xdp_md context = {.data_end = len, .ingress_ifindex = ifindex};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = len,
                .ctx_in = &context, .ctx_size_in = sizeof context, .repeat = REPEAT,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
    struct sent sent = {0};

    while (sent.seconds < seconds) {
        int error = bpf_prog_test_run_opts(program, &options);
        if (error != 0) {
            fail("cannot send", error);
        }
        sent.frames += REPEAT;
        sent.seconds += (double)options.duration * REPEAT / 1e9;
    }
    return sent;
}

static void turn_round(unsigned ifindex)
{
    struct frame_load_bpf *skel = load();

    attach(skel->progs.turn_round, ifindex);
    puts("turning");
    fflush(stdout);
    pause();
}

static void measure(struct frame_load_bpf *skel, unsigned ifindex, double seconds, uint32_t len)
{
    int make = bpf_program__fd(skel->progs.make);

    skel->bss->is_counting = true;
    (void)send_frames(make, ifindex, WARM_S, len);
    usleep(SETTLE_US);
    uint64_t before = skel->bss->frames_seen;
    struct sent sent = send_frames(make, ifindex, seconds, len);
    usleep(SETTLE_US);
    skel->bss->is_counting = false;
    printf("%llu %llu %.6f\n", (unsigned long long)sent.frames,
           (unsigned long long)(skel->bss->frames_seen - before), sent.seconds);
    fflush(stdout);
}

static void obey(unsigned ifindex)
{
    struct frame_load_bpf *skel = load();
    char line[4 * FRAME_LOAD_HEAD_MAX];
    uint32_t head_count = 0;

    attach(skel->progs.count, ifindex);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        double seconds = 0;
        uint32_t len = 0;
        if (strncmp(line, "head ", 5) == 0 && head_count < FRAME_LOAD_HEAD_COUNT) {
            add_head(skel, head_count++, line + 5);
        } else if (sscanf(line, "go %lf %u", &seconds, &len) == 2 && head_count > 0 &&
                   len >= FRAME_LOAD_HEAD_MAX && len <= FRAME_LOAD_FRAME_MAX) {
            skel->bss->head_count = head_count;
            skel->bss->next_head = 0;
            measure(skel, ifindex, seconds, len);
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
        turn_round(ifindex);
    } else if (ifindex != 0 && argc == 2) {
        obey(ifindex);
    } else {
        fputs("usage: frame_load INTERFACE [turn]\n", stderr);
        return 2;
    }
    return EXIT_SUCCESS;
}

// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_sample.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "io/io_sockaddr.h"
#include "stun/stun_chandata.h"

enum {
    DATAGRAM_MAX = 2048, // bytes
    EVENTS_MAX = 64,
    PER_SOCKET = 64, // datagrams taken of a socket before it is the next one's turn
    PEER_INDEX = UINT32_MAX,
};

// The clock by which the kernel stamps packets.
static uint64_t stamp_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}

void probe_sample_begin(struct probe_samples *samples, uint32_t mark, uint32_t size)
{
    assert(size >= PROBE_CONFIG_SIZE_MIN);
    samples->mark = mark;
    samples->size = size;
    samples->sent = 0;
    samples->count = 0;
}

static void payload_write(const struct probe_samples *samples, struct wr *wr, uint64_t way_ns)
{
    wr_u32(wr, samples->mark);
    wr_u32(wr, 0);
    wr_u64(wr, stamp_now());
    wr_u64(wr, way_ns);
    wr_zero(wr, samples->size - PROBE_CONFIG_SIZE_MIN);
}

void probe_sample_send(struct probe_samples *samples, struct probe_fleet *fleet)
{
    uint8_t datagram[DATAGRAM_MAX];
    struct wr wr = wr_init(datagram, sizeof datagram);

    samples->next = samples->next + 1 < fleet->count ? samples->next + 1 : 0;
    stun_chandata_head_write(&wr, PROBE_FLEET_CHANNEL, (uint16_t)samples->size);
    payload_write(samples, &wr, 0);
    assert(wr_ok(&wr));
    // A full buffer loses a sample, which counts as lost.
    IGNORE(send(fleet->clients[samples->next].fd, wr.ptr, wr.len, 0));
    samples->sent++;
}

struct received {
    uint8_t bytes[DATAGRAM_MAX];
    struct bytes datagram;
    struct sockaddr_storage from;
    socklen_t from_len;
    uint64_t stamp_ns; // when the kernel took it, or 0
};

static bool receive(int fd, struct received *out)
{
    union {
        uint8_t bytes[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr aligned;
    } control;
    struct iovec vector = {out->bytes, sizeof out->bytes};
    struct msghdr message = {.msg_name = &out->from,
                             .msg_namelen = sizeof out->from,
                             .msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct timespec time;
    ssize_t len = recvmsg(fd, &message, 0);

    if (len < 0) {
        return false;
    }
    out->datagram = (struct bytes){out->bytes, (size_t)len};
    out->from_len = message.msg_namelen;
    out->stamp_ns = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL;
         head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&time, CMSG_DATA(head), sizeof time);
            out->stamp_ns = (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
        }
    }
    return true;
}

// Reads a payload; false when it is none of ours. `way_ns` is that of this way, `before_ns` that of
// the way before.
static bool payload_read(const struct probe_samples *samples, struct bytes payload,
                         uint64_t stamp_ns, uint64_t *way_ns, uint64_t *before_ns)
{
    struct rd rd = rd_init(payload);
    uint32_t mark = rd_u32(&rd);

    rd_skip(&rd, 4);
    uint64_t sent_ns = rd_u64(&rd);
    uint64_t before = rd_u64(&rd);
    if (!rd_ok(&rd) || mark != samples->mark || stamp_ns == 0) {
        return false;
    }
    *way_ns = stamp_ns > sent_ns ? stamp_ns - sent_ns : 0;
    *before_ns = before;
    return true;
}

static void take_of_peer(const struct probe_samples *samples, const struct probe_fleet *fleet,
                         const struct received *received)
{
    uint8_t back[DATAGRAM_MAX];
    struct wr wr = wr_init(back, sizeof back);
    uint64_t way_ns = 0;
    uint64_t before_ns = 0;

    if (payload_read(samples, received->datagram, received->stamp_ns, &way_ns, &before_ns)) {
        payload_write(samples, &wr, way_ns);
        IGNORE(sendto(fleet->peer_fd, wr.ptr, wr.len, 0, (const struct sockaddr *)&received->from,
                      received->from_len));
    }
}

static void take_of_client(struct probe_samples *samples, const struct received *received)
{
    uint16_t number = 0;
    struct bytes payload = {0};
    uint64_t way_ns = 0;
    uint64_t before_ns = 0;

    if (!stun_chandata_read(received->datagram, &number, &payload)) {
        return;
    }
    if (payload_read(samples, payload, received->stamp_ns, &way_ns, &before_ns) &&
        samples->count < PROBE_SAMPLE_MAX) {
        samples->round_trips_ns[samples->count++] = before_ns + way_ns;
    }
}

void probe_sample_take(struct probe_samples *samples, struct probe_fleet *fleet)
{
    struct epoll_event events[EVENTS_MAX];
    struct received received;
    int count = epoll_wait(fleet->epoll_fd, events, EVENTS_MAX, 0);

    for (int i = 0; i < count; i++) {
        uint32_t index = events[i].data.u32;
        int fd = index == PEER_INDEX ? fleet->peer_fd : fleet->clients[index].fd;
        for (int taken = 0; taken < PER_SOCKET && receive(fd, &received); taken++) {
            if (index == PEER_INDEX) {
                take_of_peer(samples, fleet, &received);
            } else {
                take_of_client(samples, &received);
            }
        }
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;

    return one < other ? -1 : one > other;
}

uint64_t probe_sample_quantile(struct probe_samples *samples, uint32_t of_1000)
{
    assert(of_1000 <= 1000);
    if (samples->count == 0) {
        return 0;
    }
    qsort(samples->round_trips_ns, samples->count, sizeof samples->round_trips_ns[0], compare);
    size_t index = (size_t)samples->count * of_1000 / 1000;
    return samples->round_trips_ns[index < samples->count ? index : samples->count - 1];
}

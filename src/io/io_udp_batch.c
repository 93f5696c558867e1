// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_udp_batch.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "io/io_sockaddr.h"

enum {
    CACHE_LINE_LEN = 64, // bytes; what arrives and each array start on a line of their own
    // Bytes between buffers. Without them the first lines of all buffers, which are those that
    // single datagrams use, would contend for the same few sets of a cache.
    STAGGER_LEN = 17 * CACHE_LINE_LEN,
    TURN_LEN = 256 * 1024, // bytes taken in one receive: what the nearer caches hold
    SLOTS_MIN = 8,         // arrivals taken in one receive, whatever their length
    TRY_MAX = 8,           // errors cleared in one receive; the next turn clears the rest
};

// Beside each entry for recvmmsg, what it points to except the buffer.
struct io_udp_batch_slot {
    struct iovec part;
    struct sockaddr_storage name;
    union {
        struct cmsghdr align;
        // Destination, TTL, TOS, length of segments and count of drops; those of IPv4 are no
        // longer.
        uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + 3 * CMSG_SPACE(sizeof(int)) +
                      CMSG_SPACE(sizeof(uint32_t))];
    } control;
};

// Where each array begins in the batch's memory, in bytes; the headers begin at 0.
struct layout {
    size_t slots_at;
    size_t arrivals_at;
    size_t buffers_at;
    size_t buffer_len;
    size_t memory_len;
};

static size_t round_up(size_t len)
{
    return (len + CACHE_LINE_LEN - 1) / CACHE_LINE_LEN * CACHE_LINE_LEN;
}

static struct layout layout_of(size_t capacity, size_t datagram_len)
{
    struct layout layout;

    layout.slots_at = round_up(capacity * sizeof(struct mmsghdr));
    layout.arrivals_at = layout.slots_at + round_up(capacity * sizeof(struct io_udp_batch_slot));
    layout.buffers_at = layout.arrivals_at + round_up(capacity * sizeof(struct io_udp_arrival));
    layout.buffer_len = round_up(datagram_len) + STAGGER_LEN;
    layout.memory_len = layout.buffers_at + capacity * layout.buffer_len;
    return layout;
}

// Sets what a receive has overwritten.
static void reset(struct msghdr *header, struct io_udp_batch_slot *slot)
{
    header->msg_namelen = sizeof(slot->name);
    header->msg_controllen = sizeof(slot->control);
    header->msg_flags = 0;
}

int io_udp_batch_open(uint32_t capacity, uint32_t datagram_len, struct io_udp_batch *out)
{
    assert(capacity >= 1);
    assert(capacity <= IO_UDP_BATCH_CAPACITY_MAX);
    assert(datagram_len >= 1);
    assert(datagram_len <= IO_UDP_BATCH_DATAGRAM_MAX);
    const struct layout layout = layout_of(capacity, datagram_len);
    uint8_t *const memory = mmap(NULL, layout.memory_len, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        return -errno;
    }
    // Single datagrams use the first page of each buffer, so large pages would cost 16 times the
    // memory. A kernel that has none does not know this either.
    IGNORE(madvise(memory, layout.memory_len, MADV_NOHUGEPAGE));
    *out = (struct io_udp_batch){
        .arrivals = (void *)(memory + layout.arrivals_at),
        .capacity = capacity,
        .datagram_len = datagram_len,
        .headers = (void *)memory,
        .slots = (void *)(memory + layout.slots_at),
        .memory_len = layout.memory_len,
    };
    for (uint32_t i = 0; i < capacity; i++) {
        struct msghdr *const header = &out->headers[i].msg_hdr;
        struct io_udp_batch_slot *const slot = &out->slots[i];

        slot->part.iov_base = memory + layout.buffers_at + i * layout.buffer_len;
        slot->part.iov_len = datagram_len;
        header->msg_name = &slot->name;
        header->msg_iov = &slot->part;
        header->msg_iovlen = 1;
        header->msg_control = &slot->control;
        reset(header, slot);
    }
    return 0;
}

void io_udp_batch_close(struct io_udp_batch *batch)
{
    if (batch->headers != NULL) {
        const int result = munmap(batch->headers, batch->memory_len);
        assert(result == 0);
        *batch = (struct io_udp_batch){0};
    }
}

// A control message of this kind and no shorter.
static bool is_kind(const struct cmsghdr *cmsg, int level, int type, size_t len)
{
    return cmsg->cmsg_level == level && cmsg->cmsg_type == type && cmsg->cmsg_len >= CMSG_LEN(len);
}

static uint8_t byte_of(const struct cmsghdr *cmsg)
{
    int value = 0;

    memcpy(&value, CMSG_DATA(cmsg), sizeof(value));
    return (uint8_t)value;
}

// Takes what one control message tells. The destination is the one by which the kernel delivered
// the datagram; for a broadcast it is the address from which to answer.
static void take_control(const struct cmsghdr *cmsg, uint16_t port, struct io_udp_arrival *arrival)
{
    uint8_t ip[ADDR_IP6_LEN];
    struct in_pktinfo info4;
    struct in6_pktinfo info6;
    int segment_len = 0;

    if (is_kind(cmsg, IPPROTO_IP, IP_PKTINFO, sizeof(info4))) {
        memcpy(&info4, CMSG_DATA(cmsg), sizeof(info4));
        memcpy(ip, &info4.ipi_spec_dst, ADDR_IP4_LEN);
        arrival->local = addr_ip4(ip, port);
    } else if (is_kind(cmsg, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(info6))) {
        memcpy(&info6, CMSG_DATA(cmsg), sizeof(info6));
        memcpy(ip, &info6.ipi6_addr, ADDR_IP6_LEN);
        arrival->local = addr_ip6(ip, port);
    } else if (is_kind(cmsg, IPPROTO_IP, IP_TTL, sizeof(int)) ||
               is_kind(cmsg, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof(int))) {
        arrival->ttl = byte_of(cmsg);
    } else if (is_kind(cmsg, IPPROTO_IP, IP_TOS, sizeof(uint8_t))) {
        arrival->tos = *CMSG_DATA(cmsg); // one byte, where the others are an int
    } else if (is_kind(cmsg, IPPROTO_IPV6, IPV6_TCLASS, sizeof(int))) {
        arrival->tos = byte_of(cmsg);
    } else if (is_kind(cmsg, IPPROTO_UDP, UDP_GRO, sizeof(int))) {
        memcpy(&segment_len, CMSG_DATA(cmsg), sizeof(segment_len));
        assert(segment_len > 0);
        arrival->segment_len = (size_t)segment_len;
    }
}

// Takes what the kernel tells of drops at the socket before this datagram, whatever becomes of it.
static void take_drops(struct msghdr *header, struct io_udp *udp)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        if (is_kind(cmsg, SOL_SOCKET, SO_RXQ_OVFL, sizeof(udp->drop_count))) {
            memcpy(&udp->drop_count, CMSG_DATA(cmsg), sizeof(udp->drop_count));
        }
    }
}

// Hands what is in slot `i` out as the next arrival, or drops and counts it.
static void hand_out(struct io_udp_batch *batch, uint32_t i, const struct addr *bound)
{
    struct msghdr *const header = &batch->headers[i].msg_hdr;
    struct io_udp_arrival arrival = {
        .ptr = batch->slots[i].part.iov_base,
        .len = batch->headers[i].msg_len,
        .segment_len = batch->headers[i].msg_len,
    };

    if ((header->msg_flags & MSG_TRUNC) != 0) {
        batch->stats.truncated++;
        return;
    }
    if (!io_sockaddr_read(&batch->slots[i].name, header->msg_namelen, &arrival.from,
                          &arrival.scope) ||
        arrival.from.port == 0) {
        batch->stats.portless++;
        return;
    }
    assert(arrival.len <= batch->datagram_len);
    arrival.local = *bound;
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        take_control(cmsg, bound->port, &arrival);
    }
    batch->arrivals[batch->count++] = arrival;
    batch->stats.received += io_udp_arrival_count(&arrival);
}

// An error that told of the receive itself, and not of an earlier datagram's fate.
static bool is_ours(int error)
{
    return error == ENOMEM || error == ENOBUFS || error == EBADF || error == ENOTSOCK ||
           error == EFAULT || error == EINVAL;
}

// How many arrivals to take: so many that what arrives like before fills no more than TURN_LEN.
static uint32_t slots_for(const struct io_udp_batch *batch, const struct io_udp *udp)
{
    const uint32_t fit = TURN_LEN / (udp->arrival_len > 0 ? udp->arrival_len : 1);
    const uint32_t slots = fit > SLOTS_MIN ? fit : SLOTS_MIN;

    return slots < batch->capacity ? slots : batch->capacity;
}

// Learns how long arrivals at this socket are, on a moving average.
static void learn_len(const struct io_udp_batch *batch, uint32_t count, struct io_udp *udp)
{
    uint64_t len = 0;

    for (uint32_t i = 0; i < count; i++) {
        len += batch->headers[i].msg_len;
    }
    udp->arrival_len = (uint32_t)((3 * (uint64_t)udp->arrival_len + len / count) / 4);
}

int io_udp_batch_receive(struct io_udp_batch *batch, struct io_udp *udp)
{
    const uint32_t slot_count = slots_for(batch, udp);
    int count = -1;

    batch->count = 0;
    // An ICMP error that waits at the socket is told once, in place of the datagrams behind it.
    for (int try = 0; try < TRY_MAX && count < 0; try++) {
        count = recvmmsg(udp->fd, batch->headers, slot_count, MSG_DONTWAIT, NULL);
        if (count >= 0) {
            break;
        }
        if (errno == EAGAIN) {
            return 0;
        }
        if (is_ours(errno)) {
            return -errno;
        }
        batch->stats.errors += errno != EINTR;
    }
    if (count > 0) { // the last one tells of all drops before it
        learn_len(batch, (uint32_t)count, udp);
        take_drops(&batch->headers[count - 1].msg_hdr, udp);
    }
    for (int i = 0; i < count; i++) {
        hand_out(batch, (uint32_t)i, &udp->local);
        reset(&batch->headers[i].msg_hdr, &batch->slots[i]);
    }
    assert(batch->count <= batch->capacity);
    return 0;
}

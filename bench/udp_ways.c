// SPDX-License-Identifier: Apache-2.0
// Ways to bring UDP datagrams from one socket to many, with nothing of TURN: what the system calls
// alone cost, for udp_ways.py to measure beside one another.
//
// Usage: udp_ways WAY ADDRESS PORT FIRST_PORT FLOWS PEER_ADDRESS PEER_PORT
//
// Receives at ADDRESS:PORT. A datagram from a source whose address ends with the 16 bits I belongs
// to flow I; it leaves, without its first four bytes, to the peer from FIRST_PORT + I. SIGTERM ends
// it; it prints how many datagrams it has sent, and the nanoseconds that it has computed.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_MAX = 512,
    SLOT_LEN = 65536 + 1088, // a train, and what keeps slots apart in the cache
    HEAD_LEN = 4,
    TRAIN_MAX = 64,     // datagrams
    TRAIN_LEN = 65400,  // bytes
    FLOW_MAX = 1 << 16, // flows that a source address can name
    BUFFER_LEN = 4 << 20,
};

struct way {
    const char *name;
    unsigned batch_len; // datagrams or trains received by one call
    bool is_connected;  // sockets that send know their peer
    bool has_trains;
    bool has_ttl; // each datagram is sent with a TTL of its own, as a control message
    bool is_ring; // io_uring
    bool is_one;  // all leaves by one socket, by sendmmsg
};

static const struct way ways[] = {
    {"recvfrom+sendto", .batch_len = 1},
    {"recvmmsg+sendto", .batch_len = 64},
    {"ttl", .batch_len = 64, .has_ttl = true},
    {"connected", .batch_len = 64, .is_connected = true},
    {"ring", .batch_len = 64, .is_ring = true},
    {"sendmmsg", .batch_len = 64, .is_one = true},
    {"trains-16", .batch_len = 16, .has_trains = true},
    {"trains-64", .batch_len = 64, .has_trains = true},
    {"trains-256", .batch_len = 256, .has_trains = true},
    {"trains-512", .batch_len = 512, .has_trains = true},
};

static const struct way *way;
static int in_fd;
static int out_fds[FLOW_MAX];
static struct sockaddr_in peer;

static struct mmsghdr headers[BATCH_MAX];
static struct iovec parts[BATCH_MAX];
static struct sockaddr_in names[BATCH_MAX];
static uint8_t controls[BATCH_MAX][CMSG_SPACE(sizeof(int))];

// A datagram that waits to be sent.
static struct waiting {
    uint8_t *ptr;
    size_t len;
    unsigned flow;
    int next; // of the same flow, or -1
} waiting[BATCH_MAX * TRAIN_MAX];
static int waiting_count;
static uint64_t sent_count;
static int firsts[FLOW_MAX]; // of each flow, or -1
static int lasts[FLOW_MAX];

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int open_udp(struct sockaddr_in local)
{
    const int len = BUFFER_LEN;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) != 0) {
        fail("cannot open a socket");
    }
    // Wishes.
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &len, sizeof len);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &len, sizeof len);
    return fd;
}

// --- io_uring: a ring of sendmsg, entered once for each batch

static struct {
    int fd;
    unsigned *tail;
    unsigned mask;
    unsigned *array;
    struct io_uring_sqe *sqes;
    unsigned *done_head;
    unsigned *done_tail;
    struct msghdr messages[BATCH_MAX];
    struct iovec parts[BATCH_MAX];
} ring;

// A word of the ring, which the kernel has aligned.
static unsigned *word_at(uint8_t *map, uint32_t offset)
{
    return (unsigned *)(void *)(map + offset);
}

static void open_ring(void)
{
    struct io_uring_params params = {.flags =
                                         IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN};

    ring.fd = (int)syscall(__NR_io_uring_setup, BATCH_MAX, &params);
    if (ring.fd < 0) {
        fail("no io_uring");
    }
    const size_t len = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    const size_t done_len = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    uint8_t *const map = mmap(NULL, len > done_len ? len : done_len, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQ_RING);
    ring.sqes = mmap(NULL, params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
    if (map == MAP_FAILED || ring.sqes == MAP_FAILED) {
        fail("no memory for the ring");
    }
    ring.tail = word_at(map, params.sq_off.tail);
    ring.mask = *word_at(map, params.sq_off.ring_mask);
    ring.array = word_at(map, params.sq_off.array);
    ring.done_head = word_at(map, params.cq_off.head);
    ring.done_tail = word_at(map, params.cq_off.tail);
}

static void send_by_ring(void)
{
    const unsigned count = (unsigned)waiting_count;
    const unsigned tail = *ring.tail;

    for (unsigned i = 0; i < count; i++) {
        const unsigned at = (tail + i) & ring.mask;
        ring.parts[i] = (struct iovec){waiting[i].ptr, waiting[i].len};
        ring.messages[i] = (struct msghdr){.msg_name = &peer,
                                           .msg_namelen = sizeof peer,
                                           .msg_iov = &ring.parts[i],
                                           .msg_iovlen = 1};
        ring.sqes[at] = (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG,
                                              .fd = out_fds[waiting[i].flow],
                                              .addr = (uintptr_t)&ring.messages[i],
                                              .len = 1};
        ring.array[at] = at;
    }
    __atomic_store_n(ring.tail, tail + count, __ATOMIC_RELEASE);
    if (syscall(__NR_io_uring_enter, ring.fd, count, count, IORING_ENTER_GETEVENTS, NULL, 0) < 0) {
        fail("io_uring_enter");
    }
    __atomic_store_n(ring.done_head, __atomic_load_n(ring.done_tail, __ATOMIC_ACQUIRE),
                     __ATOMIC_RELEASE);
}

// --- one by one, all by one socket, and in trains

static void send_one(const struct waiting *one)
{
    uint8_t control[CMSG_SPACE(sizeof(int))] = {0};
    const struct cmsghdr head = {CMSG_LEN(sizeof(int)), IPPROTO_IP, IP_TTL};
    const int ttl = 63;
    struct iovec part = {one->ptr, one->len};
    struct msghdr message = {
        .msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &part, .msg_iovlen = 1};

    if (way->is_connected) {
        message.msg_name = NULL;
        message.msg_namelen = 0;
    }
    if (way->has_ttl) {
        memcpy(control, &head, sizeof head);
        memcpy(CMSG_DATA((struct cmsghdr *)control), &ttl, sizeof ttl);
        message.msg_control = control;
        message.msg_controllen = sizeof control;
    }
    (void)sendmsg(out_fds[one->flow], &message, MSG_DONTWAIT); // what is full drops
}

static void send_at_once(void)
{
    static struct mmsghdr out[BATCH_MAX];
    static struct iovec out_parts[BATCH_MAX];

    for (int i = 0; i < waiting_count; i++) {
        out_parts[i] = (struct iovec){waiting[i].ptr, waiting[i].len};
        out[i].msg_hdr = (struct msghdr){.msg_name = &peer,
                                         .msg_namelen = sizeof peer,
                                         .msg_iov = &out_parts[i],
                                         .msg_iovlen = 1};
    }
    (void)sendmmsg(out_fds[0], out, (unsigned)waiting_count, MSG_DONTWAIT);
}

static void send_train(unsigned flow, int *at)
{
    uint8_t control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct iovec spans[TRAIN_MAX];
    struct msghdr message = {.msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = spans};
    const struct cmsghdr head = {CMSG_LEN(sizeof(uint16_t)), IPPROTO_UDP, UDP_SEGMENT};
    const uint16_t segment_len = (uint16_t)waiting[*at].len;
    size_t len = 0;

    while (*at >= 0 && message.msg_iovlen < TRAIN_MAX && waiting[*at].len == segment_len &&
           len + segment_len <= TRAIN_LEN) {
        spans[message.msg_iovlen++] = (struct iovec){waiting[*at].ptr, waiting[*at].len};
        len += segment_len;
        *at = waiting[*at].next;
    }
    if (message.msg_iovlen > 1) {
        memcpy(control, &head, sizeof head);
        memcpy(CMSG_DATA((struct cmsghdr *)control), &segment_len, sizeof segment_len);
        message.msg_control = control;
        message.msg_controllen = sizeof control;
    }
    (void)sendmsg(out_fds[flow], &message, MSG_DONTWAIT);
}

static void send_all(void)
{
    if (way->is_ring) {
        send_by_ring();
    } else if (way->is_one) {
        send_at_once();
    } else if (way->has_trains) {
        for (int i = 0; i < waiting_count; i++) {
            int at = firsts[waiting[i].flow];
            firsts[waiting[i].flow] = -1;
            while (at >= 0) {
                send_train(waiting[i].flow, &at);
            }
        }
    } else {
        for (int i = 0; i < waiting_count; i++) {
            send_one(&waiting[i]);
        }
    }
    waiting_count = 0;
}

static void put(unsigned flow, uint8_t *ptr, size_t len)
{
    if (len <= HEAD_LEN || out_fds[flow] < 0) {
        return;
    }
    waiting[waiting_count] = (struct waiting){ptr + HEAD_LEN, len - HEAD_LEN, flow, -1};
    if (way->has_trains && firsts[flow] >= 0) {
        waiting[lasts[flow]].next = waiting_count;
    } else {
        firsts[flow] = way->has_trains ? waiting_count : -1;
    }
    lasts[flow] = waiting_count++;
}

// Takes apart what one slot has received.
static void take(unsigned slot)
{
    const size_t len = headers[slot].msg_len;
    uint8_t *const ptr = parts[slot].iov_base;
    struct cmsghdr *const cmsg = CMSG_FIRSTHDR(&headers[slot].msg_hdr);
    size_t segment_len = len;
    int told = 0;

    if (cmsg != NULL && cmsg->cmsg_level == IPPROTO_UDP && cmsg->cmsg_type == UDP_GRO) {
        memcpy(&told, CMSG_DATA(cmsg), sizeof told);
        segment_len = (size_t)told;
    }
    for (size_t at = 0; at < len; at += segment_len) {
        const size_t rest = len - at;
        put(ntohl(names[slot].sin_addr.s_addr) & (FLOW_MAX - 1), ptr + at,
            rest < segment_len ? rest : segment_len);
    }
}

static volatile sig_atomic_t is_over;

static void end(int number)
{
    (void)number;
    is_over = 1;
}

static void run(void)
{
    while (!is_over) {
        for (unsigned i = 0; i < way->batch_len; i++) {
            headers[i].msg_hdr.msg_namelen = sizeof names[i];
            headers[i].msg_hdr.msg_controllen = sizeof controls[i];
        }
        const int count = recvmmsg(in_fd, headers, way->batch_len, MSG_WAITFORONE, NULL);
        for (int i = 0; i < count; i++) {
            take((unsigned)i);
        }
        sent_count += (uint64_t)waiting_count;
        send_all();
    }
}

static void open_all(char **argv)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
    const int first_port = atoi(argv[4]);
    const int flow_count = atoi(argv[5]);
    const int one = 1;
    uint8_t *const memory = mmap(NULL, (size_t)BATCH_MAX * SLOT_LEN, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED || inet_pton(AF_INET, argv[2], &local.sin_addr) != 1) {
        fail("cannot start");
    }
    in_fd = open_udp(local);
    peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[7]))};
    if (inet_pton(AF_INET, argv[6], &peer.sin_addr) != 1 ||
        (way->has_trains && setsockopt(in_fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one) != 0)) {
        fail("cannot start");
    }
    for (int i = 0; i < FLOW_MAX; i++) {
        local.sin_port = htons((uint16_t)(first_port + i));
        out_fds[i] = i < flow_count ? open_udp(local) : -1;
        firsts[i] = -1;
        if (way->is_connected && i < flow_count &&
            connect(out_fds[i], (struct sockaddr *)&peer, sizeof peer) != 0) {
            fail("cannot connect");
        }
    }
    for (unsigned i = 0; i < BATCH_MAX; i++) {
        parts[i] = (struct iovec){memory + (size_t)i * SLOT_LEN, 65536};
        headers[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
                                             .msg_iov = &parts[i],
                                             .msg_iovlen = 1,
                                             .msg_control = controls[i]};
    }
    if (way->is_ring) {
        open_ring();
    }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 8 && i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(argv[1], ways[i].name) == 0) {
            way = &ways[i];
        }
    }
    if (way == NULL) {
        fputs("usage: udp_ways WAY ADDRESS PORT FIRST_PORT FLOWS PEER_ADDRESS PEER_PORT\n", stderr);
        return EXIT_FAILURE;
    }
    const struct sigaction action = {.sa_handler = end}; // which ends what waits, too
    struct timespec computed;
    if (sigaction(SIGTERM, &action, NULL) != 0) {
        fail("cannot take signals");
    }
    open_all(argv);
    run();
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &computed) != 0) {
        fail("no clock");
    }
    printf("%llu %llu\n", (unsigned long long)sent_count,
           (unsigned long long)computed.tv_sec * 1000000000 + (unsigned long long)computed.tv_nsec);
    return EXIT_SUCCESS;
}

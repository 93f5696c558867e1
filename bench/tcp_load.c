// SPDX-License-Identifier: Apache-2.0
// Both ends of connections through a TCP relay: who opens them, and the service behind.
//
// Usage: tcp_load serve PORT             accepts at 127.0.0.1:PORT
//        tcp_load dial PORT              dials 127.0.0.1:PORT for each byte of standard input
//        tcp_load bulk PORT COUNT SECONDS
//        tcp_load echo PORT COUNT SECONDS SIZE
//        tcp_load open PORT COUNT SECONDS
//        tcp_load idle PORT COUNT
//        tcp_load half PORT
//
// The first two are the service. What it does with a connection says its first byte: S drops what
// comes, E sends it back, R waits for the end and answers then. The others are clients, and print
// what came of it: bytes sent a second, and all bytes; messages a second, and the 50th and 99th
// percentile of their round trips in ns; connections a second, each with a message and its echo,
// and closed by a reset; "ready" when all are open, which are then held until standard input ends;
// whether the answer came.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTION_MAX = 20000, // by descriptor
    BLOCK_LEN = 256 * 1024,
    EVENT_MAX = 256,
    MESSAGE_MAX = 65536,
    SAMPLE_MAX = 1 << 20,
};

static uint8_t block[BLOCK_LEN];
static char kinds[CONNECTION_MAX]; // of the service's connections; 0: not known yet
static uint64_t begun_ns[CONNECTION_MAX];
static uint32_t samples_ns[SAMPLE_MAX];
static int poller;

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static uint64_t now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int make_socket(void)
{
    const int one = 1;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || fd >= CONNECTION_MAX) {
        fail("socket");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int connect_to(int port)
{
    const struct sockaddr_in at = loopback(port);
    const int fd = make_socket();

    if (connect(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        fail("connect");
    }
    return fd;
}

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) {
        fail("epoll_ctl");
    }
}

static void send_all(int fd, const uint8_t *ptr, size_t len)
{
    while (len > 0) {
        const ssize_t sent = send(fd, ptr, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; // it has gone, which reading tells
        }
        ptr += sent;
        len -= (size_t)sent;
    }
}

// --- the service ---------------------------------------------------------------------------------

static void end(int fd)
{
    kinds[fd] = 0;
    close(fd);
}

static void serve_one(int fd)
{
    const ssize_t got = recv(fd, block, kinds[fd] == 'E' ? MESSAGE_MAX : BLOCK_LEN, 0);
    const uint8_t *data = block;
    size_t len = got > 0 ? (size_t)got : 0;

    if (got <= 0) {
        if (got == 0 && kinds[fd] == 'R') {
            usleep(100000);
            send_all(fd, (const uint8_t *)"answer", 6);
        }
        end(fd);
        return;
    }
    if (kinds[fd] == 0) {
        kinds[fd] = (char)block[0];
        data++;
        len--;
    }
    if (kinds[fd] == 'E') {
        send_all(fd, data, len);
    }
}

static void accept_one(int listener)
{
    const int one = 1;
    const int fd = accept4(listener, NULL, NULL, 0);

    if (fd < 0) {
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(fd);
}

static void serve(int port, bool dials)
{
    const int one = 1;
    int source = STDIN_FILENO;

    if (!dials) {
        const struct sockaddr_in at = loopback(port);
        source = make_socket();
        setsockopt(source, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(source, (const struct sockaddr *)&at, sizeof at) != 0 ||
            listen(source, 4096) != 0) {
            fail("listen");
        }
    }
    watch(source);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENT_MAX];
        const int count = epoll_wait(poller, events, EVENT_MAX, -1);

        for (int i = 0; i < count; i++) {
            const int fd = events[i].data.fd;
            if (fd != source) {
                serve_one(fd);
            } else if (!dials) {
                accept_one(fd);
            } else {
                uint8_t orders[256];
                const ssize_t got = read(STDIN_FILENO, orders, sizeof orders);
                if (got <= 0) {
                    return;
                }
                for (ssize_t k = 0; k < got; k++) {
                    watch(connect_to(port));
                }
            }
        }
    }
}

// --- clients -------------------------------------------------------------------------------------

static int open_one(int port, char kind)
{
    const int fd = connect_to(port);

    send_all(fd, (const uint8_t *)&kind, 1);
    return fd;
}

// Until all has arrived: then the service closes.
static void wait_for_ends(const int *fds, int count)
{
    const struct timeval patience = {.tv_sec = 3};

    for (int i = 0; i < count; i++) {
        shutdown(fds[i], SHUT_WR);
    }
    for (int i = 0; i < count; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (recv(fds[i], block, 1, 0) > 0) {
            fail("an answer to bulk");
        }
        close(fds[i]);
    }
}

static void bulk(int port, int count, double seconds)
{
    static int fds[CONNECTION_MAX];
    struct epoll_event event = {.events = EPOLLOUT};
    uint64_t total = 0;

    for (int i = 0; i < count && i < CONNECTION_MAX; i++) {
        fds[i] = event.data.fd = open_one(port, 'S');
        epoll_ctl(poller, EPOLL_CTL_ADD, event.data.fd, &event);
    }
    usleep(200000);
    const uint64_t begin = now_ns();
    const uint64_t stop = begin + (uint64_t)(seconds * 1e9);
    while (now_ns() < stop) {
        struct epoll_event events[EVENT_MAX];
        const int ready = epoll_wait(poller, events, EVENT_MAX, 100);
        for (int i = 0; i < ready; i++) {
            const ssize_t sent =
                send(events[i].data.fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno != EAGAIN) {
                fail("send");
            }
            total += sent > 0 ? (uint64_t)sent : 0;
        }
    }
    const double took_s = (double)(now_ns() - begin) / 1e9;
    wait_for_ends(fds, count);
    printf("%.0f %.0f\n", (double)total / took_s, (double)total);
}

static int by_value(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static void echo(int port, int count, double seconds, size_t size)
{
    static size_t left[CONNECTION_MAX];
    uint64_t total = 0;

    for (int i = 0; i < count; i++) {
        const int fd = open_one(port, 'E');
        left[fd] = size;
        begun_ns[fd] = now_ns();
        send_all(fd, block, size);
        watch(fd);
    }
    const uint64_t begin = now_ns();
    const uint64_t stop = begin + (uint64_t)(seconds * 1e9);
    for (uint64_t now = begin; now < stop; now = now_ns()) {
        struct epoll_event events[EVENT_MAX];
        const int ready = epoll_wait(poller, events, EVENT_MAX, 100);
        for (int i = 0; i < ready; i++) {
            const int fd = events[i].data.fd;
            const ssize_t got = recv(fd, block, left[fd], 0);
            if (got <= 0) {
                fail("recv");
            }
            left[fd] -= (size_t)got;
            if (left[fd] > 0) {
                continue;
            }
            now = now_ns();
            samples_ns[total++ % SAMPLE_MAX] = (uint32_t)(now - begun_ns[fd]);
            left[fd] = size;
            begun_ns[fd] = now;
            send_all(fd, block, size);
        }
    }
    const size_t known = total < SAMPLE_MAX ? total : SAMPLE_MAX;
    qsort(samples_ns, known, sizeof samples_ns[0], by_value);
    printf("%.0f %u %u\n", (double)total / seconds, samples_ns[known / 2],
           samples_ns[known * 99 / 100]);
}

// So many are under way at the same time.
static void open_many(int port, int count, double seconds)
{
    const struct linger reset = {.l_onoff = 1};
    uint64_t total = 0;

    for (int i = 0; i < count; i++) {
        const int fd = open_one(port, 'E');
        send_all(fd, block, 4);
        watch(fd);
    }
    const uint64_t stop = now_ns() + (uint64_t)(seconds * 1e9);
    while (now_ns() < stop) {
        struct epoll_event events[EVENT_MAX];
        const int ready = epoll_wait(poller, events, EVENT_MAX, 100);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (recv(fd, block, 4, 0) != 4) {
                fail("recv");
            }
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(fd);
            total++;
            fd = open_one(port, 'E');
            send_all(fd, block, 4);
            watch(fd);
        }
    }
    printf("%.0f\n", (double)total / seconds);
}

static void idle(int port, int count)
{
    for (int i = 0; i < count; i++) {
        const int fd = open_one(port, 'E');
        send_all(fd, block, 4);
        if (recv(fd, block, 4, MSG_WAITALL) != 4) {
            fail("recv");
        }
    }
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, block, sizeof block) > 0) {
    }
}

static void half(int port)
{
    const int fd = open_one(port, 'R');
    const struct timeval patience = {.tv_sec = 3};
    char answer[6];

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    send_all(fd, block, 1000);
    shutdown(fd, SHUT_WR);
    puts(recv(fd, answer, sizeof answer, MSG_WAITALL) == sizeof answer ? "kept" : "lost");
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    const char *what = argc > 2 ? argv[1] : "";
    const int port = argc > 2 ? atoi(argv[2]) : 0;
    const int count = argc > 3 ? atoi(argv[3]) : 0;
    const double seconds = argc > 4 ? atof(argv[4]) : 0;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    poller = epoll_create1(0);
    if (strcmp(what, "serve") == 0 || strcmp(what, "dial") == 0) {
        serve(port, what[0] == 'd');
    } else if (strcmp(what, "bulk") == 0 && argc == 5) {
        bulk(port, count, seconds);
    } else if (strcmp(what, "echo") == 0 && argc == 6 && atoi(argv[5]) <= MESSAGE_MAX) {
        echo(port, count, seconds, (size_t)atoi(argv[5]));
    } else if (strcmp(what, "open") == 0 && argc == 5) {
        open_many(port, count, seconds);
    } else if (strcmp(what, "idle") == 0 && argc == 4) {
        idle(port, count);
    } else if (strcmp(what, "half") == 0) {
        half(port);
    } else {
        fputs("tcp_load: the head of tcp_load.c says how it is used\n", stderr);
        return 2;
    }
    return 0;
}

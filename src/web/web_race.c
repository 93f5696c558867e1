// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "web/web_race.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_clock.h"
#include "io/io_fd.h"

#define MILLI_NS (SECOND_NS / 1000)

struct race {
    const struct addrinfo *runners[WEB_RACE_MAX];
    struct pollfd places[WEB_RACE_MAX]; // a descriptor of -1 is out of the race
    size_t count;
    bool is_refused; // by some of them
};

static void withdraw(struct race *race, size_t index)
{
    io_fd_close(&race->places[index].fd);
}

static void fail(struct race *race, size_t index, int error)
{
    race->is_refused = race->is_refused || error == ECONNREFUSED;
    withdraw(race, index);
}

static void start(struct race *race, const struct addrinfo *list)
{
    for (const struct addrinfo *one = list; one != NULL && race->count < WEB_RACE_MAX;
         one = one->ai_next) {
        const size_t index = race->count++;
        const int fd = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        race->runners[index] = one;
        race->places[index] = (struct pollfd){.fd = fd, .events = POLLOUT};
        if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) != 0 && errno != EINPROGRESS) {
            fail(race, index, errno);
        }
    }
}

// The first that has arrived; those that cannot any more are withdrawn.
static bool find_winner(struct race *race, size_t *winner)
{
    for (size_t i = 0; i < race->count; i++) {
        int error = 0;
        socklen_t len = sizeof error;
        if (race->places[i].fd < 0 || race->places[i].revents == 0) {
            continue;
        }
        if (getsockopt(race->places[i].fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0) {
            *winner = i;
            return true;
        }
        fail(race, i, error);
    }
    return false;
}

static bool is_running(const struct race *race)
{
    for (size_t i = 0; i < race->count; i++) {
        if (race->places[i].fd >= 0) {
            return true;
        }
    }
    return false;
}

static bool wait_for_winner(struct race *race, int timeout_ms, size_t *winner)
{
    const uint64_t end_ns = io_clock_now().mono_ns + (uint64_t)timeout_ms * MILLI_NS;
    uint64_t now_ns = io_clock_now().mono_ns;

    for (; is_running(race) && now_ns < end_ns; now_ns = io_clock_now().mono_ns) {
        const int left_ms = (int)((end_ns - now_ns) / MILLI_NS) + 1;
        if (poll(race->places, race->count, left_ms) > 0 && find_winner(race, winner)) {
            return true;
        }
    }
    return false;
}

static bool address_write(const struct addrinfo *one, char out[WEB_RACE_ADDRESS_LEN])
{
    return getnameinfo(one->ai_addr, one->ai_addrlen, out, WEB_RACE_ADDRESS_LEN, NULL, 0,
                       NI_NUMERICHOST) == 0;
}

enum web_race_outcome web_race_among(const struct addrinfo *list, int timeout_ms,
                                     char out[WEB_RACE_ADDRESS_LEN])
{
    struct race race = {0};
    size_t winner = 0;

    assert(list != NULL);
    start(&race, list);
    const bool is_won = wait_for_winner(&race, timeout_ms, &winner);
    const bool is_running_still = is_running(&race);
    for (size_t i = 0; i < race.count; i++) {
        withdraw(&race, i);
    }
    if (is_won && address_write(race.runners[winner], out)) {
        return WEB_RACE_WON;
    }
    if (is_running_still) {
        return WEB_RACE_SILENT;
    }
    return race.is_refused ? WEB_RACE_REFUSED : WEB_RACE_UNREACHABLE;
}

// 0 or an error of getaddrinfo().
static int look_up(const char *name, uint16_t port, int flags, struct addrinfo **list)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    char service[6]; // a port and its terminator

    snprintf(service, sizeof service, "%u", port);
    return getaddrinfo(name, service, &hints, list);
}

enum web_race_outcome web_race_try(const char *address, uint16_t port, int timeout_ms)
{
    struct addrinfo *list = NULL;
    char out[WEB_RACE_ADDRESS_LEN];

    if (look_up(address, port, AI_NUMERICHOST, &list) != 0) {
        return WEB_RACE_UNKNOWN;
    }
    const enum web_race_outcome outcome = web_race_among(list, timeout_ms, out);
    freeaddrinfo(list);
    return outcome;
}

enum web_race_outcome web_race_run(const char *name, uint16_t port, int timeout_ms,
                                   char out[WEB_RACE_ADDRESS_LEN])
{
    struct addrinfo *list = NULL;
    enum web_race_outcome outcome = WEB_RACE_UNKNOWN;

    const int error = look_up(name, port, 0, &list);
    if (error != 0) {
        return error == EAI_AGAIN ? WEB_RACE_UNRESOLVED : WEB_RACE_UNKNOWN;
    }
    if (list != NULL && list->ai_next != NULL) {
        outcome = web_race_among(list, timeout_ms, out);
    } else if (list != NULL && address_write(list, out)) {
        outcome = WEB_RACE_WON;
    }
    freeaddrinfo(list);
    return outcome;
}

// SPDX-License-Identifier: Apache-2.0
#include "web/web_race.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    PLENTY_MS = 10000,
    LITTLE_MS = 100,
    FILLER_COUNT = 4, // connections that a listener without a backlog cannot take
};

struct place {
    struct sockaddr_in address;
    struct addrinfo info;
    int fd; // of the listener, or -1
    int fillers[FILLER_COUNT];
};

static struct place place_at(const char *host, uint16_t port)
{
    struct place place = {.fd = -1, .fillers = {-1, -1, -1, -1}};

    place.address.sin_family = AF_INET;
    place.address.sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, host, &place.address.sin_addr), 1);
    return place;
}

static struct place place_listening(const char *host)
{
    struct place place = place_at(host, 0);
    socklen_t len = sizeof place.address;

    place.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(place.fd >= 0);
    assert_int_equal(bind(place.fd, (struct sockaddr *)&place.address, len), 0);
    assert_int_equal(listen(place.fd, 0), 0);
    assert_int_equal(getsockname(place.fd, (struct sockaddr *)&place.address, &len), 0);
    return place;
}

// Nothing is refused here, and nothing accepted.
static struct place place_silent(const char *host)
{
    struct place place = place_listening(host);

    for (int i = 0; i < FILLER_COUNT; i++) {
        place.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(place.fillers[i] >= 0);
        (void)connect(place.fillers[i], (struct sockaddr *)&place.address, sizeof place.address);
    }
    usleep(LITTLE_MS * 1000); // until the first ones have filled it
    return place;
}

static void place_close(struct place *place)
{
    for (int i = 0; i < FILLER_COUNT; i++) {
        if (place->fillers[i] >= 0) {
            close(place->fillers[i]);
        }
    }
    if (place->fd >= 0) {
        close(place->fd);
    }
}

static const struct addrinfo *info_of(struct place *place, const struct addrinfo *next)
{
    place->info = (struct addrinfo){
        .ai_family = AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_addr = (struct sockaddr *)&place->address,
        .ai_addrlen = sizeof place->address,
        .ai_next = (struct addrinfo *)(uintptr_t)next,
    };
    return &place->info;
}

static void is_won_by_the_one_that_answers(void **state)
{
    struct place closed = place_at("127.0.0.2", 1);
    struct place silent = place_silent("127.0.0.3");
    struct place open = place_listening("127.0.0.4");
    char out[WEB_RACE_ADDRESS_LEN] = "";

    (void)state;
    const struct addrinfo *list = info_of(&closed, info_of(&silent, info_of(&open, NULL)));
    assert_int_equal(web_race_among(list, PLENTY_MS, out), WEB_RACE_WON);
    assert_string_equal(out, "127.0.0.4");
    place_close(&silent);
    place_close(&open);
}

static void is_won_by_nobody_when_none_answers(void **state)
{
    struct place closed = place_at("127.0.0.2", 1);
    struct place other = place_at("127.0.0.5", 1);
    struct place silent = place_silent("127.0.0.3");
    char out[WEB_RACE_ADDRESS_LEN] = "";

    (void)state;
    struct place nowhere = place_at("255.255.255.255", 1);
    const struct addrinfo *refused = info_of(&closed, info_of(&other, NULL));
    assert_int_equal(web_race_among(refused, PLENTY_MS, out), WEB_RACE_REFUSED);
    assert_int_equal(web_race_among(info_of(&nowhere, refused), PLENTY_MS, out), WEB_RACE_REFUSED);
    assert_int_equal(web_race_among(info_of(&nowhere, NULL), PLENTY_MS, out), WEB_RACE_UNREACHABLE);
    assert_int_equal(web_race_among(info_of(&closed, info_of(&silent, NULL)), LITTLE_MS, out),
                     WEB_RACE_SILENT);
    assert_string_equal(out, "");
    place_close(&silent);
}

static void looks_names_up_and_takes_one_address_as_it_is(void **state)
{
    char out[WEB_RACE_ADDRESS_LEN] = "";

    (void)state;
    assert_int_equal(web_race_run("127.0.0.9", 1, LITTLE_MS, out), WEB_RACE_WON);
    assert_string_equal(out, "127.0.0.9");
    assert_int_equal(web_race_run("::1", 1, LITTLE_MS, out), WEB_RACE_WON);
    assert_string_equal(out, "::1");
    assert_int_equal(web_race_run("no name at all", 1, LITTLE_MS, out), WEB_RACE_UNKNOWN);
}

static void tries_one_address_in_earnest(void **state)
{
    struct place open = place_listening("127.0.0.4");
    struct place silent = place_silent("127.0.0.3");

    (void)state;
    assert_int_equal(web_race_try("127.0.0.4", ntohs(open.address.sin_port), PLENTY_MS),
                     WEB_RACE_WON);
    assert_int_equal(web_race_try("127.0.0.2", 1, PLENTY_MS), WEB_RACE_REFUSED);
    assert_int_equal(web_race_try("127.0.0.3", ntohs(silent.address.sin_port), LITTLE_MS),
                     WEB_RACE_SILENT);
    assert_int_equal(web_race_try("localhost", 1, PLENTY_MS), WEB_RACE_UNKNOWN); // a name
    place_close(&open);
    place_close(&silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_won_by_the_one_that_answers),
        cmocka_unit_test(is_won_by_nobody_when_none_answers),
        cmocka_unit_test(looks_names_up_and_takes_one_address_as_it_is),
        cmocka_unit_test(tries_one_address_in_earnest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

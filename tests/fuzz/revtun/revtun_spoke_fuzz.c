// SPDX-License-Identifier: Apache-2.0
// Whatever a relay says to an agent of version 2, and whatever becomes of what it dials: no
// assertion fails, commands fit to what there is, nothing is held beyond its limits, and when all
// has ended nothing stays.
//
// An input is a list of events of two bytes: what happens, and an argument. Lines are made of a
// menu, or are the input's own bytes.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "fuzz/fuzz.h"
#include "revtun/revtun_spoke.h"

enum { SESSION_MAX = 3, POOL = 2, CALLS = SESSION_MAX + REVTUN_SPOKE_LINK_MAX * POOL };
enum { TICKS_MAX = 100, LINE_MAX = 512 };

enum part { NOTHING, DIALLED, STANDS, RUNS };

// What the caller has, as the commands say.
struct story {
    struct revtun_spoke *spoke;
    uint64_t now_ns;
    bool is_there[REVTUN_SPOKE_LINK_MAX]; // down() has not been said
    bool is_up[REVTUN_SPOKE_LINK_MAX];
    bool is_closing[REVTUN_SPOKE_LINK_MAX];
    bool is_stopped;
    struct pool_ref calls[CALLS];
    enum part parts[CALLS];
    uint32_t links[CALLS];
    uint8_t prefaces[CALLS][REVTUN_PREFACE_LEN];
};

static const struct revtun_spoke_service services[] = {
    {.name = {(const uint8_t *)"web", 3}, .kind = REVTUN_MESSAGE_KIND_TCP},
    {.name = {(const uint8_t *)"shop", 4},
     .kind = REVTUN_MESSAGE_KIND_SNI,
     .hosts = {(const uint8_t *)"a.test", 6}},
};

static const char *const menu[] = {
    "welcome sid=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf you=192.0.2.1:50000 ping=15 dead=45 ttl=15 "
    "grace=60 caps=tls",
    "welcome sid=a0a1a2a3a4a5a6a7a8a9aaabacadaeaf you=192.0.2.1:50000 ping=0 dead=0 ttl=0 "
    "grace=0 data=tls",
    "bound rid=%u name=web at=relay.test:12101 lease=60",
    "unbound name=web code=replaced",
    "unbound name=shop code=revoked",
    "error rid=%u code=name_taken retry=3",
    "error rid=%u code=denied",
    "new_connection id=%u name=web src=192.0.2.7:1 dst=192.0.2.8:2",
    "new_connection id=%u name=other src=192.0.2.7:1 dst=192.0.2.8:2",
    "standby id=%u",
    "gone id=%u code=timeout",
    "ping n=%u",
    "pong n=%u",
    "drain in=%u",
    "bye code=shutdown retry=%u",
    "bye code=denied",
    "later a=b",
    "ping",
};

static void forget(struct story *story, uint32_t index)
{
    assert(index < CALLS);
    story->parts[index] = NOTHING;
}

static void abandon(struct story *story, uint32_t link)
{
    for (uint32_t i = 0; i < CALLS; i++) {
        if (story->links[i] == link && (story->parts[i] == DIALLED || story->parts[i] == STANDS)) {
            revtun_spoke_ended(story->spoke, story->calls[i]);
            forget(story, i);
        }
    }
}

static void keep(struct story *story, const struct revtun_spoke_command *command, enum part part)
{
    const uint32_t i = command->call.index;

    assert(i < CALLS);
    assert(story->parts[i] == NOTHING);
    story->parts[i] = part;
    story->calls[i] = command->call;
    story->links[i] = command->link;
    memcpy(story->prefaces[i], command->preface, REVTUN_PREFACE_LEN);
    assert(part == STANDS || command->client.service < COUNT_OF(services));
}

static void obey(struct story *story, const struct revtun_spoke_command *command)
{
    const uint32_t link = command->link;

    assert(link < REVTUN_SPOKE_LINK_MAX);
    assert(!story->is_stopped);
    switch (command->type) {
    case REVTUN_SPOKE_CONNECT:
        assert(!story->is_there[link]);
        story->is_there[link] = true;
        break;
    case REVTUN_SPOKE_SEND:
        assert(story->is_up[link]);
        assert(command->text.len > 2);
        break;
    case REVTUN_SPOKE_CLOSE:
        assert(story->is_there[link]);
        assert(!story->is_closing[link]);
        story->is_up[link] = false;
        story->is_closing[link] = true;
        break;
    case REVTUN_SPOKE_ABANDON:
        abandon(story, link);
        break;
    case REVTUN_SPOKE_DIAL:
        assert(story->is_up[link]);
        keep(story, command, DIALLED);
        break;
    case REVTUN_SPOKE_STAND:
        assert(story->is_up[link]);
        keep(story, command, STANDS);
        break;
    case REVTUN_SPOKE_SERVE:
        assert(story->parts[command->call.index] == STANDS);
        story->parts[command->call.index] = RUNS;
        break;
    case REVTUN_SPOKE_DROP:
        assert(story->parts[command->call.index] != NOTHING);
        forget(story, command->call.index);
        break;
    case REVTUN_SPOKE_TELL:
        break;
    case REVTUN_SPOKE_STOP:
        story->is_stopped = true;
        break;
    }
}

static void settle(struct story *story)
{
    struct revtun_spoke_command command;
    int ticks = 0;

    for (;;) {
        while (revtun_spoke_take(story->spoke, &command)) {
            obey(story, &command);
        }
        if (revtun_spoke_deadline(story->spoke) > story->now_ns) {
            break;
        }
        assert(ticks++ < TICKS_MAX);
        revtun_spoke_tick(story->spoke, story->now_ns);
    }
    const struct revtun_spoke_gauges gauges = revtun_spoke_gauges(story->spoke);
    uint32_t stand_count = 0;
    uint32_t session_count = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        stand_count += story->parts[i] == STANDS;
        session_count += story->parts[i] == DIALLED || story->parts[i] == RUNS;
    }
    assert(gauges.standing == stand_count);
    assert(gauges.sessions == session_count);
    assert(session_count <= SESSION_MAX);
    assert(stand_count <= REVTUN_SPOKE_LINK_MAX * POOL);
}

static void hear(struct story *story, uint32_t link, struct bytes text)
{
    while (story->is_there[link] && text.len > 0) {
        revtun_spoke_read(story->spoke, story->now_ns, link, &text);
        settle(story);
    }
}

static void say(struct story *story, uint32_t link, uint8_t arg)
{
    char line[LINE_MAX];

    // The formats are those of the menu above.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const int len = snprintf(line, sizeof line, menu[arg % COUNT_OF(menu)], arg / COUNT_OF(menu));
#pragma GCC diagnostic pop
    assert(len > 0);
    hear(story, link, (struct bytes){(const uint8_t *)line, (size_t)len});
    hear(story, link, bytes_of_text("\r\n"));
}

static void come(struct story *story, uint32_t link)
{
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN] = {0};

    if (story->is_there[link] && !story->is_up[link] && !story->is_closing[link]) {
        story->is_up[link] = true;
        revtun_spoke_up(story->spoke, story->now_ns, link, exported);
        settle(story);
    }
}

static void lose(struct story *story, uint32_t link)
{
    if (story->is_there[link]) {
        story->is_there[link] = false;
        story->is_closing[link] = false;
        story->is_up[link] = false;
        revtun_spoke_down(story->spoke, story->now_ns, link);
        settle(story);
    }
}

// A head of a standing connection, which is the relay's own or not.
static void show_head(struct story *story, uint32_t index, uint8_t arg)
{
    uint8_t raw[LINE_MAX];
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN] = {0};
    const struct revtun_secrets secrets = revtun_secrets_read(exported);
    struct wr wr = wr_init(raw, sizeof raw);
    size_t len = 0;

    revtun_head_write(&wr, bytes_of_text(menu[arg % COUNT_OF(menu)]), story->prefaces[index],
                      secrets.head);
    assert(wr_ok(&wr));
    const struct bytes head = bytes_first(wr_done(&wr), arg > 200 ? arg : LINE_MAX);
    raw[head.len - 1] ^= arg / 100 == 1;
    const enum revtun_head_outcome outcome =
        revtun_spoke_head(story->spoke, story->calls[index], head, &len);
    if (outcome == REVTUN_HEAD_BAD && story->parts[index] == STANDS) {
        forget(story, index);
    }
    settle(story);
}

static void end(struct story *story, uint32_t index, uint8_t arg)
{
    if (story->parts[index] == NOTHING) {
        return;
    }
    if (arg % 3 == 0 && story->parts[index] == DIALLED) {
        story->parts[index] = RUNS;
        revtun_spoke_joined(story->spoke, story->calls[index]);
    } else if (arg % 3 == 1) {
        forget(story, index);
        revtun_spoke_failed(story->spoke, story->now_ns, story->calls[index],
                            REVTUN_MESSAGE_CODE_UNREACHABLE, bytes_of_text("off"));
    } else {
        forget(story, index);
        revtun_spoke_ended(story->spoke, story->calls[index]);
    }
    settle(story);
}

static void happen(struct story *story, uint8_t what, uint8_t arg)
{
    const uint32_t link = what / 16 % REVTUN_SPOKE_LINK_MAX;

    switch (what % 8) {
    case 0:
        come(story, link);
        break;
    case 1:
        lose(story, link);
        break;
    case 2:
        story->now_ns += arg * (SECOND_NS / 4);
        settle(story);
        break;
    case 3:
        end(story, arg % CALLS, (uint8_t)(arg / CALLS));
        break;
    case 4:
        if (story->parts[what / 16 % CALLS] == STANDS) {
            show_head(story, what / 16 % CALLS, arg);
        }
        break;
    default:
        if (story->is_up[link]) {
            say(story, link, arg);
        }
    }
}

static void finish(struct story *story)
{
    revtun_spoke_leave(story->spoke, story->now_ns);
    settle(story);
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        lose(story, i);
    }
    for (uint32_t i = 0; i < CALLS; i++) {
        end(story, i, 2);
    }
    const struct revtun_spoke_gauges gauges = revtun_spoke_gauges(story->spoke);
    assert(gauges.bound == 0);
    assert(gauges.sessions == 0);
    assert(gauges.standing == 0);
    assert(revtun_spoke_deadline(story->spoke) == NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t first = size > 0 ? data[0] : 0;
    const struct revtun_spoke_config config = {
        .services = services,
        .service_count = COUNT_OF(services),
        .session_max = SESSION_MAX,
        .pool = POOL,
        .retry = (enum revtun_spoke_retry)(first % 3),
        .data = (enum revtun_message_data)(first / 4 % 3),
        .key = {1, 2},
    };
    struct story story = {.now_ns = SECOND_NS};
    void *memory = calloc(1, revtun_spoke_size(&config));

    assert(memory != NULL);
    story.spoke = revtun_spoke_init(memory, &config);
    settle(&story);
    come(&story, 0);
    if (first & 8) {
        say(&story, 0, 0);
        for (size_t i = 1; i + 1 < size && !story.is_stopped; i += 2) {
            happen(&story, data[i], data[i + 1]);
        }
    } else {
        hear(&story, 0, (struct bytes){data, size});
    }
    finish(&story);
    free(memory);
    return 0;
}

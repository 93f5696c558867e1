// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_life.h"

#include <assert.h>

#include "log/log.h"

// A busy relay's allocations are all logged, but for a flood: 1000 at once, then 100 a second, of
// each kind of line by itself.
#define LIFE_LIMIT                                                                                 \
    {                                                                                              \
        .interval_ns = SECOND_NS / 100, .burst = 1000                                              \
    }

const char *relay_life_end_word(enum relay_life_end end)
{
    static const char *const words[RELAY_LIFE_ENDS] = {
        [RELAY_LIFE_DELETED] = "deleted",
        [RELAY_LIFE_EXPIRED] = "expired",
        [RELAY_LIFE_REPLACED] = "replaced",
        [RELAY_LIFE_SHUTDOWN] = "shutdown",
    };

    assert(end < RELAY_LIFE_ENDS);
    return words[end];
}

void relay_life_begun(const struct turn_command_report *report)
{
    static struct log_limit limit = LIFE_LIMIT;

    LOG_LIMITED(&limit, LOG_LEVEL_INFO, "allocation created",
                LOG_ADDR("client", &report->tuple.client), LOG_ADDR("relayed", &report->relayed),
                LOG_BYTES("username", report->username),
                LOG_NUMBER("lifetime_s", report->lifetime_s));
}

struct turn_usage relay_life_usage(const struct turn_life *life, const struct turn_usage *kernel)
{
    return (struct turn_usage){
        .packets_to_peer = life->usage.packets_to_peer + kernel->packets_to_peer,
        .bytes_to_peer = life->usage.bytes_to_peer + kernel->bytes_to_peer,
        .packets_to_client = life->usage.packets_to_client + kernel->packets_to_client,
        .bytes_to_client = life->usage.bytes_to_client + kernel->bytes_to_client,
    };
}

static const struct addr *first_relayed(const struct turn_life *life)
{
    return &life->relayed[life->relayed[0].family == ADDR_NONE];
}

uint16_t relay_life_port(const struct turn_life *life)
{
    return first_relayed(life)->port;
}

void relay_life_ended(const struct turn_life *life, const struct turn_usage *kernel,
                      enum relay_life_end end, struct now now)
{
    static struct log_limit limits[RELAY_LIFE_ENDS] = {LIFE_LIMIT, LIFE_LIMIT, LIFE_LIMIT,
                                                       LIFE_LIMIT};
    const struct turn_usage usage = relay_life_usage(life, kernel);
    const bool has_both =
        life->relayed[0].family != ADDR_NONE && life->relayed[1].family != ADDR_NONE;
    // The second address, when there is one, stands in the place of the list's end.
    struct log_field fields[] = {
        LOG_TEXT("reason", relay_life_end_word(end)),
        LOG_ADDR("client", &life->tuple.client),
        LOG_ADDR("relayed", first_relayed(life)),
        LOG_BYTES("username", turn_name_bytes(&life->name)),
        LOG_NUMBER("duration_s", (now.mono_ns - life->started_ns) / SECOND_NS),
        LOG_NUMBER("to_peer_packets", usage.packets_to_peer),
        LOG_NUMBER("to_peer_bytes", usage.bytes_to_peer),
        LOG_NUMBER("to_client_packets", usage.packets_to_client),
        LOG_NUMBER("to_client_bytes", usage.bytes_to_client),
        LOG_NUMBER("kernel_packets", kernel->packets_to_peer + kernel->packets_to_client),
        {.kind = LOG_FIELD_END},
        {.kind = LOG_FIELD_END},
    };

    assert(end < RELAY_LIFE_ENDS);
    if (has_both) {
        fields[COUNT_OF(fields) - 2] = (struct log_field)LOG_ADDR("relayed_too", &life->relayed[1]);
    }
    log_write_limited(&limits[end], __FILE_NAME__, LOG_LEVEL_INFO, "allocation ended", fields);
}

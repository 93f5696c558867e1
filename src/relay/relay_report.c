// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_report.h"

#include "log/log.h"

// All of this is caused by clients that have proved who they are, as often as they like. A busy
// relay's allocations are all logged, but no client can fill a disk with them: 1000 at once, then
// 100 a second, of each kind.
#define LIFE_LIMIT                                                                                 \
    {                                                                                              \
        .interval_ns = SECOND_NS / 100, .burst = 1000                                              \
    }

void relay_report_log(const struct turn_command_report *report)
{
    static struct log_limit created = LIFE_LIMIT;
    static struct log_limit deleted = LIFE_LIMIT;
    static struct log_limit expired = LIFE_LIMIT;
    static struct log_limit replaced = LIFE_LIMIT;
    static struct log_limit denied = LOG_LIMIT_DEFAULT;
    static struct log_limit barred = LOG_LIMIT_DEFAULT;
    static struct log_limit refused = LOG_LIMIT_DEFAULT;
    static struct log_limit exhausted = LOG_LIMIT_DEFAULT;
    const struct addr *client = &report->tuple.client;

    switch (report->event) {
    case TURN_EVENT_ALLOCATED:
        LOG_LIMITED(&created, LOG_LEVEL_INFO, "allocation created", LOG_ADDR("client", client),
                    LOG_ADDR("relayed", &report->relayed), LOG_BYTES("username", report->username),
                    LOG_NUMBER("lifetime_s", report->lifetime_s));
        return;
    case TURN_EVENT_DELETED:
        LOG_LIMITED(&deleted, LOG_LEVEL_INFO, "allocation deleted by its client",
                    LOG_ADDR("client", client), LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_EXPIRED:
        LOG_LIMITED(&expired, LOG_LEVEL_INFO, "allocation expired", LOG_ADDR("client", client),
                    LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_REPLACED:
        LOG_LIMITED(&replaced, LOG_LEVEL_INFO, "allocation replaced by a new one of its user",
                    LOG_ADDR("client", client), LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_PEER_DENIED:
        LOG_LIMITED(&denied, LOG_LEVEL_WARN, "peer denied; --allow-peer would allow it",
                    LOG_ADDR("client", client), LOG_ADDR("peer", &report->peer),
                    LOG_TEXT("reason", report->reason));
        return;
    case TURN_EVENT_PEER_BARRED:
        LOG_LIMITED(&barred, LOG_LEVEL_WARN, "peer denied", LOG_ADDR("client", client),
                    LOG_ADDR("peer", &report->peer), LOG_TEXT("reason", report->reason));
        return;
    case TURN_EVENT_PORT_REFUSED:
        LOG_LIMITED(&refused, LOG_LEVEL_WARN, "the system refuses a relayed port; trying another",
                    LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_EXHAUSTED:
        LOG_LIMITED(&exhausted, LOG_LEVEL_WARN, "request refused", LOG_ADDR("client", client),
                    LOG_TEXT("reason", report->reason));
        return;
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_answer.h"

#include "io/io_clock.h"
#include "relay/relay_sample.h"
#include "relay/relay_snapshot.h"
#include "relay/relay_why.h"

enum { SHORT_MAX = 4096 }; // bytes of an answer that has few lines
#define SURVEY_WAIT_NS (SECOND_NS / 2)

_Static_assert((int)DAEMON_SAMPLE_ROW_MAX == 65536, "a message says how many");

static void line_write(struct wr *wr, const char *name, uint64_t value)
{
    wr_text(wr, name);
    wr_text(wr, ": ");
    wr_decimal(wr, value);
    wr_text(wr, "\n");
}

static const char *portal_word(enum relay_status_portal portal)
{
    switch (portal) {
    case RELAY_STATUS_PORTAL_NONE:
        return "none";
    case RELAY_STATUS_PORTAL_CONNECTING:
        return "connecting";
    case RELAY_STATUS_PORTAL_JOINED:
        return "joined";
    case RELAY_STATUS_PORTAL_REFUSED:
        return "refused";
    }
    return "";
}

static void status(const struct relay_answer *of, struct daemon_ctl_reply *reply)
{
    static struct relay_snapshot snapshot;

    if (!daemon_ctl_reserve(reply, SHORT_MAX)) {
        return;
    }
    relay_snapshot_take(&snapshot, &of->crew->share);
    struct wr *wr = &reply->wr;
    wr_text(wr, "version: " FAIRLEAD_VERSION "\nstate: ");
    wr_text(wr, relay_status_is_draining(of->status) ? "draining\n" : "serving\n");
    wr_text(wr, "portal: ");
    wr_text(wr, portal_word(relay_status_portal(of->status)));
    wr_text(wr, "\nready: ");
    wr_text(wr, relay_status_is_ready(of->status) ? "yes\n" : "no\n");
    wr_text(wr, "kernel relaying: ");
    wr_text(wr, snapshot.gauges.xdp_interfaces > 0 ? "on\n" : "off\n");
    line_write(wr, "workers", snapshot.gauges.workers);
    line_write(wr, "workers that do not answer", snapshot.gauges.late_workers);
    line_write(wr, "users", snapshot.gauges.users);
    line_write(wr, "allocations", snapshot.gauges.allocations);
    line_write(wr, "permissions", snapshot.gauges.permissions);
    line_write(wr, "channels", snapshot.gauges.channels);
    line_write(wr, "ports in use", snapshot.gauges.ports_in_use);
}

// An address, with or without a port.
static bool read_client(struct bytes text, struct addr *out)
{
    return addr_read(text, out) || addr_read_with_port(text, out);
}

// All allocations may be listed; those that relayed the most are told.
static void top(const struct relay_answer *of, struct bytes text, struct daemon_ctl_reply *reply)
{
    static struct relay_snapshot snapshot;
    struct relay_survey *survey = &of->crew->survey;
    struct relay_survey_entry *entries = NULL;
    uint64_t limit = 0;

    if (!bytes_to_number(text, DAEMON_SAMPLE_ROW_MAX, &limit)) {
        if (daemon_ctl_reserve(reply, SHORT_MAX)) {
            wr_text(&reply->wr, "error: top takes how many allocations to tell, up to 65536\n");
        }
        return;
    }
    relay_snapshot_take(&snapshot, &of->crew->share);
    const uint32_t count = relay_survey_take(survey, of->crew->mailboxes, of->crew->max_allocations,
                                             SURVEY_WAIT_NS, &entries);
    const uint32_t told = count < limit ? count : (uint32_t)limit;
    if (daemon_ctl_reserve(reply,
                           RELAY_SAMPLE_HEAD_TEXT_MAX + (size_t)told * RELAY_SAMPLE_ROW_TEXT_MAX)) {
        relay_sample_write(&reply->wr, &snapshot, entries, count, told, io_clock_now());
    }
    relay_survey_end(survey);
}

static void reload(const struct relay_answer *of, struct daemon_ctl_reply *reply)
{
    reply->ticket = of->reload(of->context);
    if (reply->ticket == 0 && daemon_ctl_reserve(reply, SHORT_MAX)) {
        wr_text(&reply->wr, "failed: nothing is reloaded, since the relay ends\n");
    }
}

static void why(const struct relay_answer *of, struct bytes text, struct daemon_ctl_reply *reply)
{
    struct relay_refusal found[RELAY_REFUSALS_FOUND_MAX];
    struct relay_why answer = {.count = 0};
    struct addr client;

    if (!daemon_ctl_reserve(reply, RELAY_WHY_TEXT_MAX)) {
        return;
    }
    if (!read_client(text, &client)) {
        wr_text(&reply->wr, "error: no address, such as 192.0.2.7, 192.0.2.7:5000 or "
                            "[2001:db8::7]:5000\n");
        return;
    }
    for (uint32_t i = 0; i < of->crew->count; i++) {
        const uint32_t count = relay_refusals_find(&of->crew->refusals[i], &client, found);
        for (uint32_t k = 0; k < count; k++) {
            relay_why_add(&answer, &found[k]);
        }
    }
    relay_why_write(&reply->wr, &answer, &client, io_clock_now().wall_s);
}

void relay_answer_request(void *context, struct bytes request, struct daemon_ctl_reply *reply)
{
    const struct relay_answer *of = context;
    const size_t len = bytes_index(request, ' ');
    const struct bytes command = bytes_first(request, len);
    const struct bytes argument = bytes_trim(bytes_from(request, len));

    if (bytes_equal_text(command, "status")) {
        status(of, reply);
    } else if (bytes_equal_text(command, "top")) {
        top(of, argument, reply);
    } else if (bytes_equal_text(command, "why")) {
        why(of, argument, reply);
    } else if (bytes_equal_text(request, "reload")) {
        reload(of, reply);
    } else if (daemon_ctl_reserve(reply, SHORT_MAX)) {
        wr_text(&reply->wr, "error: no such command; there are status, top, why and reload\n");
    }
}

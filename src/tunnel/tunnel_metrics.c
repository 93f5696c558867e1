// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_metrics.h"

#include "base/macro.h"
#include "daemon/daemon_process.h"
#include "telemetry/telemetry_prometheus.h"
#include "web/web_connection.h"

_Static_assert((int)TUNNEL_METRICS_TEXT_MAX <= (int)WEB_CONNECTION_BODY_MAX, "the text fits");

// Labels are of few values, all of which are in this table: no name of a server, no address.

#define AT(field) offsetof(struct tunnel_snapshot, field)
#define SERIES(name) static const struct metric_series name[]
#define LABEL(key, value)                                                                          \
    {                                                                                              \
        {                                                                                          \
            key, value                                                                             \
        }                                                                                          \
    }

SERIES(build) = {{AT(gauges.one), LABEL("version", FAIRLEAD_VERSION)}};
SERIES(servers) = {{AT(gauges.controls)}};
SERIES(pairs) = {{AT(gauges.pairs)}};
SERIES(pairs_free) = {{AT(gauges.pairs_free)}};
SERIES(waiting) = {
    {AT(gauges.waiting[0]), LABEL("protocol", "1")},
    {AT(gauges.waiting[1]), LABEL("protocol", "2")},
};
SERIES(sessions) = {
    {AT(gauges.sessions[0]), LABEL("protocol", "1")},
    {AT(gauges.sessions[1]), LABEL("protocol", "2")},
};
SERIES(sessions_max) = {{AT(gauges.sessions_max)}};
SERIES(strangers) = {{AT(gauges.strangers)}};
SERIES(workers) = {{AT(gauges.workers)}};
SERIES(pipes) = {{AT(gauges.pipes)}};
SERIES(draining) = {{AT(gauges.is_draining)}};

SERIES(controls) = {
    {AT(core.controls_linked), LABEL("outcome", "linked")},
    {AT(core.controls_full), LABEL("outcome", "full")},
};
SERIES(controls_ended) = {
    {AT(core.controls_lost), LABEL("reason", "lost")},
    {AT(core.controls_spoke), LABEL("reason", "spoke")},
};
SERIES(handshakes_refused) = {
#define REFUSED(kind, name)                                                                        \
    {AT(counts.handshakes_refused[IO_TLS_END_##kind]), LABEL("reason", name)},
    IO_TLS_END_KINDS(REFUSED)
#undef REFUSED
        {AT(counts.handshakes_displaced), LABEL("reason", "displaced")},
    {AT(counts.handshakes_crowded), LABEL("reason", "crowded")},
};
SERIES(clients) = {
    {AT(core.clients_waiting), LABEL("outcome", "announced")},
    {AT(core.clients_unlinked), LABEL("outcome", "unlinked")},
};
SERIES(clients_refused) = {
#define REFUSED(NAME, name, words)                                                                 \
    {AT(core.refused[REVTUN_REFUSAL_##NAME - 1]), LABEL("reason", #name)},
    REVTUN_REFUSALS(REFUSED)
#undef REFUSED
};
SERIES(clients_ended) = {
    {AT(core.clients_reset), LABEL("reason", "reset")},
    {AT(core.clients_timed_out), LABEL("reason", "timed_out")},
    {AT(core.clients_cut), LABEL("reason", "cut")},
};
SERIES(reverses) = {
    {AT(core.sessions_joined), LABEL("outcome", "joined")},
    {AT(core.reverses_unlinked), LABEL("outcome", "unlinked")},
    {AT(core.reverses_foreign), LABEL("outcome", "foreign")},
    {AT(core.reverses_unexpected), LABEL("outcome", "unexpected")},
};
SERIES(reverses_other_family) = {{AT(core.reverses_other_family)}};
SERIES(announcements) = {
    {AT(core.announcements), LABEL("kind", "first")},
    {AT(core.announcements_again), LABEL("kind", "again")},
    {AT(core.announcements_withheld), LABEL("kind", "withheld")},
};
SERIES(sessions_ended) = {{AT(core.sessions_ended)}};
SERIES(sessions_cut) = {{AT(core.sessions_cut)}};
SERIES(bytes) = {
    {AT(counts.bytes_copied), LABEL("way", "copied")},
    {AT(counts.bytes_spliced), LABEL("way", "spliced")},
};
// Of version 2.
SERIES(agents) = {{AT(gauges.agents)}};
SERIES(tunnels) = {{AT(gauges.tunnels)}};
SERIES(ports) = {{AT(gauges.ports)}};
SERIES(ports_free) = {{AT(gauges.ports_free)}};
SERIES(standing) = {{AT(gauges.standing)}};
SERIES(previews) = {{AT(gauges.previews)}};
SERIES(previews_refused) = {
    {AT(counts.previews_unknown), LABEL("reason", "unknown")},
    {AT(counts.previews_late), LABEL("reason", "late")},
    {AT(counts.previews_displaced), LABEL("reason", "displaced")},
};
SERIES(sealed) = {{AT(gauges.sealed)}};
SERIES(sealed_refused) = {
    {AT(counts.sealed_failed), LABEL("reason", "failed")},
    {AT(counts.sealed_late), LABEL("reason", "late")},
    {AT(counts.sealed_displaced), LABEL("reason", "displaced")},
    {AT(counts.sealed_crowded), LABEL("reason", "crowded")},
};
SERIES(agents_up) = {
    {AT(hub.agents_welcomed), LABEL("outcome", "welcomed")},
    {AT(hub.agents_denied), LABEL("outcome", "denied")},
};
SERIES(agents_refused) = {
    {AT(hub.agents_unknown), LABEL("reason", "unknown")},
    {AT(hub.agents_unproven), LABEL("reason", "unproven")},
    {AT(hub.agents_crowded), LABEL("reason", "crowded")},
};
SERIES(agents_ended) = {{AT(hub.agents_lost)}};
SERIES(agents_silent) = {{AT(hub.agents_silent)}};
SERIES(agents_rests) = {{AT(counts.controls_rested)}};
SERIES(agents_lines_bad) = {{AT(hub.lines_bad)}};
SERIES(agents_binds) = {
    {AT(hub.binds_done), LABEL("outcome", "done")},
    {AT(hub.binds_refused), LABEL("outcome", "refused")},
};
SERIES(agents_binds_refused) = {
#define REFUSED(NAME, name, code, key, words)                                                      \
    {AT(hub.binds_denied[REVTUN_DENIAL_##NAME - 1]), LABEL("reason", #name)},
    REVTUN_DENIALS(REFUSED)
#undef REFUSED
};
SERIES(agents_clients) = {
    {AT(hub.hub_clients_waiting), LABEL("outcome", "announced")},
    {AT(hub.hub_clients_unbound), LABEL("outcome", "unbound")},
    {AT(hub.hub_clients_refused), LABEL("outcome", "refused")},
};
SERIES(agents_clients_ended) = {
    {AT(hub.hub_clients_denied), LABEL("reason", "denied")},
    {AT(hub.hub_clients_left), LABEL("reason", "left")},
    {AT(hub.hub_clients_timed_out), LABEL("reason", "timed_out")},
    {AT(hub.hub_clients_cut), LABEL("reason", "cut")},
};
SERIES(agents_sessions) = {{AT(hub.hub_sessions_joined)}};
SERIES(agents_sessions_standing) = {{AT(hub.hub_sessions_standing)}};
SERIES(agents_sessions_ended) = {{AT(hub.hub_sessions_ended)}};
SERIES(agents_sessions_cut) = {{AT(hub.hub_sessions_cut)}};
SERIES(prefaces_bad) = {{AT(hub.prefaces_bad)}};
SERIES(log_lines_dropped) = {{AT(counts.log_lines_dropped)}};

#define FAMILY(name, unit, help, kind, series)                                                     \
    {                                                                                              \
        "tunnel." name, unit, help, kind, 0, NULL, series, COUNT_OF(series)                        \
    }
#define GAUGE(name, unit, help, series) FAMILY(name, unit, help, METRIC_GAUGE, series)
#define COUNTER(name, unit, help, series) FAMILY(name, unit, help, METRIC_COUNTER, series)

const struct metric_family tunnel_metrics_families[] = {
    GAUGE("build.info", "", "1, with the version as a label.", build),
    GAUGE("servers", "", "Servers that have a pair of ports.", servers),
    GAUGE("pairs", "", "Pairs of ports.", pairs),
    GAUGE("pairs.free", "", "Pairs of ports that no server has.", pairs_free),
    GAUGE("clients.waiting", "", "Clients that wait for a server or an agent to dial back.",
          waiting),
    GAUGE("sessions", "", "Clients that are joined with a connection of a server or an agent.",
          sessions),
    GAUGE("sessions.max", "",
          "Clients that there may be, by both versions, those that wait included.", sessions_max),
    GAUGE("handshakes", "", "Control connections that are no server's yet, or not any more.",
          strangers),
    GAUGE("workers", "", "Threads that carry bytes.", workers),
    GAUGE("pipes", "", "Pipes that bytes are spliced through now.", pipes),
    GAUGE("draining", "", "1 while it drains.", draining),
    COUNTER("controls", "", "Control connections whose certificate was good.", controls),
    COUNTER("controls.ended", "", "Control connections of linked servers that have ended.",
            controls_ended),
    COUNTER("handshakes.refused", "", "Control connections that did not come so far.",
            handshakes_refused),
    COUNTER("clients", "", "Clients at public ports.", clients),
    COUNTER("clients.refused", "", "Clients that met a limit.", clients_refused),
    COUNTER("clients.ended", "", "Clients that ended without a reverse connection.", clients_ended),
    COUNTER("reverses", "", "Connections at reverse ports.", reverses),
    COUNTER("reverses.other_family", "",
            "Reverse connections from an address that cannot be compared with the server's.",
            reverses_other_family),
    COUNTER("announcements", "", "Lines that tell a server of a client.", announcements),
    COUNTER("sessions.ended", "", "Sessions that have ended.", sessions_ended),
    COUNTER("sessions.cut", "", "Sessions that lost their control connection.", sessions_cut),
    COUNTER("carried", "By", "Bytes carried between clients and servers.", bytes),
    GAUGE("agents", "", "Control connections of agents (version 2).", agents),
    GAUGE("agents.tunnels", "", "Tunnels of agents, bound or kept.", tunnels),
    GAUGE("agents.ports", "", "Ports that tunnels may have.", ports),
    GAUGE("agents.ports.free", "", "Of these, those that no tunnel has, and none rests for one.",
          ports_free),
    GAUGE("agents.standing", "", "Connections of agents that stand by, or are asked for.",
          standing),
    GAUGE("previews", "", "Connections whose first bytes do not tell yet what they are.", previews),
    COUNTER("previews.refused", "",
            "Connections that were reset before it was known what they are.", previews_refused),
    GAUGE("sealed", "", "Data connections in TLS that have not shown yet whose they are.", sealed),
    COUNTER("sealed.refused", "",
            "Data connections in TLS that ended before it was known whose they are.",
            sealed_refused),
    COUNTER("agents.controls", "", "Control connections of version 2 that have said hello.",
            agents_up),
    COUNTER("agents.refused", "", "Control connections of agents that were not let in.",
            agents_refused),
    COUNTER("agents.ended", "", "Control connections of agents that have ended.", agents_ended),
    COUNTER("agents.silent", "", "Of these, those that were closed for silence.", agents_silent),
    COUNTER("agents.lines.bad", "", "Lines of agents that were malformed, unknown or wrong.",
            agents_lines_bad),
    COUNTER("agents.rests", "",
            "How often an agent was not read for a while, since it said too much.", agents_rests),
    COUNTER("agents.binds", "", "Requests of agents for names.", agents_binds),
    COUNTER("agents.binds.refused", "", "Of these, those that were refused.", agents_binds_refused),
    COUNTER("agents.clients", "", "Clients at the ports of tunnels.", agents_clients),
    COUNTER("agents.clients.ended", "", "Clients of tunnels that ended without a data connection.",
            agents_clients_ended),
    COUNTER("agents.sessions", "", "Clients of tunnels that were joined with a data connection.",
            agents_sessions),
    COUNTER("agents.sessions.standing", "", "Of these, those that got one that stood by.",
            agents_sessions_standing),
    COUNTER("agents.sessions.ended", "", "Sessions of tunnels that have ended.",
            agents_sessions_ended),
    COUNTER("agents.sessions.cut", "", "Sessions of tunnels that were cut off with their agent.",
            agents_sessions_cut),
    COUNTER("agents.prefaces.bad", "",
            "Data connections that were reset: malformed, forged, late or used before.",
            prefaces_bad),
    COUNTER("log.lines.dropped", "", "Lines of the log that its reader was too slow for.",
            log_lines_dropped),
};
const size_t tunnel_metrics_family_count = COUNT_OF(tunnel_metrics_families);

void tunnel_metrics_write(struct wr *wr, const struct tunnel_snapshot *snapshot)
{
    telemetry_prometheus_write(wr, tunnel_metrics_families, tunnel_metrics_family_count, snapshot);
    telemetry_prometheus_write(wr, daemon_process_families, daemon_process_family_count,
                               &snapshot->process);
}

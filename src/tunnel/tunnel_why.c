// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_why.h"

#include "base/macro.h"
#include "base/plain.h"
#include "revtun/revtun_look.h"
#include "revtun/revtun_pairs.h"
#include "tunnel/tunnel_why_agents.h"
#include "tunnel/tunnel_why_words.h"

#define LONG_NS (5 * SECOND_NS) // for a server to dial

static void ip_write(struct wr *wr, const struct addr *addr)
{
    addr_ip_write(wr, addr);
}

// --- of a port -----------------------------------------------------------------------------------

// True: the server does not dial as it should, which is told.
static bool silence_write(struct wr *wr, const struct tunnel_why *why,
                          const struct revtun_look *look, const struct tunnel_ledger_entry *entry)
{
    const uint64_t waited_ns =
        look->waiting_since_ns < why->now.mono_ns ? why->now.mono_ns - look->waiting_since_ns : 0;

    if (waited_ns < LONG_NS && !tunnel_why_words_is_recent(why, &entry->again) &&
        !tunnel_why_words_is_recent(why, &entry->timed_out)) {
        return false;
    }
    tunnel_why_words_number(wr, "- Its server has been told of clients, and does not dial back: ",
                            look->waiting, " wait now");
    if (look->waiting > 0) {
        tunnel_why_words_number(wr, ", the first one for ", waited_ns / SECOND_NS, " s");
    }
    if (entry->again.count > 0) {
        wr_text(wr, "; ");
        tunnel_why_words_mark(wr, why, &entry->again, " announcements were repeated");
    }
    if (entry->timed_out.count > 0) {
        wr_text(wr, "; ");
        tunnel_why_words_mark(wr, why, &entry->timed_out,
                              " clients were closed (--pending-timeout)");
    }
    wr_text(wr, "\n");
    tunnel_why_words_advice(
        wr, "the server hangs, or its connections to the reverse port do not arrive",
        "look at the server's log; from its host, connect to the reverse port of this "
        "relay: a firewall on the way may let the control port pass alone, and --myhost "
        "must be how servers reach this host");
    return true;
}

// True: the same of what met a limit, or came from elsewhere.
static bool marks_write(struct wr *wr, const struct tunnel_why *why,
                        const struct tunnel_ledger_entry *entry)
{
    if (tunnel_why_words_is_recent(why, &entry->foreign)) {
        wr_text(wr, "- Reverse connections were refused: ");
        tunnel_why_words_mark(wr, why, &entry->foreign, " from elsewhere than the server");
        wr_text(wr, ", from ");
        ip_write(wr, &entry->foreigner);
        wr_text(wr, "\n");
        tunnel_why_words_advice(
            wr, "who dials a reverse port must have the address of the server",
            "if that is the server too, whose connections leave by several addresses, "
            "give --reverse-policy any; otherwise somebody tries to take its clients");
    }
    if (tunnel_why_words_is_recent(why, &entry->limited)) {
        wr_text(wr, "- Clients were refused: ");
        tunnel_why_words_mark(wr, why, &entry->limited, " met a limit");
        wr_text(wr, "\n");
        tunnel_why_words_advice(
            wr, revtun_refusal_words(entry->limit),
            "see --max-sessions, --max-waiting and those of a pair and an address");
    }
    return tunnel_why_words_is_recent(why, &entry->foreign) ||
           tunnel_why_words_is_recent(why, &entry->limited);
}

static void linked_write(struct wr *wr, const struct tunnel_why *why, uint32_t pair,
                         const struct revtun_look *look)
{
    const struct tunnel_ledger_entry *entry = &why->ledger->entries[pair];

    addr_write(wr, &look->server);
    tunnel_why_words_number(wr, " has had it for ", tunnel_why_words_since(why, entry->linked_s),
                            " s: ");
    tunnel_why_words_number(wr, "", look->sessions, " clients are joined, ");
    tunnel_why_words_number(wr, "", look->waiting, " wait.\n");
    const bool is_silent = silence_write(wr, why, look, entry);
    const bool is_marked = marks_write(wr, why, entry);
    if (!is_silent && !is_marked) {
        wr_text(wr,
                "Nothing is wrong that the relay sees. If clients do not get through: does this "
                "port of this host let them in (a firewall), and does the service behind the "
                "server answer?\n");
    }
}

static void unlinked_write(struct wr *wr, const struct tunnel_why *why, uint32_t pair)
{
    const struct tunnel_ledger_entry *entry = &why->ledger->entries[pair];

    if (entry->server.family == ADDR_NONE) {
        wr_text(wr, "No server has had it since the relay was started.\n");
    } else {
        addr_write(wr, &entry->server);
        tunnel_why_words_number(
            wr, " had it until ", tunnel_why_words_since(why, entry->gone_s),
            entry->has_spoken ? " s ago, and was unlinked since it sent what nobody understands.\n"
                              : " s ago; then its control connection was gone.\n");
    }
    tunnel_why_words_advice(
        wr, "no server has this port, and clients read \"no controller linked\"",
        "look at the server: does it run, and what does it say? What it was refused here "
        "tells: fairlead-tunnel why, with its address");
}

void tunnel_why_port_write(struct wr *wr, const struct tunnel_why *why, uint16_t port)
{
    const uint32_t count = why->limits->pair_count;
    const uint16_t control_port = why->limits->control_port;
    const uint32_t first = revtun_pairs_reverse_port(control_port, 0);
    const uint32_t place = port - first; // wraps around for ports below
    struct revtun_look look;

    wr_decimal(wr, port);
    if (port == control_port) {
        wr_text(wr,
                " is the control port, where servers and agents come. Clients come to the public "
                "port of a server or a tunnel.\n");
        return;
    }
    if (port < first || place >= 2 * count) {
        if (tunnel_why_agents_port_write(wr, why, port)) {
            return;
        }
        wr_text(wr, " is no port of a server or an agent");
        if (count > 0) {
            tunnel_why_words_number(wr, ": the public ones of servers are ", first + count, " to ");
            tunnel_why_words_number(wr, "", first + 2 * count - 1, "");
        }
        if (why->hub != NULL) {
            const uint32_t last =
                (uint32_t)why->hub_limits->first_port + why->hub_limits->port_count - 1;
            tunnel_why_words_number(wr, count > 0 ? ", those of agents " : ": those of agents are ",
                                    why->hub_limits->first_port, " to ");
            tunnel_why_words_number(wr, "", last, "");
        }
        wr_text(wr, ".\n");
        return;
    }
    const uint32_t pair = place % count;
    if (place < count) {
        tunnel_why_words_number(
            wr, " is a reverse port, which servers dial; clients come to its public port, ",
            first + count + pair, ".\n");
    } else {
        tunnel_why_words_number(wr, " is a public port; its server dials ", first + pair, ".\n");
    }
    if (revtun_look_pair(why->core, pair, &look)) {
        linked_write(wr, why, pair, &look);
    } else {
        unlinked_write(wr, why, pair);
    }
}

// --- of an address -------------------------------------------------------------------------------

// The servers of the address; how many.
static uint32_t servers_write(struct wr *wr, const struct tunnel_why *why,
                              const struct addr *address)
{
    const struct revtun_config *limits = why->limits;
    uint32_t count = 0;

    for (uint32_t pair = 0; pair < limits->pair_count; pair++) {
        struct revtun_look look;

        if (!revtun_look_pair(why->core, pair, &look) || !addr_same_ip(&look.server, address) ||
            count++ >= TUNNEL_WHY_SERVERS_MAX) {
            continue;
        }
        tunnel_why_words_number(
            wr, "It is a server, with public port ",
            revtun_pairs_public_port(limits->control_port, limits->pair_count, pair), ". ");
        linked_write(wr, why, pair, &look);
    }
    return count;
}

void tunnel_why_address_write(struct wr *wr, const struct tunnel_why *why,
                              const struct addr *address)
{
    struct tunnel_refusal found[TUNNEL_REFUSALS_DEPTH];
    const uint32_t server_count = servers_write(wr, why, address);
    const uint32_t agent_count = tunnel_why_agents_address_write(wr, why, address);
    const uint32_t count = tunnel_refusals_find(why->refusals, address, found);

    if (server_count > TUNNEL_WHY_SERVERS_MAX) {
        tunnel_why_words_number(wr, "", server_count - TUNNEL_WHY_SERVERS_MAX,
                                " more of its servers.\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        tunnel_why_words_refusal(wr, why, &found[i]);
    }
    if (count == 0 && server_count == 0 && agent_count == 0) {
        wr_text(wr, "Nothing is known of ");
        ip_write(wr, address);
        wr_text(wr,
                ": it is no server and no agent now, and nothing that it was refused is "
                "remembered. If it does not get through all the same, its packets may not arrive: "
                "look at firewalls, and whether this host sees them (tcpdump).\n");
    }
}

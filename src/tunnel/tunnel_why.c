// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_why.h"

#include "base/macro.h"
#include "base/plain.h"
#include "revtun/revtun_look.h"
#include "revtun/revtun_pairs.h"

enum { RECENT_S = 600 }; // what is older is not why somebody asks now

#define LONG_NS (5 * SECOND_NS) // for a server to dial

static void number_write(struct wr *wr, const char *before, uint64_t number, const char *after)
{
    wr_text(wr, before);
    wr_decimal(wr, number);
    wr_text(wr, after);
}

static uint64_t seconds_since(const struct tunnel_why *why, int64_t then_s)
{
    return why->now.wall_s > then_s ? (uint64_t)(why->now.wall_s - then_s) : 0;
}

static void ip_write(struct wr *wr, const struct addr *addr)
{
    addr_ip_write(wr, addr);
}

static void advice_write(struct wr *wr, const char *why, const char *advice)
{
    wr_text(wr, "  why: ");
    wr_text(wr, why);
    wr_text(wr, "\n  what to do: ");
    wr_text(wr, advice);
    wr_text(wr, "\n");
}

// --- of a port -----------------------------------------------------------------------------------

static bool is_recent(const struct tunnel_why *why, const struct tunnel_ledger_mark *mark)
{
    return mark->count > 0 && seconds_since(why, mark->last_s) < RECENT_S;
}

static void mark_write(struct wr *wr, const struct tunnel_why *why,
                       const struct tunnel_ledger_mark *mark, const char *what)
{
    wr_decimal(wr, mark->count);
    wr_text(wr, what);
    number_write(wr, ", the last one ", seconds_since(why, mark->last_s), " s ago");
}

// True: the server does not dial as it should, which is told.
static bool silence_write(struct wr *wr, const struct tunnel_why *why,
                          const struct revtun_look *look, const struct tunnel_ledger_entry *entry)
{
    const uint64_t waited_ns =
        look->waiting_since_ns < why->now.mono_ns ? why->now.mono_ns - look->waiting_since_ns : 0;

    if (waited_ns < LONG_NS && !is_recent(why, &entry->again) &&
        !is_recent(why, &entry->timed_out)) {
        return false;
    }
    number_write(wr,
                 "- Its server has been told of clients, and does not dial back: ", look->waiting,
                 " wait now");
    if (look->waiting > 0) {
        number_write(wr, ", the first one for ", waited_ns / SECOND_NS, " s");
    }
    if (entry->again.count > 0) {
        wr_text(wr, "; ");
        mark_write(wr, why, &entry->again, " announcements were repeated");
    }
    if (entry->timed_out.count > 0) {
        wr_text(wr, "; ");
        mark_write(wr, why, &entry->timed_out, " clients were closed (--pending-timeout)");
    }
    wr_text(wr, "\n");
    advice_write(wr, "the server hangs, or its connections to the reverse port do not arrive",
                 "look at the server's log; from its host, connect to the reverse port of this "
                 "relay: a firewall on the way may let the control port pass alone, and --myhost "
                 "must be how servers reach this host");
    return true;
}

// True: the same of what met a limit, or came from elsewhere.
static bool marks_write(struct wr *wr, const struct tunnel_why *why,
                        const struct tunnel_ledger_entry *entry)
{
    if (is_recent(why, &entry->foreign)) {
        wr_text(wr, "- Reverse connections were refused: ");
        mark_write(wr, why, &entry->foreign, " from elsewhere than the server");
        wr_text(wr, ", from ");
        ip_write(wr, &entry->foreigner);
        wr_text(wr, "\n");
        advice_write(wr, "who dials a reverse port must have the address of the server",
                     "if that is the server too, whose connections leave by several addresses, "
                     "give --reverse-policy any; otherwise somebody tries to take its clients");
    }
    if (is_recent(why, &entry->limited)) {
        wr_text(wr, "- Clients were refused: ");
        mark_write(wr, why, &entry->limited, " met a limit");
        wr_text(wr, "\n");
        advice_write(wr, revtun_refusal_words(entry->limit),
                     "see --max-sessions, --max-waiting and those of a pair and an address");
    }
    return is_recent(why, &entry->foreign) || is_recent(why, &entry->limited);
}

static void linked_write(struct wr *wr, const struct tunnel_why *why, uint32_t pair,
                         const struct revtun_look *look)
{
    const struct tunnel_ledger_entry *entry = &why->ledger->entries[pair];

    addr_write(wr, &look->server);
    number_write(wr, " has had it for ", seconds_since(why, entry->linked_s), " s: ");
    number_write(wr, "", look->sessions, " clients are joined, ");
    number_write(wr, "", look->waiting, " wait.\n");
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
        number_write(wr, " had it until ", seconds_since(why, entry->gone_s),
                     entry->has_spoken
                         ? " s ago, and was unlinked since it sent what nobody understands.\n"
                         : " s ago; then its control connection was gone.\n");
    }
    advice_write(wr, "no server has this port, and clients read \"no controller linked\"",
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
                " is the control port, where servers come. Clients come to the public port of a "
                "server.\n");
        return;
    }
    if (port < first || place >= 2 * count) {
        wr_text(wr, " is no port of a server of version 1");
        if (count > 0) {
            number_write(wr, ": the public ones are ", first + count, " to ");
            number_write(wr, "", first + 2 * count - 1, "");
        }
        wr_text(wr,
                ". Which agent has a port by version 2, and each of its clients, is in the log.\n");
        return;
    }
    const uint32_t pair = place % count;
    if (place < count) {
        number_write(wr,
                     " is a reverse port, which servers dial; clients come to its public port, ",
                     first + count + pair, ".\n");
    } else {
        number_write(wr, " is a public port; its server dials ", first + pair, ".\n");
    }
    if (revtun_look_pair(why->core, pair, &look)) {
        linked_write(wr, why, pair, &look);
    } else {
        unlinked_write(wr, why, pair);
    }
}

// --- of an address -------------------------------------------------------------------------------

struct words {
    const char *what;
    const char *why; // NULL: the detail
    const char *advice;
};

static const struct words kinds[] = {
    [TUNNEL_REFUSAL_HANDSHAKE] = {"its control connection was refused", NULL,
                                  "a server needs a certificate of the relay's ca.crt.pem "
                                  "(fairlead-tunnel keys), and speaks "
                                  "TLS 1.2 or 1.3"},
    [TUNNEL_REFUSAL_CROWDED] = {"its control connection was turned away",
                                "more handshakes were asked for than begin in a second",
                                "if that was no flood, raise --max-handshakes-per-second"},
    [TUNNEL_REFUSAL_FULL] = {"it was turned away as a server", "all pairs of ports were taken",
                             "raise --port-count, which takes a restart"},
    [TUNNEL_REFUSAL_SPOKE] = {"it was unlinked as a server",
                              "it sent a line, and servers of this protocol say nothing",
                              "look at what it is; another version of the protocol, perhaps"},
    [TUNNEL_REFUSAL_LOST] = {"it was unlinked as a server", "its control connection was gone",
                             "look at the server's log: it ended, or lost its network"},
    [TUNNEL_REFUSAL_LIMIT] =
        {"it was refused as a client", NULL,
         "see --max-sessions, --max-waiting and those of a pair and an address"},
    [TUNNEL_REFUSAL_TIMED_OUT] = {"it was closed as a client",
                                  "its server did not dial back within --pending-timeout",
                                  "fairlead-tunnel why, with the public port, tells of the server"},
    [TUNNEL_REFUSAL_FOREIGN] = {"its reverse connection was refused",
                                "it does not come from where the server's control connection does",
                                "if it is the server, give --reverse-policy any"},
    [TUNNEL_REFUSAL_AGENT] = {"its control connection as an agent has ended", NULL,
                              "look at the agent's log; who may come, and what for, stands in the "
                              "list that --access names"},
    [TUNNEL_REFUSAL_FORGED] = {"its data connection was reset",
                               "it shows no agent that is here that it belongs to it",
                               "if it is an agent, its control connection was lost meanwhile"},
    [TUNNEL_REFUSAL_BIND] = {"as an agent it was refused a name", NULL,
                             "look at the agent's options and at its line in the list that "
                             "--access names"},
};

static void refusal_write(struct wr *wr, const struct tunnel_why *why,
                          const struct tunnel_refusal *refusal)
{
    const struct words *words = &kinds[refusal->kind];
    const struct revtun_config *limits = why->limits;

    wr_text(wr, "- ");
    addr_write(wr, &refusal->from);
    wr_text(wr, ": ");
    wr_text(wr, words->what);
    if (refusal->pair < limits->pair_count) {
        number_write(
            wr, ", at public port ",
            revtun_pairs_public_port(limits->control_port, limits->pair_count, refusal->pair), "");
    }
    if (refusal->count > 1) {
        number_write(wr, ", ", refusal->count, " times in ");
        number_write(wr, "", (uint64_t)(refusal->last_s - refusal->first_s), " s, the last one");
    } else {
        wr_text(wr, ",");
    }
    number_write(wr, " ", seconds_since(why, refusal->last_s), " s ago\n  why: ");
    plain_write(wr, bytes_of_text(words->why != NULL ? words->why : refusal->detail));
    wr_text(wr, "\n  what to do: ");
    wr_text(wr, words->advice);
    wr_text(wr, "\n");
}

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
        number_write(wr, "It is a server, with public port ",
                     revtun_pairs_public_port(limits->control_port, limits->pair_count, pair),
                     ". ");
        linked_write(wr, why, pair, &look);
    }
    return count;
}

void tunnel_why_address_write(struct wr *wr, const struct tunnel_why *why,
                              const struct addr *address)
{
    struct tunnel_refusal found[TUNNEL_REFUSALS_DEPTH];
    const uint32_t server_count = servers_write(wr, why, address);
    const uint32_t count = tunnel_refusals_find(why->refusals, address, found);

    if (server_count > TUNNEL_WHY_SERVERS_MAX) {
        number_write(wr, "", server_count - TUNNEL_WHY_SERVERS_MAX, " more of its servers.\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        refusal_write(wr, why, &found[i]);
    }
    if (count == 0 && server_count == 0) {
        wr_text(wr, "Nothing is known of ");
        ip_write(wr, address);
        wr_text(wr,
                ": it is no server of version 1 now, and nothing that it was refused is "
                "remembered. Agents of version 2 that are here are in the log. If it does not get "
                "through all the same, its packets may not arrive: look at firewalls, "
                "and whether this host sees them (tcpdump).\n");
    }
}

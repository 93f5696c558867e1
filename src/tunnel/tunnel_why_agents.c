// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_why_agents.h"

#include <assert.h>

#include "base/plain.h"
#include "revtun/revtun_hub_look.h"
#include "tunnel/tunnel_why_words.h"

enum { HOSTS_TEXT_MAX = 512 }; // bytes

#define LONG_NS (5 * SECOND_NS) // for an agent to dial

static uint64_t seconds_from(const struct tunnel_why *why, uint64_t then_ns)
{
    return why->now.mono_ns > then_ns ? (why->now.mono_ns - then_ns) / SECOND_NS : 0;
}

// --- of a tunnel ---------------------------------------------------------------------------------

// "Tunnel laptop/web has port 12101".
static void tunnel_write(struct wr *wr, const struct tunnel_why *why, uint32_t index,
                         const struct revtun_hub_look *look)
{
    wr_text(wr, "Tunnel ");
    plain_write(wr, look->owner);
    wr_text(wr, "/");
    plain_write(wr, look->name);
    if (look->has_ended) {
        wr_text(wr, " has ended, but for its last sessions");
    } else if (look->port != 0) {
        tunnel_why_words_number(wr, " has port ", look->port, "");
    } else {
        tunnel_why_words_number(wr, " has at port ", why->hub_limits->tls_port, " the hosts ");
        revtun_hub_look_hosts_write(why->hub, index, HOSTS_TEXT_MAX, wr);
    }
}

static void agent_write(struct wr *wr, const struct tunnel_why *why,
                        const struct revtun_hub_look *look, const struct tunnel_ledger_entry *entry)
{
    if (entry != NULL) {
        tunnel_why_words_number(wr, ", bound for the first time ",
                                tunnel_why_words_since(why, entry->linked_s), " s ago");
    }
    wr_text(wr, ": ");
    if (look->agent.family != ADDR_NONE) {
        wr_text(wr, "its agent is at ");
        addr_write(wr, &look->agent);
        tunnel_why_words_number(wr, ", whose control connection is up for ",
                                seconds_from(why, look->agent_up_ns), " s, and has ");
        tunnel_why_words_number(wr, "", look->standing, " connections that stand by; ");
    }
    tunnel_why_words_number(wr, "", look->sessions, " clients are joined, ");
    tunnel_why_words_number(wr, "", look->waiting, " wait");
    if (entry != NULL) {
        tunnel_why_words_number(wr, ", ", entry->sessions, " sessions have ended");
    }
    wr_text(wr, ".\n");
}

// True: it has no control connection, which is told.
static bool kept_write(struct wr *wr, const struct tunnel_why *why,
                       const struct revtun_hub_look *look)
{
    if (look->kept_until_ns == NEVER) {
        return false;
    }
    const uint64_t left_ns =
        look->kept_until_ns > why->now.mono_ns ? look->kept_until_ns - why->now.mono_ns : 0;
    tunnel_why_words_number(wr, "- Its control connection is lost; it is kept for ",
                            left_ns / SECOND_NS, " s yet, and its clients wait\n");
    tunnel_why_words_advice(wr, "the agent has ended, or lost its network",
                            "look at the agent's log: while it runs it connects again by itself; "
                            "what it was refused here tells fairlead-tunnel why, with its name");
    return true;
}

// True: its agent does not dial as it should, which is told.
static bool silence_write(struct wr *wr, const struct tunnel_why *why,
                          const struct revtun_hub_look *look,
                          const struct tunnel_ledger_entry *entry)
{
    const uint64_t waited_ns =
        look->waiting_since_ns < why->now.mono_ns ? why->now.mono_ns - look->waiting_since_ns : 0;
    const bool is_timed_out = entry != NULL && tunnel_why_words_is_recent(why, &entry->timed_out);

    if (waited_ns < LONG_NS && !is_timed_out) {
        return false;
    }
    tunnel_why_words_number(wr, "- Its agent does not dial back for clients: ", look->waiting,
                            " wait now");
    if (look->waiting > 0) {
        tunnel_why_words_number(wr, ", the first one for ", waited_ns / SECOND_NS, " s");
    }
    if (is_timed_out) {
        wr_text(wr, "; ");
        tunnel_why_words_mark(wr, why, &entry->timed_out, " clients were closed");
    }
    wr_text(wr, "\n");
    tunnel_why_words_advice(
        wr, "the agent hangs, or its data connections do not arrive",
        "look at the agent's log; data connections come to the port of its "
        "control connection, and a firewall on the way may let TLS pass alone: expose "
        "--data tls");
    return true;
}

// True: the service does not seem to answer, which is told.
static bool service_write(struct wr *wr, const struct tunnel_why *why,
                          const struct tunnel_ledger_entry *entry)
{
    const bool is_denied = entry != NULL && tunnel_why_words_is_recent(why, &entry->denied);
    const bool is_mute = entry != NULL && tunnel_why_words_is_recent(why, &entry->mute);

    if (!is_denied && !is_mute) {
        return false;
    }
    wr_text(wr, "- The service behind its agent may not answer: ");
    if (is_denied) {
        tunnel_why_words_mark(wr, why, &entry->denied, " clients were refused by the agent");
    }
    wr_text(wr, is_denied && is_mute ? "; " : "");
    if (is_mute) {
        tunnel_why_words_mark(wr, why, &entry->mute,
                              " sessions ended without a byte from the service");
    }
    wr_text(wr, "\n");
    tunnel_why_words_advice(wr,
                            "the service does not run, refuses connections, or has nothing to say",
                            "on the agent's host, connect to the service; the agent's log tells "
                            "what it met");
    return true;
}

static bool limit_write(struct wr *wr, const struct tunnel_why *why,
                        const struct tunnel_ledger_entry *entry)
{
    if (entry == NULL || !tunnel_why_words_is_recent(why, &entry->limited)) {
        return false;
    }
    wr_text(wr, "- Clients were refused: ");
    tunnel_why_words_mark(wr, why, &entry->limited, " met a limit");
    wr_text(wr, "\n");
    tunnel_why_words_advice(wr, revtun_refusal_words(entry->limit),
                            "see --max-sessions, --max-waiting and those of a pair and an address, "
                            "and connections= in the list that --access names");
    return true;
}

static void whole_write(struct wr *wr, const struct tunnel_why *why, uint32_t index,
                        const struct revtun_hub_look *look)
{
    const struct tunnel_ledger_entry *entry = tunnel_ledger_of(why->ledger, look->tunnel);

    tunnel_write(wr, why, index, look);
    agent_write(wr, why, look, entry);
    const bool is_kept = kept_write(wr, why, look);
    const bool is_silent = !is_kept && silence_write(wr, why, look, entry);
    const bool is_mute = service_write(wr, why, entry);
    const bool is_limited = limit_write(wr, why, entry);
    if (!is_mute && !is_kept && !is_silent && !is_limited && !look->has_ended) {
        wr_text(wr,
                "Nothing is wrong that the relay sees. If clients do not get through: does this "
                "port of this host let them in (a firewall), and does the service behind the "
                "agent answer? The agent's log tells.\n");
    }
}

// What was refused that is about a port, or a word.
static uint32_t refusals_write(struct wr *wr, const struct tunnel_why *why, uint16_t port,
                               struct bytes word)
{
    struct tunnel_refusal found[TUNNEL_REFUSALS_DEPTH];
    const uint32_t count = tunnel_refusals_find_about(why->refusals, port, word, found);

    for (uint32_t i = 0; i < count; i++) {
        tunnel_why_words_refusal(wr, why, &found[i]);
    }
    return count;
}

static void tunnel_refusals_write(struct wr *wr, const struct tunnel_why *why,
                                  const struct revtun_hub_look *look, uint16_t port)
{
    uint8_t memory[TUNNEL_REFUSALS_ABOUT_MAX];
    struct wr word = wr_init(memory, sizeof memory);

    wr_bytes(&word, look->owner);
    wr_text(&word, "/");
    wr_bytes(&word, look->name);
    refusals_write(wr, why, port, wr_done(&word));
}

// --- of a port -----------------------------------------------------------------------------------

static void nobody_write(struct wr *wr, const struct tunnel_why *why, uint16_t port)
{
    struct revtun_names_lease lease;

    wr_text(wr, "No agent has it now, and clients are reset.\n");
    if (revtun_names_look(revtun_hub_names(why->hub), port, why->now.wall_s, &lease)) {
        wr_text(wr, "- It is kept for tunnel ");
        plain_write(wr, lease.owner);
        wr_text(wr, "/");
        plain_write(wr, lease.name);
        tunnel_why_words_number(wr, ", which had it until ",
                                tunnel_why_words_since(why, lease.released_s), " s ago\n");
        tunnel_why_words_advice(wr, "its agent has ended, or was away for longer than --grace",
                                "look at that agent: does it run, and what does it say?");
    }
    refusals_write(wr, why, port, (struct bytes){0});
}

// All tunnels that have hosts.
static void hosts_write(struct wr *wr, const struct tunnel_why *why)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < revtun_hub_look_count(why->hub); i++) {
        struct revtun_hub_look look;

        if (!revtun_hub_look(why->hub, i, &look) || look.port != 0 || look.has_ended ||
            count++ >= TUNNEL_WHY_SERVERS_MAX) {
            continue;
        }
        wr_text(wr, "- ");
        tunnel_write(wr, why, i, &look);
        wr_text(wr, look.agent.family == ADDR_NONE ? ", and its agent is lost\n" : "\n");
    }
    if (count > TUNNEL_WHY_SERVERS_MAX) {
        tunnel_why_words_number(wr, "- ", count - TUNNEL_WHY_SERVERS_MAX, " more tunnels\n");
    }
    if (count == 0) {
        wr_text(wr, "No tunnel has a host now, and clients are reset.\n");
    }
}

bool tunnel_why_agents_port_write(struct wr *wr, const struct tunnel_why *why, uint16_t port)
{
    struct revtun_hub_look look;

    if (why->hub == NULL) {
        return false;
    }
    if (port == why->hub_limits->tls_port) {
        wr_text(wr, " is the TLS port that tunnels share by the host that clients ask for.\n");
        hosts_write(wr, why);
        refusals_write(wr, why, port, (struct bytes){0});
        return true;
    }
    const uint32_t place = (uint32_t)port - why->hub_limits->first_port; // wraps for ports below
    if (place >= why->hub_limits->port_count) {
        return false;
    }
    wr_text(wr, " is a port of tunnels.\n");
    const uint32_t index = revtun_hub_look_port(why->hub, port);
    if (index == POOL_NONE || !revtun_hub_look(why->hub, index, &look)) {
        nobody_write(wr, why, port);
        return true;
    }
    whole_write(wr, why, index, &look);
    tunnel_refusals_write(wr, why, &look, port);
    return true;
}

// --- of an address -------------------------------------------------------------------------------

static void link_write(struct wr *wr, const struct tunnel_why *why,
                       const struct revtun_hub_look_link *link)
{
    wr_text(wr, "Agent ");
    plain_write(wr, link->owner);
    wr_text(wr, " has a control connection from ");
    addr_write(wr, &link->peer);
    tunnel_why_words_number(wr, ", up for ", seconds_from(why, link->up_ns), " s: ");
    tunnel_why_words_number(wr, "", link->tunnels, " tunnels, ");
    tunnel_why_words_number(wr, "", link->standing, " connections that stand by.\n");
}

uint32_t tunnel_why_agents_address_write(struct wr *wr, const struct tunnel_why *why,
                                         const struct addr *address)
{
    const uint32_t link_count = why->hub == NULL ? 0 : revtun_hub_look_link_count(why->hub);
    uint32_t count = 0;

    for (uint32_t i = 0; i < link_count; i++) {
        struct revtun_hub_look_link link;

        if (revtun_hub_look_link(why->hub, i, &link) && addr_same_ip(&link.peer, address) &&
            count++ < TUNNEL_WHY_SERVERS_MAX) {
            link_write(wr, why, &link);
        }
    }
    if (count > TUNNEL_WHY_SERVERS_MAX) {
        tunnel_why_words_number(wr, "", count - TUNNEL_WHY_SERVERS_MAX, " more of its agents.\n");
    }
    return count;
}

// --- of a word -----------------------------------------------------------------------------------

// The word is "owner/name", the name, or the owner.
static bool is_called(struct bytes word, struct bytes owner, struct bytes name)
{
    const size_t slash = bytes_index(word, '/');

    return bytes_equal(word, owner) || bytes_equal(word, name) ||
           (slash < word.len && bytes_equal(bytes_first(word, slash), owner) &&
            bytes_equal(bytes_from(word, slash + 1), name));
}

static uint32_t called_write(struct wr *wr, const struct tunnel_why *why, struct bytes word)
{
    const uint32_t host = revtun_hub_look_host(why->hub, word);
    uint32_t count = 0;

    for (uint32_t i = 0; i < revtun_hub_look_link_count(why->hub); i++) {
        struct revtun_hub_look_link link;

        if (revtun_hub_look_link(why->hub, i, &link) && bytes_equal(link.owner, word) &&
            count++ < TUNNEL_WHY_SERVERS_MAX) {
            link_write(wr, why, &link);
        }
    }
    for (uint32_t i = 0; i < revtun_hub_look_count(why->hub); i++) {
        struct revtun_hub_look look;

        if (revtun_hub_look(why->hub, i, &look) &&
            (i == host || is_called(word, look.owner, look.name)) &&
            count++ < TUNNEL_WHY_SERVERS_MAX) {
            whole_write(wr, why, i, &look);
        }
    }
    if (count > TUNNEL_WHY_SERVERS_MAX) {
        tunnel_why_words_number(wr, "- ", count - TUNNEL_WHY_SERVERS_MAX, " more of that name\n");
    }
    return count;
}

// Ports that rest for what is called so.
static uint32_t leases_write(struct wr *wr, const struct tunnel_why *why, struct bytes word)
{
    const struct revtun_hub_config *limits = why->hub_limits;
    uint32_t count = 0;

    for (uint32_t i = 0; i < limits->port_count; i++) {
        const uint16_t port = (uint16_t)(limits->first_port + i);
        struct revtun_names_lease lease;

        if (!revtun_names_look(revtun_hub_names(why->hub), port, why->now.wall_s, &lease) ||
            lease.is_bound || !is_called(word, lease.owner, lease.name) ||
            count++ >= TUNNEL_WHY_SERVERS_MAX) {
            continue;
        }
        wr_text(wr, "- Tunnel ");
        plain_write(wr, lease.owner);
        wr_text(wr, "/");
        plain_write(wr, lease.name);
        tunnel_why_words_number(wr, " is not there; it had port ", port, "");
        tunnel_why_words_number(wr, ", which is kept for it, until ",
                                tunnel_why_words_since(why, lease.released_s), " s ago\n");
        tunnel_why_words_advice(wr, "its agent has ended, or was away for longer than --grace",
                                "look at that agent: does it run, and what does it say?");
    }
    return count;
}

void tunnel_why_agents_word_write(struct wr *wr, const struct tunnel_why *why, struct bytes word)
{
    assert(why->hub != NULL);
    const uint32_t called_count = called_write(wr, why, word);
    const uint32_t lease_count = leases_write(wr, why, word);
    const uint32_t refusal_count = refusals_write(wr, why, 0, word);

    if (called_count + lease_count + refusal_count > 0) {
        return;
    }
    wr_text(wr, "Nothing is known of ");
    plain_write(wr, word);
    wr_text(wr, ": no agent, no tunnel and no host of a tunnel is called so now, and nothing that "
                "was refused to one is remembered. If there should be one, look at the agent: does "
                "it run, and what does it say?\n");
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_why_words.h"

#include "base/plain.h"
#include "revtun/revtun_pairs.h"

enum { RECENT_S = 600 }; // what is older is not why somebody asks now

void tunnel_why_words_number(struct wr *wr, const char *before, uint64_t number, const char *after)
{
    wr_text(wr, before);
    wr_decimal(wr, number);
    wr_text(wr, after);
}

uint64_t tunnel_why_words_since(const struct tunnel_why *why, int64_t then_s)
{
    return why->now.wall_s > then_s ? (uint64_t)(why->now.wall_s - then_s) : 0;
}

void tunnel_why_words_advice(struct wr *wr, const char *why, const char *advice)
{
    wr_text(wr, "  why: ");
    wr_text(wr, why);
    wr_text(wr, "\n  what to do: ");
    wr_text(wr, advice);
    wr_text(wr, "\n");
}

bool tunnel_why_words_is_recent(const struct tunnel_why *why, const struct tunnel_ledger_mark *mark)
{
    return mark->count > 0 && tunnel_why_words_since(why, mark->last_s) < RECENT_S;
}

void tunnel_why_words_mark(struct wr *wr, const struct tunnel_why *why,
                           const struct tunnel_ledger_mark *mark, const char *what)
{
    wr_decimal(wr, mark->count);
    wr_text(wr, what);
    tunnel_why_words_number(wr, ", the last one ", tunnel_why_words_since(why, mark->last_s),
                            " s ago");
}

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
         "see --max-sessions, --max-waiting and those of a pair and an address; of an agent "
         "also connections= in the list that --access names"},
    [TUNNEL_REFUSAL_TIMED_OUT] =
        {"it was closed as a client", "its server or agent did not dial back in time",
         "fairlead-tunnel why, with the port or the host that it came for, "
         "tells of that"},
    [TUNNEL_REFUSAL_FOREIGN] = {"its reverse connection was refused",
                                "it does not come from where the server's control connection does",
                                "if it is the server, give --reverse-policy any"},
    [TUNNEL_REFUSAL_AGENT] = {"its control connection as an agent has ended", NULL,
                              "look at the agent's log; who may come, and what for, stands in the "
                              "list that --access names"},
    [TUNNEL_REFUSAL_BIND] = {"as an agent it was refused a name", NULL,
                             "look at the agent's options and at its line in the list that "
                             "--access names; fairlead-tunnel why, with the name or the port, "
                             "tells who has it"},
    [TUNNEL_REFUSAL_DENIED] = {"it was reset as a client",
                               "its agent refused it, as when the service cannot be reached",
                               "look at the agent's log, and at the service behind it"},
    [TUNNEL_REFUSAL_NOBODY] =
        {"it was reset as a client", "no agent had what it came for",
         "look at the agent that is to have it: does it run, and what does it "
         "say?"},
    [TUNNEL_REFUSAL_FORGED] = {"its data connection was reset",
                               "it shows no agent that is here that it belongs to it",
                               "if it is an agent, its control connection was lost meanwhile"},
    [TUNNEL_REFUSAL_SEALED] = {"its data connection in TLS was refused", NULL,
                               "if it is an agent, look at its log: it makes another one for each "
                               "client"},
};

// "at public port 12101", "of laptop/web, port 12150", "for a.test, port 443".
static void place_write(struct wr *wr, const struct tunnel_why *why,
                        const struct tunnel_refusal *refusal)
{
    const struct revtun_config *limits = why->limits;

    if (refusal->pair < limits->pair_count) {
        tunnel_why_words_number(
            wr, ", at public port ",
            revtun_pairs_public_port(limits->control_port, limits->pair_count, refusal->pair), "");
    }
    if (refusal->about[0] != '\0') {
        wr_text(wr, refusal->kind == TUNNEL_REFUSAL_NOBODY ? ", for " : ", of ");
        plain_write(wr, bytes_of_text(refusal->about));
    }
    if (refusal->port != 0) {
        tunnel_why_words_number(wr, ", port ", refusal->port, "");
    }
}

void tunnel_why_words_refusal(struct wr *wr, const struct tunnel_why *why,
                              const struct tunnel_refusal *refusal)
{
    const struct words *words = &kinds[refusal->kind];

    wr_text(wr, "- ");
    addr_write(wr, &refusal->from);
    wr_text(wr, ": ");
    wr_text(wr, words->what);
    place_write(wr, why, refusal);
    if (refusal->count > 1) {
        // A clock may have been set back in between.
        const int64_t span_s = refusal->last_s - refusal->first_s;
        tunnel_why_words_number(wr, ", ", refusal->count, " times in ");
        tunnel_why_words_number(wr, "", span_s > 0 ? (uint64_t)span_s : 0, " s, the last one");
    } else {
        wr_text(wr, ",");
    }
    tunnel_why_words_number(wr, " ", tunnel_why_words_since(why, refusal->last_s),
                            " s ago\n  why: ");
    plain_write(wr, bytes_of_text(words->why != NULL ? words->why : refusal->detail));
    wr_text(wr, "\n  what to do: ");
    wr_text(wr, words->advice);
    wr_text(wr, "\n");
}

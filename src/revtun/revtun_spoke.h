// SPDX-License-Identifier: Apache-2.0
// The agent's side of version 2 (docs/tunnel-protocol.md): keeps a control connection to a relay's
// hub, binds its services there, and says what is to be connected for each client.
//
//      FREE --CONNECT--> DIALLED --up--> HELLO --welcome--> OPEN
//       ^                   |              |                  |  bye, silence, nonsense, its end
//       |      down         v              v                  v
//       '--------------- from each of these, and from CLOSING
//
// A link is a control connection; there are two, since a relay that drains is left for another
// while its own clients are still served. One of them is the main one, on which services are bound;
// the other only serves who still comes there, until the relay ends it.
//
// What is dialled for clients are calls. A client that waits is a DIAL: the service and the relay
// are connected to, and the preface is written once both are there; best the service first, so that
// the relay hears at once when it is not there. A standing connection is a STAND: the relay is
// connected to, the preface is written at once, and what comes then is for revtun_spoke_head(),
// which says whose it is. Once it has a client a call needs no link any more, and goes on when that
// is lost.
//
// The timers, all of them:
//      of a link        HELLO: 30 s for welcome; OPEN: ping_s of saying nothing, dead_s of hearing
//                       nothing; the end of a drain, and dead_s
//      of the spoke     until it connects again: from half a second on, half as much again each
//                       time, up to 30 s, each made shorter or longer by up to its half; that
//                       begins anew once a link was open for 10 s
//      of a service     until it is asked for: at once, or when the relay said; or after a minute,
//                       if it was refused without hope, yet was bound before
//
// It knows no socket: events in, commands out, in memory of the caller's, which is all that a relay
// can make it hold. A caller, such as a program or a simulated agent, does this:
//
//      revtun_spoke_init();
//      forever:
//          do take and carry out all commands, until revtun_spoke_take() is false;
//          while revtun_spoke_deadline() <= now: revtun_spoke_tick(), and again the commands;
//          one event
//
// and keeps, by pool_ref.index of each call, the connection or two that belong to it. Functions
// that name a call do nothing when that is over already. CONNECT, DIAL, STAND and SERVE come last
// of an event's commands: what becomes of them may be told at once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "revtun/revtun_head.h"
#include "revtun/revtun_message.h"
#include "revtun/revtun_preface.h"
#include "revtun/revtun_secrets.h"
#include "revtun/revtun_token.h"

enum {
    REVTUN_SPOKE_LINK_MAX = 2,
    REVTUN_SPOKE_SERVICE_MAX = 32,
    REVTUN_SPOKE_SESSION_MAX = 65536,
    REVTUN_SPOKE_HELLO_S = 30,        // for welcome
    REVTUN_SPOKE_STEADY_S = 10,       // of a link, after which waits begin anew
    REVTUN_SPOKE_WAIT_FIRST_MS = 500, // before it connects again
    REVTUN_SPOKE_WAIT_MAX_S = 30,
    REVTUN_SPOKE_RETRY_MAX_S = 300,    // that a relay may have us wait
    REVTUN_SPOKE_REFUSED_S = 60,       // before it asks again for what was refused without hope
    REVTUN_SPOKE_SILENCE_MAX_S = 3600, // that a relay may have us believe in
};

enum revtun_spoke_retry {
    REVTUN_SPOKE_RETRY_NEVER,
    REVTUN_SPOKE_RETRY_LOST, // once a service was bound: what never worked needs a person
    REVTUN_SPOKE_RETRY_ALWAYS,
};

// What clients are to come to; as in `bind`. Services have different names.
struct revtun_spoke_service {
    struct bytes name; // a name (revtun_pattern.h)
    enum revtun_message_kind kind;
    uint16_t port;      // of kind tcp; 0: any
    struct bytes hosts; // of kind sni
    uint32_t max;       // clients at a time; 0: as many as the relay allows
    bool is_taken;      // from another process of this agent, even if that is alive
};

// All that is pointed to is borrowed for the spoke's life.
struct revtun_spoke_config {
    const struct revtun_token *token; // NULL: it proves itself by the handshake's certificate
    uint64_t instance;                // random, of this process
    struct bytes program;             // program and version, for the relay's log
    const struct revtun_spoke_service *services;
    uint32_t service_count; // 1 to REVTUN_SPOKE_SERVICE_MAX
    uint32_t session_max;   // clients at a time; 1 to REVTUN_SPOKE_SESSION_MAX
    uint32_t pool;          // standing connections; up to REVTUN_MESSAGE_POOL_MAX
    enum revtun_spoke_retry retry;
    // How data connections are to be made. ANY: as the relay wants them, and plain where it leaves
    // the choice; else like this or not at all.
    enum revtun_message_data data;
    struct siphash_key key; // random; for waits and tables
};

// Why a link has ended, or the spoke.
enum revtun_spoke_why {
    REVTUN_SPOKE_LOST,     // revtun_spoke_down() came by itself: the caller knows why
    REVTUN_SPOKE_BYE,      // the relay has said so: `code`, `text`
    REVTUN_SPOKE_SILENT,   // the relay says nothing
    REVTUN_SPOKE_STRANGE,  // what it says is against the protocol
    REVTUN_SPOKE_SEALED,   // it wants data connections in TLS, and we plain ones alone
    REVTUN_SPOKE_UNSEALED, // it has none in TLS, and we want these alone
    REVTUN_SPOKE_REFUSED,  // no service is left: the last one has been refused with `code`
    REVTUN_SPOKE_REPLACED, // likewise: another process has taken it
};

enum revtun_spoke_type {
    REVTUN_SPOKE_CONNECT, // `link` to the relay; revtun_spoke_up() or _down() is to follow
    REVTUN_SPOKE_SEND,    // `text` on `link`. If that cannot be, the link is to end
    REVTUN_SPOKE_CLOSE,   // `link`, behind what was sent; revtun_spoke_down() is to follow
    REVTUN_SPOKE_ABANDON, // those calls of `link` that have no client or are still dialled: they
                          // are reset, and revtun_spoke_ended() said of each, before all else
    REVTUN_SPOKE_DIAL,    // for a client: the service and the relay; revtun_spoke_joined() is to
                          // follow, or _failed()
    REVTUN_SPOKE_STAND,   // the relay; revtun_spoke_head() is to follow, or _failed(), _ended()
    REVTUN_SPOKE_SERVE,   // a standing connection has a client: dial the service for it
    REVTUN_SPOKE_DROP,    // `call`: what it has is reset; it is over
    REVTUN_SPOKE_TELL,    // what people may want to know
    REVTUN_SPOKE_STOP,    // it is over: `news.why`. No call runs, and all links are closed already
};

enum revtun_spoke_event {
    REVTUN_SPOKE_WELCOME,  // `text` is the relay's program; `address` ourselves as it sees us
    REVTUN_SPOKE_BOUND,    // clients find `service` at `at`
    REVTUN_SPOKE_DENIED,   // `service` was refused, or taken away: `code`, `key`, `text`; in
                           // `wait_ns` it is asked for again, if that is not NEVER
    REVTUN_SPOKE_CROWDED,  // clients are turned away, since there are session_max; once a link
    REVTUN_SPOKE_DRAINING, // the relay ends in `wait_ns`: another link is made
    REVTUN_SPOKE_WAITING,  // a link has ended, see `why`, and another is made in `wait_ns`
    REVTUN_SPOKE_STOPPING, // likewise, and no other is made; running clients go on
};

// Texts are borrowed until the next event.
struct revtun_spoke_news {
    enum revtun_spoke_event event;
    enum revtun_spoke_why why;
    enum revtun_message_code code;
    uint32_t service; // its index
    uint64_t wait_ns;
    uint64_t lease_s; // BOUND
    struct addr address;
    struct bytes at;
    struct bytes key;
    struct bytes text; // the relay's own words: UTF-8 without control characters
};

// Borrowed until the next event.
struct revtun_spoke_client {
    uint32_t service; // its index
    struct addr src;
    struct addr dst;
    struct bytes sni; // the host that it asked for; or empty
};

struct revtun_spoke_command {
    enum revtun_spoke_type type;
    uint32_t link; // 0 to REVTUN_SPOKE_LINK_MAX - 1
    struct pool_ref call;
    struct bytes text;      // SEND
    const uint8_t *preface; // DIAL, STAND: REVTUN_PREFACE_LEN bytes, as long-lived as the call
    bool is_tls;            // DIAL, STAND: the connection to the relay is made in TLS
    struct revtun_spoke_client client; // DIAL, SERVE
    struct revtun_spoke_news news;     // TELL, STOP
};

struct revtun_spoke;

bool revtun_spoke_config_is_sound(const struct revtun_spoke_config *config);
// Calls that there are at most, by which the caller may size what it keeps of them.
uint32_t revtun_spoke_call_max(const struct revtun_spoke_config *config);
// Bytes of memory, for all its life.
size_t revtun_spoke_size(const struct revtun_spoke_config *config);
// `memory` is zeroed, aligned for uint64_t, and has revtun_spoke_size() bytes; the configuration is
// sound, and copied. The first command is REVTUN_SPOKE_CONNECT.
struct revtun_spoke *revtun_spoke_init(void *memory, const struct revtun_spoke_config *config);

// --- control connections -------------------------------------------------------------------------

// A handshake is over which has chosen tlsrelay/2, and the relay is the right one. `exported`: see
// revtun_secrets.h; borrowed for the call.
void revtun_spoke_up(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                     const uint8_t exported[REVTUN_SECRETS_EXPORT_LEN]);
// Bytes have come. Takes at most one line off them: to be called again, with all commands carried
// out and all that is due done in between, until nothing is left.
void revtun_spoke_read(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                       struct bytes *received);
// It has ended, or could not be made.
void revtun_spoke_down(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link);
// The program ends: good-bye is said, and nothing more is asked of it but SEND and CLOSE.
void revtun_spoke_leave(struct revtun_spoke *spoke, uint64_t now_ns);

// --- calls ---------------------------------------------------------------------------------------

// The preface of a DIAL has been written: from now on it has its client.
void revtun_spoke_joined(struct revtun_spoke *spoke, struct pool_ref call);
// A DIAL or STAND has failed, with a code and words that the relay is to hear.
void revtun_spoke_failed(struct revtun_spoke *spoke, uint64_t now_ns, struct pool_ref call,
                         enum revtun_message_code code, struct bytes text);
// Reads the head from all that has come on a standing connection. WHOLE: the client's bytes begin
// at *len, and SERVE or DROP is among the commands. BAD: it is to be reset, and is over. PART: more
// is to come.
enum revtun_head_outcome revtun_spoke_head(struct revtun_spoke *spoke, struct pool_ref call,
                                           struct bytes received, size_t *len);
// It has ended, whatever it was.
void revtun_spoke_ended(struct revtun_spoke *spoke, struct pool_ref call);

// --- time and commands ---------------------------------------------------------------------------

// Does one thing that is due.
void revtun_spoke_tick(struct revtun_spoke *spoke, uint64_t now_ns);
uint64_t revtun_spoke_deadline(const struct revtun_spoke *spoke);
// False, with *out untouched, when there is nothing to do.
MUST_USE bool revtun_spoke_take(struct revtun_spoke *spoke, struct revtun_spoke_command *out);

// What it has now.
struct revtun_spoke_gauges {
    uint32_t bound;    // services
    uint32_t sessions; // clients, with those that are still dialled
    uint32_t standing; // connections, with those that are still dialled
};
struct revtun_spoke_gauges revtun_spoke_gauges(const struct revtun_spoke *spoke);

// SPDX-License-Identifier: Apache-2.0
// Control connections: TLS from their accept to their end.
//
//     SHAKING --opened--> PROVING --> UP --close--> CLOSING
//        `--------------------`--------`---------------`---> gone
//
// With version 1 the certificate is all the proof there is, and PROVING is passed over. With
// version 2 (by ALPN) it lasts until tunnel_controls_prove(): who is there has shown nothing yet,
// and counts as a stranger. Who turns out to be a data connection, which comes here only when its
// ClientHello did not look like one, goes from SHAKING to CLOSING, and nothing is told of it.
//
// Timers: SHAKING lasts TUNNEL_CONTROLS_SHAKE_S at most, CLOSING TUNNEL_CONTROLS_CLOSE_S; one
// that is UP and rests is read again then. It lives as long as its server: TCP's keepalive and the
// limit for unacknowledged bytes notice when that is gone. How long PROVING may take is the owner's
// to say.
//
// Strangers have TUNNEL_CONTROLS_STRANGER_MAX places, of which one address has
// TUNNEL_CONTROLS_ADDRESS_MAX: when an address has its share its oldest one goes, and when all are
// taken the oldest of all. How often one may begin says tunnel_handshakes.h. Nothing is told of a
// connection before its handshake is over.
//
// Of who does not read what is said to him nothing is read, once half of what may wait does; and of
// one that is UP nothing, while its owner wants it to rest.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/heap.h"
#include "base/now.h"
#include "io/io_loop.h"
#include "io/io_tls.h"
#include "tunnel/tunnel_handshakes.h"
#include "tunnel/tunnel_refusals.h"

// By ALPN.
#define TUNNEL_CONTROLS_FIRST "tlsrelay/1"
#define TUNNEL_CONTROLS_SECOND "tlsrelay/2"

enum {
    TUNNEL_CONTROLS_SHAKE_S = 10,
    TUNNEL_CONTROLS_CLOSE_S = 5,
    TUNNEL_CONTROLS_GONE_MS = 45000,    // who acknowledges nothing for so long is gone
    TUNNEL_CONTROLS_STRANGER_MAX = 256, // SHAKING, PROVING or CLOSING, when one more comes
    TUNNEL_CONTROLS_ADDRESS_MAX = 16,   // of these
};

struct tunnel_controls;

// What the owner hears, by the number of the connection. He may call anything here.
struct tunnel_controls_events {
    // One does not come so far, for what stands in `why` (may be NULL).
    void (*refused)(void *context, const struct addr *peer, enum tunnel_refusal_kind kind,
                    const char *why);
    // The handshake is over, and the certificate, if one was needed, is good.
    void (*up)(void *context, uint32_t number, const struct addr *peer);
    void (*received)(void *context, uint32_t number, struct bytes bytes);
    // One that was told of is gone: by itself, or another one has taken its place; not by
    // tunnel_controls_close() or _abort().
    void (*down)(void *context, uint32_t number, const char *reason);
};

enum tunnel_control_state {
    TUNNEL_CONTROL_FREE,
    TUNNEL_CONTROL_SHAKING,
    TUNNEL_CONTROL_PROVING,
    TUNNEL_CONTROL_UP,
    TUNNEL_CONTROL_CLOSING,
};

struct tunnel_control {
    struct io_tls tls;
    struct tunnel_controls *controls;
    enum tunnel_control_state state;
    struct addr peer;
    struct addr origin;    // of the peer, by which strangers are counted
    uint64_t opened_count; // how many came before it: who is older
    uint32_t at;           // of a stranger: its place in `strangers`
    uint32_t next_free;
};

struct tunnel_controls {
    struct io_loop *loop;
    const struct tunnel_controls_events *events;
    void *context;
    struct io_tls_context *tls;          // for those that come; the caller's, who may replace it
    struct tunnel_handshakes handshakes; // the caller's likewise
    struct tunnel_control *places;
    uint32_t capacity;
    uint32_t first_free;
    uint32_t up_count;
    uint32_t stranger_count;
    uint32_t *strangers; // their numbers, in no order
    uint64_t opened_count;
    uint64_t refused[IO_TLS_END_KIND_COUNT]; // that did not come UP, by why
    uint64_t displaced_count;                // that others took the place of
    uint64_t crowded_count;                  // whose handshake did not even begin
    uint64_t rested_count;                   // how often one was not read for a while
    void *timers_memory;
    struct heap timers;
};

// For `up_max` that are UP at a time, without a limit of handshakes. It is all zero before, and
// does not move until it is closed, which is due in any case. 0 or -ENOMEM.
MUST_USE int tunnel_controls_open(struct tunnel_controls *controls, struct io_loop *loop,
                                  uint32_t up_max, const struct tunnel_controls_events *events,
                                  void *context);
// Closes all at once. Closing twice, or what is all zero, does nothing.
void tunnel_controls_close_all(struct tunnel_controls *controls);

// Takes over a connection that was accepted, or resets it.
void tunnel_controls_add(struct tunnel_controls *controls, struct now now, int fd,
                         const struct addr *from);

// It was told of, and speaks version 2.
bool tunnel_controls_is_second(const struct tunnel_controls *controls, uint32_t number);
// Of one that was told of: its TLS, to be asked about.
const struct io_tls *tunnel_controls_tls(const struct tunnel_controls *controls, uint32_t number);
// One of version 2 has proven itself: it is no stranger any more.
void tunnel_controls_prove(struct tunnel_controls *controls, uint32_t number);

// One of version 2 that has proven itself comes from there, or from the same network.
bool tunnel_controls_is_home(const struct tunnel_controls *controls, const struct addr *from);

// To one that was told of. False: it takes no more, and is to be aborted.
MUST_USE bool tunnel_controls_send(struct tunnel_controls *controls, uint32_t number,
                                   struct bytes bytes);
// Nothing is read of one that is UP until then (monotonic ns).
void tunnel_controls_rest(struct tunnel_controls *controls, uint32_t number, uint64_t until_ns);
// Ends one that was told of, once it has what was sent.
void tunnel_controls_close(struct tunnel_controls *controls, struct now now, uint32_t number);
// Ends it at once.
void tunnel_controls_abort(struct tunnel_controls *controls, uint32_t number);

// Ends those whose time is over. When it is to be called next (monotonic ns), or NEVER.
uint64_t tunnel_controls_tick(struct tunnel_controls *controls, struct now now);

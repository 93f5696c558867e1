// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_advice.h"

#include <assert.h>

static const char give_password[] =
    "Give the client the username and password that the relay has; both are compared byte by byte.";
static const char renew[] = "Let the client fetch a new credential before the old one is over; if "
                            "it is new, compare the clocks of its maker and of this host.";
static const char portal_differs[] = "The portal that made the credential has another stamp secret "
                                     "than this relay: was the relay restarted with a new one?";
static const char allow[] =
    "If clients are to reach it, give --allow-peer its prefix; otherwise "
    "the client only tries all candidates of its peer, and nothing is wrong.";
static const char never[] = "No option allows it. The client only tries all candidates of its "
                            "peer, and nothing is wrong.";
static const char more_memory[] = "Raise the option if the clients are real; it costs memory.";
static const char one_client[] =
    "Raise the option if the client needs so many peers, which is unusual.";
static const char protocol[] = "The client does not follow RFC 8656; look for a newer version.";

static const struct {
    enum stun_error_code code;
    const char *words;
} advices[TURN_REFUSAL_END] = {
    [TURN_REFUSAL_STRANGER] = {STUN_ERROR_UNAUTHENTICATED, give_password},
    [TURN_REFUSAL_REALM] = {STUN_ERROR_UNAUTHENTICATED,
                            "The client must take the realm out of the 401 response, not out of "
                            "its own configuration."},
    [TURN_REFUSAL_PASSWORD] = {STUN_ERROR_UNAUTHENTICATED, give_password},
    [TURN_REFUSAL_REST_PASSWORD] = {STUN_ERROR_UNAUTHENTICATED,
                                    "The web service that made the credential has another secret "
                                    "than --auth-secret, or makes the password in another way; "
                                    "fairlead-relay credential shows a right one."},
    [TURN_REFUSAL_REST_OVER] = {STUN_ERROR_UNAUTHENTICATED, renew},
    [TURN_REFUSAL_FIREZONE_NAME] = {STUN_ERROR_UNAUTHENTICATED, portal_differs},
    [TURN_REFUSAL_FIREZONE_PASSWORD] = {STUN_ERROR_UNAUTHENTICATED, portal_differs},
    [TURN_REFUSAL_FIREZONE_OVER] = {STUN_ERROR_UNAUTHENTICATED, renew},

    [TURN_REFUSAL_RULE] = {STUN_ERROR_FORBIDDEN,
                           "A --deny-peer denies it; a longer prefix of --allow-peer would win."},
    [TURN_REFUSAL_LISTENER] = {STUN_ERROR_FORBIDDEN, never},
    [TURN_REFUSAL_TUNNEL] = {STUN_ERROR_FORBIDDEN, never},
    [TURN_REFUSAL_OWN] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_UNSPECIFIED] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_LOOPBACK] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_LINK_LOCAL] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_PRIVATE] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_SHARED] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_UNIQUE_LOCAL] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_MULTICAST] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_BROADCAST] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_RESERVED] = {STUN_ERROR_FORBIDDEN, allow},
    [TURN_REFUSAL_DOCUMENTATION] = {STUN_ERROR_FORBIDDEN, allow},

    [TURN_REFUSAL_NO_ALLOCATION] = {STUN_ERROR_ALLOCATION_MISMATCH,
                                    "Its allocation has expired, the relay was restarted, or a NAT "
                                    "has given the client another address or port. It should "
                                    "allocate anew; if it happens often, it refreshes too late."},
    [TURN_REFUSAL_HAS_ALLOCATION] = {STUN_ERROR_ALLOCATION_MISMATCH,
                                     "Clients must delete an allocation, or use another local "
                                     "port, before they ask for a new one. A client that was "
                                     "restarted at the same port has to wait until the old one "
                                     "expires."},
    [TURN_REFUSAL_WRONG_USER] = {STUN_ERROR_WRONG_CREDENTIALS,
                                 "Clients must use the credential with which they allocated, also "
                                 "when they have fetched a new one since."},
    [TURN_REFUSAL_FAMILY] = {STUN_ERROR_FAMILY_NOT_SUPPORTED,
                             "Give the relay a public address of that family (--public-ip4-addr, "
                             "--public-ip6-addr), or let the client ask for the other one."},
    [TURN_REFUSAL_TRANSPORT] = {STUN_ERROR_UNSUPPORTED_TRANSPORT,
                                "The relay speaks UDP to peers; the client must ask for that."},
    [TURN_REFUSAL_PEER_FAMILY] = {STUN_ERROR_PEER_FAMILY_MISMATCH,
                                  "The client must ask for an allocation of its peer's family, or "
                                  "of both (ADDITIONAL-ADDRESS-FAMILY)."},
    [TURN_REFUSAL_TOKEN] = {STUN_ERROR_INSUFFICIENT_CAPACITY,
                            "Reservations last for 30 seconds, and serve once."},
    [TURN_REFUSAL_UNKNOWN_ATTRIBUTES] = {STUN_ERROR_UNKNOWN_ATTRIBUTE,
                                         "The response names them; the client asks for an "
                                         "extension that the relay does not have."},
    [TURN_REFUSAL_MALFORMED] = {STUN_ERROR_BAD_REQUEST, protocol},

    [TURN_REFUSAL_TUNNELLED_CLIENT] = {STUN_ERROR_FORBIDDEN,
                                       "Let the client come by another way than a 6to4 or Teredo "
                                       "tunnel (RFC 8656 section 21.1.9)."},
    [TURN_REFUSAL_DRAINING] = {STUN_ERROR_INSUFFICIENT_CAPACITY,
                               "Give clients another relay while this one ends."},
    [TURN_REFUSAL_USER_QUOTA] = {STUN_ERROR_QUOTA_REACHED,
                                 "Raise the option, give users names of their own, or find out why "
                                 "the user's clients do not delete their allocations."},
    [TURN_REFUSAL_ALLOCATIONS] = {STUN_ERROR_INSUFFICIENT_CAPACITY, more_memory},
    [TURN_REFUSAL_PORTS] = {STUN_ERROR_INSUFFICIENT_CAPACITY,
                            "Widen the range, in the firewall too."},
    [TURN_REFUSAL_RESERVATIONS] = {STUN_ERROR_INSUFFICIENT_CAPACITY,
                                   "They free themselves within 30 seconds."},
    [TURN_REFUSAL_SOCKETS] = {STUN_ERROR_INSUFFICIENT_CAPACITY,
                              "Raise the limit of descriptors (ulimit -n, LimitNOFILE=)."},
    [TURN_REFUSAL_BINDS] = {STUN_ERROR_INSUFFICIENT_CAPACITY,
                            "Other programs use ports of the range; give the relay one of its own "
                            "(net.ipv4.ip_local_reserved_ports keeps others off)."},
    [TURN_REFUSAL_PERMISSIONS] = {STUN_ERROR_INSUFFICIENT_CAPACITY, more_memory},
    [TURN_REFUSAL_ALLOCATIONS_PERMISSIONS] = {STUN_ERROR_INSUFFICIENT_CAPACITY, one_client},
    [TURN_REFUSAL_CHANNELS] = {STUN_ERROR_INSUFFICIENT_CAPACITY, more_memory},
    [TURN_REFUSAL_ALLOCATIONS_CHANNELS] = {STUN_ERROR_INSUFFICIENT_CAPACITY, one_client},
};

enum stun_error_code turn_advice_code(enum turn_refusal refusal)
{
    assert(refusal > TURN_REFUSAL_NONE);
    assert(refusal < TURN_REFUSAL_END);
    return advices[refusal].code;
}

const char *turn_advice_words(enum turn_refusal refusal)
{
    assert(refusal > TURN_REFUSAL_NONE);
    assert(refusal < TURN_REFUSAL_END);
    return advices[refusal].words;
}

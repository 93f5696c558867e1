// SPDX-License-Identifier: Apache-2.0
// How the relay is, for threads that have no other business with one another: each may write its
// part and read all at any time, and nobody waits.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/macro.h"

enum relay_status_portal {
    RELAY_STATUS_PORTAL_NONE,       // the relay has none
    RELAY_STATUS_PORTAL_CONNECTING, // it is not joined, for the first time or again
    RELAY_STATUS_PORTAL_JOINED,
    RELAY_STATUS_PORTAL_REFUSED, // it has said no for good; nobody tries again
};

struct relay_status {
    int fd; // an eventfd, readable when the control thread is to look
    _Atomic enum relay_status_portal portal;
    atomic_bool is_serving;  // workers run
    atomic_bool is_draining; // no new allocations, and the end when the last one is gone
};

// 0 or -errno. It does not move until it is closed, and outlives all threads that know it.
MUST_USE int relay_status_open(struct relay_status *status);
// Closing twice does nothing.
void relay_status_close(struct relay_status *status);

// The portal thread's.

void relay_status_connecting(struct relay_status *status);
void relay_status_joined(struct relay_status *status);
// The relay is to drain and to end with exit status 1: the control thread is woken.
void relay_status_refused(struct relay_status *status);

// The control thread's.

void relay_status_serving(struct relay_status *status, bool is_serving);
void relay_status_draining(struct relay_status *status);
// Takes the ringing back.
void relay_status_hush(struct relay_status *status);

// Everybody's.

enum relay_status_portal relay_status_portal(struct relay_status *status);
bool relay_status_is_draining(struct relay_status *status);
// It can be given new clients: it serves, does not drain, and the portal knows it if there is one.
bool relay_status_is_ready(struct relay_status *status);

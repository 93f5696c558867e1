// SPDX-License-Identifier: Apache-2.0
// An outbox, and a batch that receives what it has sent over loopback.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "io/io_udp_batch.h"
#include "io/io_udp_outbox.h"

enum { TRAINS_SKIPPED = 77 };

#define TRAINS_TEST(test) cmocka_unit_test_setup_teardown(test, trains_open, trains_close)

struct trains {
    struct io_udp_outbox outbox;
    struct io_udp_batch batch;
    struct {
        uint32_t count;
        uint32_t calls;
        int error;
        struct addr to;
        const struct io_udp *udp;
    } unsent;
    uint8_t data[65536]; // to send; no two parts are alike
    bool is_skipped;     // some test could not run here, so the program does not claim to pass
};

extern struct trains trains;
extern const struct addr trains_locals[2]; // of loopback, IPv4 and IPv6

int trains_open(void **state);
int trains_close(void **state);

// A socket with IP fields and long buffers. False, which is said: it cannot be had here.
bool trains_socket(struct addr local, bool has_trains, struct io_udp *out);
void trains_put(struct io_udp *udp, const struct addr *to, struct bytes payload);
// So many arrivals must be there.
void trains_receive(struct io_udp *udp, uint32_t count);

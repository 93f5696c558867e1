// SPDX-License-Identifier: Apache-2.0
#include "trains.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CAPACITY = 512, BUFFER_LEN = 4 << 20 };

struct trains trains;

const struct addr trains_locals[] = {
    {.ip = {127, 0, 0, 1}, .family = ADDR_IP4},
    {.ip = {[15] = 1}, .family = ADDR_IP6},
};

static void count_unsent(void *context, const struct io_udp *udp, const struct addr *to,
                         uint32_t count, int error)
{
    assert_ptr_equal(context, &trains.unsent);
    trains.unsent.count += count;
    trains.unsent.calls++;
    trains.unsent.error = error;
    trains.unsent.to = *to;
    trains.unsent.udp = udp;
}

int trains_open(void **state)
{
    (void)state;
    memset(&trains.unsent, 0, sizeof trains.unsent);
    for (size_t i = 0; i < sizeof trains.data; i++) {
        trains.data[i] = (uint8_t)(i * 37 + i / 256);
    }
    assert_int_equal(io_udp_outbox_open(&trains.outbox), 0);
    trains.outbox.unsent = count_unsent;
    trains.outbox.context = &trains.unsent;
    return io_udp_batch_open(CAPACITY, IO_UDP_BATCH_DATAGRAM_MAX, &trains.batch);
}

int trains_close(void **state)
{
    (void)state;
    io_udp_batch_close(&trains.batch);
    io_udp_outbox_close(&trains.outbox);
    io_udp_outbox_close(&trains.outbox); // nothing to close any more
    return 0;
}

bool trains_socket(struct addr local, bool has_trains, struct io_udp *out)
{
    const struct io_udp_options options = {
        .local = local,
        .has_ip_fields = true,
        .has_trains = has_trains,
        .receive_buffer_len = BUFFER_LEN,
        .send_buffer_len = BUFFER_LEN,
    };

    if (io_udp_open(&options, out) != 0) {
        puts("skipped: needs IPv6 on loopback");
        trains.is_skipped = true;
        return false;
    }
    return true;
}

void trains_put(struct io_udp *udp, const struct addr *to, struct bytes payload)
{
    const struct io_udp_message message = {.to = to, .payload = payload};

    io_udp_outbox_put(&trains.outbox, udp, &message);
}

void trains_receive(struct io_udp *udp, uint32_t count)
{
    assert_int_equal(io_udp_batch_receive(&trains.batch, udp), 0);
    assert_int_equal(trains.batch.count, count);
}

// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_flood.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_fd.h"
#include "probe/probe_socket.h"
#include "stun/stun_attr.h"
#include "stun/stun_writer.h"

enum { SERIAL_AT = 8 }; // offset of the transaction's first bytes in a message

const char *const probe_flood_names[] = {"401", "Binding", "malformed"};

int probe_flood_open(struct probe_flood *flood, const struct addr *local, const struct addr *server)
{
    int error = 0;

    memset(flood, 0, sizeof *flood);
    for (int i = 0; i < PROBE_FLOOD_SOCKETS; i++) {
        flood->fds[i] = -1;
    }
    for (int i = 0; i < PROBE_FLOOD_SOCKETS && error == 0; i++) {
        error = probe_socket_open(local, server, &flood->fds[i]);
        if (error == 0) {
            error = probe_socket_refuse(flood->fds[i]); // nobody reads the answers
        }
    }
    return error;
}

void probe_flood_close(struct probe_flood *flood)
{
    for (int i = 0; i < PROBE_FLOOD_SOCKETS; i++) {
        io_fd_close(&flood->fds[i]);
    }
}

static struct bytes message_write(enum probe_flood_kind kind, uint8_t *memory, size_t room)
{
    struct stun_header header = {.method = STUN_ALLOCATE, .class = STUN_REQUEST};
    struct stun_writer writer;
    struct bytes message = {0};

    header.method = kind == PROBE_FLOOD_BINDING ? STUN_BINDING : STUN_ALLOCATE;
    stun_writer_init(&writer, memory, room, &header);
    if (kind == PROBE_FLOOD_ALLOCATE) {
        stun_attr_u8_write(&writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    } else if (kind == PROBE_FLOOD_MALFORMED) {
        wr_u16(&writer.wr, STUN_ATTR_USERNAME);
        wr_u16(&writer.wr, UINT16_MAX / 2);
    }
    bool has_fitted = stun_writer_finish(&writer, &message);
    assert(has_fitted);
    return message;
}

void probe_flood_begin(struct probe_flood *flood, enum probe_flood_kind kind)
{
    uint8_t memory[PROBE_FLOOD_MESSAGE_MAX];
    struct bytes message = message_write(kind, memory, sizeof memory);

    flood->message_len = (uint32_t)message.len;
    for (uint32_t i = 0; i < PROBE_FLOOD_TRAIN; i++) {
        memcpy(flood->train + i * message.len, message.ptr, message.len);
    }
}

uint32_t probe_flood_send(struct probe_flood *flood)
{
    union {
        uint8_t bytes[PROBE_SOCKET_CONTROL_LEN];
        struct cmsghdr aligned;
    } control;
    struct iovec vector = {flood->train, (size_t)PROBE_FLOOD_TRAIN * flood->message_len};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

    assert(flood->message_len > 0);
    for (size_t i = 0; i < PROBE_FLOOD_TRAIN; i++) {
        flood->serial++;
        memcpy(flood->train + i * flood->message_len + SERIAL_AT, &flood->serial,
               sizeof flood->serial);
    }
    probe_socket_cut(&message, control.bytes, (uint16_t)flood->message_len);
    flood->next = (flood->next + 1) % PROBE_FLOOD_SOCKETS;
    return sendmsg(flood->fds[flood->next], &message, 0) > 0 ? PROBE_FLOOD_TRAIN : 0;
}

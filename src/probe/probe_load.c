// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // sendmmsg
#include "probe/probe_load.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "io/io_clock.h"
#include "io/io_random.h"
#include "io/io_sockaddr.h"
#include "probe/probe_socket.h"
#include "stun/stun_chandata.h"

enum {
    BATCH = 32,     // packets between two looks at the clock, or a train
    SETTLE_MS = 60, // for what is under way when the last packet is sent
    MILLI_NS = 1000 * 1000,
    MARK_STEP = 16, // between the marks of trials; samples have the one behind
};

#define HELD 0.97      // of what was to be sent
#define TAKE_NS 100000 // between two looks at what has come in

void probe_load_init(struct probe_load *load, struct probe_fleet *fleet, struct probe_flood *flood,
                     struct probe_samples *samples)
{
    load->fleet = fleet;
    load->flood = flood;
    load->samples = samples;
    load->next = 0;
    load->is_to_peer = true;
    io_random_fill((uint8_t *)&load->mark, sizeof load->mark);
}

// Has all sockets refuse, and so count, what has this trial's mark.
static int count_begin(struct probe_load *load)
{
    struct probe_fleet *fleet = load->fleet;
    int error = probe_socket_count(fleet->peer_fd, 0, load->mark);

    if (error == 0) {
        error = probe_socket_refused(fleet->peer_fd, &fleet->peer_refused_before);
    }
    for (uint32_t i = 0; i < fleet->count && error == 0; i++) {
        struct probe_client *client = &fleet->clients[i];
        error = probe_socket_count(client->fd, STUN_CHANDATA_HEAD_LEN, load->mark);
        if (error == 0) {
            error = probe_socket_refused(client->fd, &client->refused_before);
        }
    }
    return error;
}

static int count_end(const struct probe_fleet *fleet, uint64_t *out)
{
    uint32_t now = 0;
    int error = probe_socket_refused(fleet->peer_fd, &now);
    uint64_t sum = (uint32_t)(now - fleet->peer_refused_before);

    for (uint32_t i = 0; i < fleet->count && error == 0; i++) {
        error = probe_socket_refused(fleet->clients[i].fd, &now);
        sum += (uint32_t)(now - fleet->clients[i].refused_before);
    }
    *out = sum;
    return error;
}

// Writes a train with ChannelData's heads; what goes to clients is the same without each head.
static void train_write(struct probe_load *load, bool has_heads)
{
    struct wr wr = wr_init(load->train, sizeof load->train);

    for (uint32_t i = 0; i < load->order->train; i++) {
        if (has_heads) {
            stun_chandata_head_write(&wr, PROBE_FLEET_CHANNEL, (uint16_t)load->order->size);
        }
        wr_u32(&wr, load->mark);
        wr_zero(&wr, load->order->size - sizeof load->mark);
    }
    assert(wr_ok(&wr));
}

static uint32_t turn(struct probe_load *load)
{
    load->next = load->next + 1 < load->fleet->count ? load->next + 1 : 0;
    return load->next;
}

// Sends one train of the next client; how many packets the system has taken.
static uint32_t send_to_peer(struct probe_load *load)
{
    const struct probe_order *order = load->order;
    size_t packet_len = STUN_CHANDATA_HEAD_LEN + order->size;
    union {
        uint8_t bytes[PROBE_SOCKET_CONTROL_LEN];
        struct cmsghdr aligned;
    } control;
    struct iovec vector = {load->train, packet_len * order->train};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

    if (order->train > 1) {
        probe_socket_cut(&message, control.bytes, (uint16_t)packet_len);
    }
    int fd = load->fleet->clients[turn(load)].fd;
    return sendmsg(fd, &message, 0) > 0 ? order->train : 0;
}

// Sends trains to the next `count` clients in one call.
static uint32_t send_to_clients(struct probe_load *load, uint32_t count)
{
    const struct probe_order *order = load->order;
    static struct mmsghdr messages[BATCH];
    static struct sockaddr_storage targets[BATCH];
    static union {
        uint8_t bytes[PROBE_SOCKET_CONTROL_LEN];
        struct cmsghdr aligned;
    } controls[BATCH];
    struct iovec vector = {load->train, (size_t)order->size * order->train};

    assert(count <= BATCH);
    for (uint32_t i = 0; i < count; i++) {
        const struct probe_client *client = &load->fleet->clients[turn(load)];
        struct msghdr *message = &messages[i].msg_hdr;
        memset(message, 0, sizeof *message);
        message->msg_name = &targets[i];
        message->msg_namelen = io_sockaddr_write(&client->turn.relayed, 0, &targets[i]);
        message->msg_iov = &vector;
        message->msg_iovlen = 1;
        if (order->train > 1) {
            probe_socket_cut(message, controls[i].bytes, (uint16_t)order->size);
        }
    }
    int sent = sendmmsg(load->fleet->peer_fd, messages, count, 0);
    return sent > 0 ? (uint32_t)sent * order->train : 0;
}

// Sends about BATCH packets, or a train.
static void send_batch(struct probe_load *load)
{
    const struct probe_order *order = load->order;
    uint32_t trains = order->train < BATCH ? BATCH / order->train : 1;
    bool is_to_peer =
        order->way == PROBE_TO_PEERS || (order->way == PROBE_BOTH_WAYS && load->is_to_peer);

    if (order->way == PROBE_BOTH_WAYS) {
        load->is_to_peer = !load->is_to_peer;
        train_write(load, is_to_peer);
    }
    if (!is_to_peer) {
        load->trial.sent += send_to_clients(load, trains);
        return;
    }
    for (uint32_t i = 0; i < trains; i++) {
        load->trial.sent += send_to_peer(load);
    }
}

// Sends what is due `elapsed_s` after the beginning.
static void send_due(struct probe_load *load, double elapsed_s, double *asked)
{
    const struct probe_order *order = load->order;

    if (*asked < order->rate * elapsed_s) {
        send_batch(load);
        *asked += order->train > BATCH ? order->train : BATCH / order->train * order->train;
    }
    if ((double)load->trial.flooded < order->flood_rate * elapsed_s) {
        load->trial.flooded += probe_flood_send(load->flood);
    }
    if (load->samples->sent < order->sample_rate * elapsed_s) {
        probe_sample_send(load->samples, load->fleet);
    }
}

static void settle(struct probe_load *load)
{
    const struct timespec pause = {.tv_nsec = MILLI_NS};

    for (int i = 0; i < SETTLE_MS; i++) {
        probe_sample_take(load->samples, load->fleet);
        nanosleep(&pause, NULL);
    }
}

static void run(struct probe_load *load)
{
    const struct probe_order *order = load->order;
    uint64_t begun_ns = io_clock_now().mono_ns;
    uint64_t taken_ns = begun_ns;
    double elapsed_s = 0;
    double asked = 0;

    while (elapsed_s < order->seconds) {
        uint64_t now_ns = io_clock_now().mono_ns;
        elapsed_s = (double)(now_ns - begun_ns) / (double)SECOND_NS;
        send_due(load, elapsed_s, &asked);
        if (now_ns - taken_ns > TAKE_NS) {
            probe_sample_take(load->samples, load->fleet);
            taken_ns = now_ns;
        }
    }
    load->trial.seconds = elapsed_s;
    double wanted = order->rate < PROBE_LOAD_ALL ? order->rate * elapsed_s : 0;
    load->trial.is_held = (double)load->trial.sent >= HELD * wanted &&
                          (double)load->trial.flooded >= HELD * order->flood_rate * elapsed_s;
}

int probe_load_run(struct probe_load *load, const struct probe_order *order,
                   struct probe_trial *out)
{
    assert(order->size >= PROBE_CONFIG_SIZE_MIN);
    load->order = order;
    load->trial = (struct probe_trial){0};
    load->mark += MARK_STEP;
    probe_sample_begin(load->samples, load->mark + 1, order->size);
    train_write(load, order->way == PROBE_TO_PEERS);
    int error = count_begin(load);
    if (error != 0) {
        return error;
    }
    run(load);
    settle(load);
    error = count_end(load->fleet, &load->trial.delivered);
    if (error == 0) {
        *out = load->trial;
    }
    return error;
}

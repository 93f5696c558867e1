// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_listen.h"

#include <errno.h>

#include "io/io_udp_group.h"
#include "log/log.h"
#include "relay/relay_report.h"

// Bytes asked of the system. What waits at a socket is late: a flood that fills a lane delays what
// it does not displace.
enum {
    RECEIVE_LEN = 1024 * 1024,  // for each lane
    SEND_LEN = 4 * 1024 * 1024, // for all that goes to clients
};

static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

static bool is_served(const struct relay_config *config, enum addr_family family)
{
    return (family == ADDR_IP4 ? config->public_ip4 : config->public_ip6).family != ADDR_NONE;
}

static struct addr place_of(const struct relay_config *config, enum addr_family family)
{
    return addr_with_port(family == ADDR_IP4 ? config->bind_ip4 : config->bind_ip6,
                          config->listen_port);
}

static void log_refusal(const struct addr *local, int error)
{
    LOG_ERROR(error == -EADDRINUSE ? "cannot listen; does another STUN server run here?"
                                   : "cannot listen",
              LOG_ADDR("address", local), LOG_ERROR_NUMBER("error", error));
}

int relay_listen_probe(const struct relay_config *config)
{
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        const struct addr local = place_of(config, families[i]);
        const int error = is_served(config, families[i]) ? io_udp_group_probe(&local) : 0;
        if (error != 0) {
            log_refusal(&local, error);
            return error;
        }
    }
    return 0;
}

void relay_listen_init(struct relay_listen *listen)
{
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        for (size_t k = 0; k < RELAY_LANE_COUNT; k++) {
            listen->lanes[i][k] = (struct relay_listener){.udp.fd = -1};
        }
    }
}

static int steer(const struct relay_listen_group *group, const struct io_udp *one)
{
    struct sock_filter program[RELAY_LANE_PROGRAM_MAX];
    const size_t len = relay_lane_program(program, (enum addr_family)one->local.family,
                                          group->worker_count, group->key);
    const int error = io_udp_group_steer(one, program, len);

    if (error != 0) {
        LOG_ERROR("clients cannot be steered to workers", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

static int open_lane(struct relay_listener *listener, const struct relay_listen_group *group,
                     enum addr_family family, uint32_t worker, uint32_t lane)
{
    const bool is_first = worker == 0 && lane == 0;
    const struct io_udp_options options = {
        .local = place_of(group->config, family),
        .has_destination = true,
        .has_ip_fields = true,
        .has_trains = true,
        .is_shared = !is_first,
        .receive_buffer_len = RECEIVE_LEN,
        .send_buffer_len = lane == RELAY_LANE_CONTROL ? SEND_LEN : 0,
    };
    int error = io_udp_open(&options, &listener->udp);

    if (error == 0 && is_first) {
        error = io_udp_group_found(&listener->udp);
    }
    if (error != 0) {
        log_refusal(&options.local, error);
    }
    return error;
}

static int open_family(struct relay_listen *listen, const struct relay_listen_group *group,
                       enum addr_family family, uint32_t worker, struct io_loop *loop,
                       struct relay_traffic *traffic)
{
    struct relay_listener *lanes = listen->lanes[family == ADDR_IP6];
    int error = 0;

    for (uint32_t lane = 0; lane < RELAY_LANE_COUNT && error == 0; lane++) {
        error = open_lane(&lanes[lane], group, family, worker, lane);
        if (error == 0 && worker == 0 && lane == 1) { // now there is a group
            error = steer(group, &lanes[lane].udp);
        }
        if (error == 0) {
            lanes[lane].watch = (struct io_watch){
                .fd = lanes[lane].udp.fd,
                .fn = relay_traffic_from_clients,
                .context = traffic,
            };
            error = io_loop_add(loop, &lanes[lane].watch, IO_READABLE);
        }
    }
    if (error == 0 && worker == 0) {
        LOG_INFO("listening", LOG_ADDR("address", &lanes[0].udp.local));
        relay_report_buffer(RECEIVE_LEN, lanes[0].udp.receive_buffer_len);
    }
    return error;
}

int relay_listen_open(struct relay_listen *listen, const struct relay_listen_group *group,
                      uint32_t worker, struct io_loop *loop, struct relay_traffic *traffic)
{
    int error = 0;

    for (size_t i = 0; i < COUNT_OF(families) && error == 0; i++) {
        if (is_served(group->config, families[i])) {
            error = open_family(listen, group, families[i], worker, loop, traffic);
        }
    }
    return error;
}

void relay_listen_close(struct relay_listen *listen, struct io_loop *loop)
{
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        for (size_t k = 0; k < RELAY_LANE_COUNT; k++) {
            struct relay_listener *listener = &listen->lanes[i][k];
            if (listener->udp.fd >= 0) {
                io_loop_remove(loop, &listener->watch);
                io_udp_close(&listener->udp);
            }
        }
    }
}

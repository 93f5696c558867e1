// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_second.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto_wipe.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_random.h"
#include "io/io_tcp.h"
#include "io/io_tls_session.h"
#include "log/log.h"
#include "revtun/revtun_hub_look.h"
#include "tunnel/tunnel_carry.h"
#include "tunnel/tunnel_data.h"
#include "tunnel/tunnel_listen.h"
#include "tunnel/tunnel_reach.h"
#include "tunnel/tunnel_report.h"

// --- control connections -------------------------------------------------------------------------

bool tunnel_second_has(const struct tunnel_second *second, uint32_t number)
{
    return second->hub != NULL && second->links[number].index != POOL_NONE;
}

void tunnel_second_up(struct tunnel_second *second, uint32_t number, const struct addr *peer)
{
    const struct io_tls *tls = tunnel_controls_tls(second->means.controls, number);
    const struct now now = tunnel_carry_settle(second);
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];
    uint8_t sid[REVTUN_MESSAGE_SID_LEN];
    struct io_tls_certificate certificate;

    if (io_tls_session_export(tls, REVTUN_SECRETS_LABEL, (struct bytes){0}, exported,
                              sizeof exported) != 0) {
        tunnel_controls_close(second->means.controls, now, number);
        return;
    }
    io_random_fill(sid, sizeof sid);
    const struct revtun_hub_arrival arrival = {
        .conn = number,
        .peer = *peer,
        .exported = exported,
        .sid = sid,
        .cert = io_tls_session_certificate(tls, &certificate) ? certificate.pin : NULL,
    };
    const struct pool_ref link = revtun_hub_link_up(second->hub, now, &arrival);
    crypto_wipe(exported, sizeof exported);
    second->links[number] = link;
    tunnel_carry_out(second, now);
}

// An agent that says too much is read more slowly.
static void let_rest(struct tunnel_second *second, uint32_t number)
{
    const struct now now = io_clock_now();
    const uint64_t rest_ns = tunnel_second_has(second, number)
                                 ? revtun_hub_link_rest_ns(second->hub, now, second->links[number])
                                 : 0;

    if (rest_ns > 0) {
        tunnel_controls_rest(second->means.controls, number, now.mono_ns + rest_ns);
    }
}

void tunnel_second_received(struct tunnel_second *second, uint32_t number, struct bytes bytes)
{
    while (bytes.len > 0) {
        const struct now now = tunnel_carry_settle(second);

        if (!tunnel_second_has(second, number)) {
            return; // it was closed for a line before
        }
        revtun_hub_link_read(second->hub, now, second->links[number], &bytes);
        tunnel_carry_out(second, now);
    }
    let_rest(second, number);
}

// What is gone is told at once: what is due comes behind, and must not meet it.

void tunnel_second_down(struct tunnel_second *second, uint32_t number, const char *reason)
{
    const struct now now = io_clock_now();

    tunnel_carry_lose(second, now, number, reason);
    tunnel_carry_out(second, now);
}

static void on_tls(void *context, int fd, const struct addr *from)
{
    struct tunnel_second *second = context;

    if (second->is_draining) {
        io_tcp_reset(&fd);
        return;
    }
    IGNORE(io_tcp_set_unacknowledged(fd, TUNNEL_CONTROLS_GONE_MS)); // the shared port's have none
    tunnel_controls_add(second->means.controls, io_clock_now(), fd, from);
}

void tunnel_second_come(struct tunnel_second *second, int fd, const struct addr *from)
{
    tunnel_previews_add(second->previews, io_clock_now(), fd, from, false);
}

// --- clients -------------------------------------------------------------------------------------

static void lose_client(struct tunnel_second *second, struct pool_ref client)
{
    const struct now now = io_clock_now();

    revtun_hub_gone(second->hub, now, client);
    tunnel_carry_out(second, now);
}

static void on_client_gone(void *context, struct pool_ref client)
{
    lose_client(context, client);
}

// False, which is told: there are too many.
static bool is_let_in(struct tunnel_second *second, const struct addr *from)
{
    if (!second->means.is_full(second->means.context)) {
        return true;
    }
    second->crowded_count++;
    tunnel_report_crowded(from, POOL_NONE);
    return false;
}

static void serve_client(struct tunnel_second *second, int fd, const struct addr *from,
                         struct bytes host)
{
    struct addr dst;

    if (second->is_draining || io_tcp_local(fd, &dst) != 0 || !is_let_in(second, from)) {
        io_tcp_reset(&fd);
        return;
    }
    const struct now now = tunnel_carry_settle(second);
    const uint32_t conn = tunnel_conns_add(&second->clients, io_stream_plain(fd));
    const struct revtun_hub_client client = {.conn = conn, .from = *from, .dst = dst, .host = host};
    const struct pool_ref ref = revtun_hub_client(second->hub, now, &client);

    tunnel_carry_out(second, now);
    if (!tunnel_conns_has(&second->clients, conn)) {
        return;
    }
    if (tunnel_conns_watch(&second->clients, conn, ref) != 0) {
        struct io_stream stream = tunnel_carry_take(second, conn);
        io_stream_reset(&stream);
        lose_client(second, ref);
    }
}

static void on_tunnel_port(struct io_accept_at *at, int fd, const struct addr *from)
{
    serve_client(at->context, fd, from, (struct bytes){0});
}

static void on_shared_port(struct io_accept_at *at, int fd, const struct addr *from)
{
    struct tunnel_second *second = at->context;

    tunnel_previews_add(second->previews, io_clock_now(), fd, from, true);
}

static void on_client(void *context, int fd, const struct addr *from, struct bytes host)
{
    serve_client(context, fd, from, host);
}

void tunnel_second_ended(struct tunnel_second *second, struct pool_ref ref,
                         const struct tunnel_session *session)
{
    struct revtun_hub_tunnel tunnel = {0};

    ref.index -= second->means.session_base;
    if (revtun_hub_tunnel_of(second->hub, ref, &tunnel)) { // one that is cut off has none any more
        tunnel_ledger_tunnel_ended(&second->means.past->ledger, tunnel.tunnel, session,
                                   io_clock_now().wall_s);
    }
    tunnel_report_end_of(session, tunnel.owner, tunnel.name, io_clock_now());
    lose_client(second, ref);
}

// --- data connections ----------------------------------------------------------------------------

static void lose_standing(struct tunnel_second *second, struct pool_ref standing)
{
    const struct now now = io_clock_now();

    revtun_hub_standing_gone(second->hub, now, standing);
    tunnel_carry_out(second, now);
}

static void on_standing_gone(void *context, struct pool_ref standing)
{
    lose_standing(context, standing);
}

static void take_data(struct tunnel_second *second, struct io_stream stream,
                      const struct addr *from, const uint8_t raw[REVTUN_PREFACE_LEN])
{
    const struct now now = tunnel_carry_settle(second);
    const bool is_tls = stream.tls != NULL;
    const uint32_t conn = tunnel_conns_add(&second->standing, stream);

    // The control port's limit is not for those that carry bytes, whose end may rest for long.
    IGNORE(io_tcp_set_unacknowledged(stream.fd, 0));
    second->data_from = *from;
    const struct pool_ref standing =
        revtun_hub_data(second->hub, now, TUNNEL_CARRY_DATA | conn, raw, is_tls);
    tunnel_carry_out(second, now);
    if (!tunnel_conns_has(&second->standing, conn)) {
        return;
    }
    assert(standing.index != POOL_NONE); // else it does not wait
    if (tunnel_conns_stand(&second->standing, conn, standing) != 0) {
        stream = tunnel_carry_take(second, TUNNEL_CARRY_DATA | conn);
        io_stream_reset(&stream);
        lose_standing(second, standing);
    }
}

static void on_data(void *context, int fd, const struct addr *from,
                    const uint8_t raw[REVTUN_PREFACE_LEN])
{
    take_data(context, io_stream_plain(fd), from, raw);
}

static void on_sealed_data(void *context, struct io_stream stream, const struct addr *from,
                           const uint8_t raw[REVTUN_PREFACE_LEN])
{
    take_data(context, stream, from, raw);
}

static void on_sealed(void *context, int fd, const struct addr *from)
{
    struct tunnel_second *second = context;

    tunnel_sealed_add(&second->sealed, io_clock_now(), second->means.controls->tls, fd, from);
}

static void on_sealed_refused(void *context, const struct addr *from, const char *why)
{
    const struct tunnel_second *second = context;

    tunnel_past_refuse(second->means.past, from, TUNNEL_REFUSAL_SEALED, why, io_clock_now());
}

static bool is_known(void *context, const struct addr *from)
{
    const struct tunnel_second *second = context;

    return tunnel_controls_is_home(second->means.controls, from);
}

// --- its life ------------------------------------------------------------------------------------

static const struct tunnel_previews_events plain_events = {
    .tls = on_tls,
    .client = on_client,
    .data = on_data,
};

// With data connections in TLS.
static const struct tunnel_previews_events preview_events = {
    .tls = on_tls,
    .sealed = on_sealed,
    .client = on_client,
    .data = on_data,
};

static const struct tunnel_sealed_events sealed_events = {
    .data = on_sealed_data,
    .refused = on_sealed_refused,
    .is_known = is_known,
};

static int listen_everywhere(struct tunnel_second *second, const struct tunnel_config *config)
{
    static const struct io_tcp_options options = {.backlog = 0};
    const struct revtun_hub_config *hub = &config->hub;
    struct addr bound;
    int error = 0;

    for (uint32_t i = 0; error == 0 && i < hub->port_count; i++) {
        const struct addr addr =
            addr_with_port(config->public_bind_addr, (uint16_t)(hub->first_port + i));

        second->ports[i] =
            (struct io_accept_at){.on_connection = on_tunnel_port, .context = second};
        error = tunnel_listen(second->means.accept, &second->ports[i], addr, &options, &bound);
        second->port_count += error == 0;
    }
    if (error == 0 && hub->tls_port != 0) {
        second->shared_port =
            (struct io_accept_at){.on_connection = on_shared_port, .context = second};
        error = tunnel_listen(second->means.accept, &second->shared_port,
                              addr_with_port(config->public_bind_addr, hub->tls_port), &options,
                              &bound);
    }
    if (error == 0) {
        LOG_INFO("serving agents", LOG_TEXT("data", tunnel_data_words[hub->data]),
                 LOG_NUMBER("on_the_list", second->access->list.count),
                 LOG_NUMBER("first_port", hub->first_port), LOG_NUMBER("ports", hub->port_count),
                 LOG_NUMBER("tls_port", hub->tls_port));
    }
    return error;
}

static int open_hub(struct tunnel_second *second, const struct tunnel_config *config)
{
    struct revtun_hub_config hub = config->hub;
    uint8_t seed[REVTUN_HUB_SEED_LEN];
    char reached[TUNNEL_REACH_MAX];
    uint8_t host[TUNNEL_REACH_MAX + 2];
    struct wr wr = wr_init(host, sizeof host);

    tunnel_reach_host(config, reached);
    const bool has_brackets = strchr(reached, ':') != NULL;
    wr_text(&wr, has_brackets ? "[" : "");
    wr_text(&wr, reached);
    wr_text(&wr, has_brackets ? "]" : "");
    hub.host = wr_done(&wr);
    hub.program = bytes_of_text("fairlead/" FAIRLEAD_VERSION);
    assert(revtun_hub_config_is_sound(&hub));
    second->limits = hub;
    second->limits.host.len = 0; // what is borrowed ends with this call
    second->limits.program.len = 0;
    second->memory = calloc(1, revtun_hub_size(&hub));
    if (second->memory == NULL) {
        return -ENOMEM;
    }
    io_random_fill(seed, sizeof seed);
    second->hub = revtun_hub_init(second->memory, &hub, &second->access->list, seed);
    return 0;
}

static int open_arrivals(struct tunnel_second *second, const struct tunnel_config *config)
{
    struct io_loop *loop = second->means.loop;
    struct siphash_key key;

    if (second->data == REVTUN_MESSAGE_DATA_PLAIN) {
        return tunnel_previews_open(second->previews, loop, &plain_events, second);
    }
    io_random_fill((uint8_t *)&key, sizeof key);
    tunnel_handshakes_init(&second->sealed.handshakes, &key, config->handshakes_per_second);
    const int error = tunnel_sealed_open(&second->sealed, loop, &sealed_events, second);
    return error == 0 ? tunnel_previews_open(second->previews, loop, &preview_events, second)
                      : error;
}

static int open_parts(struct tunnel_second *second, const struct tunnel_config *config)
{
    const struct revtun_hub_config *hub = &config->hub;

    second->links = calloc(second->means.controls->capacity, sizeof second->links[0]);
    second->ports = calloc((size_t)hub->port_count + 1, sizeof second->ports[0]);
    second->previews = calloc(1, sizeof *second->previews);
    if (second->links == NULL || second->ports == NULL || second->previews == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < second->means.controls->capacity; i++) {
        second->links[i].index = POOL_NONE;
    }
    int error = open_arrivals(second, config);
    if (error == 0) {
        error = tunnel_conns_open(&second->clients, second->means.loop, hub->max_waiting + 1,
                                  on_client_gone, second);
    }
    if (error == 0) {
        error = tunnel_conns_open(&second->standing, second->means.loop, hub->max_standing + 1,
                                  on_standing_gone, second);
    }
    return error == 0 ? open_hub(second, config) : error;
}

int tunnel_second_open(struct tunnel_second *second, const struct tunnel_config *config,
                       const struct tunnel_means *means)
{
    assert(second->hub == NULL);
    if (config->access.len == 0) {
        return 0;
    }
    second->means = *means;
    second->data = config->hub.data;
    second->access = &second->accesses[0];
    int error = tunnel_access_open(second->access, config->access, false, NULL);
    if (error != 0) {
        return error; // which it has logged
    }
    error = open_parts(second, config);
    if (error != 0) {
        LOG_ERROR("the relay cannot start", LOG_ERROR_NUMBER("error", error));
        return error;
    }
    error = tunnel_leases_open(&second->leases, config->leases, revtun_hub_names(second->hub),
                               io_clock_now().wall_s);
    return error == 0 ? listen_everywhere(second, config) : error;
}

void tunnel_second_close(struct tunnel_second *second)
{
    tunnel_leases_close(&second->leases, io_clock_now());
    tunnel_conns_close(&second->clients);
    tunnel_conns_close(&second->standing);
    if (second->previews != NULL) {
        tunnel_previews_close(second->previews);
    }
    tunnel_sealed_close(&second->sealed);
    free(second->previews);
    free(second->ports);
    free(second->links);
    free(second->memory);
    tunnel_access_close(&second->accesses[0]);
    tunnel_access_close(&second->accesses[1]);
    *second = (struct tunnel_second){0};
}

bool tunnel_second_is_open(const struct tunnel_second *second)
{
    return second->hub != NULL;
}

void tunnel_second_adopt(struct tunnel_second *second, struct tunnel_access *access)
{
    struct tunnel_access *former = second->access;
    struct tunnel_access *next = &second->accesses[former == &second->accesses[0]];
    const struct now now = tunnel_carry_settle(second);

    *next = *access;
    *access = (struct tunnel_access){0};
    second->access = next;
    revtun_hub_adopt(second->hub, now, &next->list);
    tunnel_carry_out(second, now);
    (void)tunnel_carry_settle(second);
    tunnel_access_close(former);
}

void tunnel_second_drain(struct tunnel_second *second, uint32_t in_s)
{
    if (second->hub == NULL) {
        return;
    }
    second->is_draining = true;
    for (uint32_t i = 0; i < second->port_count; i++) {
        io_accept_stop(&second->ports[i]);
    }
    const struct now now = tunnel_carry_settle(second);
    revtun_hub_drain(second->hub, now, in_s);
    tunnel_carry_out(second, now);
    (void)tunnel_carry_settle(second);
}

void tunnel_second_leave(struct tunnel_second *second)
{
    tunnel_second_drain(second, 0);
}

uint32_t tunnel_second_ports_free(const struct tunnel_second *second, struct now now)
{
    return revtun_names_free_count(revtun_hub_names(second->hub), now.wall_s);
}

uint32_t tunnel_second_busy(const struct tunnel_second *second)
{
    if (second->hub == NULL) {
        return 0;
    }
    const struct revtun_hub_gauges gauges = revtun_hub_gauges(second->hub);
    return gauges.sessions + gauges.waiting;
}

uint64_t tunnel_second_tick(struct tunnel_second *second, struct now now)
{
    if (second->hub == NULL) {
        return NEVER;
    }
    const uint64_t previews_ns = tunnel_previews_tick(second->previews, now);
    const uint64_t sealed_ns =
        second->sealed.loop != NULL ? tunnel_sealed_tick(&second->sealed, now) : NEVER;
    (void)tunnel_carry_settle(second);
    const uint64_t hub_ns = revtun_hub_deadline(second->hub);
    const uint64_t leases_ns = tunnel_leases_tick(&second->leases, now);
    const uint64_t next_ns = previews_ns < hub_ns ? previews_ns : hub_ns;
    const uint64_t own_ns = leases_ns < sealed_ns ? leases_ns : sealed_ns;
    return own_ns < next_ns ? own_ns : next_ns;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_web.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "http/http_query.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "log/log.h"
#include "telemetry/telemetry_prometheus.h"

enum { DIRECTIVES_MAX = 2048 }; // bytes

// --- the routes ---------------------------------------------------------------------------------

static void healthz(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)context;
    (void)request;
    wr_text(&answer->body, FAIRLEAD_VERSION);
}

static void readyz(void *context, const struct http_request *request, struct web_answer *answer)
{
    const struct daemon_web *web = context;
    const char *why = web->subject.why_unready(web->subject.context);

    (void)request;
    if (why == NULL) {
        wr_text(&answer->body, FAIRLEAD_VERSION);
    } else {
        answer->status = HTTP_STATUS_UNAVAILABLE;
        wr_text(&answer->body, why);
    }
}

static void metrics(void *context, const struct http_request *request, struct web_answer *answer)
{
    const struct daemon_web *web = context;

    (void)request;
    answer->type = TELEMETRY_PROMETHEUS_TYPE;
    web->subject.metrics_write(web->subject.context, &answer->body);
}

static const char *no_directives(enum http_query_outcome outcome)
{
    switch (outcome) {
    case HTTP_QUERY_FOUND:
        break;
    case HTTP_QUERY_ABSENT:
        return "directives is missing, as in /log_filter?directives=info";
    case HTTP_QUERY_BAD:
        return "directives has a percent sign without two digits behind it";
    case HTTP_QUERY_TWICE:
        return "directives is given twice";
    case HTTP_QUERY_LONG:
        return "directives is longer than 2048 bytes";
    }
    assert(!"what was found has no mistake");
    return NULL;
}

static void log_filter(void *context, const struct http_request *request, struct web_answer *answer)
{
    uint8_t text[DIRECTIVES_MAX];
    struct wr directives = wr_init(text, sizeof text);
    const enum http_query_outcome outcome =
        http_query_find(request->query, "directives", &directives);

    (void)context;
    if (outcome != HTTP_QUERY_FOUND) {
        wr_text(&answer->body, no_directives(outcome));
    } else if (log_filter_set(wr_done(&directives), &answer->body)) {
        LOG_INFO("log filter replaced", LOG_BYTES("directives", wr_done(&directives)));
        return;
    }
    answer->status = HTTP_STATUS_BAD_REQUEST;
    wr_u8(&answer->body, '\n');
}

static const struct web_route health_routes[] = {{"GET", "/healthz", healthz},
                                                 {"GET", "/readyz", readyz}};
static const struct web_route control_routes[] = {{"POST", "/log_filter", log_filter}};
static const struct web_route metrics_routes[] = {{"GET", "/metrics", metrics}};

static const struct {
    const char *name; // in the log
    struct web_site site;
} usual[] = {
    [DAEMON_CONFIG_HEALTH] = {"health",
                              {.routes = health_routes, .route_count = COUNT_OF(health_routes)}},
    [DAEMON_CONFIG_CONTROL] = {"control",
                               {.routes = control_routes,
                                .route_count = COUNT_OF(control_routes),
                                .is_origin_known = true}},
    [DAEMON_CONFIG_METRICS] = {"metrics",
                               {.routes = metrics_routes, .route_count = COUNT_OF(metrics_routes)}},
};
_Static_assert(COUNT_OF(usual) == DAEMON_CONFIG_SITE_COUNT, "each has routes");

// --- the thread ---------------------------------------------------------------------------------

static void on_bell(struct io_watch *watch, uint32_t events)
{
    eventfd_t count = 0;

    (void)events;
    IGNORE(eventfd_read(watch->fd, &count)); // why it has rung, is_over says
}

// With the first site. 0 or -errno, which is logged.
static int open_server(struct daemon_web *web)
{
    web->is_open = true; // from here on there is something to close
    web->bell = (struct io_watch){.fd = -1, .fn = on_bell};
    web->loop.epoll_fd = -1;
    web->server = calloc(1, sizeof *web->server);
    int error = web->server == NULL ? -ENOMEM : io_loop_open(&web->loop);

    if (error == 0) {
        error = web_server_open(web->server, &web->loop);
    }
    if (error == 0) {
        web->bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        error = web->bell.fd < 0 ? -errno : io_loop_add(&web->loop, &web->bell, IO_READABLE);
    }
    if (error != 0) {
        LOG_ERROR("HTTP cannot be served", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

// What does not matter of an address that nobody has asked for: another program has it, or the host
// has it not, such as one of IPv4 where there is IPv6 alone.
static bool is_passed_over(int error)
{
    return error == -EADDRINUSE || error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

int daemon_web_serve(struct daemon_web *web, const char *name,
                     const struct daemon_config_place *place, const struct web_site *site,
                     struct addr *bound)
{
    struct addr at = {.family = ADDR_NONE};
    int error = 0;

    assert(!web->thread.is_running);
    if (place->addr.family == ADDR_NONE) {
        return 0;
    }
    if (!web->is_open) {
        error = open_server(web);
    }
    if (error != 0) {
        return error;
    }
    assert(web->site_count < COUNT_OF(web->sites));
    web->sites[web->site_count] = *site;
    error = web_server_listen(web->server, &place->addr, &web->sites[web->site_count], &at);
    web->site_count++;
    if (error == 0) {
        *bound = at;
        LOG_INFO("serving HTTP", LOG_TEXT("site", name), LOG_ADDR("address", bound));
    } else if (!place->is_given && is_passed_over(error)) {
        LOG_INFO(error == -EADDRINUSE
                     ? "not serving HTTP, since the usual address is taken"
                     : "not serving HTTP, since this host does not have the usual address",
                 LOG_TEXT("site", name), LOG_ADDR("address", &place->addr));
        return 0;
    } else {
        LOG_ERROR("HTTP cannot be served", LOG_TEXT("site", name),
                  LOG_ADDR("address", &place->addr), LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

int daemon_web_open(struct daemon_web *web, const struct daemon_config *config,
                    const struct daemon_web_subject *subject)
{
    int error = 0;

    assert(!web->is_open);
    web->subject = *subject;
    atomic_init(&web->is_over, false);
    for (size_t i = 0; error == 0 && i < COUNT_OF(usual); i++) {
        struct web_site site = usual[i].site;

        site.context = web;
        error = daemon_web_serve(web, usual[i].name, &config->sites[i], &site, &web->bound[i]);
    }
    return error;
}

void daemon_web_close(struct daemon_web *web)
{
    if (!web->is_open) {
        return;
    }
    daemon_web_stop(web);
    if (web->server != NULL) {
        web_server_close(web->server);
        free(web->server);
        web->server = NULL;
    }
    io_loop_remove(&web->loop, &web->bell);
    io_fd_close(&web->bell.fd);
    io_loop_close(&web->loop);
    web->is_open = false;
}

static void *serve(void *context)
{
    struct daemon_web *web = context;

    while (!atomic_load(&web->is_over)) {
        const int error = io_loop_turn(&web->loop, web_server_tick(web->server, io_clock_now()));
        if (error != 0) {
            LOG_ERROR("HTTP is served no more", LOG_ERROR_NUMBER("error", error));
            break;
        }
    }
    return NULL;
}

int daemon_web_start(struct daemon_web *web)
{
    if (!web->is_open) {
        return 0;
    }
    const int error = io_thread_start(&web->thread, "web", serve, web);
    if (error != 0) {
        LOG_ERROR("the web thread cannot be started", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

void daemon_web_stop(struct daemon_web *web)
{
    if (!web->thread.is_running) {
        return;
    }
    atomic_store(&web->is_over, true);
    IGNORE(eventfd_write(web->bell.fd, 1)); // it cannot be full
    io_thread_join(&web->thread);
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spoke.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_random.h"
#include "io/io_tls_session.h"
#include "revtun/revtun_pattern.h"
#include "tunnel/tunnel_spoke_tls.h"
#include "tunnel/tunnel_spoke_words.h"

enum {
    HANDSHAKE_S = 30,
    CLOSING_S = 2,
    REFUSED_S = 1, // after a handshake that failed: the other side may still read our alert
};

static void settle(struct tunnel_spoke *spoke);

// --- control connections -------------------------------------------------------------------------

static void set_timer(struct tunnel_spoke_line *line, uint64_t seconds)
{
    tunnel_timers_set(&line->spoke->side->timers, &line->timer,
                      io_clock_mono_ns() + seconds * SECOND_NS);
}

static void on_time(struct tunnel_timer *timer)
{
    struct tunnel_spoke_line *line = timer->context;

    io_tls_expire(&line->tls);
}

// The core hears of it when it has said all: settle() is the caller's.
static void lose(struct tunnel_spoke_line *line)
{
    tunnel_timers_clear(&line->spoke->side->timers, &line->timer);
    line->is_shaking = false;
    line->is_lost = true;
}

static void give_up(struct tunnel_spoke_line *line, const char *why)
{
    snprintf(line->spoke->trouble, sizeof line->spoke->trouble, "%s", why);
    io_tls_abort(&line->tls);
    lose(line);
}

static void begin_session(struct tunnel_spoke_line *line)
{
    struct tunnel_spoke *spoke = line->spoke;
    const struct io_tls *tls = &line->tls;
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];

    if (!bytes_equal_text(io_tls_session_alpn(tls), TUNNEL_SPOKE_TLS_PROTOCOL)) {
        char words[TUNNEL_WORDS_MAX];
        tunnel_spoke_words_of_old(spoke->config, words);
        give_up(line, words);
        return;
    }
    if (io_tls_session_export(tls, REVTUN_SECRETS_LABEL, (struct bytes){0}, exported,
                              sizeof exported) != 0) {
        give_up(line, "TLS with the relay is not of version 1.3");
        return;
    }
    tunnel_calls_follow(&spoke->calls, line->link, &line->dial.addrs[line->dial.addr_index]);
    revtun_spoke_up(spoke->core, io_clock_mono_ns(), line->link, exported);
    explicit_bzero(exported, sizeof exported);
}

static void on_opened(struct io_tls *tls)
{
    struct tunnel_spoke_line *line = tls->context;

    tunnel_timers_clear(&line->spoke->side->timers, &line->timer);
    line->is_shaking = false;
    begin_session(line);
    settle(line->spoke);
}

static void on_received(struct io_tls *tls, struct bytes bytes)
{
    struct tunnel_spoke_line *line = tls->context;

    while (bytes.len > 0 && !line->is_lost) {
        revtun_spoke_read(line->spoke->core, io_clock_mono_ns(), line->link, &bytes);
        settle(line->spoke);
    }
}

static void on_ended(struct io_tls *tls, const struct io_tls_end *end)
{
    struct tunnel_spoke_line *line = tls->context;

    tunnel_spoke_words_of_end(line->spoke->config, end, line->spoke->trouble);
    lose(line);
    settle(line->spoke);
}

static const struct io_tls_events line_events = {
    .opened = on_opened,
    .received = on_received,
    .ended = on_ended,
};

// Takes over the descriptor of a connection to the relay.
static void shake_hands(struct tunnel_spoke_line *line, int fd)
{
    const struct io_tls_wanted wanted = tunnel_spoke_tls_wanted(line->spoke->config);

    line->tls.loop = &line->spoke->side->loop;
    line->tls.events = &line_events;
    line->tls.context = line;
    const int error = io_tls_connect(&line->tls, line->spoke->certificates, fd, &wanted);
    if (error != 0) {
        char words[TUNNEL_WORDS_MAX];
        snprintf(words, sizeof words, "TLS with the relay cannot begin: %s", strerror(-error));
        io_fd_close(&fd);
        give_up(line, words);
        return;
    }
    line->is_shaking = true;
    line->is_refused = false;
    set_timer(line, HANDSHAKE_S);
}

static void on_dialled(struct tunnel_dial *dial, int fd)
{
    struct tunnel_spoke_line *line = dial->context;

    if (fd < 0) {
        char why[TUNNEL_DIAL_WHY_MAX];
        char words[TUNNEL_WORDS_MAX];
        tunnel_dial_why(dial, why);
        snprintf(words, sizeof words, "the relay cannot be reached: %s", why);
        give_up(line, words);
    } else {
        shake_hands(line, fd);
    }
    settle(line->spoke);
}

// --- what the core says --------------------------------------------------------------------------

static void send_text(struct tunnel_spoke *spoke, uint32_t link, struct bytes text)
{
    struct tunnel_spoke_line *line = &spoke->lines[link];

    if (!line->is_lost && io_tls_send(&line->tls, text) != 0) {
        give_up(line, "the relay does not read what it is told, or has just gone");
    }
}

static void hang_up(struct tunnel_spoke *spoke, uint32_t link)
{
    struct tunnel_spoke_line *line = &spoke->lines[link];

    tunnel_dial_stop(&line->dial);
    if (line->is_lost) {
        return;
    }
    if (io_tls_is_open(&line->tls)) {
        io_tls_close(&line->tls);
        set_timer(line, CLOSING_S);
    } else {
        io_tls_abort(&line->tls);
        lose(line);
    }
}

// A line of standard output: where clients find a service; which one is said when there are
// several.
static void print(const struct tunnel_spoke *spoke, const struct revtun_spoke_service *service,
                  const char *at)
{
    char line[REVTUN_NAME_MAX + 1 + REVTUN_HOST_MAX + REVTUN_MESSAGE_AT_MAX + sizeof "\n"];
    const bool is_named = spoke->config->core.service_count > 1;

    snprintf(line, sizeof line, "%.*s%s%s\n", is_named ? (int)service->name.len : 0,
             (const char *)service->name.ptr, is_named ? " " : "", at);
    // Without standard output it serves all the same.
    IGNORE(daemon_tell(bytes_of_text(line)));
}

// Services that share a port by their hosts are found at these.
static void print_hosts(const struct tunnel_spoke *spoke,
                        const struct revtun_spoke_service *service, const char *at)
{
    const char *port = strrchr(at, ':');
    struct bytes hosts = service->hosts;
    struct bytes host = {0};

    while (revtun_pattern_take(&hosts, &host)) {
        char text[REVTUN_HOST_MAX + REVTUN_MESSAGE_AT_MAX];
        snprintf(text, sizeof text, "%.*s%s", (int)host.len, (const char *)host.ptr,
                 port == NULL ? "" : port);
        print(spoke, service, text);
    }
}

static void publish(struct tunnel_spoke *spoke, const struct revtun_spoke_news *news)
{
    const struct revtun_spoke_service *service = &spoke->config->services[news->service];
    char *at = spoke->at[news->service];

    if (spoke->is_told[news->service] && bytes_equal_text(news->at, at)) {
        daemon_tell_mistake(spoke->side->program, "clients find '%.*s' at %s again",
                            (int)service->name.len, (const char *)service->name.ptr, at);
        return;
    }
    spoke->is_told[news->service] = true;
    memcpy(at, news->at.ptr, news->at.len);
    at[news->at.len] = '\0';
    if (service->kind == REVTUN_MESSAGE_KIND_SNI) {
        print_hosts(spoke, service, at);
    } else {
        print(spoke, service, at);
    }
}

static void tell(struct tunnel_spoke *spoke, const struct revtun_spoke_news *news)
{
    const char *program = spoke->side->program;
    const double wait_s = (double)news->wait_ns / (double)SECOND_NS;
    char words[TUNNEL_WORDS_MAX];

    switch (news->event) {
    case REVTUN_SPOKE_WELCOME:
        return;
    case REVTUN_SPOKE_BOUND:
        publish(spoke, news);
        return;
    case REVTUN_SPOKE_DENIED:
        tunnel_spoke_words_of_denied(spoke->config, news, words);
        if (news->wait_ns != NEVER) {
            daemon_tell_mistake(program, "%s; asking again in %.1f s", words, wait_s);
        } else if (spoke->config->core.service_count > 1) { // else that is why it stops
            daemon_tell_mistake(program, "%s", words);
        } else {
            snprintf(spoke->denied, sizeof spoke->denied, "%s", words);
        }
        return;
    case REVTUN_SPOKE_CROWDED:
        daemon_tell_mistake(program,
                            "clients are turned away, since there are %u already "
                            "(--max-sessions)",
                            spoke->config->core.session_max);
        return;
    case REVTUN_SPOKE_DRAINING:
        daemon_tell_mistake(
            program, "the relay is going to end, in %.0f s at most; connecting anew", wait_s);
        return;
    case REVTUN_SPOKE_WAITING:
        tunnel_spoke_words_of_why(spoke->config, news, spoke->trouble);
        daemon_tell_mistake(program, "%s; trying again in %.1f s", spoke->trouble, wait_s);
        return;
    case REVTUN_SPOKE_STOPPING:
        tunnel_spoke_words_of_why(spoke->config, news, spoke->trouble);
        if (news->why == REVTUN_SPOKE_REFUSED && spoke->denied[0] != '\0') {
            snprintf(spoke->trouble, sizeof spoke->trouble, "%s", spoke->denied);
        }
        daemon_tell_mistake(program, "%s%s", spoke->trouble,
                            revtun_spoke_gauges(spoke->core).sessions == 0
                                ? ""
                                : "; clients that are there are served to their end");
        return;
    }
}

static void obey(struct tunnel_spoke *spoke, const struct revtun_spoke_command *command)
{
    switch (command->type) {
    case REVTUN_SPOKE_CONNECT:
        tunnel_dial_begin(&spoke->lines[command->link].dial, &spoke->relay, io_clock_mono_ns());
        return;
    case REVTUN_SPOKE_SEND:
        send_text(spoke, command->link, command->text);
        return;
    case REVTUN_SPOKE_CLOSE:
        hang_up(spoke, command->link);
        return;
    case REVTUN_SPOKE_ABANDON:
        tunnel_calls_abandon(&spoke->calls, command->link);
        return;
    case REVTUN_SPOKE_DIAL:
        tunnel_calls_dial(&spoke->calls, command);
        return;
    case REVTUN_SPOKE_STAND:
        tunnel_calls_stand(&spoke->calls, command);
        return;
    case REVTUN_SPOKE_SERVE:
        tunnel_calls_serve(&spoke->calls, command);
        return;
    case REVTUN_SPOKE_DROP:
        tunnel_calls_drop(&spoke->calls, command);
        return;
    case REVTUN_SPOKE_TELL:
        tell(spoke, &command->news);
        return;
    case REVTUN_SPOKE_STOP:
        tunnel_side_over(spoke->side, command->news.why == REVTUN_SPOKE_REPLACED
                                          ? TUNNEL_SPOKE_EXIT_REPLACED
                                          : EXIT_FAILURE);
        return;
    }
}

static struct tunnel_spoke_line *find_lost(struct tunnel_spoke *spoke)
{
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        if (spoke->lines[i].is_lost) {
            return &spoke->lines[i];
        }
    }
    return NULL;
}

// Carries out all that the core says, and has it do what is due.
static void settle(struct tunnel_spoke *spoke)
{
    struct revtun_spoke_command command;

    if (spoke->is_settling) {
        return; // out of a command: what has come of it is next
    }
    spoke->is_settling = true;
    for (;;) {
        const uint64_t now_ns = io_clock_mono_ns();
        struct tunnel_spoke_line *lost = NULL;
        if (revtun_spoke_take(spoke->core, &command)) {
            obey(spoke, &command);
        } else if ((lost = find_lost(spoke)) != NULL) {
            lost->is_lost = false;
            revtun_spoke_down(spoke->core, now_ns, lost->link);
        } else if (revtun_spoke_deadline(spoke->core) <= now_ns) {
            revtun_spoke_tick(spoke->core, now_ns);
        } else {
            break;
        }
    }
    spoke->is_settling = false;
}

static void on_change(void *context)
{
    settle(context);
}

// --- its life ------------------------------------------------------------------------------------

static bool is_closed(const struct tunnel_spoke *spoke)
{
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        if (spoke->lines[i].tls.state != IO_TLS_ENDED) {
            return false;
        }
    }
    return true;
}

static uint64_t on_turn(void *context, uint64_t now_ns)
{
    struct tunnel_spoke *spoke = context;

    (void)now_ns;
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        struct tunnel_spoke_line *line = &spoke->lines[i];
        if (line->tls.state == IO_TLS_LINGERING && line->is_shaking && !line->is_refused) {
            line->is_refused = true;
            set_timer(line, REFUSED_S);
        }
    }
    settle(spoke);
    if (spoke->is_ended && is_closed(spoke) && tunnel_calls_is_idle(&spoke->calls)) {
        tunnel_side_over(spoke->side, EXIT_SUCCESS);
    }
    return revtun_spoke_deadline(spoke->core);
}

static void on_end(void *context)
{
    struct tunnel_spoke *spoke = context;

    spoke->is_ended = true;
    tunnel_calls_end(&spoke->calls);
    revtun_spoke_leave(spoke->core, io_clock_mono_ns());
    settle(spoke);
    const uint32_t count = revtun_spoke_gauges(spoke->core).sessions;
    const uint32_t most_s = spoke->config->drain_timeout_s;
    if (count > 0 && most_s > 0) {
        daemon_tell_mistake(spoke->side->program,
                            "draining: no new clients; those that are there (%u) are served until "
                            "they end, for %u s at most (--drain-timeout), or until another signal",
                            count, most_s);
    }
}

static bool begin(struct tunnel_spoke *spoke, struct tunnel_spoke_config *config)
{
    uint8_t key[SIPHASH_KEY_LEN];
    struct revtun_spoke_config *core = &config->core;

    io_random_fill((uint8_t *)&core->instance, sizeof core->instance);
    io_random_fill(key, sizeof key);
    core->key = siphash_key_read(key);
    core->token = config->has_token ? &config->token : NULL;
    core->services = config->services;
    core->program = bytes_of_text("fairlead/" FAIRLEAD_VERSION);
    spoke->memory = calloc(1, revtun_spoke_size(core));
    if (spoke->memory == NULL) {
        return false;
    }
    spoke->core = revtun_spoke_init(spoke->memory, core);
    spoke->calls = (struct tunnel_calls){
        .side = spoke->side,
        .core = spoke->core,
        .settle = on_change,
        .context = spoke,
        .certificates = spoke->data_certificates,
        .wanted = tunnel_spoke_tls_wanted(config),
        .targets = config->targets,
    };
    return tunnel_calls_open(&spoke->calls, core->service_count, revtun_spoke_call_max(core)) == 0;
}

bool tunnel_spoke_open(struct tunnel_spoke *spoke, struct tunnel_side *side,
                       struct tunnel_spoke_config *config)
{
    spoke->side = side;
    spoke->config = config;
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        struct tunnel_spoke_line *line = &spoke->lines[i];
        line->spoke = spoke;
        line->link = i;
        line->timer = (struct tunnel_timer){.fn = on_time, .context = line};
        line->dial = (struct tunnel_dial){
            .timers = &side->timers,
            .fn = on_dialled,
            .context = line,
        };
    }
    if (!tunnel_spoke_tls_open(side, config, false, &spoke->certificates) ||
        !tunnel_spoke_tls_open(side, config, true, &spoke->data_certificates)) {
        return false;
    }
    if (!begin(spoke, config)) {
        daemon_tell_mistake(side->program, "no memory is left");
        return false;
    }
    const bool is_set = tunnel_names_set(&spoke->relay, &side->names,
                                         bytes_of_text(config->relay.host), config->relay.port);
    assert(is_set); // a place's host has room in a host
    side->context = spoke;
    side->end_s = config->drain_timeout_s;
    side->on_end = on_end;
    side->on_turn = on_turn;
    return true;
}

void tunnel_spoke_close(struct tunnel_spoke *spoke)
{
    if (spoke->side == NULL) {
        return;
    }
    if (spoke->calls.calls != NULL) {
        const uint32_t count = revtun_spoke_gauges(spoke->core).sessions;
        if (count > 0) {
            daemon_tell_mistake(spoke->side->program,
                                "clients that are still there (%u) are cut off", count);
        }
        tunnel_calls_close(&spoke->calls);
    }
    for (uint32_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        tunnel_dial_stop(&spoke->lines[i].dial);
        io_tls_abort(&spoke->lines[i].tls);
    }
    io_tls_context_close(spoke->certificates);
    spoke->certificates = NULL;
    io_tls_context_close(spoke->data_certificates);
    spoke->data_certificates = NULL;
    free(spoke->memory);
    spoke->memory = NULL;
}

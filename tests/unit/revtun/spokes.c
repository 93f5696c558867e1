// SPDX-License-Identifier: Apache-2.0
#include "revtun/spokes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

enum { TICKS_MAX = 1000, ADDR_MAX = 64 };

void spokes_export(uint8_t out[REVTUN_SECRETS_EXPORT_LEN])
{
    for (uint8_t i = 0; i < REVTUN_SECRETS_EXPORT_LEN; i++) {
        out[i] = i;
    }
}

struct revtun_spoke_config spokes_config(void)
{
    static const struct revtun_spoke_service web = {
        .name = {(const uint8_t *)"web", 3},
        .kind = REVTUN_MESSAGE_KIND_TCP,
    };

    return (struct revtun_spoke_config){
        .instance = 5,
        .program = bytes_of_text("fairlead/test"),
        .services = &web,
        .service_count = 1,
        .session_max = 4,
        .pool = 2,
        .retry = REVTUN_SPOKE_RETRY_LOST,
        .key = {1, 2},
    };
}

static void PRINTF_LIKE(2, 3) write(struct spokes *spokes, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    const int len =
        vsnprintf(spokes->text + spokes->len, sizeof spokes->text - spokes->len, format, list);
    va_end(list);
    assert(len >= 0);
    assert((size_t)len < sizeof spokes->text - spokes->len);
    spokes->len += (size_t)len;
}

static void write_bytes(struct spokes *spokes, struct bytes text)
{
    write(spokes, "%.*s", (int)text.len, text.len > 0 ? (const char *)text.ptr : "");
}

static void write_addr(struct spokes *spokes, const struct addr *addr)
{
    uint8_t text[ADDR_MAX];
    struct wr wr = wr_init(text, sizeof text);

    addr_write(&wr, addr);
    assert(wr_ok(&wr));
    write_bytes(spokes, wr_done(&wr));
}

static void write_service(struct spokes *spokes, uint32_t service)
{
    assert(service < spokes->config.service_count);
    write_bytes(spokes, spokes->config.services[service].name);
}

static void write_client(struct spokes *spokes, const struct revtun_spoke_client *client)
{
    write_service(spokes, client->service);
    write(spokes, " ");
    write_addr(spokes, &client->src);
    write(spokes, " ");
    write_addr(spokes, &client->dst);
    write(spokes, " ");
    write_bytes(spokes, client->sni);
    write(spokes, "\n");
}

static void write_why(struct spokes *spokes, const struct revtun_spoke_news *news)
{
    static const char *const words[] = {
        [REVTUN_SPOKE_LOST] = "lost",       [REVTUN_SPOKE_BYE] = "bye",
        [REVTUN_SPOKE_SILENT] = "silent",   [REVTUN_SPOKE_STRANGE] = "strange",
        [REVTUN_SPOKE_SEALED] = "sealed",   [REVTUN_SPOKE_UNSEALED] = "unsealed",
        [REVTUN_SPOKE_REFUSED] = "refused", [REVTUN_SPOKE_REPLACED] = "replaced",
    };

    write(spokes, "%s %s ", words[news->why], revtun_message_code_word(news->code));
    write_bytes(spokes, news->text);
    write(spokes, "\n");
}

static void write_news(struct spokes *spokes, const struct revtun_spoke_news *news)
{
    spokes->wait_ns = news->wait_ns;
    switch (news->event) {
    case REVTUN_SPOKE_WELCOME:
        write(spokes, "welcome ");
        write_bytes(spokes, news->text);
        write(spokes, "\n");
        return;
    case REVTUN_SPOKE_BOUND:
        write(spokes, "bound ");
        write_service(spokes, news->service);
        write(spokes, " ");
        write_bytes(spokes, news->at);
        write(spokes, "\n");
        return;
    case REVTUN_SPOKE_DENIED:
        write(spokes, "denied ");
        write_service(spokes, news->service);
        write(spokes, " %s\n", revtun_message_code_word(news->code));
        return;
    case REVTUN_SPOKE_CROWDED:
        write(spokes, "crowded\n");
        return;
    case REVTUN_SPOKE_DRAINING:
        write(spokes, "draining\n");
        return;
    case REVTUN_SPOKE_WAITING:
        write(spokes, "waiting ");
        write_why(spokes, news);
        return;
    case REVTUN_SPOKE_STOPPING:
        write(spokes, "stopping ");
        write_why(spokes, news);
        return;
    }
}

static void write_command(struct spokes *spokes, const struct revtun_spoke_command *command)
{
    switch (command->type) {
    case REVTUN_SPOKE_CONNECT:
        write(spokes, "connect %u\n", command->link);
        return;
    case REVTUN_SPOKE_SEND:
        assert(command->text.len > 2);
        write(spokes, "send %u ", command->link);
        write_bytes(spokes, bytes_first(command->text, command->text.len - 2));
        write(spokes, "\n");
        return;
    case REVTUN_SPOKE_CLOSE:
        write(spokes, "close %u\n", command->link);
        return;
    case REVTUN_SPOKE_ABANDON:
        write(spokes, "abandon %u\n", command->link);
        return;
    case REVTUN_SPOKE_DIAL:
        write(spokes, "dial %u ", command->link);
        write_client(spokes, &command->client);
        break;
    case REVTUN_SPOKE_STAND:
        write(spokes, "stand %u\n", command->link);
        break;
    case REVTUN_SPOKE_SERVE:
        write(spokes, "serve ");
        write_client(spokes, &command->client);
        break;
    case REVTUN_SPOKE_DROP:
        write(spokes, "drop\n");
        break;
    case REVTUN_SPOKE_TELL:
        write_news(spokes, &command->news);
        return;
    case REVTUN_SPOKE_STOP:
        write(spokes, "stop ");
        write_why(spokes, &command->news);
        return;
    }
    spokes->call = command->call;
    spokes->is_tls = command->is_tls;
    if (command->preface != NULL) {
        memcpy(spokes->preface, command->preface, sizeof spokes->preface);
    }
}

static void take(struct spokes *spokes)
{
    struct revtun_spoke_command command;

    while (revtun_spoke_take(spokes->spoke, &command)) {
        write_command(spokes, &command);
    }
}

void spokes_settle(struct spokes *spokes)
{
    take(spokes);
    for (int i = 0; revtun_spoke_deadline(spokes->spoke) <= spokes->now_ns; i++) {
        assert(i < TICKS_MAX);
        revtun_spoke_tick(spokes->spoke, spokes->now_ns);
        take(spokes);
    }
}

void spokes_fresh(struct spokes *spokes)
{
    spokes->len = 0;
    spokes->text[0] = 0;
}

void spokes_open(struct spokes *spokes, const struct revtun_spoke_config *config)
{
    static const uint8_t secret[REVTUN_TOKEN_SECRET_LEN] = {1};
    static const uint8_t pin[REVTUN_TOKEN_PIN_LEN] = {0};

    memset(spokes, 0, sizeof *spokes);
    revtun_token_init(&spokes->token, bytes_of_text("laptop"), secret, pin);
    spokes->config = *config;
    spokes->config.token = &spokes->token;
    spokes->now_ns = 1000 * SECOND_NS;
    void *memory = calloc(1, revtun_spoke_size(config));
    assert(memory != NULL);
    spokes->spoke = revtun_spoke_init(memory, &spokes->config);
    spokes_settle(spokes);
}

void spokes_close(struct spokes *spokes)
{
    free(spokes->spoke);
    spokes->spoke = NULL;
}

void spokes_up(struct spokes *spokes, uint32_t link)
{
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];

    spokes_export(exported);
    spokes_fresh(spokes);
    revtun_spoke_up(spokes->spoke, spokes->now_ns, link, exported);
    spokes_settle(spokes);
}

void spokes_hear(struct spokes *spokes, uint32_t link, const char *lines)
{
    struct bytes received = bytes_of_text(lines);

    spokes_fresh(spokes);
    while (received.len > 0) {
        revtun_spoke_read(spokes->spoke, spokes->now_ns, link, &received);
        spokes_settle(spokes);
    }
}

void spokes_down(struct spokes *spokes, uint32_t link)
{
    spokes_fresh(spokes);
    revtun_spoke_down(spokes->spoke, spokes->now_ns, link);
    spokes_settle(spokes);
}

void spokes_pass(struct spokes *spokes, uint64_t ns)
{
    spokes_fresh(spokes);
    spokes->now_ns += ns;
    spokes_settle(spokes);
}

bool spokes_has(const struct spokes *spokes, const char *text)
{
    return strstr(spokes->text, text) != NULL;
}

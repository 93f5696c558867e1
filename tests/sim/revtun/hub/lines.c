// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/lines.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "sim/revtun/hub/judge.h"

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    const size_t len = strlen(line->text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line->text + len, sizeof line->text - len, format, arguments);
    va_end(arguments);
    assert(strlen(line->text) + 1 < sizeof line->text);
}

static void begin(struct line *line, enum oracle_verb verb)
{
    line->means = (struct oracle_line){.verb = verb};
    line->text[0] = 0;
}

// What a later version might add, and the end.
static void end(struct world *w, struct line *line)
{
    static const char *const more[] = {" x=", " color=blue%20%ff", " later_9=1,2,3", " code2=%25"};

    if (world_chance(w, 10)) {
        add(line, "%s", more[world_below(w, COUNT_OF(more))]);
    }
    add(line, "\r\n");
}

void lines_hello(struct world *w, const struct world_agent *agent, size_t wire, struct line *out)
{
    const char *owner = oracle_owner_names[agent->owner];
    const bool has_cap = world_chance(w, 90);

    begin(out, ORACLE_SAYS_HELLO);
    out->means.owner = agent->owner;
    out->means.secret = agent->secret;
    out->means.is_cert = agent->owner >= ORACLE_TOKENS;
    out->means.is_forged = agent->is_liar;
    out->means.instance = agent->instance;
    out->means.pool = has_cap ? agent->pool : 0;
    add(out, "hello instance=%" PRIu64, agent->instance);
    if (out->means.is_cert) {
        add(out, " auth=cert");
    } else {
        uint8_t proof[SEALS_LEN];
        seals_proof(owner, agent->secret, w->wires[wire].exported, proof);
        proof[world_below(w, SEALS_LEN)] ^= agent->is_liar ? 1 << world_below(w, 8) : 0;
        add(out, " auth=token id=%s proof=", owner);
        for (size_t i = 0; i < SEALS_LEN; i++) {
            add(out, "%02x", proof[i]);
        }
    }
    if (agent->pool > 0) {
        add(out, " pool=%" PRIu32, agent->pool);
    }
    add(out, has_cap ? " caps=new,standby" : " caps=tls");
    end(w, out);
}

void lines_bind(struct world *w, struct world_agent *agent, const struct world_want *want,
                struct line *out)
{
    begin(out, ORACLE_SAYS_BIND);
    out->means.rid = ++agent->next_rid;
    out->means.name = want->name;
    out->means.is_sni = want->is_sni;
    out->means.port = want->is_sni ? 0 : want->port;
    out->means.hosts = want->hosts;
    out->means.max = want->max;
    out->means.is_take = want->is_take;
    add(out, "bind");
    if (want->max > 0) {
        add(out, " max=%" PRIu32, want->max);
    }
    add(out, " kind=%s name=%s", want->is_sni ? "sni" : "tcp", want->name);
    if (want->is_sni) {
        add(out, " hosts=%s", want->hosts);
    } else if (want->port > 0) {
        add(out, " port=%u", want->port);
    }
    if (want->is_take) {
        add(out, " take=1");
    }
    add(out, " rid=%" PRIu64, out->means.rid);
    end(w, out);
}

void lines_unbind(struct world *w, struct world_agent *agent, const char *name, struct line *out)
{
    begin(out, ORACLE_SAYS_UNBIND);
    out->means.rid = ++agent->next_rid;
    out->means.name = name;
    // Any character may be encoded.
    add(out, "unbind rid=%" PRIu64 " name=%%%02x%s", out->means.rid, (unsigned)name[0], name + 1);
    end(w, out);
}

void lines_refuse(struct world *w, uint64_t id, struct line *out)
{
    static const char *const codes[] = {"unreachable", "busy", "denied", "tired"};
    const size_t code = world_below(w, COUNT_OF(codes));

    begin(out, ORACLE_SAYS_REFUSE);
    out->means.number = id;
    w->cover->seen[COVER_REFUSE_UNREACHABLE + code]++;
    add(out, "refuse id=%" PRIu64 " code=%s text=not%%20now", id, codes[code]);
    end(w, out);
}

void lines_ping(struct world *w, struct line *out)
{
    begin(out, ORACLE_SAYS_PING);
    out->means.number = rng_next(&w->rng);
    add(out, "ping n=%" PRIu64, out->means.number);
    end(w, out);
}

void lines_pong(uint64_t n, struct line *out)
{
    begin(out, ORACLE_SAYS_PONG);
    out->means.number = n;
    add(out, "pong n=%" PRIu64 "\r\n", n);
}

void lines_bye(struct world *w, struct line *out)
{
    static const char *const codes[] = {"shutdown", "protocol", "silent", "other"};
    const char *code = codes[world_below(w, COUNT_OF(codes))];

    begin(out, ORACLE_SAYS_BYE);
    out->means.code = code;
    add(out, "bye code=%s", strcmp(code, "other") == 0 ? "bedtime" : code);
    end(w, out);
}

static void malformed(struct world *w, struct line *out)
{
    static const char *const texts[] = {
        "BIND rid=1 name=web kind=tcp",
        "bind rid=1  name=web kind=tcp",
        "bind rid=1 name=web kind=tcp rid=1",
        "ping n=%zz",
        "ping n",
        "ping =1",
        "",
        " ping n=1",
        "ping n=1 ",
        "ping n=1\x01",
        "ping n=\xc3\xa4",
        "9ping n=1",
        "ping n=1\rpong n=1",
        "a23456789012345678901234567890123 n=1",
    };

    begin(out, ORACLE_SAYS_MALFORMED);
    if (world_chance(w, 15)) {
        add(out, "ping n=1 x=");
        memset(out->text + strlen(out->text), 'x', 4096); // zeroed behind that
        out->text[4094 + world_below(w, 5)] = 0;
        // One that just fits is no mistake, as lines_ping() has it.
        if (strlen(out->text) == 4094) {
            out->means.verb = ORACLE_SAYS_PING;
            out->means.number = 1;
        }
    } else if (world_chance(w, 15)) {
        const size_t keys = 32 + world_below(w, 2);
        add(out, "ping n=1");
        for (size_t i = 1; i < keys; i++) {
            add(out, " k%zu=1", i);
        }
        if (keys == 32) {
            out->means.verb = ORACLE_SAYS_PING;
            out->means.number = 1;
        }
    } else {
        add(out, "%s", texts[world_below(w, COUNT_OF(texts))]);
    }
    add(out, "\r\n");
}

static void bad(struct world *w, struct world_agent *agent, struct line *out)
{
    static const struct {
        const char *text, *key;
        bool has_rid, is_hello;
    } lines[] = {
        {"bind name=UP kind=tcp rid=", "name", true, false},
        {"bind name=web- kind=tcp rid=", "name", true, false},
        {"bind kind=tcp rid=", "name", true, false},
        {"bind name=web kind=udp rid=", "kind", true, false},
        {"bind name=web rid=", "kind", true, false},
        {"bind name=web kind=tcp port=65536 rid=", "port", true, false},
        {"bind name=web kind=tcp hosts=a.test rid=", "hosts", true, false},
        {"bind name=web kind=sni hosts=a.test, rid=", "hosts", true, false},
        {"bind name=web kind=sni hosts=A.test rid=", "hosts", true, false},
        {"bind name=web kind=sni rid=", "hosts", true, false},
        {"bind name=web kind=sni hosts=a.test port=7 rid=", "port", true, false},
        {"bind name=web kind=tcp take=2 rid=", "take", true, false},
        {"bind name=web kind=tcp max=-1 rid=", "max", true, false},
        {"bind name=web kind=tcp rid=0", "rid", false, false},
        {"bind name=web kind=tcp rid=18446744073709551616", "rid", false, false},
        {"bind name=web kind=tcp", "rid", false, false},
        {"unbind name=web", "rid", false, false},
        {"unbind name=-a rid=", "name", true, false},
        {"refuse id=7", "code", false, false},
        {"refuse code=busy", "id", false, false},
        {"refuse id=7 code=busy text=%0a", "text", false, false},
        {"ping", "n", false, false},
        {"ping n=", "n", false, false},
        {"pong n=1e3", "n", false, false},
        {"bye", "code", false, false},
        {"hello auth=cert", "instance", false, true},
        {"hello instance=1", "auth", false, true},
        {"hello instance=1 auth=cert pool=65", "pool", false, true},
        {"hello instance=1 auth=token id=laptop", "proof", false, true},
        {"hello instance=1 auth=token proof=00", "proof", false, true},
    };
    const size_t i = world_below(w, COUNT_OF(lines));

    begin(out, ORACLE_SAYS_BAD);
    out->means.key = lines[i].key;
    out->means.is_hello = lines[i].is_hello;
    add(out, "%s", lines[i].text);
    if (lines[i].has_rid) {
        out->means.rid = ++agent->next_rid;
        add(out, "%" PRIu64, out->means.rid);
    }
    end(w, out);
}

static void unknown(struct world *w, struct world_agent *agent, struct line *out)
{
    static const char *const verbs[] = {"dance", "welcome", "new_connection", "standby", "gone",
                                        "bound", "b_9",     "drain",          "error"};

    begin(out, ORACLE_SAYS_UNKNOWN);
    add(out, "%s", verbs[world_below(w, COUNT_OF(verbs))]);
    if (world_chance(w, 50)) {
        out->means.rid = ++agent->next_rid;
        add(out, " rid=%" PRIu64, out->means.rid);
    }
    end(w, out);
}

void lines_wrong(struct world *w, struct world_agent *agent, struct line *out)
{
    switch (world_below(w, 8)) {
    case 0:
        malformed(w, out);
        break;
    case 1:
        lines_hello(w, agent, agent->wire, out); // a second one
        break;
    case 2:
    case 3:
        unknown(w, agent, out);
        break;
    case 4:
        lines_refuse(w, world_below(w, 4) << 24, out); // of nobody; 0 is none
        break;
    case 5:
        lines_pong(world_below(w, 1 << 17), out); // of no ping
        break;
    default:
        bad(w, agent, out);
        break;
    }
}

// What is left of a text is read, up to the end of a line.
static void read_on(struct world *w, size_t wire, struct bytes *received)
{
    revtun_hub_link_read(w->hub, w->now, w->wires[wire].link, received);
    judge_event(w);
}

void lines_say(struct world *w, size_t wire, const struct line *lines, size_t count)
{
    static char text[LINES_TEXT_MAX * 8];
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        assert(len + strlen(lines[i].text) < sizeof text);
        memcpy(text + len, lines[i].text, strlen(lines[i].text));
        len += strlen(lines[i].text);
    }
    struct bytes received = {(const uint8_t *)text, len};
    w->cover->seen[COVER_MANY_LINES] += count > 1;
    for (size_t i = 0; i < count && !w->wires[wire].is_cut; i++) {
        const size_t line_len = strlen(lines[i].text);
        world_note(w, lines[i].text, wire);
        if (i == 0 && line_len <= 4096 && world_chance(w, 20)) {
            // In two pieces.
            struct bytes piece = bytes_first(received, 1 + world_below(w, line_len - 1));
            received = bytes_from(received, piece.len);
            oracle_heard(&w->oracle, wire);
            read_on(w, wire, &piece);
            w->cover->seen[COVER_CUT_LINE]++;
        }
        oracle_line(&w->oracle, wire, &lines[i].means);
        read_on(w, wire, &received);
    }
    if (received.len > 0 && w->wires[wire].is_up) {
        world_fail(w, "%zu bytes are left unread", received.len);
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_services.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "conf/conf_section.h"

// What is said of one service.
struct one {
    struct conf *conf;
    size_t section; // its heading in the file; or 0
    bool is_alone;  // the only one: options of the whole are its own
    const struct conf_value *target;
    struct bytes name;  // in front of the target, or the heading; or empty
    struct bytes place; // the target without it
};

static size_t target_count(const struct conf *conf)
{
    const struct conf_value *value = NULL;
    size_t count = 0;

    while ((value = conf_next(conf, "target", value)) != NULL) {
        count++;
    }
    return count;
}

static bool has_name(struct bytes target)
{
    return bytes_index(target, '=') < target.len;
}

bool tunnel_services_are_second(const struct conf *conf)
{
    const struct conf_value *target = conf_find(conf, "target");

    return conf->section_count > 0 || target_count(conf) > 1 ||
           (target != NULL && has_name(target->text));
}

// Of its section, or else of all.
static const struct conf_value *find(const struct one *one, const char *name)
{
    return one->section > 0 ? conf_section_find(one->conf, one->section, name)
                            : conf_find(one->conf, name);
}

// Of this service alone.
static const struct conf_value *next_own(const struct one *one, const char *name,
                                         const struct conf_value *last)
{
    if (one->section > 0) {
        return conf_section_next(one->conf, one->section, name, last);
    }
    return one->is_alone ? conf_next(one->conf, name, last) : NULL;
}

// --- its name ------------------------------------------------------------------------------------

static void complain_of_name(struct one *one, const char *predicate)
{
    if (one->section > 0) {
        conf_section_error(one->conf, one->section, predicate);
    } else {
        const struct conf_value *name = conf_find(one->conf, "name");
        conf_error_value(&one->conf->errors,
                         one->name.len == 0 && name != NULL ? name : one->target, predicate);
    }
}

static bool is_taken(const struct tunnel_spoke_config *out, struct bytes name)
{
    for (uint32_t i = 0; i < out->core.service_count; i++) {
        if (bytes_equal(out->services[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void read_name(struct one *one, const struct tunnel_spoke_config *out, uint16_t port,
                      struct bytes *result)
{
    static char texts[REVTUN_SPOKE_SERVICE_MAX][REVTUN_NAME_MAX + 1];
    char *text = texts[out->core.service_count];
    const struct conf_value *given = next_own(one, "name", NULL);
    const struct bytes name = one->name.len > 0 ? one->name
                              : given != NULL   ? given->text
                                                : (struct bytes){0};

    if (one->name.len > 0 && given != NULL) {
        conf_error_value(&one->conf->errors, given, "is given beside a name in front of TARGET");
    }
    snprintf(text, sizeof texts[0], "port-%u", port);
    if (one->name.len > 0 || given != NULL) {
        if (!revtun_pattern_is_name(name)) {
            complain_of_name(one, "is no name of a-z, 0-9 and hyphens, which begin and end none");
            return;
        }
        memcpy(text, name.ptr, name.len);
        text[name.len] = '\0';
    }
    *result = bytes_of_text(text);
    if (is_taken(out, *result)) {
        complain_of_name(one, "has the name of another one; NAME=TARGET gives it one of its own");
    }
}

// --- its hosts -----------------------------------------------------------------------------------

static bool read_host(struct conf_errors *errors, const struct conf_value *value, struct wr *wr)
{
    uint8_t lower[REVTUN_HOST_MAX];

    if (value->text.len > sizeof lower) {
        conf_error_value(errors, value, "is too long for a host");
        return false;
    }
    for (size_t i = 0; i < value->text.len; i++) {
        lower[i] = ascii_lower(value->text.ptr[i]);
    }
    const struct bytes host = {lower, value->text.len};
    if (!revtun_pattern_is_of_hosts(host)) {
        conf_error_value(errors, value, "is no host, and no pattern as *.example.org");
        return false;
    }
    if (wr->len > 0) {
        wr_text(wr, ",");
    }
    wr_bytes(wr, host);
    return true;
}

static void read_hosts(struct one *one, uint32_t index, struct revtun_spoke_service *out)
{
    static uint8_t texts[REVTUN_SPOKE_SERVICE_MAX][REVTUN_MESSAGE_HOSTS_MAX];
    struct conf_errors *errors = &one->conf->errors;
    struct wr wr = wr_init(texts[index], sizeof texts[index]);
    const struct conf_value *value = NULL;
    const struct conf_value *port = next_own(one, "port", NULL);

    out->kind = REVTUN_MESSAGE_KIND_TCP;
    while ((value = next_own(one, "host", value)) != NULL) {
        if (!read_host(errors, value, &wr)) {
            return;
        }
        if (!wr_ok(&wr)) {
            conf_error_value(errors, value, "is one too many: all take 1024 bytes at most");
            return;
        }
        out->kind = REVTUN_MESSAGE_KIND_SNI;
    }
    out->hosts = wr_done(&wr);
    if (out->kind == REVTUN_MESSAGE_KIND_SNI && port != NULL) {
        conf_error_value(errors, port, "is not for services with --host, which share a port");
    } else {
        conf_value_port(errors, port, &out->port);
    }
}

// --- one and all ---------------------------------------------------------------------------------

static void read_one(struct one *one, struct tunnel_spoke_config *out)
{
    static const char *const versions[] = {"off", "v1", "v2"};
    struct conf_errors *errors = &one->conf->errors;
    struct conf_value place = *one->target;
    size_t version = REVTUN_PROXY_NO;
    bool is_taking = false;

    if (out->core.service_count == REVTUN_SPOKE_SERVICE_MAX) {
        conf_error_value(errors, one->target, "is one too many: 32 services are the most");
        return;
    }
    const uint32_t index = out->core.service_count;
    struct revtun_spoke_service *service = &out->services[index];
    struct tunnel_calls_target *target = &out->targets[index];
    place.text = one->place;
    target->place = (struct tunnel_place){.host = "127.0.0.1"};
    tunnel_place_of(errors, &place, &target->place);
    read_name(one, out, target->place.port, &service->name);
    read_hosts(one, index, service);
    conf_value_word(errors, find(one, "proxy-protocol"), versions, COUNT_OF(versions), &version);
    conf_value_bool(errors, find(one, "take"), &is_taking);
    target->proxy = (enum revtun_proxy_version)version;
    service->is_taken = is_taking;
    service->max = out->core.session_max;
    out->core.service_count++;
}

static void read_section(struct conf *conf, size_t section, struct tunnel_spoke_config *out)
{
    struct one one = {.conf = conf, .section = section, .name = conf->sections[section - 1].name};

    one.target = conf_section_next(conf, section, "target", NULL);
    if (one.target == NULL) {
        conf_section_error(conf, section, "lacks its target");
        return;
    }
    one.place = one.target->text;
    if (conf_section_next(conf, section, "target", one.target) != NULL) {
        conf_section_error(conf, section, "has two targets; each service has a heading");
    }
    read_one(&one, out);
}

static void read_target(struct conf *conf, const struct conf_value *target, bool is_alone,
                        struct tunnel_spoke_config *out)
{
    const size_t equals = bytes_index(target->text, '=');
    struct one one = {.conf = conf, .is_alone = is_alone, .target = target, .place = target->text};

    if (equals < target->text.len) {
        one.name = bytes_first(target->text, equals);
        one.place = bytes_from(target->text, equals + 1);
        if (one.name.len == 0) {
            conf_error_value(&conf->errors, target, "begins with an equals sign");
            return;
        }
    }
    read_one(&one, out);
}

// What is of one service cannot be said of all.
static void refuse_single(struct conf *conf, const char *name, const char *predicate)
{
    if (conf_is_given(conf, name)) {
        conf_error_value(&conf->errors, conf_find(conf, name), predicate);
    }
}

void tunnel_services_read(struct conf *conf, struct tunnel_spoke_config *out)
{
    const size_t count = target_count(conf);
    const struct conf_value *target = NULL;

    out->core.service_count = 0;
    if (count > 1 || conf->section_count > 0) {
        refuse_single(conf, "name",
                      "is for one service; of several each has its own, as in web=8080, or a "
                      "heading of the file");
        refuse_single(conf, "port",
                      "is for one service; of several it stands in the file, below "
                      "the heading of one");
        refuse_single(conf, "host",
                      "is for one service; of several it stands in the file, below "
                      "the heading of one");
    }
    if (conf->section_count > 0) {
        refuse_single(conf, "target", "is given beside a file whose headings are services");
        for (size_t i = 1; i <= conf->section_count; i++) {
            read_section(conf, i, out);
        }
        return;
    }
    while ((target = conf_next(conf, "target", target)) != NULL) {
        read_target(conf, target, count == 1, out);
    }
    _Static_assert(REVTUN_SPOKE_SERVICE_MAX == 32, "as the message says");
    _Static_assert((int)REVTUN_SPOKE_SERVICE_MAX == (int)CONF_SECTION_MAX, "each can be a service");
}

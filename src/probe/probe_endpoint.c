// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_endpoint.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "io/io_name.h"

enum { ADDRS_MAX = 8 }; // of a name, that are told

// What DNS may have as a host's name, and no address that is mistyped: its last label is no number.
static bool is_name(struct bytes text)
{
    size_t begin = text.len;

    while (begin > 0 && text.ptr[begin - 1] != '.') {
        begin--;
    }
    struct bytes last = bytes_from(text, begin);
    uint64_t number = 0;
    return text.len > 0 && text.len <= PROBE_ENDPOINT_NAME_MAX && text.ptr[0] != '-' &&
           text.ptr[0] != '.' && ascii_has_only(text, "-._") &&
           !bytes_to_number(last, UINT64_MAX, &number);
}

// Reads the host; how many bytes of the text it takes, or 0.
static size_t read_host(struct bytes text, struct probe_endpoint *out)
{
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t end = bytes_index(text, ']');
        bool is_good =
            end < text.len && addr_read(bytes_from(bytes_first(text, end), 1), &out->addr);
        return is_good ? end + 1 : 0;
    }
    if (addr_read(text, &out->addr)) {
        return text.len;
    }
    size_t end = bytes_index(text, ':');
    struct bytes host = bytes_first(text, end);
    if (addr_read(host, &out->addr)) {
        return end;
    }
    out->name = host;
    return is_name(host) ? end : 0;
}

bool probe_endpoint_read(struct bytes text, struct probe_endpoint *out)
{
    struct probe_endpoint endpoint = {0};
    uint64_t port = PROBE_ENDPOINT_PORT;
    size_t at = read_host(text, &endpoint);
    struct bytes tail = bytes_from(text, at);

    if (at == 0 ||
        (tail.len > 0 && (tail.ptr[0] != ':' ||
                          !bytes_to_number(bytes_from(tail, 1), UINT16_MAX, &port) || port == 0))) {
        return false;
    }
    endpoint.port = (uint16_t)port;
    endpoint.addr = addr_with_port(endpoint.addr, endpoint.port);
    *out = endpoint;
    return true;
}

static void take_family(struct conf *conf, struct probe_endpoint *out)
{
    const bool is_ip4 = conf_flag(conf, "ip4");
    const bool is_ip6 = conf_flag(conf, "ip6");

    if (!is_ip4 && !is_ip6) {
        return;
    }
    out->family = is_ip4 ? ADDR_IP4 : ADDR_IP6;
    if (is_ip4 && is_ip6) {
        conf_error_value(&conf->errors, conf_find(conf, "ip6"), "cannot be given beside --ip4");
    } else if (out->addr.family != ADDR_NONE && out->addr.family != out->family) {
        conf_error_value(&conf->errors, conf_find(conf, "server"),
                         is_ip4 ? "is not IPv4, as --ip4 wants it"
                                : "is not IPv6, as --ip6 wants it");
    }
}

void probe_endpoint_take(struct conf *conf, struct probe_endpoint *out)
{
    const struct conf_value *value = conf_find(conf, "server");

    if (value == NULL) {
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text("server")));
    } else if (!probe_endpoint_read(value->text, out)) {
        conf_error_value(&conf->errors, value,
                         "is neither an address nor a host's name, with or without a port");
    } else {
        take_family(conf, out);
    }
}

static void print_addr(const struct addr *addr)
{
    uint8_t text[ADDR_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    addr_ip_write(&wr, addr);
    fprintf(stderr, "%.*s", (int)wr.len, (const char *)wr.ptr);
}

bool probe_endpoint_find(struct probe_endpoint *endpoint)
{
    char name[PROBE_ENDPOINT_NAME_MAX + 1] = {0};
    struct addr found[ADDRS_MAX];
    size_t count = 0;

    if (endpoint->addr.family != ADDR_NONE) {
        return true;
    }
    assert(endpoint->name.len > 0);
    assert(endpoint->name.len <= PROBE_ENDPOINT_NAME_MAX);
    memcpy(name, endpoint->name.ptr, endpoint->name.len);
    int error = io_name_find(name, endpoint->family, found, ADDRS_MAX, &count);
    if (error != 0) {
        const char *which = endpoint->family == ADDR_IP4   ? " (IPv4)"
                            : endpoint->family == ADDR_IP6 ? " (IPv6)"
                                                           : "";
        fprintf(stderr, "fairlead-probe: %s%s: %s\n", name, which, io_name_why(error));
        return false;
    }
    fprintf(stderr, "fairlead-probe: %s is ", name);
    print_addr(&found[0]);
    for (size_t i = 1; i < count; i++) {
        fprintf(stderr, i == 1 ? "; not taken: " : ", ");
        print_addr(&found[i]);
    }
    fprintf(stderr, "\n");
    endpoint->addr = addr_with_port(found[0], endpoint->port);
    return true;
}

const char *probe_endpoint_text(const struct probe_endpoint *endpoint,
                                char text[PROBE_ENDPOINT_TEXT_MAX])
{
    struct wr wr = wr_init((uint8_t *)text, PROBE_ENDPOINT_TEXT_MAX - 1);

    if (endpoint->name.len > 0) {
        wr_bytes(&wr, endpoint->name);
        wr_text(&wr, " (");
    }
    addr_write(&wr, &endpoint->addr);
    wr_text(&wr, endpoint->name.len > 0 ? ")" : "");
    assert(wr_ok(&wr));
    text[wr.len] = '\0';
    return text;
}

// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_value.h"

#include <assert.h>

#include "conf/conf_duration.h"

// Adds that a value is not what is wanted; always false.
static bool refuse(struct conf_errors *errors, const struct conf_value *value,
                   const struct conf_wanted *wanted)
{
    conf_error_add(errors, &(struct conf_error){
                               .wrong = CONF_WRONG_VALUE,
                               .place = value->place,
                               .option = value->option,
                               .given = value->text,
                               .wanted = *wanted,
                           });
    return false;
}

bool conf_value_number(struct conf_errors *errors, const struct conf_value *value, uint64_t min,
                       uint64_t max, uint64_t *out)
{
    uint64_t number = 0;

    assert(min <= max);
    assert(max > 0);
    if (value == NULL) {
        return false;
    }
    if (!bytes_to_number(value->text, max, &number) || number < min) {
        return refuse(errors, value,
                      &(struct conf_wanted){"is not a number", .min = min, .max = max});
    }
    *out = number;
    return true;
}

bool conf_value_port(struct conf_errors *errors, const struct conf_value *value, uint16_t *out)
{
    uint64_t port = 0;

    if (value == NULL) {
        return false;
    }
    if (!bytes_to_number(value->text, UINT16_MAX, &port) || port == 0) {
        return refuse(errors, value,
                      &(struct conf_wanted){"is not a port", .min = 1, .max = UINT16_MAX});
    }
    *out = (uint16_t)port;
    return true;
}

static const char *no_address(enum addr_family family)
{
    switch (family) {
    case ADDR_NONE:
        return "is not an IP address such as 192.0.2.1 or 2001:db8::1";
    case ADDR_IP4:
        return "is not an IPv4 address such as 192.0.2.1";
    case ADDR_IP6:
        return "is not an IPv6 address such as 2001:db8::1";
    }
    assert(!"an address of no known family");
    return NULL;
}

bool conf_value_addr(struct conf_errors *errors, const struct conf_value *value,
                     enum addr_family family, struct addr *out)
{
    struct addr addr = {0};

    if (value == NULL) {
        return false;
    }
    if (!addr_read(value->text, &addr) || (family != ADDR_NONE && addr.family != family)) {
        return refuse(errors, value, &(struct conf_wanted){no_address(family)});
    }
    *out = addr;
    return true;
}

bool conf_value_socket(struct conf_errors *errors, const struct conf_value *value, struct addr *out)
{
    struct addr addr = {0};

    if (value == NULL) {
        return false;
    }
    if (!addr_read_with_port(value->text, &addr) || addr.port == 0) {
        return refuse(errors, value,
                      &(struct conf_wanted){
                          "is not an address and port such as 127.0.0.1:8080 or [::1]:8080"});
    }
    *out = addr;
    return true;
}

static const char *no_cidr(enum cidr_outcome outcome)
{
    switch (outcome) {
    case CIDR_OK:
        break;
    case CIDR_NO_ADDRESS:
        return "is not an address prefix such as 10.0.0.0/8 or 2001:db8::/32";
    case CIDR_BAD_LENGTH:
        return "has no prefix length from 0 to 32 (IPv6: 128) behind the slash";
    case CIDR_HOST_BITS:
        return "has bits set behind its prefix length; 10.0.0.0/8 has none";
    }
    assert(!"a prefix that is wrong has an outcome that says so");
    return NULL;
}

bool conf_value_cidr(struct conf_errors *errors, const struct conf_value *value, struct cidr *out)
{
    if (value == NULL) {
        return false;
    }
    enum cidr_outcome outcome = cidr_read(value->text, out);
    if (outcome != CIDR_OK) {
        return refuse(errors, value, &(struct conf_wanted){no_cidr(outcome)});
    }
    return true;
}

bool conf_value_bool(struct conf_errors *errors, const struct conf_value *value, bool *out)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "1", "0"};

    if (value == NULL) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (bytes_equal_text(value->text, words[i])) {
            *out = i % 2 == 0;
            return true;
        }
    }
    return refuse(errors, value, &(struct conf_wanted){"is neither true nor false"});
}

bool conf_value_word(struct conf_errors *errors, const struct conf_value *value,
                     const char *const *words, size_t word_count, size_t *out)
{
    assert(word_count > 0);
    if (value == NULL) {
        return false;
    }
    for (size_t i = 0; i < word_count; i++) {
        if (bytes_equal_text(value->text, words[i])) {
            *out = i;
            return true;
        }
    }
    return refuse(errors, value,
                  &(struct conf_wanted){"is none of", .words = words, .word_count = word_count});
}

bool conf_value_duration(struct conf_errors *errors, const struct conf_value *value, uint64_t min_s,
                         uint64_t max_s, uint64_t *out_s)
{
    uint64_t duration_s = 0;

    assert(min_s <= max_s);
    assert(max_s > 0);
    if (value == NULL) {
        return false;
    }
    if (!conf_duration_read(value->text, &duration_s)) {
        return refuse(errors, value,
                      &(struct conf_wanted){"is not a duration such as 1d 2h 30m 45s"});
    }
    if (duration_s < min_s || duration_s > max_s) {
        return refuse(errors, value,
                      &(struct conf_wanted){"is not a duration", .min = min_s, .max = max_s,
                                            .unit = " seconds"});
    }
    *out_s = duration_s;
    return true;
}

bool conf_value_text(struct conf_errors *errors, const struct conf_value *value, size_t min_len,
                     size_t max_len, struct bytes *out)
{
    assert(min_len <= max_len);
    assert(max_len > 0);
    if (value == NULL) {
        return false;
    }
    if (value->text.len < min_len || value->text.len > max_len) {
        return refuse(errors, value,
                      &(struct conf_wanted){"is not a text", .min = min_len, .max = max_len,
                                            .unit = " bytes"});
    }
    *out = value->text;
    return true;
}

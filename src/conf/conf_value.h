// SPDX-License-Identifier: Apache-2.0
// A value as it was given, and its readers: each makes a typed value of it or adds an error.
//
// All readers share one contract. A `value` of NULL (the option was not given and has no default)
// is no error. *out is untouched unless the value is good, so it may hold the caller's own
// default. True means that *out was set. The result may be dropped: what is wrong stands in
// `errors`, and a program asks once at the end whether errors->count is 0.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/cidr.h"
#include "conf/conf_error.h"

struct conf_value {
    const struct conf_option *option;
    struct conf_place place; // CONF_DEFAULT: it is the table's default_text
    size_t section;          // the heading of the file that it stands below, from 1; 0: none
    struct bytes text;       // borrowed from argv, environment, file, scratch memory or the table
};

// A decimal number from min to max, where max is at least 1.
bool conf_value_number(struct conf_errors *errors, const struct conf_value *value, uint64_t min,
                       uint64_t max, uint64_t *out);
// A port from 1 to 65535.
bool conf_value_port(struct conf_errors *errors, const struct conf_value *value, uint16_t *out);
// An IP address of that family, or of any with ADDR_NONE; its port is 0.
bool conf_value_addr(struct conf_errors *errors, const struct conf_value *value,
                     enum addr_family family, struct addr *out);
// An IP address with a port from 1 to 65535: 127.0.0.1:8080 or [::1]:8080.
bool conf_value_socket(struct conf_errors *errors, const struct conf_value *value,
                       struct addr *out);
// "ADDRESS/LENGTH" without host bits, or one address.
bool conf_value_cidr(struct conf_errors *errors, const struct conf_value *value, struct cidr *out);
// true, yes, on, 1 or false, no, off, 0.
bool conf_value_bool(struct conf_errors *errors, const struct conf_value *value, bool *out);
// One of the words; *out is its index. The array outlives `errors`.
bool conf_value_word(struct conf_errors *errors, const struct conf_value *value,
                     const char *const *words, size_t word_count, size_t *out);
// A duration such as "1d 2h 30m 45s" (conf_duration.h) from min_s to max_s seconds.
bool conf_value_duration(struct conf_errors *errors, const struct conf_value *value, uint64_t min_s,
                         uint64_t max_s, uint64_t *out_s);
// Any bytes, min_len to max_len of them.
bool conf_value_text(struct conf_errors *errors, const struct conf_value *value, size_t min_len,
                     size_t max_len, struct bytes *out);

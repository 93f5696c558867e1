// SPDX-License-Identifier: Apache-2.0
// A host and a port, as people write them.
//
//     relay.example:12000   192.0.2.1   [2001:db8::1]:12000   2001:db8::1   8080
#pragma once

#include "conf/conf.h"
#include "tunnel/tunnel_names.h"

struct tunnel_place {
    char host[TUNNEL_NAMES_HOST_MAX + 1];
    uint16_t port;
};

// What is left out is as it stands in *out (a port of 0, an empty host: it must not be left out).
// False, with *out untouched, when it is none.
MUST_USE bool tunnel_place_read(struct bytes text, struct tunnel_place *out);
// The same of an option, where what is wrong is added to the errors. NULL is no error.
void tunnel_place_of(struct conf_errors *errors, const struct conf_value *value,
                     struct tunnel_place *out);
// A host alone, in *out.
void tunnel_place_host_of(struct conf_errors *errors, const struct conf_value *value,
                          struct tunnel_place *out);

enum { TUNNEL_PLACE_TEXT_MAX = TUNNEL_NAMES_HOST_MAX + sizeof "[]:65535" };
void tunnel_place_write(const struct tunnel_place *place, char out[TUNNEL_PLACE_TEXT_MAX]);

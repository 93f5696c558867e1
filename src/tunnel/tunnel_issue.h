// SPDX-License-Identifier: Apache-2.0
// Issues tokens: a new one, and its line of the access list.
#pragma once

#include "base/bytes.h"
#include "io/io_tls_error.h"
#include "revtun/revtun_access.h"
#include "revtun/revtun_token.h"

struct tunnel_issue {
    struct bytes id;    // the token's name: revtun_pattern_is_name()
    struct bytes terms; // of the list, such as "ports=*"
    struct bytes keys;  // directory of the relay's certificate, whose key the token is to hold
    bool has_pin; // else `keys` is not looked at: the relay has a certificate by its host's name
};

// Writes a new token, and its line with the end. False, with words in *wrong: the certificate
// cannot be read, or the terms cannot be.
MUST_USE bool tunnel_issue_write(const struct tunnel_issue *issue, struct wr *token,
                                 struct wr *line, struct io_tls_error *wrong);

// Adds the line of a token of this name to an access list, which may not be there yet: it is its
// directory's owner's then. A list with a mistake, or that would have one with the line, or that
// has a token of this name already, is left as it is. False, with words in *wrong.
MUST_USE bool tunnel_issue_add(const char *path, struct bytes id, struct bytes line,
                               struct io_tls_error *wrong);

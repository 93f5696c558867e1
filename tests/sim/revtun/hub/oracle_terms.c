// SPDX-License-Identifier: Apache-2.0
// The oracle's access list: what a pattern has.
#include <string.h>

#include "sim/revtun/hub/oracle_priv.h"

const struct oracle_terms *oracle_terms_of(const struct oracle *oracle, size_t owner)
{
    const struct oracle_terms *terms = &oracle->terms[owner];

    if (terms->is_listed) {
        return terms;
    }
    terms = &oracle->terms[ORACLE_ANY];
    return owner >= ORACLE_TOKENS && terms->is_listed ? terms : NULL;
}

bool oracle_may_name(const struct oracle_terms *terms, const char *name)
{
    for (size_t i = 0; terms->names[i] != NULL; i++) {
        const char *pattern = terms->names[i];
        const size_t len = strlen(pattern);
        if (pattern[len - 1] == '*' ? strncmp(pattern, name, len - 1) == 0
                                    : strcmp(pattern, name) == 0) {
            return true;
        }
    }
    return false;
}

bool oracle_may_port(const struct oracle_terms *terms, uint16_t port)
{
    for (size_t i = 0; terms->ports[i][0] != 0; i++) {
        if (port >= terms->ports[i][0] && port <= terms->ports[i][1]) {
            return true;
        }
    }
    return false;
}

bool oracle_covers_host(const char *pattern, const char *host)
{
    const size_t len = strlen(pattern);
    const size_t host_len = strlen(host);

    if (strcmp(pattern, "*") == 0 || strcmp(pattern, host) == 0) {
        return true;
    }
    // ".a.test" of "*.a.test", and something before it.
    return strncmp(pattern, "*.", 2) == 0 && host_len > len - 1 &&
           strcmp(host + host_len - (len - 1), pattern + 1) == 0;
}

bool oracle_may_host(const struct oracle_terms *terms, const char *host)
{
    for (size_t i = 0; terms->hosts[i] != NULL; i++) {
        if (oracle_covers_host(terms->hosts[i], host)) {
            return true;
        }
    }
    return false;
}

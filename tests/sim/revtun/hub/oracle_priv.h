// SPDX-License-Identifier: Apache-2.0
// What the oracle's files share.
#pragma once

#include "sim/revtun/hub/oracle.h"

void oracle_expect(struct oracle *oracle, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// What an owner may have now; NULL: it is not on the list.
const struct oracle_terms *oracle_terms_of(const struct oracle *oracle, size_t owner);
bool oracle_may_name(const struct oracle_terms *terms, const char *name);
bool oracle_may_port(const struct oracle_terms *terms, uint16_t port);
bool oracle_may_host(const struct oracle_terms *terms, const char *host);
// The pattern has the host, or all that the other pattern has.
bool oracle_covers_host(const char *pattern, const char *host);

void oracle_bind(struct oracle *oracle, size_t link, const struct oracle_line *line);
void oracle_unbind(struct oracle *oracle, size_t link, const struct oracle_line *line);

// A name ends: its port rests, who waits is closed; its sessions are ended too, if they are cut.
void oracle_end_service(struct oracle *oracle, struct oracle_service *service, bool is_cut);
// A control connection ends with a word of the relay.
void oracle_end_link(struct oracle *oracle, size_t link, const char *code, uint64_t retry_s);
// Nobody knows any more of who waits for a name.
void oracle_recall(struct oracle *oracle, size_t service);
uint32_t oracle_count(const struct oracle *oracle, size_t service, enum oracle_client_state state);
void oracle_lease_release(struct oracle *oracle, uint16_t port);

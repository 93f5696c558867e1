// SPDX-License-Identifier: Apache-2.0
// What a relay of version 2 has to do with us, in words for a person, with what to do.
#pragma once

#include "io/io_tls_end.h"
#include "tunnel/tunnel_spoke.h"

// Each is one line, without a line feed.

// A control connection has ended so, or could not be made.
void tunnel_spoke_words_of_end(const struct tunnel_spoke_config *config,
                               const struct io_tls_end *end, char out[TUNNEL_WORDS_MAX]);
// The relay has chosen another protocol.
void tunnel_spoke_words_of_old(const struct tunnel_spoke_config *config,
                               char out[TUNNEL_WORDS_MAX]);
// Why it waits or stops. REVTUN_SPOKE_LOST: *out stays as it is.
void tunnel_spoke_words_of_why(const struct tunnel_spoke_config *config,
                               const struct revtun_spoke_news *news, char out[TUNNEL_WORDS_MAX]);
// Why a service was refused, or taken away.
void tunnel_spoke_words_of_denied(const struct tunnel_spoke_config *config,
                                  const struct revtun_spoke_news *news, char out[TUNNEL_WORDS_MAX]);

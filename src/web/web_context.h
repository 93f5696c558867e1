// SPDX-License-Identifier: Apache-2.0
// A context of libwebsockets for one client: its limits, and whom it trusts.
#pragma once

#include "base/macro.h"

struct lws_context;
struct lws_protocols;

// Whose events go to `protocols`, with `user` as the context's. `ca_path` as of web_socket_open();
// likewise the errors. lws_context_destroy() ends it.
MUST_USE int web_context_open(const struct lws_protocols *protocols, void *user,
                              const char *ca_path, struct lws_context **out);

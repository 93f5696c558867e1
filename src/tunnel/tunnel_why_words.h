// SPDX-License-Identifier: Apache-2.0
// The words that all answers of tunnel_why.h are made of.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tunnel/tunnel_why.h"

void tunnel_why_words_number(struct wr *wr, const char *before, uint64_t number, const char *after);
// Seconds since a Unix time; 0 if that lies ahead.
uint64_t tunnel_why_words_since(const struct tunnel_why *why, int64_t then_s);
// What stands below a finding.
void tunnel_why_words_advice(struct wr *wr, const char *why, const char *advice);
// Something that was met lately.
bool tunnel_why_words_is_recent(const struct tunnel_why *why,
                                const struct tunnel_ledger_mark *mark);
// "7 `what`, the last one 12 s ago".
void tunnel_why_words_mark(struct wr *wr, const struct tunnel_why *why,
                           const struct tunnel_ledger_mark *mark, const char *what);
// A finding: what was refused to whom, why, and what to do about it.
void tunnel_why_words_refusal(struct wr *wr, const struct tunnel_why *why,
                              const struct tunnel_refusal *refusal);

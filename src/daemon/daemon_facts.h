// SPDX-License-Identifier: Apache-2.0
// What a daemon answers in lines for people, as one line of JSON for programs.
//
// `status` is a fact for each line, "free pairs: 2", and becomes an object of them:
// {"free_pairs":2}. `why` is findings; what belongs to one stands below it, behind two spaces:
//
//      - Clients were refused: 3 met a limit          {"findings":[{"what":"Clients were ...",
//        why: ...                                      "why":"...",
//        what to do: ...                               "what_to_do":"..."}]}
#pragma once

#include <stddef.h>

#include "base/bytes.h"

typedef void (*daemon_facts_fn)(struct wr *wr, struct bytes text);

// Bytes that hold whatever either writes of a text of this length.
size_t daemon_facts_text_max(size_t len);
void daemon_facts_status_write(struct wr *wr, struct bytes text);
void daemon_facts_why_write(struct wr *wr, struct bytes text);

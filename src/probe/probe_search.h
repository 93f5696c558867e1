// SPDX-License-Identifier: Apache-2.0
// The highest rate that loses nothing, in the manner of RFC 2544 section 26.1, shortened: what is
// delivered at overload is where the search begins, an interval is halved a few times, and of each
// rate there is a second trial before it counts as lossy.
#pragma once

#include "probe/probe_load.h"

struct probe_rate {
    double best; // packets a second delivered by the last clean trial; 0: there was none
    bool is_limited_by_load; // the load could not send more, so that the server may do better
};

// Searches below 1.5 times `overload`, packets a second. -errno as probe_load_run().
MUST_USE int probe_search_run(struct probe_load *load, const struct probe_order *order,
                              double overload, struct probe_rate *out);

// At most one packet of a thousand is lost.
bool probe_search_is_clean(const struct probe_trial *trial);

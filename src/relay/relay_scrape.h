// SPDX-License-Identifier: Apache-2.0
// The snapshots that whoever asks over HTTP is given: fresh ones, but no more than so many a
// second, whoever asks and how often. So they cost the workers next to nothing, and none is older
// than the time between two.
#pragma once

#include "base/bucket.h"
#include "base/now.h"
#include "relay/relay_snapshot.h"

enum { RELAY_SCRAPE_RATE = 10 }; // snapshots a second

struct relay_scrape {
    const struct relay_worker_share *share;
    struct bucket taken;
    struct relay_snapshot last;
};

// `share` outlives it.
void relay_scrape_init(struct relay_scrape *scrape, const struct relay_worker_share *share);

// A new snapshot, or the last one when there have been too many lately. Borrowed until the next
// call. In one thread at a time, while the crew is open; it waits for workers, but no longer than
// relay_snapshot_take() does.
const struct relay_snapshot *relay_scrape_take(struct relay_scrape *scrape, struct now now);

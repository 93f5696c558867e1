// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_scrape.h"

void relay_scrape_init(struct relay_scrape *scrape, const struct relay_worker_share *share)
{
    *scrape = (struct relay_scrape){.share = share};
}

const struct relay_snapshot *relay_scrape_take(struct relay_scrape *scrape, struct now now)
{
    const struct bucket_rate rate = bucket_rate_of(RELAY_SCRAPE_RATE);

    // A bucket is full at first, so that there is a last one when it is empty.
    if (bucket_has(&scrape->taken, &rate, now.mono_ns, 1)) {
        bucket_take(&scrape->taken, &rate, now.mono_ns, 1);
        relay_snapshot_take(&scrape->last, scrape->share);
    }
    return &scrape->last;
}

// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_search.h"

enum {
    STEPS = 7,
    TRIES = 2,      // of each rate
    LOST_OF = 1000, // of so many packets one may be lost
};

#define HIGHEST 1.5 // times what is delivered at overload

bool probe_search_is_clean(const struct probe_trial *trial)
{
    uint64_t lost = trial->sent > trial->delivered ? trial->sent - trial->delivered : 0;

    return trial->sent > 0 && lost * LOST_OF <= trial->sent;
}

int probe_search_run(struct probe_load *load, const struct probe_order *order, double overload,
                     struct probe_rate *out)
{
    struct probe_rate rate = {0};
    double low = 0;
    double high = HIGHEST * overload;

    for (int i = 0; i < STEPS; i++) {
        struct probe_order step = *order;
        struct probe_trial trial = {0};
        step.rate = (low + high) / 2;
        for (int j = 0; j < TRIES && !(trial.is_held && probe_search_is_clean(&trial)); j++) {
            int error = probe_load_run(load, &step, &trial);
            if (error != 0) {
                return error;
            }
        }
        if (trial.is_held && probe_search_is_clean(&trial)) {
            low = step.rate;
            rate.best = (double)trial.delivered / trial.seconds;
        } else {
            high = step.rate;
            rate.is_limited_by_load = !trial.is_held;
        }
    }
    *out = rate;
    return 0;
}

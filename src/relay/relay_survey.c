// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_survey.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/io_condition.h"
#include "relay/relay_life.h"

int relay_survey_open(struct relay_survey *survey, uint32_t worker_count)
{
    *survey = (struct relay_survey){
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .worker_count = worker_count,
        .cursors = calloc(worker_count, sizeof *survey->cursors),
    };
    if (survey->cursors == NULL) {
        return -ENOMEM;
    }
    io_condition_init(&survey->done);
    return 0;
}

void relay_survey_close(struct relay_survey *survey)
{
    free(survey->cursors);
    survey->cursors = NULL;
    free(survey->entries);
    survey->entries = NULL;
}

static bool begin(struct relay_survey *survey, uint32_t capacity)
{
    struct relay_survey_entry *entries = calloc(capacity, sizeof *entries);

    if (entries == NULL) {
        return false;
    }
    pthread_mutex_lock(&survey->lock);
    assert(survey->round % 2 == 0);
    survey->round++;
    survey->entries = entries;
    survey->capacity = capacity;
    survey->count = 0;
    survey->pending_count = survey->worker_count;
    pthread_mutex_unlock(&survey->lock);
    return true;
}

uint32_t relay_survey_take(struct relay_survey *survey, struct relay_mailbox *mailboxes,
                           uint32_t capacity, uint64_t timeout_ns, struct relay_survey_entry **out)
{
    uint64_t left_ns = timeout_ns;

    *out = NULL;
    if (!begin(survey, capacity)) {
        return 0;
    }
    for (uint32_t i = 0; i < survey->worker_count; i++) {
        relay_mailbox_order(&mailboxes[i], RELAY_MAILBOX_SURVEY);
    }
    pthread_mutex_lock(&survey->lock);
    while (left_ns > 0 && survey->pending_count > 0) {
        io_condition_wait(&survey->done, &survey->lock, &left_ns);
    }
    survey->round++; // whoever comes later adds nothing
    *out = survey->entries;
    const uint32_t count = survey->count;
    pthread_mutex_unlock(&survey->lock);
    return count;
}

void relay_survey_end(struct relay_survey *survey)
{
    assert(survey->round % 2 == 0);
    free(survey->entries);
    survey->entries = NULL;
}

// Puts what a worker has found into the list of its round, if that is still open.
static void put(struct relay_survey *survey, uint64_t round,
                const struct relay_survey_entry *entries, uint32_t count, bool is_done)
{
    pthread_mutex_lock(&survey->lock);
    if (survey->round == round) {
        const uint32_t room = survey->capacity - survey->count;
        const uint32_t taken = count < room ? count : room;
        memcpy(&survey->entries[survey->count], entries, taken * sizeof *entries);
        survey->count += taken;
        survey->pending_count -= is_done;
        if (survey->pending_count == 0) {
            IGNORE(pthread_cond_signal(&survey->done)); // it cannot fail
        }
    }
    pthread_mutex_unlock(&survey->lock);
}

bool relay_survey_step(struct relay_survey *survey, uint32_t worker,
                       const struct turn_server *server, struct relay_offload *offload)
{
    struct relay_survey_cursor *cursor = &survey->cursors[worker];
    struct relay_survey_entry entries[RELAY_SURVEY_STEP];
    uint32_t count = 0;

    pthread_mutex_lock(&survey->lock);
    const uint64_t round = survey->round;
    pthread_mutex_unlock(&survey->lock);
    if (round % 2 == 0) {
        return false; // whoever asked has given up
    }
    if (cursor->round != round) {
        *cursor = (struct relay_survey_cursor){.round = round};
    } else if (cursor->index == POOL_NONE) {
        return false; // it has been listed
    }
    while (count < RELAY_SURVEY_STEP &&
           turn_life_next(server, RELAY_SURVEY_STEP_PLACES, &cursor->index, &entries[count].life)) {
        entries[count].kernel = relay_offload_usage(offload, relay_life_port(&entries[count].life));
        entries[count].worker = worker;
        count++;
    }
    const bool is_done = cursor->index == POOL_NONE;
    put(survey, round, entries, count, is_done);
    return !is_done;
}

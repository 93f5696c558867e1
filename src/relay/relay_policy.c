// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_policy.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "crypto/crypto_wipe.h"
#include "io/io_random.h"

// In pages of its own, which no core dump shows. NULL when there is no memory.
static struct turn_policy *make(const struct turn_config *config)
{
    const size_t len = turn_policy_size(config);
    uint8_t seed[SIPHASH_KEY_LEN];
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return NULL;
    }
    IGNORE(madvise(memory, len, MADV_DONTDUMP)); // a kernel that cannot goes without
    io_random_fill(seed, sizeof seed);
    struct turn_policy *made = turn_policy_init(memory, config, seed);
    crypto_wipe(seed, sizeof seed);
    return made;
}

static void unmake(struct turn_policy *made)
{
    const size_t len = made->size;

    turn_policy_deinit(made);
    munmap(made, len);
}

int relay_policy_open(struct relay_policy *policy, const struct turn_config *config,
                      uint32_t worker_count)
{
    assert(worker_count <= DAEMON_CONFIG_WORKER_MAX);
    struct turn_policy *made = make(config);
    if (made == NULL) {
        return -ENOMEM;
    }
    policy->worker_count = worker_count;
    policy->former = NULL;
    policy->own = made;
    atomic_init(&policy->current, made);
    for (uint32_t i = 0; i < worker_count; i++) {
        atomic_init(&policy->adopted[i], made);
    }
    return 0;
}

void relay_policy_close(struct relay_policy *policy)
{
    if (policy->former != NULL) {
        unmake(policy->former);
        policy->former = NULL;
    }
    if (policy->own != NULL) {
        unmake(policy->own);
        policy->own = NULL;
    }
}

int relay_policy_change(struct relay_policy *policy, const struct turn_config *config)
{
    assert(turn_policy_may_follow(policy->own, config));
    if (!relay_policy_settle(policy)) {
        return -EBUSY;
    }
    struct turn_policy *made = make(config);
    if (made == NULL) {
        return -ENOMEM;
    }
    policy->former = policy->own;
    policy->own = made;
    atomic_store(&policy->current, made);
    return 0;
}

bool relay_policy_settle(struct relay_policy *policy)
{
    for (uint32_t i = 0; i < policy->worker_count; i++) {
        if (atomic_load(&policy->adopted[i]) != policy->own) {
            return false;
        }
    }
    if (policy->former != NULL) {
        unmake(policy->former);
        policy->former = NULL;
    }
    return true;
}

const struct turn_policy *relay_policy_current(const struct relay_policy *policy)
{
    return atomic_load(&policy->current);
}

void relay_policy_adopted(struct relay_policy *policy, uint32_t worker,
                          const struct turn_policy *adopted)
{
    assert(worker < policy->worker_count);
    atomic_store(&policy->adopted[worker], adopted);
}

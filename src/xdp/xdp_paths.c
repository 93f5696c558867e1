// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_paths.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum {
    NOWHERE = UINT32_MAX,
    HOMES_PER_PATH = 2, // so that half of them are free
    VERSION = offsetof(struct relay_abi_entry, version) / sizeof(uint64_t), // words before it
};

int xdp_paths_choose(uint32_t max, struct relay_abi_settings *settings)
{
    if (getrandom(settings->path_secret, sizeof settings->path_secret, 0) !=
        sizeof settings->path_secret) {
        return -errno;
    }
    for (size_t i = 0; i < COUNT_OF(settings->path_secret); i++) {
        settings->path_secret[i] |= 1;
    }
    settings->path_homes = HOMES_PER_PATH * max;
    return 0;
}

uint32_t xdp_paths_entry_count(const struct relay_abi_settings *settings)
{
    return settings->path_homes + RELAY_ABI_PROBES; // a search does not begin anew at the end
}

int xdp_paths_open(int fd, uint32_t max, const struct relay_abi_settings *settings,
                   struct xdp_paths *out)
{
    struct xdp_paths paths = {
        .len = xdp_paths_entry_count(settings) * sizeof(struct relay_abi_entry),
        .max = max,
        .homes = settings->path_homes,
    };

    memcpy(paths.secret, settings->path_secret, sizeof paths.secret);
    paths.entries = mmap(NULL, paths.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (paths.entries == MAP_FAILED) {
        return -errno;
    }
    *out = paths;
    return 0;
}

void xdp_paths_close(struct xdp_paths *paths)
{
    if (paths->entries != NULL) {
        const int result = munmap(paths->entries, paths->len);
        assert(result == 0);
        *paths = (struct xdp_paths){.entries = NULL};
    }
}

static bool is_used(const struct relay_abi_entry *entry)
{
    return entry->key.is_key != 0;
}

// Writes an entry under a new version; an empty key and path free it.
static void write_entry(struct relay_abi_entry *entry, const struct relay_abi_key *key,
                        const struct relay_abi_path *path)
{
    const struct relay_abi_entry next = {.key = *key, .path = *path};
    const uint64_t odd = entry->version | 1;
    uint64_t words[VERSION];

    memcpy(words, &next, sizeof words);
    __atomic_store_n(&entry->version, odd, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    for (size_t i = 0; i < VERSION; i++) {
        __atomic_store_n((uint64_t *)entry + i, words[i], __ATOMIC_RELAXED);
    }
    __atomic_store_n(&entry->version, odd + 1, __ATOMIC_RELEASE);
}

static uint32_t home_of(const struct xdp_paths *paths, const struct relay_abi_key *key)
{
    return relay_abi_home(key, paths->secret, paths->homes);
}

// Where the key is or, when it is not there, would be added; NOWHERE when there is no place.
static uint32_t place_of(const struct xdp_paths *paths, const struct relay_abi_key *key)
{
    const uint32_t home = home_of(paths, key);

    for (uint32_t place = home; place < home + RELAY_ABI_PROBES; place++) {
        const struct relay_abi_entry *entry = &paths->entries[place];
        if (!is_used(entry) || memcmp(&entry->key, key, sizeof *key) == 0) {
            return place;
        }
    }
    return NOWHERE;
}

// Where the key is (asserted).
static uint32_t find(const struct xdp_paths *paths, const struct relay_abi_key *key)
{
    const uint32_t place = place_of(paths, key);

    assert(place != NOWHERE);
    assert(is_used(&paths->entries[place]));
    return place;
}

int xdp_paths_add(struct xdp_paths *paths, const struct relay_abi_key *key,
                  const struct relay_abi_path *path)
{
    const uint32_t place = place_of(paths, key);

    assert(key->is_key == 1);
    if (place != NOWHERE && is_used(&paths->entries[place])) {
        return -EEXIST;
    }
    if (place == NOWHERE || paths->count == paths->max) {
        return -E2BIG;
    }
    write_entry(&paths->entries[place], key, path);
    paths->count++;
    return 0;
}

void xdp_paths_replace(struct xdp_paths *paths, const struct relay_abi_key *key,
                       const struct relay_abi_path *path)
{
    write_entry(&paths->entries[find(paths, key)], key, path);
}

void xdp_paths_remove(struct xdp_paths *paths, const struct relay_abi_key *key)
{
    static const struct relay_abi_entry none = {.version = 0};
    const uint32_t end = (uint32_t)(paths->len / sizeof none);
    uint32_t hole = find(paths, key);

    // Whoever lies behind, and not yet before its home, moves into the hole, and leaves one.
    for (uint32_t place = hole + 1; place < end && is_used(&paths->entries[place]); place++) {
        const struct relay_abi_entry *entry = &paths->entries[place];
        if (home_of(paths, &entry->key) <= hole) {
            write_entry(&paths->entries[hole], &entry->key, &entry->path);
            hole = place;
        }
    }
    write_entry(&paths->entries[hole], &none.key, &none.path);
    assert(paths->count > 0);
    paths->count--;
}

// SPDX-License-Identifier: Apache-2.0
// The table lies in a file of memory here, in the place of the program's map.
#define _GNU_SOURCE
#include "xdp/xdp_paths.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/rng.h"

enum {
    MAX = 64,
    KEYS = 2 * MAX, // of which at most MAX are in the table
    STEPS = 20000,
    READS = 1000000,
    GENERATIONS = 1000,
    WORDS = offsetof(struct relay_abi_entry, version) / sizeof(uint64_t),
    KEY_WORDS = sizeof(struct relay_abi_key) / sizeof(uint64_t),
};

static void open_table(struct xdp_paths *paths)
{
    struct relay_abi_settings settings = {.own_count = 0};
    const int fd = memfd_create("paths", MFD_CLOEXEC);

    assert_int_equal(xdp_paths_choose(MAX, &settings), 0);
    const off_t len = (off_t)(xdp_paths_entry_count(&settings) * sizeof(struct relay_abi_entry));
    assert_int_equal(ftruncate(fd, len), 0);
    assert_int_equal(xdp_paths_open(fd, MAX, &settings, paths), 0);
    assert_int_equal(close(fd), 0);
}

static struct relay_abi_key key_of(uint32_t number)
{
    return (struct relay_abi_key){
        .remote_ip = {10, 0, 0, 1},
        .remote_port = {(uint8_t)(number >> 8), (uint8_t)number},
        .is_key = 1,
    };
}

// Of one piece: all fields tell the key's number and the generation.
static struct relay_abi_path path_of(uint32_t number, uint8_t generation)
{
    struct relay_abi_path path = {
        .local_port = {generation, generation},
        .remote_port = {(uint8_t)(number >> 8), (uint8_t)number},
        .channel = {generation, generation},
        .hop = number << 8 | generation,
    };

    memset(path.remote_ip, generation, sizeof path.remote_ip);
    return path;
}

static bool is_of_one_piece(const struct relay_abi_path *path, uint32_t number)
{
    const struct relay_abi_path expected = path_of(number, path->channel[0]);

    return memcmp(path, &expected, sizeof expected) == 0;
}

// Searches as the program does, step by step.
static bool search(const struct xdp_paths *paths, uint32_t number, struct relay_abi_path *out)
{
    const struct relay_abi_key key = key_of(number);
    const uint32_t home = relay_abi_home(&key, paths->secret, paths->homes);

    for (uint32_t place = home; place < home + RELAY_ABI_PROBES; place++) {
        const struct relay_abi_entry *entry = &paths->entries[place];
        uint64_t words[WORDS];
        const uint64_t version = __atomic_load_n(&entry->version, __ATOMIC_ACQUIRE);
        for (size_t i = 0; i < WORDS; i++) {
            words[i] = __atomic_load_n((const uint64_t *)entry + i, __ATOMIC_RELAXED);
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (words[KEY_WORDS - 1] == 0) {
            return false;
        }
        if (memcmp(words, &key, sizeof key) == 0 && version % 2 == 0 &&
            __atomic_load_n(&entry->version, __ATOMIC_RELAXED) == version) {
            memcpy(out, words + KEY_WORDS, sizeof *out);
            return true;
        }
    }
    return false;
}

// One random change; `held` has the generation of each key's path, 0 for none.
static void change(struct xdp_paths *paths, struct rng *rng, uint8_t held[KEYS])
{
    const uint32_t number = (uint32_t)rng_below(rng, KEYS);
    const uint8_t generation = (uint8_t)(1 + rng_below(rng, 255));
    const struct relay_abi_key key = key_of(number);
    const struct relay_abi_path path = path_of(number, generation);

    if (held[number] == 0) {
        const bool is_full = paths->count == MAX;
        assert_int_equal(xdp_paths_add(paths, &key, &path), is_full ? -E2BIG : 0);
        held[number] = is_full ? 0 : generation;
    } else if (rng_below(rng, 4) == 0) {
        xdp_paths_replace(paths, &key, &path);
        held[number] = generation;
    } else {
        assert_int_equal(xdp_paths_add(paths, &key, &path), -EEXIST);
        xdp_paths_remove(paths, &key);
        held[number] = 0;
    }
}

static void finds_what_is_there_and_nothing_else(void **state)
{
    struct rng rng = rng_init(7);
    uint8_t held[KEYS] = {0};
    struct xdp_paths paths;

    (void)state;
    open_table(&paths);
    for (int step = 0; step < STEPS; step++) {
        uint32_t count = 0;
        change(&paths, &rng, held);
        for (uint32_t number = 0; number < KEYS; number++) {
            struct relay_abi_path path;
            assert_int_equal(search(&paths, number, &path), held[number] != 0);
            if (held[number] != 0) {
                assert_int_equal(path.channel[0], held[number]);
                assert_true(is_of_one_piece(&path, number));
                count++;
            }
        }
        assert_int_equal(paths.count, count);
    }
    xdp_paths_close(&paths);
    xdp_paths_close(&paths);
}

// All keys with one home, in a row: the last finds no place, and each that goes lets one in.
static void gives_up_where_too_many_meet(void **state)
{
    struct xdp_paths paths;
    const struct relay_abi_path path = path_of(0, 1);

    (void)state;
    open_table(&paths);
    paths.homes = 1;
    paths.max = RELAY_ABI_PROBES + 1;
    for (uint32_t number = 0; number < RELAY_ABI_PROBES; number++) {
        const struct relay_abi_key key = key_of(number);
        assert_int_equal(xdp_paths_add(&paths, &key, &path), 0);
    }
    const struct relay_abi_key late = key_of(RELAY_ABI_PROBES);
    assert_int_equal(xdp_paths_add(&paths, &late, &path), -E2BIG);
    assert_int_equal(paths.count, RELAY_ABI_PROBES);
    const struct relay_abi_key first = key_of(0);
    xdp_paths_remove(&paths, &first);
    for (uint32_t number = 1; number < RELAY_ABI_PROBES; number++) {
        struct relay_abi_path found;
        assert_true(search(&paths, number, &found));
    }
    assert_int_equal(xdp_paths_add(&paths, &late, &path), 0);
    xdp_paths_close(&paths);
}

struct race {
    struct xdp_paths paths;
    atomic_bool is_over;
};

static void *write_for_ever(void *context)
{
    struct race *race = context;
    const struct relay_abi_key key = key_of(0);

    for (uint8_t generation = 0; !atomic_load(&race->is_over); generation++) {
        const struct relay_abi_path path = path_of(0, generation);
        xdp_paths_replace(&race->paths, &key, &path);
    }
    return NULL;
}

static void is_read_in_one_piece_while_it_is_written(void **state)
{
    struct race race = {.is_over = false};
    const struct relay_abi_key key = key_of(0);
    struct relay_abi_path path = path_of(0, 0);
    uint32_t generations = 0; // that were met
    pthread_t writer;

    (void)state;
    open_table(&race.paths);
    assert_int_equal(xdp_paths_add(&race.paths, &key, &path), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_for_ever, &race), 0);
    for (uint32_t i = 0; i < READS || generations < GENERATIONS; i++) {
        const uint8_t last = path.channel[0];
        if (search(&race.paths, 0, &path)) {
            assert_true(is_of_one_piece(&path, 0));
            generations += path.channel[0] != last;
        }
    }
    atomic_store(&race.is_over, true);
    assert_int_equal(pthread_join(writer, NULL), 0);
    xdp_paths_close(&race.paths);
}

static void cannot_open_what_cannot_be_mapped(void **state)
{
    struct relay_abi_settings settings = {.own_count = 0};
    struct xdp_paths paths;

    (void)state;
    assert_int_equal(xdp_paths_choose(MAX, &settings), 0);
    assert_int_equal(xdp_paths_open(-1, MAX, &settings, &paths), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_there_and_nothing_else),
        cmocka_unit_test(gives_up_where_too_many_meet),
        cmocka_unit_test(is_read_in_one_piece_while_it_is_written),
        cmocka_unit_test(cannot_open_what_cannot_be_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

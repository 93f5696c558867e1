// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: each file that is named, then random changes of them.
//
// The options are libFuzzer's, so that both builds of a target are called alike:
//   -runs=N                  random inputs after the files (20000); 0: the files alone
//   -max_len=N               bytes of the longest random input (1024)
//   -seed=N                  their seed; without it FAIRLEAD_SEED or a fresh one, printed
//   -artifact_prefix=PREFIX  stands before the name of the file that keeps a failing input
//   FILE or FOLDER ...       a folder means the files in it; one that does not exist is empty
// Other options are ignored. A file named alone is run alone: that is how a crash is reproduced.
//
// The target runs in a child process and its input lies in memory shared with the parent, which
// therefore still has it whatever the child died of: an assertion, a sanitizer or a timeout.
#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "support/mutate.h"
#include "support/rng.h"

enum {
    INPUT_MAX = 1 << 20, // bytes of one input; a corpus file that is longer is a mistake
    FILES_MAX = 4096,
    TIMEOUT_S = 20, // of one input; sanitizers on a busy machine are slow
};

struct input {
    char *path;
    uint8_t *data;
    size_t len; // bytes
};

// What the parent wants to know once the child is dead.
struct shared {
    size_t len; // bytes
    uint8_t data[INPUT_MAX];
};

struct replay {
    const char *program;
    const char *artifact_prefix;
    uint64_t runs;
    size_t max_len; // bytes
    uint64_t seed;
    bool is_seeded;
    bool is_reproducing; // every path that was named is a file
    struct input files[FILES_MAX];
    size_t file_count;
    struct shared *shared;
};

static struct replay replay;

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "%s: %s: %s\n", replay.program, path, what);
    exit(2);
}

static void read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct input input = {.path = strdup(path), .data = malloc(INPUT_MAX)};

    assert(input.path != NULL);
    assert(input.data != NULL);
    if (file == NULL) {
        fail("cannot be opened", path);
    }
    input.len = fread(input.data, 1, INPUT_MAX, file);
    if (ferror(file) || fgetc(file) != EOF) {
        fail("cannot be read, or is longer than an input may be", path);
    }
    (void)fclose(file); // was only read
    input.data = realloc(input.data, input.len + 1);
    assert(input.data != NULL);
    if (replay.file_count == FILES_MAX) {
        fail("is one file too many", path);
    }
    replay.files[replay.file_count++] = input;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void read_path(const char *path)
{
    struct stat stat_of;
    struct dirent **entries = NULL;

    if (stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode)) {
        read_file(path);
        return;
    }
    replay.is_reproducing = false;
    int count = scandir(path, &entries, is_visible, alphasort); // sorted: one seed, one run
    for (int i = 0; i < count; i++) {
        char name[4096];
        int len = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        assert(len > 0);
        assert((size_t)len < sizeof name);
        if (stat(name, &stat_of) == 0 && S_ISREG(stat_of.st_mode)) {
            read_file(name);
        }
        free(entries[i]);
    }
    free(entries);
}

static const char *value_of(const char *argument, const char *option)
{
    size_t len = strlen(option);
    return strncmp(argument, option, len) == 0 ? argument + len : NULL;
}

static uint64_t number(const char *text)
{
    char *end = NULL;
    uint64_t value = strtoull(text, &end, 0);

    if (end == text || *end != '\0') {
        fail("is no number", text);
    }
    return value;
}

static void read_arguments(int argc, char **argv)
{
    const char *value = NULL;

    replay =
        (struct replay){.program = argv[0], .artifact_prefix = "", .runs = 20000, .max_len = 1024};
    replay.is_reproducing = argc > 1;
    for (int i = 1; i < argc; i++) {
        if ((value = value_of(argv[i], "-runs=")) != NULL) {
            replay.runs = number(value);
        } else if ((value = value_of(argv[i], "-max_len=")) != NULL) {
            replay.max_len = number(value);
        } else if ((value = value_of(argv[i], "-seed=")) != NULL) {
            replay.seed = number(value);
            replay.is_seeded = true;
        } else if ((value = value_of(argv[i], "-artifact_prefix=")) != NULL) {
            replay.artifact_prefix = value;
        } else if (argv[i][0] != '-') {
            read_path(argv[i]);
        }
    }
    if (replay.max_len > INPUT_MAX) {
        fail("is longer than an input may be", "-max_len");
    }
    replay.is_reproducing = replay.is_reproducing && replay.file_count > 0;
}

// Runs the input that lies in the shared memory, from a block of exactly its size.
static void run_shared(void)
{
    size_t len = replay.shared->len;
    uint8_t *data = malloc(len);

    assert(data != NULL || len == 0);
    if (len > 0) {
        memcpy(data, replay.shared->data, len);
    }
    (void)alarm(TIMEOUT_S);
    int result = LLVMFuzzerTestOneInput(data, len);
    assert(result == 0);
    free(data);
}

static void run_random(struct rng *rng)
{
    struct shared *shared = replay.shared;
    static const struct input none;
    const struct input *base = &none;
    const struct input *other = &none;

    // One in ten starts from nothing, so that a target without a corpus is exercised too.
    if (replay.file_count > 0 && rng_chance(rng, 90)) {
        base = &replay.files[rng_below(rng, replay.file_count)];
        other = &replay.files[rng_below(rng, replay.file_count)];
    }
    shared->len = base->len < replay.max_len ? base->len : replay.max_len;
    if (base == &none) {
        shared->len = rng_below(rng, replay.max_len + 1);
        rng_fill(rng, shared->data, shared->len);
    } else {
        memcpy(shared->data, base->data, shared->len);
        shared->len =
            mutate(rng, shared->data, shared->len, replay.max_len, other->data, other->len);
    }
    run_shared();
}

// The child: everything in order, then out.
static void run_all(void)
{
    struct rng rng = rng_init(replay.seed);

    for (size_t i = 0; i < replay.file_count; i++) {
        replay.shared->len = replay.files[i].len;
        memcpy(replay.shared->data, replay.files[i].data, replay.files[i].len);
        run_shared();
    }
    for (uint64_t i = 0; !replay.is_reproducing && i < replay.runs; i++) {
        run_random(&rng);
    }
    exit(0); // not _exit: this is where leaks are found
}

// The parent, after the child died: keeps the input that it died of.
static void keep_input(int status)
{
    const char *name = strrchr(replay.program, '/');
    char path[4096];

    name = name != NULL ? name + 1 : replay.program;
    int len = snprintf(path, sizeof path, "%s%s-crash-%016" PRIx64, replay.artifact_prefix, name,
                       replay.seed);
    assert(len > 0);
    assert((size_t)len < sizeof path);
    FILE *file = fopen(path, "wb");
    if (file == NULL ||
        fwrite(replay.shared->data, 1, replay.shared->len, file) != replay.shared->len ||
        fclose(file) != 0) {
        fail("cannot be written", path);
    }
    fprintf(stderr, "%s: died (%s %d) of this input of %zu bytes:\n", name,
            WIFSIGNALED(status) ? "signal" : "exit code",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), replay.shared->len);
    for (size_t i = 0; i < replay.shared->len && i < 256; i++) {
        fprintf(stderr, "%02x", replay.shared->data[i]);
    }
    fprintf(stderr, "\nreproduce: %s %s\n", replay.program, path);
}

int main(int argc, char **argv)
{
    int status = 0;

    read_arguments(argc, argv);
    if (!replay.is_seeded && !replay.is_reproducing) {
        replay.seed = rng_seed(replay.program);
    }
    replay.shared = mmap(NULL, sizeof *replay.shared, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(replay.shared != MAP_FAILED);
    pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        run_all();
    }
    pid_t waited = waitpid(child, &status, 0);
    assert(waited == child);
    if (status != 0) {
        if (!replay.is_reproducing) {
            keep_input(status);
        }
        return 1;
    }
    fprintf(stderr, "%s: %zu files and %" PRIu64 " random inputs passed\n", replay.program,
            replay.file_count, replay.is_reproducing ? 0 : replay.runs);
    return 0;
}

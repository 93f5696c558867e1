// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_wipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void zeroes_what_it_is_given_and_nothing_beside_it(void **state)
{
    uint8_t memory[64];

    (void)state;
    for (size_t from = 0; from <= sizeof memory; from++) {
        for (size_t to = from; to <= sizeof memory; to++) {
            memset(memory, 0xa5, sizeof memory);
            crypto_wipe(memory + from, to - from);
            for (size_t i = 0; i < sizeof memory; i++) {
                assert_int_equal(memory[i], i >= from && i < to ? 0 : 0xa5);
            }
        }
    }
}

static void zeroes_whatever_was_used_of_much(void **state)
{
    enum { LEN = 3 * 4096 + 100 };
    static uint8_t memory[LEN];

    (void)state;
    for (size_t used = 0; used < LEN; used += 61) {
        memory[used] = 1;
        memory[LEN - 1] = 2;
        crypto_wipe_used(memory, LEN - 1);
        assert_int_equal(memory[used], used == LEN - 1 ? 2 : 0);
        assert_int_equal(memory[LEN - 1], 2); // beside it
    }
    crypto_wipe_used(memory, LEN);
    assert_int_equal(memory[LEN - 1], 0);
}

#ifdef __x86_64__
__attribute__((target("avx512f,avx512vl"))) static void registers_above(uint8_t out[64])
{
    memset(out, 0xa5, 64);
    __asm__ volatile("vmovdqu64 (%0), %%zmm17\n\t"
                     "vmovdqu64 (%0), %%zmm31"
                     :
                     : "r"(out)
                     : "memory", "xmm17", "xmm31");
    crypto_wipe(out, 64);
    __asm__ volatile("vporq %%zmm17, %%zmm31, %%zmm31\n\t"
                     "vmovdqu64 %%zmm31, (%0)"
                     :
                     : "r"(out)
                     : "memory", "xmm17", "xmm31");
}

__attribute__((target("avx"))) static void registers_low(uint8_t out[32])
{
    memset(out, 0xa5, 32);
    __asm__ volatile("vmovdqu (%0), %%ymm5" : : "r"(out) : "memory", "xmm5");
    crypto_wipe(out, 32);
    __asm__ volatile("vmovdqu %%ymm5, (%0)" : : "r"(out) : "memory", "xmm5");
}

static void leaves_nothing_in_registers(void **state)
{
    static const uint8_t zeros[64];
    uint8_t found[64];

    (void)state;
    if (__builtin_cpu_supports("avx")) {
        registers_low(found);
        assert_memory_equal(found, zeros, 32);
    }
    if (__builtin_cpu_supports("avx512vl")) {
        registers_above(found);
        assert_memory_equal(found, zeros, 64);
    }
}
#else
static void leaves_nothing_in_registers(void **state)
{
    (void)state;
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroes_what_it_is_given_and_nothing_beside_it),
        cmocka_unit_test(zeroes_whatever_was_used_of_much),
        cmocka_unit_test(leaves_nothing_in_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

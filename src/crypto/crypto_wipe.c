// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_wipe.h"

#include <stdint.h>
#include <string.h>

// What has copied a secret leaves it in vector registers, and the loader lays all of those on the
// stack when a library makes a call for the first time. Registers 16 to 31 come with AVX-512 only.
#ifdef __x86_64__
__attribute__((target("avx512f,avx512vl"))) static void wipe_registers_above(void)
{
#    define WIPE(number) "vpxord %%xmm" number ",%%xmm" number ",%%xmm" number "\n\t"
    __asm__ volatile(WIPE("16") WIPE("17") WIPE("18") WIPE("19") WIPE("20") WIPE("21") WIPE("22")
                         WIPE("23") WIPE("24") WIPE("25") WIPE("26") WIPE("27") WIPE("28")
                             WIPE("29") WIPE("30") WIPE("31")
                     :
                     :
                     : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
                       "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
#    undef WIPE
}

__attribute__((target("avx"))) static void wipe_registers_low(void)
{
    __asm__ volatile("vzeroall"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static void wipe_registers(void)
{
    if (__builtin_cpu_supports("avx")) {
        wipe_registers_low();
    }
    if (__builtin_cpu_supports("avx512vl")) {
        wipe_registers_above();
    }
}
#else
static void wipe_registers(void)
{
}
#endif

void crypto_wipe(void *memory, size_t len)
{
    memset(memory, 0, len);
    __asm__ volatile("" : : "r"(memory) : "memory"); // the zeroes are looked at, as far as it knows
    wipe_registers();
}

void crypto_wipe_used(void *memory, size_t len)
{
    static const uint8_t zeros[4096];
    uint8_t *bytes = memory;

    for (size_t at = 0; at < len; at += sizeof zeros) {
        size_t part_len = len - at < sizeof zeros ? len - at : sizeof zeros;
        if (memcmp(bytes + at, zeros, part_len) != 0) {
            crypto_wipe(bytes + at, part_len);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// What bpf_bench.c and its programs agree on.
#pragma once

enum { BPF_BENCH_HEAD_LEN = 72 }; // bytes: no shorter than the longest head that is written anew

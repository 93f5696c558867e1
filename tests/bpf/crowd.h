// SPDX-License-Identifier: Apache-2.0
#pragma once

enum { CROWD_FRAME_LEN = 128 }; // bytes of each frame that crowd.bpf.c is given

// SPDX-License-Identifier: Apache-2.0
// A spoke for tests: a clock, and all that the last event brought, as text, a command a line.
//
//     connect 0 · send 0 LINE · close 0 · abandon 0 · dial 0 SERVICE SRC DST SNI · stand 0
//     serve SERVICE SRC DST SNI · drop · EVENT ... · stop WHY CODE TEXT
#pragma once

#include "revtun/revtun_spoke.h"

enum { SPOKES_TEXT_MAX = 16384 };

struct spokes {
    struct revtun_spoke_config config;
    struct revtun_token token; // of "laptop"
    struct revtun_spoke *spoke;
    uint64_t now_ns;
    struct pool_ref call; // of the last DIAL, STAND, SERVE or DROP
    uint8_t preface[REVTUN_PREFACE_LEN];
    bool is_tls;
    uint64_t wait_ns; // of the last news
    size_t len;       // bytes
    char text[SPOKES_TEXT_MAX];
};

// The bytes that the exporter gives in these tests: 0, 1, 2 ...
void spokes_export(uint8_t out[REVTUN_SECRETS_EXPORT_LEN]);
struct revtun_spoke_config spokes_config(void); // of one service, "web" of kind tcp, and a token
void spokes_open(struct spokes *spokes, const struct revtun_spoke_config *config);
void spokes_close(struct spokes *spokes);

// Begins a new text.
void spokes_fresh(struct spokes *spokes);
// Takes all commands, and does all that is due.
void spokes_settle(struct spokes *spokes);

void spokes_up(struct spokes *spokes, uint32_t link);
void spokes_hear(struct spokes *spokes, uint32_t link, const char *lines);
void spokes_down(struct spokes *spokes, uint32_t link);
void spokes_pass(struct spokes *spokes, uint64_t ns);
bool spokes_has(const struct spokes *spokes, const char *text);

// SPDX-License-Identifier: Apache-2.0
// Prints a section of the man page, or the page of findings; a tool of the build, not installed.
//
// Usage: probe-man bench|conform|attack     options of the command, for the man page
//        probe-man findings                 docs/findings.md
//        probe-man attacks                  docs/attacks.md
#include <stdio.h>
#include <string.h>

#include "attack/attack.h"
#include "conf/conf_scdoc.h"
#include "conform/conform.h"
#include "probe/probe_attack.h"
#include "probe/probe_conform.h"
#include "probe/probe_findings.h"
#include "probe/probe_options.h"

static const struct probe_findings_head conform_head = {
    "What fairlead-probe conform asks",
    "Each check, what it expects, and the words of the RFC by which it judges. A finding is a "
    "fault "
    "of the\nserver's program more often than of its configuration: what its operator can do is to "
    "update it, to\ntell its makers, quoting these words, and to name the finding in "
    "`--known-file` "
    "until "
    "then.",
};
static const struct probe_findings_head attack_head = {
    "What fairlead-probe attack tries",
    "Each attack: what a hardened server does, why it matters, and how it is closed in coturn's\n"
    "configuration, in a program that is built on pion, and in ours. [conformance.md]"
    "(conformance.md) has\nwhat `fairlead-probe conform` asks.",
};

static int options_print(const char *title, const struct conf_table *table)
{
    static uint8_t text[64 * 1024];
    struct wr wr = wr_init(text, sizeof text);

    conf_scdoc_write(&wr, table);
    struct bytes whole = wr_done(&wr);
    // In place of its own title, since there are several commands.
    struct bytes rest = bytes_from(whole, bytes_index(whole, '\n'));
    return wr_ok(&wr) && printf("# OPTIONS OF %s", title) > 0 &&
                   fwrite(rest.ptr, 1, rest.len, stdout) == rest.len
               ? 0
               : 1;
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";

    if (strcmp(what, "bench") == 0) {
        return options_print("BENCH", &probe_options_table);
    }
    if (strcmp(what, "conform") == 0) {
        return options_print("CONFORM", &probe_conform_table);
    }
    if (strcmp(what, "attack") == 0) {
        return options_print("ATTACK", &probe_attack_table);
    }
    if (strcmp(what, "findings") == 0) {
        probe_findings_page(&conform_head, conform_subjects, conform_subject_count, stdout);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    if (strcmp(what, "attacks") == 0) {
        probe_findings_page(&attack_head, attack_subjects, attack_subject_count, stdout);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    fprintf(stderr, "usage: probe-man bench|conform|attack|findings|attacks\n");
    return 2;
}

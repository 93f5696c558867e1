// SPDX-License-Identifier: Apache-2.0
// Prints a section of the man page, or the page of findings; a tool of the build, not installed.
//
// Usage: probe-man bench|conform     options of the command, for the man page
//        probe-man findings          docs/findings.md
#include <stdio.h>
#include <string.h>

#include "conf/conf_scdoc.h"
#include "conform/conform.h"
#include "probe/probe_conform.h"
#include "probe/probe_findings.h"
#include "probe/probe_options.h"

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
    if (strcmp(what, "findings") == 0) {
        probe_findings_page(conform_subjects, conform_subject_count, stdout);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    fprintf(stderr, "usage: probe-man bench|conform|findings\n");
    return 2;
}

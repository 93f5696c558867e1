// SPDX-License-Identifier: Apache-2.0
// Prints the section of options of the man page; a tool of the build, not installed. It has no
// other section to print.
#include <stdio.h>

#include "conf/conf_scdoc.h"
#include "probe/probe_options.h"

int main(void)
{
    static uint8_t text[64 * 1024];
    struct wr wr = wr_init(text, sizeof text);

    conf_scdoc_write(&wr, &probe_options_table);
    return wr_ok(&wr) && fwrite(wr.ptr, 1, wr.len, stdout) == wr.len ? 0 : 1;
}

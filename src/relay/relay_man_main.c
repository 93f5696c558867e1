// SPDX-License-Identifier: Apache-2.0
// Prints the section OPTIONS of the man page; a tool of the build, not installed.
#include <stdio.h>

#include "conf/conf_scdoc.h"
#include "relay/relay_options.h"

int main(void)
{
    static uint8_t text[64 * 1024];
    struct wr wr = wr_init(text, sizeof text);

    conf_scdoc_write(&wr, &relay_options_table);
    return wr_ok(&wr) && fwrite(wr.ptr, 1, wr.len, stdout) == wr.len ? 0 : 1;
}

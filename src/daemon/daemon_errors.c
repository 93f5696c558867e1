// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_errors.h"

void daemon_errors_write(struct wr *wr, const struct conf_errors *errors, const char *program)
{
    for (size_t i = 0; i < errors->count; i++) {
        wr_text(wr, program);
        wr_text(wr, ": ");
        conf_error_write(errors, i, wr);
        wr_u8(wr, '\n');
    }
    if (errors->left_off > 0) {
        wr_text(wr, program);
        wr_text(wr, ": and ");
        wr_decimal(wr, errors->left_off);
        wr_text(wr, " more\n");
    }
}

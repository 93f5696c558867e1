// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"

enum {
    COLUMNS_DEFAULT = 120, // of a terminal that does not say
    ROWS_DEFAULT = 24,
    COLUMNS_ENDLESS = 4096,
};

static struct daemon_screen screen_of(bool is_once)
{
    struct daemon_screen screen = {
        .is_terminal = !is_once && isatty(STDOUT_FILENO) == 1,
        .columns = COLUMNS_ENDLESS,
    };
    struct winsize size = {0};

    if (screen.is_terminal) {
        const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
        screen.columns = is_known ? size.ws_col : COLUMNS_DEFAULT;
        screen.rows = is_known ? size.ws_row : ROWS_DEFAULT;
    }
    return screen;
}

int daemon_screen_run(bool is_once, daemon_screen_fn show, void *context)
{
    const struct timespec second = {.tv_sec = 1};
    struct daemon_screen screen;

    do {
        IGNORE(nanosleep(&second, NULL)); // what cuts it short does no harm
        screen = screen_of(is_once);
        if (!show(context, &screen)) {
            return EXIT_FAILURE;
        }
    } while (screen.is_terminal);
    return EXIT_SUCCESS;
}

const char *daemon_screen_number(char out[DAEMON_SCREEN_NUMBER_MAX], uint64_t value)
{
    static const char units[] = " kMGTPE";
    size_t unit = 0;
    double shown = (double)value;

    while (shown >= 999.5 && units[unit + 1] != '\0') {
        shown /= 1000;
        unit++;
    }
    if (unit == 0) {
        snprintf(out, DAEMON_SCREEN_NUMBER_MAX, "%u", (unsigned)value);
    } else {
        snprintf(out, DAEMON_SCREEN_NUMBER_MAX, "%.*f%c", shown < 9.95 ? 1 : 0, shown, units[unit]);
    }
    return out;
}

void daemon_screen_line(struct wr *wr, struct bytes line, uint32_t columns)
{
    wr_bytes(wr, bytes_first(line, columns));
    wr_text(wr, "\n");
}

void daemon_screen_begin(const struct daemon_screen *screen, struct wr *wr)
{
    if (screen->is_terminal) {
        wr_text(wr, "\x1b[H\x1b[J"); // to the top left, and clear
    }
}

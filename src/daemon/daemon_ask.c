// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_ask.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/utf8.h"
#include "daemon/daemon_ctl.h"
#include "daemon/daemon_tell.h"
#include "io/io_fd.h"

enum {
    TIMEOUT_S = 10,
    ROOM_FIRST = 1 << 16,   // bytes
    ANSWER_MAX = 128 << 20, // bytes: more than the longest answer
};

bool daemon_ask_find(struct daemon_ask *ask, struct bytes path, const char *name,
                     char *const *environment)
{
    assert(path.len < sizeof ask->path);
    if (path.len > 0) {
        memcpy(ask->path, path.ptr, path.len);
        ask->path[path.len] = '\0';
        return true;
    }
    if (!daemon_ctl_find_path(name, environment, ask->path)) {
        daemon_tell_mistake(ask->program,
                            "where the control socket is, is not known; give --control-socket");
        return false;
    }
    return true;
}

static bool send_all(int fd, const char *text)
{
    const size_t len = strlen(text);

    return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

// Everything up to the end; NULL when it fails, or is too long. Memory of malloc().
static uint8_t *receive_all(int fd, size_t *out_len)
{
    size_t room = ROOM_FIRST;
    size_t len = 0;
    uint8_t *text = malloc(room);

    while (text != NULL) {
        const ssize_t got = recv(fd, text + len, room - len, 0);
        if (got == 0) {
            *out_len = len;
            return text;
        }
        len += got > 0 ? (size_t)got : 0;
        uint8_t *more = text;
        if (got > 0 && len == room) {
            room *= 2;
            more = room <= ANSWER_MAX ? realloc(text, room) : NULL;
        }
        if (got < 0 || more == NULL) {
            free(text);
            return NULL;
        }
        text = more;
    }
    return NULL;
}

// What comes from a daemon may have names that strangers have given themselves: none of it steers a
// terminal, whatever it is.
static void tame(uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        const struct bytes left = {text + i, len - i};
        const size_t character_len = utf8_len(left);
        const size_t step = character_len > 0 ? character_len : 1;
        if (character_len == 0 || (text[i] != '\n' && utf8_is_control(left))) {
            memset(text + i, '?', step);
        }
        i += step;
    }
}

bool daemon_ask(const struct daemon_ask *ask, const char *question, struct bytes *out)
{
    int fd = -1;
    size_t len = 0;

    const int error = io_local_connect(ask->path, TIMEOUT_S, &fd);
    if (error != 0) {
        daemon_tell_mistake(ask->program, "no %s answers at %s: %s", ask->whom, ask->path,
                            strerror(-error));
        return false;
    }
    uint8_t *text = send_all(fd, question) ? receive_all(fd, &len) : NULL;
    io_fd_close(&fd);
    if (text == NULL || len == 0) {
        free(text);
        daemon_tell_mistake(ask->program,
                            "the %s gives no answer; are you root, or who started it?", ask->whom);
        return false;
    }
    tame(text, len);
    *out = (struct bytes){text, len};
    return true;
}

static bool begins_with(struct bytes text, const char *start)
{
    return bytes_equal_text(bytes_first(text, strlen(start)), start);
}

static int tell_as(const struct daemon_ask *ask, struct bytes answer, daemon_facts_fn form)
{
    const size_t room = daemon_facts_text_max(answer.len);
    uint8_t *text = malloc(room);

    if (text == NULL) {
        daemon_tell_mistake(ask->program, "there is no memory");
        return EXIT_FAILURE;
    }
    struct wr wr = wr_init(text, room);
    form(&wr, answer);
    assert(wr_ok(&wr));
    const int status = daemon_tell(wr_done(&wr));
    free(text);
    return status;
}

int daemon_ask_print(const struct daemon_ask *ask, const char *question, daemon_facts_fn form)
{
    struct bytes answer = {0};
    int status = EXIT_FAILURE;

    if (!daemon_ask(ask, question, &answer)) {
        return EXIT_FAILURE;
    }
    const bool is_wrong = begins_with(answer, "error: ");
    if (is_wrong || begins_with(answer, "failed: ")) {
        const size_t len = answer.len - (answer.ptr[answer.len - 1] == '\n');
        daemon_tell_mistake(ask->program, "%.*s", (int)len, (const char *)answer.ptr);
        status = is_wrong ? DAEMON_TELL_EXIT_WRONG : EXIT_FAILURE;
    } else {
        status = form == NULL ? daemon_tell(answer) : tell_as(ask, answer, form);
    }
    free((void *)answer.ptr);
    return status;
}

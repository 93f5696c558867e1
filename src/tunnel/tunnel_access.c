// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_access.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon_file.h"
#include "log/log.h"

static const char *advice_words(int error)
{
    switch (error) {
    case -ENOENT:
        return "fairlead-tunnel token makes a line for it";
    case -EACCES:
        return "let the user that the relay runs as read it; a relay that was started as root is "
               "root no more when it reloads";
    default:
        return "look at the file";
    }
}

// False: it is too long for a path.
static bool path_of(struct bytes path, char out[PATH_MAX])
{
    if (path.len >= PATH_MAX) {
        return false;
    }
    snprintf(out, PATH_MAX, "%.*s", (int)path.len, (const char *)path.ptr);
    return true;
}

// A line for whoever asked, if somebody did.
static void tell(struct wr *told, struct bytes path, struct bytes what)
{
    if (told != NULL) {
        wr_bytes(told, path);
        wr_text(told, ": ");
        wr_bytes(told, what);
        wr_text(told, "\n");
    }
}

static void log_mistakes(struct bytes path, const struct revtun_access_mistakes *mistakes,
                         struct wr *told)
{
    for (size_t i = 0; i < mistakes->count; i++) {
        uint8_t text[TUNNEL_ACCESS_MISTAKE_MAX];
        struct wr wr = wr_init(text, sizeof text);

        revtun_access_mistake_write(&wr, &mistakes->items[i]);
        LOG_ERROR("the access list is wrong", LOG_BYTES("file", path),
                  LOG_BYTES("mistake", wr_done(&wr)));
        tell(told, path, wr_done(&wr));
    }
    if (mistakes->left_off > 0) {
        LOG_ERROR("the access list is wrong elsewhere, too", LOG_BYTES("file", path),
                  LOG_NUMBER("mistakes", mistakes->left_off));
        tell(told, path, bytes_of_text("it is wrong elsewhere, too"));
    }
}

static int read_list(struct tunnel_access *access, struct bytes path, struct wr *told)
{
    const size_t capacity = revtun_access_count_max(access->text);
    struct revtun_access_mistakes mistakes;

    access->list = (struct revtun_access){
        .entries = calloc(capacity + 1, sizeof access->list.entries[0]), .capacity = capacity};
    if (access->list.entries == NULL) {
        LOG_ERROR("the access list cannot be read", LOG_ERROR_NUMBER("error", -ENOMEM));
        tell(told, path, bytes_of_text(strerror(ENOMEM)));
        return -ENOMEM;
    }
    if (!revtun_access_read(access->text, &access->list, &mistakes)) {
        log_mistakes(path, &mistakes, told);
        return -EBADMSG;
    }
    if (access->list.count == 0) {
        LOG_WARN("nobody is on the access list", LOG_BYTES("file", path));
    }
    return 0;
}

int tunnel_access_open(struct tunnel_access *access, struct bytes path, bool is_again,
                       struct wr *told)
{
    char file[PATH_MAX];

    assert(access->text.ptr == NULL);
    int error = -ENAMETOOLONG;
    if (path_of(path, file)) {
        error = is_again ? daemon_file_read_again(file, &access->text)
                         : daemon_file_read(file, &access->text);
    }
    if (error != 0) {
        LOG_ERROR("the access list cannot be read", LOG_BYTES("file", path),
                  LOG_ERROR_NUMBER("error", error), LOG_TEXT("advice", advice_words(error)));
        tell(told, path, bytes_of_text(strerror(-error)));
        return error;
    }
    error = read_list(access, path, told);
    if (error != 0) {
        tunnel_access_close(access);
    }
    return error;
}

void tunnel_access_close(struct tunnel_access *access)
{
    free(access->list.entries);
    daemon_file_free(&access->text);
    *access = (struct tunnel_access){0};
}

void tunnel_access_check(struct bytes path)
{
    char file[PATH_MAX];

    if (path_of(path, file) && access(file, R_OK) != 0) {
        LOG_WARN("the access list cannot be read again, and a reload will fail",
                 LOG_BYTES("file", path), LOG_ERROR_NUMBER("error", -errno),
                 LOG_TEXT("advice", advice_words(-errno)));
    }
}

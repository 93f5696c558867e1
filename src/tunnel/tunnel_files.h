// SPDX-License-Identifier: Apache-2.0
// The files below a directory, and of nothing else: a symbolic link that leads out of it is none of
// them, nor is what is neither a file nor a directory.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macro.h"

enum tunnel_files_outcome {
    TUNNEL_FILES_FILE,
    TUNNEL_FILES_FOLDER,
    TUNNEL_FILES_MISSING,
    TUNNEL_FILES_FORBIDDEN, // or it leads out
    TUNNEL_FILES_FAILED,    // the system lacks something
};

// Opens what is there, read-only. `path` is relative; "" is the directory itself. *fd is the
// caller's with FILE and FOLDER, *len is a file's.
enum tunnel_files_outcome tunnel_files_open(int root_fd, const char *path, int *fd, uint64_t *len);

// Writes a page that lists a directory, whose descriptor is taken over: the caller frees *out.
// `title` is text. -ENOMEM and the like.
MUST_USE int tunnel_files_list(int fd, const char *title, char **out, size_t *len);

// The media type that a name's ending stands for.
const char *tunnel_files_type(const char *name);

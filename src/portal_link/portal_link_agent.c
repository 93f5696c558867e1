// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "portal_link/portal_link_agent.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "io/io_fd.h"

enum {
    RELEASE_MAX = 4096, // bytes of os-release that are looked at
    WORD_MAX = 64,      // bytes of each word that are kept
};

struct bytes portal_link_agent_find(struct bytes text, const char *name)
{
    while (text.len > 0) {
        const size_t len = bytes_index(text, '\n');
        const struct bytes line = bytes_first(text, len);
        const size_t equals = bytes_index(line, '=');
        if (bytes_equal_text(bytes_first(line, equals), name)) {
            struct bytes value = bytes_from(line, equals + 1);
            if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
                value = bytes_from(bytes_first(value, value.len - 1), 1);
            }
            return value;
        }
        text = bytes_from(text, len + 1);
    }
    return (struct bytes){0};
}

// What would end the word, or is no ASCII, is left out.
static void word_write(struct wr *wr, struct bytes word, const char *otherwise)
{
    if (word.len == 0) {
        wr_text(wr, otherwise);
    }
    word = bytes_first(word, WORD_MAX);
    for (size_t i = 0; i < word.len; i++) {
        const uint8_t c = word.ptr[i];
        if (c > ' ' && c <= '~' && c != '/' && c != '(' && c != ')' && c != ';') {
            wr_u8(wr, c);
        }
    }
}

void portal_link_agent_write(struct wr *wr)
{
    uint8_t text[RELEASE_MAX];
    struct utsname system = {0};
    struct bytes release = {text, 0};
    IO_FD_AUTO int fd = open("/etc/os-release", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        const ssize_t len = read(fd, text, sizeof text);
        release.len = len > 0 ? (size_t)len : 0;
    }
    IGNORE(uname(&system)); // it cannot fail, and if it did, words are missing
    word_write(wr, portal_link_agent_find(release, "ID"), "Linux");
    wr_u8(wr, '/');
    word_write(wr, portal_link_agent_find(release, "VERSION_ID"), "unknown");
    wr_text(wr, " relay/" FAIRLEAD_VERSION " (");
    word_write(wr, bytes_of_text(system.machine), "unknown");
    wr_text(wr, "; ");
    word_write(wr, bytes_of_text(system.release), "unknown");
    wr_u8(wr, ')');
}

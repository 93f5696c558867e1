// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/io_fd.h"

enum { ENTRIES_MAX = 10000 }; // of a directory; a page says when there are more

static enum tunnel_files_outcome outcome_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return TUNNEL_FILES_MISSING;
    case EACCES:
    case EPERM:
    case EXDEV: // out of the directory
    case ELOOP:
        return TUNNEL_FILES_FORBIDDEN;
    default:
        return TUNNEL_FILES_FAILED;
    }
}

enum tunnel_files_outcome tunnel_files_open(int root_fd, const char *path, int *fd, uint64_t *len)
{
    // O_NONBLOCK: a FIFO without a writer, which is refused below, holds nobody up.
    const struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    struct stat stat;
    IO_FD_AUTO int opened =
        (int)syscall(SYS_openat2, root_fd, path[0] == '\0' ? "." : path, &how, sizeof how);

    if (opened < 0 || fstat(opened, &stat) != 0) {
        return outcome_of(errno);
    }
    if (S_ISDIR(stat.st_mode)) {
        *fd = io_fd_take(&opened);
        return TUNNEL_FILES_FOLDER;
    }
    if (!S_ISREG(stat.st_mode)) {
        return TUNNEL_FILES_FORBIDDEN;
    }
    *fd = io_fd_take(&opened);
    *len = (uint64_t)stat.st_size;
    return TUNNEL_FILES_FILE;
}

// --- listings ------------------------------------------------------------------------------------

static void text_write(FILE *page, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", page);
            break;
        case '>':
            fputs("&gt;", page);
            break;
        case '&':
            fputs("&amp;", page);
            break;
        case '"':
            fputs("&quot;", page);
            break;
        default:
            fputc(*text, page);
        }
    }
}

static void url_write(FILE *page, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        fprintf(page, strchr(plain, *text) != NULL ? "%c" : "%%%02X", (unsigned char)*text);
    }
}

static void page_write(FILE *page, const char *title, struct dirent **entries, int count)
{
    fputs("<!doctype html>\n<meta charset=\"utf-8\">\n<title>", page);
    text_write(page, title);
    fputs("</title>\n<h1>", page);
    text_write(page, title);
    fputs("</h1>\n<ul>\n", page);
    for (int i = 0; i < count && i < ENTRIES_MAX; i++) {
        const char *slash = entries[i]->d_type == DT_DIR ? "/" : "";
        fputs("<li><a href=\"./", page);
        url_write(page, entries[i]->d_name);
        fprintf(page, "%s\">", slash);
        text_write(page, entries[i]->d_name);
        fprintf(page, "%s</a>\n", slash);
    }
    fputs(count > ENTRIES_MAX ? "<li>and more\n</ul>\n" : "</ul>\n", page);
}

static int is_listed(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int tunnel_files_list(int fd, const char *title, char **out, size_t *len)
{
    struct dirent **entries = NULL;
    IO_FD_AUTO int folder_fd = fd;
    const int count = scandirat(folder_fd, ".", &entries, is_listed, compare);

    if (count < 0) {
        return -errno;
    }
    FILE *page = open_memstream(out, len);
    if (page != NULL) {
        page_write(page, title, entries, count);
    }
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
    if (page == NULL) {
        return -ENOMEM;
    }
    if (fclose(page) != 0) {
        free(*out);
        return -ENOMEM;
    }
    return 0;
}

// --- types ---------------------------------------------------------------------------------------

const char *tunnel_files_type(const char *name)
{
    static const struct {
        const char *ending;
        const char *type;
    } types[] = {
        {"html", "text/html; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/markdown; charset=utf-8"},
        {"csv", "text/csv; charset=utf-8"},
        {"xml", "application/xml"},
        {"json", "application/json"},
        {"wasm", "application/wasm"},
        {"pdf", "application/pdf"},
        {"zip", "application/zip"},
        {"gz", "application/gzip"},
        {"tar", "application/x-tar"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"gif", "image/gif"},
        {"webp", "image/webp"},
        {"ico", "image/x-icon"},
        {"mp3", "audio/mpeg"},
        {"mp4", "video/mp4"},
        {"webm", "video/webm"},
        {"woff2", "font/woff2"},
    };
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot != NULL && i < COUNT_OF(types); i++) {
        if (strcasecmp(dot + 1, types[i].ending) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_fd.h"

static int write_all(int fd, struct bytes text)
{
    while (text.len > 0) {
        const ssize_t put = write(fd, text.ptr, text.len);

        if (put < 0 && errno != EINTR) {
            return -errno;
        }
        text = bytes_from(text, put < 0 ? 0 : (size_t)put);
    }
    return 0;
}

// That a file is in its directory. Where a directory cannot be opened or synced, that is so: the
// file is there for all who live.
static void sync_folder(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    IO_FD_AUTO int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        IGNORE(fsync(fd));
    }
}

static int sync_file(int fd)
{
    // EINVAL: it is nothing that a disk has, such as a pipe.
    return fsync(fd) == 0 || errno == EINVAL ? 0 : -errno;
}

int tunnel_text_write(const char *path, struct bytes text, bool is_lasting)
{
    char beside[PATH_MAX];
    const int len = snprintf(beside, sizeof beside, "%s.new", path);

    if (len < 0 || (size_t)len >= sizeof beside) {
        return -ENAMETOOLONG;
    }
    // A pipe is not waited for: who writes serves others, too.
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    IO_FD_AUTO int fd = open(beside, flags, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return -errno;
    }
    int error = write_all(fd, text);
    if (error == 0 && is_lasting) {
        error = sync_file(fd);
    }
    if (error == 0 && rename(beside, path) != 0) {
        error = -errno;
    }
    if (error != 0) {
        IGNORE(unlink(beside)); // there is nothing else to do
    } else if (is_lasting) {
        sync_folder(path);
    }
    return error;
}

// Gives a new file the owner and the rights of the one in whose place it comes.
static int give_as(int fd, const struct stat *former)
{
    if (fchown(fd, former->st_uid, former->st_gid) != 0 ||
        fchmod(fd, former->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO)) != 0) {
        return -errno;
    }
    return 0;
}

// Nobody has changed the file since it was looked at.
static bool is_same(const char *path, const struct stat *former)
{
    struct stat now;

    return lstat(path, &now) == 0 && now.st_ino == former->st_ino &&
           now.st_size == former->st_size && now.st_mtim.tv_sec == former->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == former->st_mtim.tv_nsec;
}

int tunnel_text_replace(const char *path, size_t former_len, struct bytes text)
{
    char beside[PATH_MAX];
    struct stat former;
    const int len = snprintf(beside, sizeof beside, "%s.new", path);

    if (len < 0 || (size_t)len >= sizeof beside) {
        return -ENAMETOOLONG;
    }
    if (lstat(path, &former) != 0) {
        return -errno;
    }
    if (S_ISLNK(former.st_mode)) {
        return -ELOOP;
    }
    if (former.st_size != (off_t)former_len) {
        return -EBUSY;
    }
    IO_FD_AUTO int fd =
        open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return errno == EEXIST ? -EBUSY : -errno;
    }
    int error = write_all(fd, text);
    if (error == 0) {
        error = give_as(fd, &former);
    }
    if (error == 0) {
        error = sync_file(fd);
    }
    if (error == 0 && !is_same(path, &former)) {
        error = -EBUSY;
    }
    if (error == 0 && rename(beside, path) != 0) {
        error = -errno;
    }
    if (error != 0) {
        IGNORE(unlink(beside)); // there is nothing else to do
    } else {
        sync_folder(path);
    }
    return error;
}

// Who has the directory is to have the file: root makes files for a service that is not root.
static void give_to_owner_of_folder(const char *path, int fd)
{
    char copy[PATH_MAX];
    struct stat folder;

    snprintf(copy, sizeof copy, "%s", path);
    if (geteuid() == 0 && stat(dirname(copy), &folder) == 0) {
        IGNORE(
            fchown(fd, folder.st_uid, folder.st_gid)); // else it is root's, which its reader says
    }
}

// Adds all of it, or takes back what it has added: half a line would make a whole list wrong. What
// others have added behind it meanwhile stays.
static int add_whole(int fd, struct bytes text)
{
    struct stat former;
    struct stat now;

    if (fstat(fd, &former) != 0) {
        return -errno;
    }
    int error = write_all(fd, text);
    if (error == 0) {
        error = sync_file(fd);
    }
    if (error != 0 && fstat(fd, &now) == 0 && now.st_size > former.st_size &&
        now.st_size - former.st_size <= (off_t)text.len) {
        IGNORE(ftruncate(fd, former.st_size)); // there is nothing else to do
    }
    return error;
}

int tunnel_text_add(const char *path, struct bytes text)
{
    // Root writes into directories of others, where a link may lead anywhere.
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
    IO_FD_AUTO int fd = open(path, flags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);

    if (fd >= 0) {
        give_to_owner_of_folder(path, fd);
    } else if (errno == EEXIST) {
        fd = open(path, flags);
    }
    if (fd < 0) {
        return -errno;
    }
    const int error = add_whole(fd, text);
    if (error == 0) {
        sync_folder(path);
    }
    return error;
}

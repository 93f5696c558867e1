// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PASSWD_TEXT_MAX = 16384 }; // bytes; glibc asks for 1024, long gecos fields for more

bool io_privilege_is_root(void)
{
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;

    if (getresuid(&real, &effective, &saved) != 0) {
        return true; // to be on the safe side
    }
    return real == 0 || effective == 0 || saved == 0;
}

int io_privilege_find(const char *name, struct io_privilege_user *out)
{
    char text[PASSWD_TEXT_MAX];
    struct passwd entry;
    struct passwd *found = NULL;

    const int error = getpwnam_r(name, &entry, text, sizeof(text), &found);
    if (found == NULL) {
        // POSIX lets an unknown name be no error or any of several.
        const bool is_unknown = error == 0 || error == ESRCH || error == EBADF || error == EPERM;
        return is_unknown ? -ENOENT : -error;
    }
    *out = (struct io_privilege_user){.uid = entry.pw_uid, .gid = entry.pw_gid};
    return 0;
}

// All ids are the user's, and none of the ways back to root works.
static bool is_dropped(struct io_privilege_user user)
{
    uid_t uids[3];
    gid_t gids[3];

    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) != 0) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(uids); i++) {
        if (uids[i] != user.uid || gids[i] != user.gid) {
            return false;
        }
    }
    return setresuid(0, 0, 0) != 0 && setresgid(0, 0, 0) != 0 && getgroups(0, NULL) == 0;
}

int io_privilege_drop(struct io_privilege_user user)
{
    if (user.uid == 0 || user.gid == 0) {
        return -EINVAL;
    }
    // The groups go first, while this process may still change them. Leaving uid 0 in all three
    // ids clears the permitted, effective and ambient capabilities (capabilities(7)).
    if (setgroups(0, NULL) != 0 || setresgid(user.gid, user.gid, user.gid) != 0 ||
        setresuid(user.uid, user.uid, user.uid) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return -errno;
    }
    return is_dropped(user) ? 0 : -ENOTRECOVERABLE;
}

// Whether there was anything to clear.
static bool clear(struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3], int capability)
{
    struct __user_cap_data_struct *set = &sets[CAP_TO_INDEX(capability)];
    const __u32 mask = CAP_TO_MASK(capability);
    const bool is_there = ((set->effective | set->permitted | set->inheritable) & mask) != 0;

    set->effective &= ~mask;
    set->permitted &= ~mask;
    set->inheritable &= ~mask;
    return is_there;
}

int io_privilege_shed(void)
{
    static const int capabilities[] = {CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    bool is_any_there = false;

    if (syscall(SYS_capget, &header, sets) != 0) {
        return -errno;
    }
    for (size_t i = 0; i < COUNT_OF(capabilities); i++) {
        is_any_there |= clear(sets, capabilities[i]);
    }
    // A service without them may be forbidden to call capset(2), too.
    // What is not permitted any more leaves the ambient set by itself.
    if ((is_any_there && syscall(SYS_capset, &header, sets) != 0) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return -errno;
    }
    return 0;
}

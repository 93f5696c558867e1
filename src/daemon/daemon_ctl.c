// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_ctl.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "log/log.h"

enum { FOLDER_MAX = 32 }; // bytes, of "/fairlead" or another one

#define CLIENT_TIME_NS (5 * SECOND_NS) // for a request and its answer

bool daemon_ctl_reserve(struct daemon_ctl_reply *reply, size_t room)
{
    assert(reply->wr.ptr == NULL);
    uint8_t *memory = malloc(room);
    if (memory == NULL) {
        return false;
    }
    reply->wr = wr_init(memory, room);
    return true;
}

static const char *variable(char *const *environment, const char *name)
{
    const size_t len = strlen(name);

    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=') {
            return *environment + len + 1;
        }
    }
    return "";
}

// The name of a socket may have the directory in front in which it is below /run and
// $XDG_RUNTIME_DIR.
static const char *file_of(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash == NULL ? name : slash + 1;
}

static void folder_write(const char *name, char out[FOLDER_MAX])
{
    const char *slash = strchr(name, '/');

    assert(slash == NULL || slash - name < FOLDER_MAX - 1);
    if (slash == NULL) {
        snprintf(out, FOLDER_MAX, "/fairlead");
    } else {
        snprintf(out, FOLDER_MAX, "/%.*s", (int)(slash - name), name);
    }
}

// The directory that a variable names, up to a colon, or one below it; false when it names none
// that leaves room for a socket of this name.
static bool directory_in(const char *directory, const char *below, const char *name,
                         char out[IO_LOCAL_PATH_MAX + 1])
{
    const int len = snprintf(out, IO_LOCAL_PATH_MAX + 1, "%.*s%s", (int)strcspn(directory, ":"),
                             directory, below);

    return directory[0] == '/' && (size_t)len + strlen(file_of(name)) < IO_LOCAL_PATH_MAX;
}

// Where the socket may be, in this order.
enum {
    RUNTIME_DIRECTORY, // as a service manager gives it, to whoever is to ask as well
    RUN_DIRECTORY,
    USERS_DIRECTORY,
    DIRECTORIES,
};

static bool directory_at(size_t index, const char *name, char *const *environment,
                         char out[IO_LOCAL_PATH_MAX + 1])
{
    char below[FOLDER_MAX];

    folder_write(name, below);
    switch (index) {
    case RUNTIME_DIRECTORY:
        return directory_in(variable(environment, "RUNTIME_DIRECTORY"), "", name, out);
    case RUN_DIRECTORY:
        return geteuid() == 0 && directory_in("/run", below, name, out);
    default:
        return directory_in(variable(environment, "XDG_RUNTIME_DIR"), below, name, out);
    }
}

static void append(char path[IO_LOCAL_PATH_MAX + 1], const char *name)
{
    const size_t len = strlen(path);

    snprintf(path + len, IO_LOCAL_PATH_MAX + 1 - len, "/%s", name);
}

bool daemon_ctl_default_path(const char *name, char *const *environment,
                             char out[IO_LOCAL_PATH_MAX + 1])
{
    const mode_t mode = S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH;

    for (size_t i = 0; i < DIRECTORIES; i++) {
        if (directory_at(i, name, environment, out) && (mkdir(out, mode) == 0 || errno == EEXIST) &&
            access(out, W_OK | X_OK) == 0) {
            append(out, file_of(name));
            return true;
        }
    }
    return false;
}

bool daemon_ctl_find_path(const char *name, char *const *environment,
                          char out[IO_LOCAL_PATH_MAX + 1])
{
    bool is_found = false;

    for (size_t i = 0; i < DIRECTORIES; i++) {
        char path[IO_LOCAL_PATH_MAX + 1];
        if (!directory_at(i, name, environment, path)) {
            continue;
        }
        append(path, file_of(name));
        const bool is_there = access(path, F_OK) == 0;
        if (!is_found || is_there) {
            memcpy(out, path, sizeof path);
        }
        is_found = true;
        if (is_there || i == RUNTIME_DIRECTORY) {
            break;
        }
    }
    return is_found;
}

static void drop_client(struct daemon_ctl_client *client)
{
    io_loop_remove(client->ctl->loop, &client->watch);
    io_fd_close(&client->watch.fd);
    free((void *)client->answer.ptr);
    client->answer = (struct bytes){0};
}

// Sends what the socket takes; the client is dropped when it has all, or is gone.
static void send_some(struct daemon_ctl_client *client)
{
    while (client->sent < client->answer.len) {
        const ssize_t sent = send(client->watch.fd, client->answer.ptr + client->sent,
                                  client->answer.len - client->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            return;
        }
        if (sent <= 0) {
            break;
        }
        client->sent += (size_t)sent;
    }
    drop_client(client);
}

// `answer` is in memory of malloc(), and the client's from here on.
static void begin_sending(struct daemon_ctl_client *client, struct bytes answer)
{
    client->ticket = 0;
    client->answer = answer;
    io_loop_remove(client->ctl->loop, &client->watch);
    if (io_loop_add(client->ctl->loop, &client->watch, IO_WRITABLE) != 0) {
        drop_client(client);
        return;
    }
    send_some(client);
}

static void answer(struct daemon_ctl_client *client, struct bytes request)
{
    struct daemon_ctl_reply reply = {.wr = {.ptr = NULL}};

    client->ctl->answer(client->ctl->context, request, &reply);
    if (reply.ticket == 0) {
        begin_sending(client, wr_done(&reply.wr));
        return;
    }
    assert(reply.wr.ptr == NULL);
    client->ticket = reply.ticket;
    io_loop_remove(client->ctl->loop, &client->watch); // it has nothing more to say
}

void daemon_ctl_answer(struct daemon_ctl *ctl, uint64_t ticket, struct bytes text)
{
    for (size_t i = 0; i < COUNT_OF(ctl->clients); i++) {
        struct daemon_ctl_client *client = &ctl->clients[i];
        if (client->watch.fd < 0 || client->ticket == 0 || client->ticket > ticket) {
            continue;
        }
        uint8_t *copy = malloc(text.len);
        if (copy == NULL) {
            drop_client(client);
            continue;
        }
        memcpy(copy, text.ptr, text.len);
        begin_sending(client, (struct bytes){copy, text.len});
    }
}

// Reads up to the end of the line. Whoever sends too much, or ends without one, is dropped.
static void read_some(struct daemon_ctl_client *client)
{
    const ssize_t got = recv(client->watch.fd, client->request + client->request_len,
                             sizeof client->request - client->request_len, 0);

    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        drop_client(client);
        return;
    }
    client->request_len += (size_t)got;
    const struct bytes all = {client->request, client->request_len};
    const size_t len = bytes_index(all, '\n');
    if (len < all.len) {
        answer(client, bytes_first(all, len));
    } else if (all.len == sizeof client->request) {
        drop_client(client);
    }
}

static void on_client(struct io_watch *watch, uint32_t events)
{
    struct daemon_ctl_client *client = (struct daemon_ctl_client *)watch;

    (void)events;
    if (client->answer.ptr != NULL) {
        send_some(client);
    } else {
        read_some(client);
    }
}

// A free place, or that of whoever has been there for longest.
static struct daemon_ctl_client *place_of(struct daemon_ctl *ctl)
{
    struct daemon_ctl_client *oldest = &ctl->clients[0];

    for (size_t i = 0; i < COUNT_OF(ctl->clients); i++) {
        struct daemon_ctl_client *client = &ctl->clients[i];
        if (client->watch.fd < 0) {
            return client;
        }
        oldest = client->end_ns < oldest->end_ns ? client : oldest;
    }
    drop_client(oldest);
    return oldest;
}

static void welcome(struct daemon_ctl *ctl, int fd)
{
    struct daemon_ctl_client *client = place_of(ctl);

    *client = (struct daemon_ctl_client){
        .watch = {.fd = fd, .fn = on_client},
        .ctl = ctl,
        .end_ns = io_clock_now().mono_ns + CLIENT_TIME_NS,
    };
    if (io_loop_add(ctl->loop, &client->watch, IO_READABLE) != 0) {
        drop_client(client);
    }
}

static void on_listener(struct io_watch *watch, uint32_t events)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    struct daemon_ctl *ctl = watch->context;
    uint32_t uid = 0;
    int fd = -1;

    (void)events;
    if (io_local_accept(watch->fd, &fd, &uid) != 0) {
        return; // it has gone again
    }
    if (uid != 0 && uid != ctl->owner) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "another user wants to use the control socket",
                    LOG_NUMBER("uid", uid));
        io_fd_close(&fd);
        return;
    }
    welcome(ctl, fd);
}

static int listen_at(struct daemon_ctl *ctl)
{
    int error = io_local_listen(ctl->path, &ctl->listener.fd);

    if (error == 0) {
        error = io_loop_add(ctl->loop, &ctl->listener, IO_READABLE);
    }
    if (error != 0) {
        daemon_ctl_close(ctl);
    }
    return error;
}

// Where it is without an option, or nowhere.
static void open_default(struct daemon_ctl *ctl, const struct daemon_ctl_config *config)
{
    if (!daemon_ctl_default_path(config->name, config->environment, ctl->path)) {
        LOG_INFO("no control socket, since there is no directory for it; give "
                 "--control-socket a path");
        return;
    }
    const int error = listen_at(ctl);
    if (error != 0) {
        LOG_INFO("no control socket; give --control-socket another path",
                 LOG_TEXT("path", ctl->path), LOG_ERROR_NUMBER("error", error));
    }
}

int daemon_ctl_open(struct daemon_ctl *ctl, struct io_loop *loop,
                    const struct daemon_ctl_config *config)
{
    *ctl = (struct daemon_ctl){
        .loop = loop,
        .listener = {.fd = -1, .fn = on_listener, .context = ctl},
        .owner = getuid(),
        .answer = config->answer,
        .context = config->context,
    };
    for (size_t i = 0; i < COUNT_OF(ctl->clients); i++) {
        ctl->clients[i].watch.fd = -1;
    }
    if (bytes_equal_text(config->path, "none")) {
        return 0;
    }
    if (config->path.len == 0) {
        open_default(ctl, config);
        return 0;
    }
    assert(config->path.len < sizeof ctl->path);
    memcpy(ctl->path, config->path.ptr, config->path.len);
    const int error = listen_at(ctl);
    if (error != 0) {
        LOG_ERROR("the control socket cannot be opened", LOG_BYTES("path", config->path),
                  LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

void daemon_ctl_close(struct daemon_ctl *ctl)
{
    for (size_t i = 0; i < COUNT_OF(ctl->clients); i++) {
        if (ctl->clients[i].watch.fd > 0) {
            drop_client(&ctl->clients[i]);
        }
    }
    if (ctl->listener.fd > 0) {
        io_loop_remove(ctl->loop, &ctl->listener);
        // It may be in a directory of root's; the next one replaces it. As long as this one listens
        // nobody else does, so that it is not the next one's that is removed.
        IGNORE(unlink(ctl->path));
        io_fd_close(&ctl->listener.fd);
    }
}

uint64_t daemon_ctl_tick(struct daemon_ctl *ctl, struct now now)
{
    uint64_t next_ns = NEVER;

    for (size_t i = 0; i < COUNT_OF(ctl->clients); i++) {
        struct daemon_ctl_client *client = &ctl->clients[i];
        if (client->watch.fd < 0) {
            continue;
        }
        if (client->end_ns <= now.mono_ns) {
            drop_client(client);
        } else {
            next_ns = client->end_ns < next_ns ? client->end_ns : next_ns;
        }
    }
    return next_ns;
}

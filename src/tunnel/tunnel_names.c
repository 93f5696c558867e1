// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_names.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_sockaddr.h"

// --- the thread ----------------------------------------------------------------------------------

static void look_up(struct tunnel_host *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;

    host->found.addr_count = 0;
    host->found.error = getaddrinfo(host->found.name, NULL, &hints, &list);
    if (host->found.error != 0) {
        return;
    }
    for (const struct addrinfo *one = list; one != NULL; one = one->ai_next) {
        struct sockaddr_storage storage = {0};
        if (host->found.addr_count == TUNNEL_NAMES_ADDR_MAX || one->ai_addrlen > sizeof storage) {
            continue;
        }
        memcpy(&storage, one->ai_addr, one->ai_addrlen);
        if (io_sockaddr_read(&storage, one->ai_addrlen, &host->found.addrs[host->found.addr_count],
                             NULL)) {
            host->found.addr_count++;
        }
    }
    freeaddrinfo(list);
    host->found.error = host->found.addr_count == 0 ? EAI_NONAME : 0;
}

static void *work(void *context)
{
    struct tunnel_names *names = context;

    pthread_mutex_lock(&names->lock);
    while (!names->is_over) {
        struct tunnel_host *host = names->asked;
        if (host == NULL) {
            pthread_cond_wait(&names->bell, &names->lock);
            continue;
        }
        names->asked = host->next;
        names->is_looking = true;
        pthread_mutex_unlock(&names->lock);
        look_up(host);
        pthread_mutex_lock(&names->lock);
        names->is_looking = false;
        host->next = names->answered;
        names->answered = host;
        IGNORE(eventfd_write(names->watch.fd, 1)); // full: it is rung already
    }
    pthread_mutex_unlock(&names->lock);
    return NULL;
}

// --- the others ----------------------------------------------------------------------------------

static void tell(struct tunnel_host *host)
{
    struct tunnel_asker *asker = NULL;

    while ((asker = tunnel_list_first(&host->askers)) != NULL) {
        tunnel_names_leave(asker);
        asker->fn(asker);
    }
}

static void begin(struct tunnel_host *host)
{
    struct tunnel_names *names = host->names;
    int error = 0;

    host->is_asked = true;
    snprintf(host->found.name, sizeof host->found.name, "%s", host->name);
    pthread_mutex_lock(&names->lock);
    host->next = names->asked;
    names->asked = host;
    pthread_cond_signal(&names->bell);
    if (!names->thread.is_running) {
        error = io_thread_start(&names->thread, "names", work, names);
    }
    if (error != 0) {
        names->asked = host->next; // it stands there alone
    }
    pthread_mutex_unlock(&names->lock);
    if (error != 0) {
        host->is_asked = false;
        host->addr_count = 0;
        host->error = EAI_MEMORY;
        tell(host);
    }
}

static void adopt(struct tunnel_host *host)
{
    host->is_asked = false;
    if (strcmp(host->found.name, host->name) != 0) {
        if (tunnel_list_first(&host->askers) != NULL) {
            begin(host); // it has become another one meanwhile
        }
        return;
    }
    host->error = host->found.error;
    host->addr_count = host->found.addr_count;
    for (uint32_t i = 0; i < host->addr_count; i++) {
        host->addrs[i] = addr_with_port(host->found.addrs[i], host->port);
    }
    if (host->addr_count > 0) {
        host->fresh_ns = io_clock_mono_ns() + TUNNEL_NAMES_FRESH_S * SECOND_NS;
    }
    tell(host);
}

static void on_answer(struct io_watch *watch, uint32_t events)
{
    struct tunnel_names *names = watch->context;
    eventfd_t count = 0;

    (void)events;
    IGNORE(eventfd_read(watch->fd, &count)); // whatever it says, the list tells
    pthread_mutex_lock(&names->lock);
    struct tunnel_host *host = names->answered;
    names->answered = NULL;
    pthread_mutex_unlock(&names->lock);
    while (host != NULL) {
        struct tunnel_host *next = host->next;
        adopt(host);
        host = next;
    }
}

int tunnel_names_open(struct tunnel_names *names, struct io_loop *loop)
{
    *names = (struct tunnel_names){
        .loop = loop,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .bell = PTHREAD_COND_INITIALIZER,
        .watch = {.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .fn = on_answer, .context = names},
    };
    return names->watch.fd < 0 ? -errno : io_loop_add(loop, &names->watch, IO_READABLE);
}

void tunnel_names_close(struct tunnel_names *names)
{
    if (names->loop == NULL) {
        return;
    }
    pthread_mutex_lock(&names->lock);
    names->is_over = true;
    pthread_cond_signal(&names->bell);
    const bool is_left = names->is_looking; // what it uses stays its own
    pthread_mutex_unlock(&names->lock);
    io_loop_remove(names->loop, &names->watch);
    names->loop = NULL;
    if (!is_left) {
        io_thread_join(&names->thread);
        io_fd_close(&names->watch.fd);
    }
}

bool tunnel_names_set(struct tunnel_host *host, struct tunnel_names *names, struct bytes name,
                      uint16_t port)
{
    if (name.len == 0 || name.len > TUNNEL_NAMES_HOST_MAX) {
        return false;
    }
    if (host->port == port && bytes_equal_text(name, host->name)) {
        return true;
    }
    assert(tunnel_list_first(&host->askers) == NULL);
    host->names = names;
    memcpy(host->name, name.ptr, name.len);
    host->name[name.len] = '\0';
    host->port = port;
    host->error = 0;
    host->addr_count = 0;
    host->fresh_ns = 0;
    struct addr addr;
    if (addr_read(name, &addr)) {
        host->addrs[0] = addr_with_port(addr, port);
        host->addr_count = 1;
        host->fresh_ns = NEVER;
    }
    return true;
}

void tunnel_names_ask(struct tunnel_host *host, struct tunnel_asker *asker, uint64_t now_ns)
{
    assert(asker->link.list == NULL);
    if (now_ns < host->fresh_ns) {
        asker->fn(asker);
        return;
    }
    tunnel_list_add(&host->askers, &asker->link, asker);
    if (!host->is_asked) {
        begin(host);
    }
}

void tunnel_names_leave(struct tunnel_asker *asker)
{
    tunnel_list_remove(&asker->link);
}

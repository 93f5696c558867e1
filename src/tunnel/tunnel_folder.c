// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/macro.h"
#include "tunnel/tunnel_controls.h"
#include "tunnel/tunnel_sealed.h"

static struct io_tls_pem file_in(struct bytes folder, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.*s/%s", (int)folder.len, (const char *)folder.ptr, name);
    return (struct io_tls_pem){.path = path};
}

// Of a role that speaks these protocols; none: ALPN is not looked at.
struct manner {
    enum io_tls_role role;
    const struct io_tls_protocol *protocols;
    size_t protocol_count;
};

static int open_as(struct bytes folder, const struct manner *manner, struct io_tls_context **out,
                   struct io_tls_error *warning, struct io_tls_error *wrong)
{
    char ca[PATH_MAX];
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    const bool is_server = manner->role == IO_TLS_SERVER;
    const struct io_tls_settings settings = {
        .role = manner->role,
        .certificate =
            file_in(folder, is_server ? "server.crt.pem" : "client.crt.pem", certificate),
        .key = file_in(folder, is_server ? "server.key.pem" : "client.key.pem", key),
        .ca = file_in(folder, "ca.crt.pem", ca),
        .least = IO_TLS_1_2,
        .ask = is_server ? IO_TLS_NEED_CERTIFICATE : IO_TLS_ASK_NONE,
        .protocols = manner->protocols,
        .protocol_count = manner->protocol_count,
    };

    if (folder.len >= PATH_MAX - sizeof "/server.crt.pem") {
        io_tls_error_set(wrong, "the name of the directory of keys is too long");
        return -ENAMETOOLONG;
    }
    return io_tls_context_open(&settings, out, warning, wrong);
}

int tunnel_folder_open(struct bytes folder, enum io_tls_role role, struct io_tls_context **out,
                       struct io_tls_error *warning, struct io_tls_error *wrong)
{
    return open_as(folder, &(struct manner){.role = role}, out, warning, wrong);
}

int tunnel_folder_open_relay(struct bytes folder, enum tunnel_folder_relay relay,
                             struct io_tls_context **out, struct io_tls_error *warning,
                             struct io_tls_error *wrong)
{
    static const struct io_tls_protocol protocols[] = {
        {TUNNEL_CONTROLS_SECOND, IO_TLS_1_3, IO_TLS_ASK_CERTIFICATE},
        {TUNNEL_CONTROLS_FIRST, IO_TLS_1_2, IO_TLS_NEED_CERTIFICATE},
        {TUNNEL_SEALED_PROTOCOL, IO_TLS_1_3, IO_TLS_ASK_NONE},
    };
    const size_t first = relay == TUNNEL_FOLDER_FIRST ? 1 : 0;
    const size_t end = relay == TUNNEL_FOLDER_SEALED ? 3 : 2;

    return open_as(folder,
                   &(struct manner){.role = IO_TLS_SERVER,
                                    .protocols = protocols + first,
                                    .protocol_count = end - first},
                   out, warning, wrong);
}

// SPDX-License-Identifier: Apache-2.0
#include "web/web_context.h"

#include <errno.h>
#include <libwebsockets.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#include "web/web_socket.h"

enum {
    DESCRIPTOR_MAX = 16,   // connections that still close, and the context's own
    HANDSHAKE_MAX = 12288, // bytes: request line, our headers and the caller's
    HEADER_MAX = 8192,     // bytes of headers that come
};

// The host's own; OpenSSL's default paths and SSL_CERT_FILE count beside it.
static const char system_roots[] = "/etc/ssl/certs/ca-certificates.crt";

// libwebsockets would go on without certificates to trust.
static bool has_certificates(const char *path)
{
    X509_STORE *store = X509_STORE_new();
    const bool has_some = store != NULL && X509_STORE_load_file(store, path) == 1;

    X509_STORE_free(store);
    return has_some;
}

int web_context_open(const struct lws_protocols *protocols, void *user, const char *ca_path,
                     struct lws_context **out)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT, // what is UTF-8, take_piece() looks at
        .gid = -1,
        .uid = -1,
        .user = user,
        .fd_limit_per_thread = DESCRIPTOR_MAX,
        .pt_serv_buf_size = HANDSHAKE_MAX,
        .max_http_header_data = HEADER_MAX,
        .timeout_secs = WEB_SOCKET_TCP_S,
        .connect_timeout_secs = WEB_SOCKET_CONNECT_S,
        .client_ssl_ca_filepath = ca_path,
        .http_proxy_address = "", // none; without it the environment's, for HTTPS the wrong one
    };

    if (ca_path != NULL) {
        info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        if (!has_certificates(ca_path)) {
            return -EINVAL;
        }
    } else if (access(system_roots, R_OK) == 0) {
        info.client_ssl_ca_filepath = system_roots;
    }
    lws_set_log_level(0, NULL); // what matters of it we tell in our own words
    struct lws_context *context = lws_create_context(&info);
    if (context == NULL) {
        return -ENOMEM;
    }
    *out = context;
    return 0;
}

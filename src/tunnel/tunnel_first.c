// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_first.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto_wipe.h"
#include "daemon/daemon_file.h"
#include "daemon/daemon_tell.h"
#include "daemon/daemon_user.h"
#include "io/io_clock.h"
#include "io/io_privilege.h"
#include "io/io_tls_keys.h"
#include "log/log.h"
#include "revtun/revtun_token.h"
#include "tunnel/tunnel_certificates.h"
#include "tunnel/tunnel_issue.h"
#include "tunnel/tunnel_reach.h"
#include "tunnel/tunnel_state.h"
#include "tunnel/tunnel_text.h"

#define FIRST_ID "first"        // the token's name
#define CA_FOLDER "ca-of-start" // removed at once

enum {
    DEFAULT_PORT = 12000, // which agents dial if nothing is said
    COMMAND_MAX = 1024,   // bytes
};

#define DAY_S INT64_C(86400)

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0 || errno != ENOENT;
}

static void text_of(struct bytes path, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%.*s", (int)path.len, (const char *)path.ptr);
}

bool tunnel_first_is_wanted(const struct tunnel_config *config)
{
    char keys[PATH_MAX];

    text_of(config->keys, keys);
    return config->state.len == 0 && !config->is_keys_given && config->access.len == 0 &&
           config->has_room_for_tunnels && !is_there(keys);
}

bool tunnel_first_is_forgotten(const struct tunnel_config *config)
{
    char keys[PATH_MAX];

    text_of(config->keys, keys);
    return config->state.len == 0 && !config->is_keys_given && config->access.len == 0 &&
           is_there(keys) && is_there("./" TUNNEL_STATE_HERE "/" TUNNEL_STATE_ACCESS);
}

static int fail(const char *path, int error)
{
    LOG_ERROR("what a first start needs cannot be made", LOG_TEXT("file", path),
              LOG_ERROR_NUMBER("error", error));
    return error;
}

// --- whose it is ---------------------------------------------------------------------------------

// Root gives what it makes to the user as whom the relay will serve.
static int give(const char *path)
{
    struct io_privilege_user user;

    if (!io_privilege_is_root()) {
        return 0;
    }
    const int error = daemon_user_find(&user);
    if (error != 0) {
        return fail(path, error);
    }
    // Not what a link leads to: in a directory that is that user's it may lead anywhere.
    return lchown(path, user.uid, user.gid) == 0 ? 0 : fail(path, -errno);
}

static int give_in(const char *folder, const char *name)
{
    char path[PATH_MAX];

    tunnel_state_path(folder, name, path);
    return give(path);
}

// --- keys ----------------------------------------------------------------------------------------

static int make_pair(enum io_tls_keys_kind kind, const char *folder, const char *ca_folder,
                     const char *host)
{
    const int64_t now_s = io_clock_now().wall_s;
    const char *const names[] = {host, "localhost"};
    struct io_tls_error wrong;
    const struct io_tls_keys keys = {
        .kind = kind,
        .folder = folder,
        .ca_folder = ca_folder,
        .common_name = kind == IO_TLS_KEYS_CA ? "Fairlead tunnel CA" : "relay",
        .names = kind == IO_TLS_KEYS_SERVER ? names : NULL,
        .name_count = kind == IO_TLS_KEYS_SERVER ? COUNT_OF(names) : 0,
        .from_s = now_s - IO_TLS_KEYS_BEFORE_S,
        .to_s = now_s + IO_TLS_KEYS_CA_DAYS * DAY_S,
    };
    const int error = io_tls_keys_make(&keys, &wrong);

    if (error != 0) {
        LOG_ERROR("the relay's keys cannot be made", LOG_TEXT("reason", wrong.text));
    }
    return error;
}

static void remove_in(const char *folder, const char *name)
{
    char path[PATH_MAX];

    tunnel_state_path(folder, name, path);
    IGNORE(unlink(path)); // it may not be there
}

// Tokens say which key the relay has, so no CA is ever asked: its own key is forgotten, and nobody
// can steal it.
static int make_keys(const char *state, const char *keys, const char *host)
{
    static const char *const files[] = {IO_TLS_KEYS_CA_CERTIFICATE, IO_TLS_KEYS_SERVER_CERTIFICATE,
                                        IO_TLS_KEYS_SERVER_KEY};
    char ca[PATH_MAX];

    tunnel_state_path(state, CA_FOLDER, ca);
    int error = make_pair(IO_TLS_KEYS_CA, ca, NULL, host);
    if (error == 0) {
        error = make_pair(IO_TLS_KEYS_SERVER, keys, ca, host);
    }
    remove_in(ca, IO_TLS_KEYS_CA_KEY);
    remove_in(ca, IO_TLS_KEYS_CA_CERTIFICATE);
    IGNORE(rmdir(ca)); // it may not be there
    for (size_t i = 0; error == 0 && i < COUNT_OF(files); i++) {
        error = give_in(keys, files[i]);
    }
    return error == 0 ? give(keys) : error;
}

// --- the first agent -----------------------------------------------------------------------------

static void command_write(struct wr *wr, const struct tunnel_config *config, const char *host,
                          struct bytes token)
{
    const bool is_ip6 = strchr(host, ':') != NULL;

    wr_text(wr, "fairlead-tunnel expose 127.0.0.1:8080 --relay ");
    wr_text(wr, is_ip6 ? "[" : "");
    wr_text(wr, host);
    wr_text(wr, is_ip6 ? "]" : "");
    if (config->core.control_port != DEFAULT_PORT) {
        wr_text(wr, ":");
        wr_decimal(wr, config->core.control_port);
    }
    wr_text(wr, " --token ");
    wr_bytes(wr, token);
    wr_text(wr, "\n");
}

static void tell(const struct tunnel_config *config, struct bytes command)
{
    // What goes to a journal, or to who collects lines of JSON, is read by many.
    if (getenv("JOURNAL_STREAM") == NULL && config->daemon.log_format == LOG_LINE_HUMAN) {
        IGNORE(daemon_tell(bytes_of_text(
            "\nBeside a service, behind any NAT (8080 is the service's port), type:\n\n    ")));
        IGNORE(daemon_tell(command));
        IGNORE(daemon_tell(bytes_of_text("\n")));
    }
}

// Says what is wrong with them as at any other start.
static int look_at_certificates(const struct tunnel_config *config)
{
    struct io_tls_context *context = NULL;
    const int error = tunnel_certificates_open(config->keys, TUNNEL_FOLDER_BOTH, NULL, &context);

    if (error == 0) {
        io_tls_context_close(context);
    }
    return error;
}

static int make_list(const struct tunnel_config *config, const char *state, const char *host)
{
    uint8_t token_text[REVTUN_TOKEN_TEXT_MAX];
    uint8_t line_text[REVTUN_ACCESS_LINE_MAX];
    uint8_t command_text[COMMAND_MAX];
    struct wr token = wr_init(token_text, sizeof token_text);
    struct wr line = wr_init(line_text, sizeof line_text);
    struct wr command = wr_init(command_text, sizeof command_text);
    const struct tunnel_issue issue = {.id = BYTES_LITERAL(FIRST_ID),
                                       .terms = BYTES_LITERAL("ports=*"),
                                       .keys = config->keys,
                                       .has_pin = true};
    struct io_tls_error wrong;
    char list[PATH_MAX];
    char first[PATH_MAX];

    text_of(config->access, list);
    tunnel_state_path(state, TUNNEL_STATE_FIRST, first);
    int error = look_at_certificates(config);
    if (error != 0) {
        return error;
    }
    if (!tunnel_issue_write(&issue, &token, &line, &wrong)) {
        LOG_ERROR("a token for a first agent cannot be made", LOG_TEXT("reason", wrong.text));
        return -EIO;
    }
    command_write(&command, config, host, wr_done(&token));
    // The list comes last of all files: while it is not there, the next start makes all of it
    // again.
    error = tunnel_text_write(first, wr_done(&command), true);
    if (error == 0) {
        error = give(first);
    }
    if (error == 0) {
        error = tunnel_text_write(list, wr_done(&line), true);
    }
    if (error != 0) {
        return fail(list, error);
    }
    error = give(list);
    if (error == 0) {
        LOG_INFO("a token for a first agent is made; its command is in the file",
                 LOG_TEXT("file", first));
        tell(config, wr_done(&command));
    }
    crypto_wipe(token_text, sizeof token_text);
    crypto_wipe(command_text, sizeof command_text);
    return error;
}

int tunnel_first_make(const struct tunnel_config *config)
{
    char state[PATH_MAX];
    char keys[PATH_MAX];
    char list[PATH_MAX];
    char host[TUNNEL_REACH_MAX];
    int error = 0;

    if (config->state.len == 0) {
        return 0;
    }
    text_of(config->state, state);
    text_of(config->keys, keys);
    text_of(config->access, list);
    const bool is_reached = tunnel_reach_host(config, host);
    if (mkdir(state, S_IRWXU) != 0 && errno != EEXIST) {
        error = fail(state, -errno);
    }
    const bool has_list = is_there(list);
    if (error == 0 && !config->is_keys_given && !is_there(keys)) {
        error = make_keys(state, keys, host);
    }
    if (error == 0 && !has_list && !is_reached) {
        LOG_WARN("the first agent's command has an address of this host alone; --myhost says by "
                 "which others reach the relay",
                 LOG_TEXT("address", host));
    }
    if (error == 0 && !has_list) {
        error = make_list(config, state, host);
    }
    return error == 0 && !has_list ? give(state)
                                   : error; // at last, when nothing is made in it any more
}

// --- the next starts -----------------------------------------------------------------------------

// The last word of a command, which is a line, borrowed from it.
static struct bytes token_in(struct bytes command)
{
    struct bytes word = bytes_first(command, bytes_index(command, '\n'));

    for (size_t at = bytes_index(word, ' '); at < word.len; at = bytes_index(word, ' ')) {
        word = bytes_from(word, at + 1);
    }
    return word;
}

static bool is_on(const struct revtun_access *access, struct bytes text)
{
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];
    struct revtun_token token;

    if (revtun_token_read(text, &token) != REVTUN_TOKEN_OK) {
        return false;
    }
    const struct revtun_access_entry *entry =
        revtun_access_find_token(access, revtun_token_id(&token));
    revtun_token_verifier(&token, verifier);
    revtun_token_deinit(&token);
    return entry != NULL && memcmp(entry->hash, verifier, sizeof verifier) == 0;
}

void tunnel_first_renew(const struct tunnel_config *config, const struct revtun_access *access)
{
    uint8_t command_text[COMMAND_MAX];
    struct wr command = wr_init(command_text, sizeof command_text);
    char state[PATH_MAX];
    char first[PATH_MAX];
    char host[TUNNEL_REACH_MAX];
    struct bytes former = {0};

    text_of(config->state, state);
    tunnel_state_path(state, TUNNEL_STATE_FIRST, first);
    // A host that is without its network for now still has the address that the file says.
    if (config->state.len == 0 || !tunnel_reach_host(config, host) ||
        daemon_file_read_again(first, &former) != 0) {
        return;
    }
    const struct bytes token = token_in(former);
    if (is_on(access, token)) {
        command_write(&command, config, host, token);
    }
    if (command.len > 0 && !bytes_equal(wr_done(&command), former)) {
        const int error = tunnel_text_write(first, wr_done(&command), true);

        if (error == 0) {
            LOG_INFO("the relay is reached by another host or port than before; the first agent's "
                     "command is in the file",
                     LOG_TEXT("file", first));
            tell(config, wr_done(&command));
        } else {
            LOG_WARN("the first agent's command cannot be written anew", LOG_TEXT("file", first),
                     LOG_ERROR_NUMBER("error", error));
        }
    }
    crypto_wipe(command_text, sizeof command_text);
    daemon_file_free(&former);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_issue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto_wipe.h"
#include "daemon/daemon_file.h"
#include "io/io_random.h"
#include "tunnel/tunnel_folder.h"
#include "tunnel/tunnel_text.h"

static bool read_pin(struct bytes keys, uint8_t pin[REVTUN_TOKEN_PIN_LEN],
                     struct io_tls_error *wrong)
{
    struct io_tls_context *context = NULL;
    struct io_tls_error warning;

    if (tunnel_folder_open_relay(keys, TUNNEL_FOLDER_BOTH, &context, &warning, wrong) != 0) {
        return false;
    }
    memcpy(pin, io_tls_context_certificate(context)->pin, REVTUN_TOKEN_PIN_LEN);
    io_tls_context_close(context);
    return true;
}

// Whether a list is right, and has nobody of this name, unless that is empty; `path` is for the
// words about it.
static bool judge(const char *path, struct bytes text, struct bytes id, struct io_tls_error *wrong)
{
    const size_t capacity = revtun_access_count_max(text);
    struct revtun_access access = {.entries = calloc(capacity + 1, sizeof access.entries[0]),
                                   .capacity = capacity};
    struct revtun_access_mistakes mistakes;
    char words[256];
    struct wr wr = wr_init((uint8_t *)words, sizeof words - 1);

    if (access.entries == NULL) {
        io_tls_error_set(wrong, "%s", strerror(ENOMEM));
        return false;
    }
    const bool is_right = revtun_access_read(text, &access, &mistakes);
    const bool is_taken = is_right && id.len > 0 && revtun_access_find_token(&access, id) != NULL;
    free(access.entries);
    if (is_taken) {
        io_tls_error_set(wrong, "%s: there is an agent %.*s already", path, (int)id.len,
                         (const char *)id.ptr);
    } else if (!is_right) {
        revtun_access_mistake_write(&wr, &mistakes.items[0]);
        words[wr_done(&wr).len] = '\0';
        io_tls_error_set(wrong, "%s: %s", path, words);
    }
    return is_right && !is_taken;
}

bool tunnel_issue_write(const struct tunnel_issue *issue, struct wr *token, struct wr *line,
                        struct io_tls_error *wrong)
{
    uint8_t pin[REVTUN_TOKEN_PIN_LEN] = {0};
    uint8_t secret[REVTUN_TOKEN_SECRET_LEN];
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];
    struct revtun_token made;

    if (issue->has_pin && !read_pin(issue->keys, pin, wrong)) {
        return false;
    }
    io_random_fill(secret, sizeof secret);
    revtun_token_init(&made, issue->id, secret, pin);
    revtun_token_verifier(&made, verifier);
    revtun_token_write(token, &made);
    revtun_access_token_write(line, issue->id, verifier);
    wr_text(line, issue->terms.len > 0 ? " " : "");
    wr_bytes(line, issue->terms);
    wr_text(line, "\n");
    revtun_token_deinit(&made);
    crypto_wipe(secret, sizeof secret);
    return judge("the line", wr_done(line), (struct bytes){0}, wrong);
}

bool tunnel_issue_add(const char *path, struct bytes id, struct bytes line,
                      struct io_tls_error *wrong)
{
    struct bytes former = {0};
    int error = daemon_file_read(path, &former);

    if (error != 0 && error != -ENOENT) {
        io_tls_error_set(wrong, "%s: %s", path, strerror(-error));
        return false;
    }
    const bool is_cut = former.len > 0 && former.ptr[former.len - 1] != '\n';
    const size_t room = former.len + 1 + line.len;
    uint8_t *text = malloc(room);
    bool is_added = text != NULL;
    if (is_added) {
        struct wr wr = wr_init(text, room);

        wr_bytes(&wr, former);
        wr_text(&wr, is_cut ? "\n" : "");
        wr_bytes(&wr, line);
        assert(wr_ok(&wr));
        is_added =
            judge(path, former, id, wrong) && judge(path, wr_done(&wr), (struct bytes){0}, wrong);
        if (is_added) {
            error = tunnel_text_add(path, bytes_from(wr_done(&wr), former.len));
            is_added = error == 0;
            if (error != 0) {
                io_tls_error_set(wrong, "%s: %s", path, strerror(-error));
            }
        }
    } else {
        io_tls_error_set(wrong, "%s", strerror(ENOMEM));
    }
    free(text);
    daemon_file_free(&former);
    return is_added;
}

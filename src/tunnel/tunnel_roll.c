// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_roll.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon_file.h"
#include "tunnel/tunnel_text.h"

static bool fail(struct io_tls_error *wrong, const char *path, int error)
{
    io_tls_error_set(wrong, "%s: %s", path, strerror(-error));
    return false;
}

bool tunnel_roll_open(struct tunnel_access *roll, const char *path, struct io_tls_error *wrong)
{
    struct revtun_access_mistakes mistakes;
    char words[TUNNEL_ACCESS_MISTAKE_MAX];
    struct wr wr = wr_init((uint8_t *)words, sizeof words - 1);

    *roll = (struct tunnel_access){0};
    const int error = daemon_file_read(path, &roll->text);
    if (error != 0) {
        return fail(wrong, path, error);
    }
    const size_t capacity = revtun_access_count_max(roll->text);
    roll->list = (struct revtun_access){
        .entries = calloc(capacity + 1, sizeof roll->list.entries[0]), .capacity = capacity};
    if (roll->list.entries == NULL) {
        tunnel_access_close(roll);
        return fail(wrong, path, -ENOMEM);
    }
    if (!revtun_access_read(roll->text, &roll->list, &mistakes)) {
        revtun_access_mistake_write(&wr, &mistakes.items[0]);
        words[wr_done(&wr).len] = '\0';
        io_tls_error_set(wrong, "%s: %s", path, words);
        tunnel_access_close(roll);
        return false;
    }
    return true;
}

static void list_write(struct wr *wr, const char *name, struct bytes list)
{
    wr_text(wr, name);
    if (list.len > 0) {
        wr_bytes(wr, list);
    } else {
        wr_text(wr, "none");
    }
}

static void count_write(struct wr *wr, const char *name, uint32_t count)
{
    wr_text(wr, name);
    wr_decimal(wr, count);
}

void tunnel_roll_entry_write(struct wr *wr, const struct revtun_access_entry *entry)
{
    switch (entry->kind) {
    case REVTUN_ACCESS_TOKEN:
        wr_text(wr, "token ");
        wr_bytes(wr, entry->id);
        break;
    case REVTUN_ACCESS_CERT:
        wr_text(wr, "cert ");
        wr_hex(wr, (struct bytes){entry->hash, sizeof entry->hash}); // of a key that is public
        break;
    case REVTUN_ACCESS_ANY_CERT:
        wr_text(wr, "cert any");
        break;
    }
    list_write(wr, " ports=", entry->ports);
    list_write(wr, " sni=", entry->hosts);
    list_write(wr, " names=", entry->names);
    count_write(wr, " tunnels=", entry->tunnel_max);
    count_write(wr, " hosts=", entry->host_max);
    if (entry->connection_max > 0) {
        count_write(wr, " connections=", entry->connection_max);
    }
    wr_text(wr, "\n");
}

// Writes a text without one of its lines, which are counted from 1.
static void without_line(struct wr *wr, struct bytes text, size_t line)
{
    for (size_t at = 1; text.len > 0; at++) {
        const size_t end = bytes_index(text, '\n') + 1; // the last line may have no end

        if (at != line) {
            wr_bytes(wr, bytes_first(text, end));
        }
        text = bytes_from(text, end);
    }
}

bool tunnel_roll_revoke(const char *path, struct bytes id, struct io_tls_error *wrong)
{
    struct tunnel_access roll;

    if (!tunnel_roll_open(&roll, path, wrong)) {
        return false;
    }
    const struct revtun_access_entry *entry = revtun_access_find_token(&roll.list, id);
    uint8_t *text = entry == NULL ? NULL : malloc(roll.text.len);
    bool is_off = false;
    if (entry == NULL) {
        io_tls_error_set(wrong, "%s: there is no agent %.*s", path, (int)id.len,
                         (const char *)id.ptr);
    } else if (text == NULL) {
        is_off = fail(wrong, path, -ENOMEM);
    } else {
        struct wr wr = wr_init(text, roll.text.len);

        without_line(&wr, roll.text, entry->line);
        assert(wr_done(&wr).len < roll.text.len);
        const int error = tunnel_text_replace(path, roll.text.len, wr_done(&wr));
        is_off = error == 0 || fail(wrong, path, error);
    }
    free(text);
    tunnel_access_close(&roll);
    return is_off;
}

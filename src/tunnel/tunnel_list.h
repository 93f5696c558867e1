// SPDX-License-Identifier: Apache-2.0
// A list of things that are found again by themselves: each has a link of its own in it.
#pragma once

#include <stddef.h>

struct tunnel_list;

// All zero: in no list. It does not move while it is in one.
struct tunnel_link {
    struct tunnel_list *list; // that it is in, or NULL
    void *owner;              // what has this link
    struct tunnel_link *next;
    struct tunnel_link *previous;
};

// All zero: empty.
struct tunnel_list {
    struct tunnel_link *first;
};

// Puts it in front; it is in no list.
void tunnel_list_add(struct tunnel_list *list, struct tunnel_link *link, void *owner);
// Nothing happens when it is in none.
void tunnel_list_remove(struct tunnel_link *link);

// The owner of the first link, or of the one behind a link; NULL: there is none.
void *tunnel_list_first(const struct tunnel_list *list);
void *tunnel_list_next(const struct tunnel_link *link);

// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_list.h"

#include <assert.h>

void tunnel_list_add(struct tunnel_list *list, struct tunnel_link *link, void *owner)
{
    assert(link->list == NULL);
    *link = (struct tunnel_link){.list = list, .owner = owner, .next = list->first};
    if (list->first != NULL) {
        list->first->previous = link;
    }
    list->first = link;
}

void tunnel_list_remove(struct tunnel_link *link)
{
    if (link->list == NULL) {
        return;
    }
    if (link->previous != NULL) {
        link->previous->next = link->next;
    } else {
        assert(link->list->first == link);
        link->list->first = link->next;
    }
    if (link->next != NULL) {
        link->next->previous = link->previous;
    }
    link->list = NULL;
}

void *tunnel_list_first(const struct tunnel_list *list)
{
    return list->first == NULL ? NULL : list->first->owner;
}

void *tunnel_list_next(const struct tunnel_link *link)
{
    assert(link->list != NULL);
    return link->next == NULL ? NULL : link->next->owner;
}

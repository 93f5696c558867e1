// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_spoke_bond.h"

#include "revtun/revtun_spoke_link.h"
#include "revtun/revtun_spoke_out.h"

void revtun_spoke_bond_ask_all(struct revtun_spoke *spoke, uint64_t now_ns)
{
    for (uint32_t i = 0; i < spoke->config.service_count; i++) {
        struct revtun_spoke_bond *bond = &spoke->bonds[i];
        if (bond->state != REVTUN_SPOKE_BOND_GIVEN_UP) {
            bond->state = REVTUN_SPOKE_BOND_NONE;
            bond->link = spoke->main;
            bond->ask_ns = now_ns;
        }
    }
}

void revtun_spoke_bond_lose_all(struct revtun_spoke *spoke, uint32_t link)
{
    for (uint32_t i = 0; i < spoke->config.service_count; i++) {
        struct revtun_spoke_bond *bond = &spoke->bonds[i];
        if (bond->link == link && bond->state != REVTUN_SPOKE_BOND_GIVEN_UP) {
            bond->state = REVTUN_SPOKE_BOND_NONE;
            bond->ask_ns = NEVER; // until there is a main link
        }
    }
}

uint64_t revtun_spoke_bond_deadline(const struct revtun_spoke *spoke)
{
    uint64_t deadline_ns = NEVER;

    if (spoke->main == REVTUN_SPOKE_NOWHERE ||
        !revtun_spoke_link_is_up(&spoke->links[spoke->main])) {
        return NEVER;
    }
    for (uint32_t i = 0; i < spoke->config.service_count; i++) {
        const struct revtun_spoke_bond *bond = &spoke->bonds[i];
        if (bond->state == REVTUN_SPOKE_BOND_NONE && bond->link == spoke->main &&
            bond->ask_ns < deadline_ns) {
            deadline_ns = bond->ask_ns;
        }
    }
    return deadline_ns;
}

static void ask(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t index)
{
    const struct revtun_spoke_service *service = &spoke->config.services[index];
    struct revtun_spoke_bond *bond = &spoke->bonds[index];

    bond->state = REVTUN_SPOKE_BOND_ASKED;
    bond->ask_ns = NEVER;
    bond->rid = ++spoke->rid_serial;
    revtun_spoke_out_say(spoke, now_ns, bond->link,
                         &(struct revtun_message){
                             .verb = REVTUN_MESSAGE_BIND,
                             .bind = {.rid = bond->rid,
                                      .name = service->name,
                                      .kind = service->kind,
                                      .port = service->port,
                                      .hosts = service->hosts,
                                      .max = service->max,
                                      // Once it was ours, who has taken it is not fought with.
                                      .take = service->is_taken && !bond->was_bound},
                         });
}

bool revtun_spoke_bond_ask(struct revtun_spoke *spoke, uint64_t now_ns)
{
    if (revtun_spoke_bond_deadline(spoke) > now_ns) {
        return false;
    }
    for (uint32_t i = 0; i < spoke->config.service_count; i++) {
        const struct revtun_spoke_bond *bond = &spoke->bonds[i];
        if (bond->state == REVTUN_SPOKE_BOND_NONE && bond->link == spoke->main &&
            bond->ask_ns <= now_ns) {
            ask(spoke, now_ns, i);
            return true;
        }
    }
    return false;
}

// --- what the relay says -------------------------------------------------------------------------

static struct revtun_spoke_bond *find_asked(struct revtun_spoke *spoke, uint32_t link, uint64_t rid)
{
    for (uint32_t i = 0; i < spoke->config.service_count; i++) {
        struct revtun_spoke_bond *bond = &spoke->bonds[i];
        if (bond->state == REVTUN_SPOKE_BOND_ASKED && bond->link == link && bond->rid == rid) {
            return bond;
        }
    }
    return NULL;
}

static uint32_t index_of(const struct revtun_spoke *spoke, const struct revtun_spoke_bond *bond)
{
    return (uint32_t)(bond - spoke->bonds);
}

void revtun_spoke_bond_bound(struct revtun_spoke *spoke, uint32_t link,
                             const struct revtun_message *message)
{
    struct revtun_spoke_bond *bond = find_asked(spoke, link, message->bound.rid);

    if (bond == NULL) {
        return; // an answer to what has been given up since
    }
    bond->state = REVTUN_SPOKE_BOND_BOUND;
    bond->was_bound = true;
    spoke->was_bound = true;
    revtun_spoke_out_tell(spoke, &(struct revtun_spoke_news){
                                     .event = REVTUN_SPOKE_BOUND,
                                     .service = index_of(spoke, bond),
                                     .at = message->bound.at,
                                     .lease_s = message->bound.lease_s,
                                 });
}

static bool is_all_given_up(const struct revtun_spoke *spoke)
{
    for (uint32_t i = 0; i < spoke->config.service_count; i++) {
        if (spoke->bonds[i].state != REVTUN_SPOKE_BOND_GIVEN_UP) {
            return false;
        }
    }
    return true;
}

// Whether it is asked for again though the relay gives no hope: as a relay is come to again.
static bool is_wanted_still(const struct revtun_spoke *spoke, const struct revtun_spoke_bond *bond)
{
    switch (spoke->config.retry) {
    case REVTUN_SPOKE_RETRY_NEVER:
        return false;
    case REVTUN_SPOKE_RETRY_LOST:
        return bond->was_bound;
    case REVTUN_SPOKE_RETRY_ALWAYS:
        return true;
    }
    return false;
}

// It is not bound, for the reason that `news` has.
static void miss(struct revtun_spoke *spoke, uint64_t now_ns, struct revtun_spoke_bond *bond,
                 uint64_t retry_s, struct revtun_spoke_news *news)
{
    const bool is_replaced = news->code == REVTUN_MESSAGE_CODE_REPLACED;

    if (retry_s > REVTUN_SPOKE_RETRY_MAX_S) {
        retry_s = REVTUN_SPOKE_RETRY_MAX_S;
    }
    news->event = REVTUN_SPOKE_DENIED;
    news->service = index_of(spoke, bond);
    news->wait_ns = NEVER;
    if (!is_replaced && retry_s > 0) {
        news->wait_ns = retry_s * SECOND_NS + revtun_spoke_about(spoke, SECOND_NS / 4);
    } else if (!is_replaced && is_wanted_still(spoke, bond)) {
        news->wait_ns = revtun_spoke_about(spoke, REVTUN_SPOKE_REFUSED_S * SECOND_NS);
    }
    const bool is_given_up = news->wait_ns == NEVER;
    bond->state = is_given_up ? REVTUN_SPOKE_BOND_GIVEN_UP : REVTUN_SPOKE_BOND_NONE;
    bond->ask_ns = is_given_up ? NEVER : now_ns + news->wait_ns;
    revtun_spoke_out_tell(spoke, news);
    if (is_all_given_up(spoke) && spoke->phase == REVTUN_SPOKE_PHASE_SERVING) {
        revtun_spoke_link_fade(spoke, is_replaced ? REVTUN_SPOKE_REPLACED : REVTUN_SPOKE_REFUSED,
                               news->code);
    }
}

void revtun_spoke_bond_error(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                             const struct revtun_message *message)
{
    struct revtun_spoke_bond *bond = find_asked(spoke, link, message->error.rid);
    struct revtun_spoke_news news = {
        .code = (enum revtun_message_code)message->error.code,
        .key = message->error.key,
        .text = message->error.text,
    };

    if (bond != NULL) {
        miss(spoke, now_ns, bond, message->error.retry_s, &news);
    }
}

void revtun_spoke_bond_unbound(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                               const struct revtun_message *message)
{
    const uint32_t index = revtun_spoke_bond_find(spoke, message->unbound.name);
    struct revtun_spoke_news news = {.code = (enum revtun_message_code)message->unbound.code};

    // What was bound elsewhere since is not meant: there it is ours.
    if (index < spoke->config.service_count && spoke->bonds[index].link == link &&
        spoke->bonds[index].state == REVTUN_SPOKE_BOND_BOUND) {
        miss(spoke, now_ns, &spoke->bonds[index], 0, &news);
    }
}

uint32_t revtun_spoke_bond_find(const struct revtun_spoke *spoke, struct bytes name)
{
    uint32_t i = 0;

    while (i < spoke->config.service_count && !bytes_equal(spoke->config.services[i].name, name)) {
        i++;
    }
    return i;
}

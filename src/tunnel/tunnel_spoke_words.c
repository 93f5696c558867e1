// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spoke_words.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"

// "the token of laptop" or "the certificate FILE".
static void name_credential(const struct tunnel_spoke_config *config, char *out, size_t room)
{
    if (config->has_token) {
        const struct bytes id = revtun_token_id(&config->token);
        snprintf(out, room, "the token of '%.*s'", (int)id.len, (const char *)id.ptr);
    } else {
        snprintf(out, room, "the certificate %s", config->certificate);
    }
}

static void where_is(const struct tunnel_spoke_config *config, char out[TUNNEL_PLACE_TEXT_MAX])
{
    tunnel_place_write(&config->relay, out);
}

// --- TLS -----------------------------------------------------------------------------------------

static const char *advice_on_ca(const struct tunnel_spoke_config *config)
{
    return config->ca != NULL ? "--ca must name the CA that has signed it"
                              : "a token with a pin needs no CA; without, --ca names the relay's";
}

void tunnel_spoke_words_of_end(const struct tunnel_spoke_config *config,
                               const struct io_tls_end *end, char out[TUNNEL_WORDS_MAX])
{
    char where[TUNNEL_PLACE_TEXT_MAX];
    char credential[TUNNEL_WORDS_MAX / 2];
    const struct tunnel_words_whom whom = {
        .who = "relay",
        .where = where,
        .folder = config->certificate,
        .by_option = "--relay-name says what it must be for, if not for --relay",
    };

    where_is(config, where);
    name_credential(config, credential, sizeof credential);
    switch (end->kind) {
    case IO_TLS_END_WRONG_PIN:
        snprintf(out, TUNNEL_WORDS_MAX,
                 "the relay at %s has another key than the token says: it is another relay, or its "
                 "key was made anew and tokens with it, or somebody is in between; nothing was "
                 "said to it",
                 where);
        return;
    case IO_TLS_END_UNKNOWN_CA:
        snprintf(out, TUNNEL_WORDS_MAX, "the certificate of the relay at %s is not good: %s; %s",
                 where, end->text, advice_on_ca(config));
        return;
    case IO_TLS_END_ALERT:
        snprintf(out, TUNNEL_WORDS_MAX,
                 "the relay at %s refuses us: %s; perhaps it speaks version 1 only, which needs "
                 "--keys, or does not accept %s",
                 where, end->text, credential);
        return;
    default: // what there is to say does not depend on the version
        tunnel_words_of_end(&whom, end, out);
    }
}

void tunnel_spoke_words_of_old(const struct tunnel_spoke_config *config, char out[TUNNEL_WORDS_MAX])
{
    char where[TUNNEL_PLACE_TEXT_MAX];

    where_is(config, where);
    snprintf(out, TUNNEL_WORDS_MAX,
             "the relay at %s speaks version 1 only, which knows no %s: it needs certificates of "
             "its CA (--keys)",
             where, config->has_token ? "tokens" : "such certificates");
}

// --- the relay's words ---------------------------------------------------------------------------

// Why a service was refused, as the end of a sentence, with what to do.
static const char *why_denied(enum revtun_message_code code)
{
    switch (code) {
    case REVTUN_MESSAGE_CODE_DENIED:
        return "the relay's access list does not let this agent have it";
    case REVTUN_MESSAGE_CODE_REVOKED:
        return "the relay's access list does not let this agent have it any more";
    case REVTUN_MESSAGE_CODE_REPLACED:
        return "another process with the same token has taken it over";
    case REVTUN_MESSAGE_CODE_NAME_TAKEN:
        return "another process with the same token has this name, and is alive; --name gives "
               "this one another, and --take takes it over";
    case REVTUN_MESSAGE_CODE_PORT_TAKEN:
        return "the port is somebody else's; without --port it gets one that is free";
    case REVTUN_MESSAGE_CODE_HOST_TAKEN:
        return "a host is somebody else's (--host)";
    case REVTUN_MESSAGE_CODE_QUOTA:
        return "this agent has as many as the relay's access list allows";
    case REVTUN_MESSAGE_CODE_UNSUPPORTED:
        return "this relay has no port that services share by their hosts (--host)";
    case REVTUN_MESSAGE_CODE_OTHER:
    case REVTUN_MESSAGE_CODE_NO_PORT:
    case REVTUN_MESSAGE_CODE_BUSY:
    case REVTUN_MESSAGE_CODE_BAD_VALUE:
    case REVTUN_MESSAGE_CODE_UNKNOWN_VERB:
    case REVTUN_MESSAGE_CODE_PROTOCOL:
    case REVTUN_MESSAGE_CODE_SILENT:
    case REVTUN_MESSAGE_CODE_TIMEOUT:
    case REVTUN_MESSAGE_CODE_UNREACHABLE:
    case REVTUN_MESSAGE_CODE_LEFT:
    case REVTUN_MESSAGE_CODE_ASKED:
    case REVTUN_MESSAGE_CODE_SHUTDOWN:
        break;
    }
    return revtun_message_code_meaning(code);
}

// Which option of ours a field is from.
static const char *option_of(struct bytes key)
{
    static const struct {
        const char *key, *option;
    } options[] = {{"name", " (--name)"}, {"port", " (--port)"}, {"hosts", " (--host)"}};

    for (size_t i = 0; i < COUNT_OF(options); i++) {
        if (bytes_equal_text(key, options[i].key)) {
            return options[i].option;
        }
    }
    return " (--name, --port, --host)"; // a relay that does not say
}

void tunnel_spoke_words_of_denied(const struct tunnel_spoke_config *config,
                                  const struct revtun_spoke_news *news, char out[TUNNEL_WORDS_MAX])
{
    const struct bytes name = config->services[news->service].name;
    const bool is_denied = news->code == REVTUN_MESSAGE_CODE_DENIED;
    const bool has_key = !is_denied && news->key.len > 0;
    // The relay's own words, where they say more than the code does.
    const bool has_text = news->text.len > 0 &&
                          !bytes_equal_text(news->text, revtun_message_code_meaning(news->code));

    snprintf(out, TUNNEL_WORDS_MAX, "'%.*s' is not reachable: %s%s%s%.*s%s%.*s", (int)name.len,
             (const char *)name.ptr, why_denied(news->code), is_denied ? option_of(news->key) : "",
             has_key ? ": " : "", has_key ? (int)news->key.len : 0, (const char *)news->key.ptr,
             has_text ? "; it says: " : "", has_text ? (int)news->text.len : 0,
             (const char *)news->text.ptr);
}

static void tell_bye(const struct tunnel_spoke_config *config, const struct revtun_spoke_news *news,
                     const char *where, char out[TUNNEL_WORDS_MAX])
{
    char credential[TUNNEL_WORDS_MAX / 2];

    name_credential(config, credential, sizeof credential);
    switch (news->code) {
    case REVTUN_MESSAGE_CODE_DENIED:
        snprintf(out, TUNNEL_WORDS_MAX,
                 "the relay at %s does not accept %s: it is not on its access list, or not any "
                 "more",
                 where, credential);
        return;
    case REVTUN_MESSAGE_CODE_REVOKED:
        snprintf(out, TUNNEL_WORDS_MAX, "the relay at %s has taken %s off its access list", where,
                 credential);
        return;
    case REVTUN_MESSAGE_CODE_SHUTDOWN:
        snprintf(out, TUNNEL_WORDS_MAX, "the relay at %s ends", where);
        return;
    default:
        snprintf(out, TUNNEL_WORDS_MAX, "the relay at %s has ended the connection: %s%s%.*s", where,
                 revtun_message_code_meaning(news->code), news->text.len > 0 ? "; it says: " : "",
                 (int)news->text.len, (const char *)news->text.ptr);
    }
}

void tunnel_spoke_words_of_why(const struct tunnel_spoke_config *config,
                               const struct revtun_spoke_news *news, char out[TUNNEL_WORDS_MAX])
{
    char where[TUNNEL_PLACE_TEXT_MAX];

    where_is(config, where);
    switch (news->why) {
    case REVTUN_SPOKE_LOST:
        return;
    case REVTUN_SPOKE_BYE:
        tell_bye(config, news, where, out);
        return;
    case REVTUN_SPOKE_SILENT:
        snprintf(out, TUNNEL_WORDS_MAX, "the relay at %s says nothing any more", where);
        return;
    case REVTUN_SPOKE_STRANGE:
        snprintf(out, TUNNEL_WORDS_MAX, "what answers at %s does not speak as a relay does", where);
        return;
    case REVTUN_SPOKE_SEALED:
        snprintf(out, TUNNEL_WORDS_MAX,
                 "the relay at %s wants data connections in TLS, and --data plain has none", where);
        return;
    case REVTUN_SPOKE_UNSEALED:
        snprintf(out, TUNNEL_WORDS_MAX,
                 "the relay at %s has no data connections in TLS, which --data tls asks for: its "
                 "operator can offer them (relay --data any)",
                 where);
        return;
    case REVTUN_SPOKE_REFUSED:
    case REVTUN_SPOKE_REPLACED:
        snprintf(out, TUNNEL_WORDS_MAX, "there is nothing left to do at the relay at %s: %s", where,
                 why_denied(news->code));
        return;
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_credential.h"

#include <assert.h>
#include <stdint.h>

#include "crypto/crypto_wipe.h"
#include "daemon/daemon_errors.h"
#include "daemon/daemon_json.h"
#include "daemon/daemon_load.h"
#include "daemon/daemon_options.h"
#include "turn/turn_credential.h"

enum {
    EXPIRY_LEN = 21,              // bytes of the longest Unix time and its colon
    URL_MAX = 255,                // bytes
    TTL_MAX_S = 10 * 365 * 86400, // ten years: more is a mistake
};

static const char credential_group[] = "The credential";
static const char other_group[] = "Other";

// There is no file for them.
static const struct conf_option options[] = {
    {
        .name = "auth-secret",
        .environment = "FAIRLEAD_AUTH_SECRET",
        .placeholder = "SECRET",
        .group = credential_group,
        .help = "Secret of the relay. Of several the first one is taken, so that the environment "
                "of a relay serves here too. Other users of the host can read a command line; the "
                "environment is the safer place.",
        .is_repeated = true,
        .is_secret = true,
        .is_outside_file = true,
    },
    {
        .name = "user",
        .placeholder = "NAME",
        .group = credential_group,
        .help = "Whose credential it is, up to 487 bytes. The relay logs it, and counts the "
                "allocations of each username.",
        .is_outside_file = true,
    },
    {
        .name = "ttl",
        .placeholder = "DURATION",
        .default_text = "1d",
        .group = credential_group,
        .help = "How long it can be used, such as 12h or \"1d 30m\". Allocations made in time live "
                "on only as long as their client can prove who it is.",
        .is_outside_file = true,
    },
    {
        .name = "url",
        .placeholder = "URL",
        .default_note = "the lists of URLs stay empty",
        .group = credential_group,
        .help = "Where clients find the relay, such as "
                "turn:turn.example.org:3478?transport=udp.",
        .is_repeated = true,
        .is_outside_file = true,
    },
    DAEMON_OPTIONS_HELP(other_group),
};

const struct conf_table relay_credential_table = {options, COUNT_OF(options)};

static const struct conf_program program = {
    .name = "fairlead-relay credential",
    .summary = "Makes a credential that expires, for a relay that runs with the same --auth-secret "
               "(TURN REST), and prints it twice: as a web service answers it "
               "(draft-uberti-behave-turn-rest), and as a browser's RTCPeerConnection takes it.",
    .note = "Exit status: 0 the credential is printed, 1 it could not be, 2 something is wrong "
            "with the options.",
};

struct wish {
    struct bytes secret;
    struct bytes user;
    uint64_t ttl_s;
};

// A scheme that leads to a relay, and nothing that JSON or a URL would have to escape.
static bool is_url(struct bytes text)
{
    static const char *const schemes[] = {"turn", "turns", "stun", "stuns"};
    size_t colon = bytes_index(text, ':');
    bool has_scheme = false;

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        has_scheme = has_scheme || bytes_equal_text(bytes_first(text, colon), schemes[i]);
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\\') {
            return false;
        }
    }
    return has_scheme && text.len > colon + 1 && text.len <= URL_MAX;
}

// An option that must be given: its first value, and an error when there is none.
static const struct conf_value *required(struct conf *conf, const char *name)
{
    const struct conf_value *value = conf_find(conf, name);

    if (value == NULL) {
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text(name)));
    }
    return value;
}

static bool read_wish(void *context, struct conf *conf)
{
    struct wish *out = context;
    const struct conf_value *url = NULL;

    conf_value_text(&conf->errors, required(conf, "auth-secret"), 1, TURN_CONFIG_SECRET_MAX,
                    &out->secret);
    conf_value_text(&conf->errors, required(conf, "user"), 1, TURN_CONFIG_USERNAME_MAX - EXPIRY_LEN,
                    &out->user);
    conf_value_duration(&conf->errors, conf_find(conf, "ttl"), 1, TTL_MAX_S, &out->ttl_s);
    while ((url = conf_next(conf, "url", url)) != NULL) {
        if (!is_url(url->text)) {
            conf_error_value(&conf->errors, url,
                             "is not a URL such as turn:turn.example.org:3478?transport=udp");
        }
    }
    return conf->errors.count == 0;
}

static void member_write(struct wr *wr, const char *name, struct bytes value)
{
    wr_u8(wr, '"');
    wr_text(wr, name);
    wr_text(wr, "\":");
    daemon_json_string_write(wr, value);
}

static void urls_write(struct wr *wr, const struct conf *conf, const char *name)
{
    const struct conf_value *url = NULL;
    bool is_first = true;

    wr_u8(wr, '"');
    wr_text(wr, name);
    wr_text(wr, "\":[");
    while ((url = conf_next(conf, "url", url)) != NULL) {
        wr_text(wr, is_first ? "" : ",");
        daemon_json_string_write(wr, url->text);
        is_first = false;
    }
    wr_u8(wr, ']');
}

static void credential_write(struct wr *wr, const struct conf *conf, const struct wish *wish,
                             uint64_t now_s)
{
    uint8_t name[TURN_CONFIG_USERNAME_MAX];
    uint8_t text[TURN_CREDENTIAL_REST_LEN];
    const struct bytes password = {text, sizeof text};
    struct wr name_wr = wr_init(name, sizeof name);

    wr_decimal(&name_wr, now_s + wish->ttl_s);
    wr_u8(&name_wr, ':');
    wr_bytes(&name_wr, wish->user);
    assert(wr_ok(&name_wr));
    const struct bytes username = wr_done(&name_wr);
    turn_credential_rest_password(wish->secret, username, text);

    wr_u8(wr, '{');
    member_write(wr, "username", username);
    wr_u8(wr, ',');
    member_write(wr, "password", password);
    wr_text(wr, ",\"ttl\":");
    wr_decimal(wr, wish->ttl_s);
    wr_u8(wr, ',');
    urls_write(wr, conf, "uris");
    wr_text(wr, "}\n{\"iceServers\":[{");
    urls_write(wr, conf, "urls");
    wr_u8(wr, ',');
    member_write(wr, "username", username);
    wr_u8(wr, ',');
    member_write(wr, "credential", password);
    wr_text(wr, "}]}\n");
    crypto_wipe(text, sizeof text);
}

enum relay_credential_outcome relay_credential_run(int argc, char *const *argv,
                                                   char *const *environment, struct now now,
                                                   struct wr *wr)
{
    static struct daemon_load load;
    const struct daemon_load_sources sources = {argc, argv, environment};
    enum relay_credential_outcome outcome = RELAY_CREDENTIAL_WRONG;
    struct wish wish = {0};

    switch (daemon_load_open(&load, &relay_credential_table, &sources, read_wish, &wish)) {
    case DAEMON_LOAD_RUN:
        credential_write(wr, &load.conf, &wish, (uint64_t)now.wall_s);
        outcome = RELAY_CREDENTIAL_MADE;
        break;
    case DAEMON_LOAD_HELP:
        conf_help_write(wr, &relay_credential_table, &program);
        outcome = RELAY_CREDENTIAL_HELP;
        break;
    case DAEMON_LOAD_WRONG:
        daemon_errors_write(wr, &load.conf.errors, program.name);
        break;
    case DAEMON_LOAD_VERSION:
    case DAEMON_LOAD_CHECKED:
        assert(!"there are no such options");
    }
    assert(wr_ok(wr));
    daemon_load_close(&load);
    return outcome;
}

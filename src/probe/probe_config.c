// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_config.h"

#include <string.h>

#include "base/macro.h"

enum {
    CLIENTS_MAX = 20000,
    TRAIN_MAX = 64, // packets that the kernel takes as one
    SIZE_MAX_BYTES = 1400,
    SECONDS_MAX = 60,
    RATE_MAX = 10 * 1000 * 1000,
    TEXT_MAX = 128, // bytes of a user's name
    HEAD_LEN = 4,   // bytes of ChannelData
};

const char *const probe_config_ways[] = {"to-peers", "to-clients", "both"};
const char *const probe_config_parts[] = {"overload", "rate", "latency", "allocate", "flood"};

static void read_server(struct conf *conf, struct probe_config *config)
{
    probe_endpoint_take(conf, &config->server);
    conf_value_addr(&conf->errors, conf_find(conf, "peer-address"), ADDR_NONE, &config->peer);
}

// The value of an option that has an old name too: the stronger source decides.
static const struct conf_value *find_either(struct conf *conf, const char *name, const char *old)
{
    const struct conf_value *value = conf_find(conf, name);
    const struct conf_value *other = conf_find(conf, old);

    if (value == NULL || other == NULL) {
        return value != NULL ? value : other;
    }
    if (value->place.source == other->place.source) {
        conf_error_value(&conf->errors, other, "is another name of what is given too");
    }
    return value->place.source > other->place.source ? value : other;
}

static void read_credential(struct conf *conf, struct probe_config *config)
{
    const struct conf_value *user = conf_find(conf, "user");
    const struct conf_value *pass = find_either(conf, "pass", "password");
    const struct conf_value *secret = find_either(conf, "auth-secret", "secret");

    conf_value_text(&conf->errors, user, 1, TEXT_MAX, &config->username);
    conf_value_text(&conf->errors, pass, 1, SIZE_MAX, &config->password);
    conf_value_text(&conf->errors, secret, 1, SIZE_MAX, &config->secret);
    if (user == NULL && secret == NULL) {
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text("user")));
    } else if (user != NULL && secret != NULL) {
        conf_error_value(&conf->errors, user, "cannot be given beside --auth-secret");
    } else if (user != NULL && pass == NULL) {
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text("pass")));
    }
}

static void read_number(struct conf *conf, const char *name, uint64_t min, uint64_t max,
                        uint32_t *out)
{
    uint64_t number = 0;

    if (conf_value_number(&conf->errors, conf_find(conf, name), min, max, &number)) {
        *out = (uint32_t)number;
    }
}

// Reads a repeated number; how many there are.
static uint32_t read_numbers(struct conf *conf, const char *name, uint64_t min, uint64_t max,
                             uint32_t *out, uint32_t capacity)
{
    const struct conf_value *value = NULL;
    uint32_t count = 0;

    while ((value = conf_next(conf, name, value)) != NULL) {
        uint64_t number = 0;
        if (count == capacity) {
            conf_error_value(&conf->errors, value, "is one too many");
            break;
        }
        if (conf_value_number(&conf->errors, value, min, max, &number)) {
            out[count++] = (uint32_t)number;
        }
    }
    return count;
}

// Reads a repeated word as flags; false when it was not given.
static bool read_words(struct conf *conf, const char *name, const char *const *words,
                       size_t word_count, bool *out)
{
    const struct conf_value *value = NULL;
    bool is_given = false;

    while ((value = conf_next(conf, name, value)) != NULL) {
        size_t index = 0;
        is_given = true;
        if (conf_value_word(&conf->errors, value, words, word_count, &index)) {
            out[index] = true;
        }
    }
    return is_given;
}

static void read_kinds(struct conf *conf, struct probe_config *config)
{
    static const uint32_t floods[] = {10000, 50000, 100000, 200000};

    config->size_count = read_numbers(conf, "size", PROBE_CONFIG_SIZE_MIN, SIZE_MAX_BYTES,
                                      config->sizes, PROBE_CONFIG_KINDS_MAX);
    config->train_count =
        read_numbers(conf, "train", 1, TRAIN_MAX, config->trains, PROBE_CONFIG_KINDS_MAX);
    if (config->train_count == 0) {
        config->trains[0] = 1;
        config->trains[1] = 32;
        config->train_count = 2;
    }
    config->flood_rate_count =
        read_numbers(conf, "flood-rate", 1, RATE_MAX, config->flood_rates, PROBE_CONFIG_FLOODS_MAX);
    if (config->flood_rate_count == 0) {
        memcpy(config->flood_rates, floods, sizeof floods);
        config->flood_rate_count = COUNT_OF(floods);
    }
    for (uint32_t i = 0; i < config->size_count; i++) {
        for (uint32_t j = 0; j < config->train_count; j++) {
            if ((config->sizes[i] + HEAD_LEN) * config->trains[j] > PROBE_CONFIG_TRAIN_LEN_MAX) {
                conf_error_value(&conf->errors, conf_find(conf, "train"),
                                 "is more than one datagram of the kernel holds at that --size");
            }
        }
    }
}

bool probe_config_read(struct conf *conf, struct probe_config *out)
{
    struct probe_config config = {0};

    read_server(conf, &config);
    read_credential(conf, &config);
    read_number(conf, "num-clients", 1, CLIENTS_MAX, &config.client_count);
    read_number(conf, "num-allocations", 1, CLIENTS_MAX, &config.allocation_count);
    read_number(conf, "seconds", 1, SECONDS_MAX, &config.seconds);
    read_number(conf, "rate", 1, RATE_MAX, &config.rate);
    read_kinds(conf, &config);
    if (!read_words(conf, "direction", probe_config_ways, PROBE_WAY_COUNT, config.ways)) {
        memset(config.ways, true, sizeof config.ways);
    }
    if (!read_words(conf, "part", probe_config_parts, PROBE_PART_COUNT, config.parts)) {
        memset(config.parts, true, sizeof config.parts);
        config.parts[PROBE_FLOOD] = false;
    }
    config.is_json = conf_flag(conf, "json");
    if (conf->errors.count > 0) {
        return false;
    }
    *out = config;
    return true;
}

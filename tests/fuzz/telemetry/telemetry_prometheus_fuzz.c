// SPDX-License-Identifier: Apache-2.0
// Whatever a label says, the text has three lines, and who reads them gets back the same label; and
// whatever the number is, it is told to its last digit.
#include "telemetry/telemetry_prometheus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

enum { VALUE_MAX = 512, TEXT_MAX = 4096 };

// Reads a label's value up to its closing quotation mark; what is behind that.
static const char *read_value(const char *at, char out[VALUE_MAX + 1])
{
    size_t len = 0;

    for (; *at != '"'; at++) {
        char c = *at;
        assert(c != '\0' && c != '\n');
        if (c == '\\') {
            at++;
            assert(*at == '\\' || *at == '"' || *at == 'n');
            c = *at == 'n' ? '\n' : *at;
        }
        assert(len < VALUE_MAX);
        out[len++] = c;
    }
    out[len] = '\0';
    return at + 1;
}

// Reads seconds into nanoseconds.
static uint64_t read_number(const char *at)
{
    char *rest = NULL;
    uint64_t value = strtoull(at, &rest, 10) * UINT64_C(1000000000);

    if (*rest == '.') {
        uint64_t digit_ns = UINT64_C(100000000);
        for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
            value += (uint64_t)(*rest - '0') * digit_ns;
            assert(digit_ns > 0);
            digit_ns /= 10;
        }
    }
    assert(strcmp(rest, "\n") == 0);
    return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char value[VALUE_MAX + 1] = {0};
    char read[VALUE_MAX + 1];
    char text[TEXT_MAX + 1];
    uint64_t number = 0;

    if (size < sizeof number || size - sizeof number > VALUE_MAX) {
        return 0;
    }
    memcpy(&number, data, sizeof number);
    memcpy(value, data + sizeof number, size - sizeof number);
    const struct metric_series series = {.labels = {{.key = "k", .value = value}}};
    const struct metric_family family = {
        .name = "x",
        .unit = "ns",
        .help = value,
        .kind = METRIC_GAUGE,
        .series = &series,
        .series_count = 1,
    };
    struct wr wr = wr_init((uint8_t *)text, TEXT_MAX);
    telemetry_prometheus_write(&wr, &family, 1, &number);
    assert(wr_ok(&wr));
    text[wr.len] = '\0';
    assert(strlen(text) == wr.len);
    const char *type = strstr(text, "\n# TYPE x_seconds gauge\n");
    assert(type != NULL && type == strchr(text, '\n'));
    const char *sample = strchr(type + 1, '\n') + 1;
    static const char head[] = "x_seconds{k=\"";
    assert(strncmp(sample, head, sizeof head - 1) == 0);
    const char *behind = read_value(sample + sizeof head - 1, read);
    assert(strcmp(read, value) == 0);
    assert(strncmp(behind, "} ", 2) == 0);
    assert(read_number(behind + 2) == number);
    return 0;
}

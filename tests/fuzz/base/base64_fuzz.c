// SPDX-License-Identifier: Apache-2.0
// The first byte is a length; the rest is once text to read and once bytes to write.
#include "base/base64.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

enum {
    BYTES_MAX = 4096,
    TEXT_MAX = (BYTES_MAX + 2) / 3 * 4,
};

// What is accepted is the one spelling of what was read.
static void read_then_write(struct bytes text, size_t len)
{
    uint8_t read[256];
    uint8_t written[BASE64_LEN(sizeof read)];
    struct wr wr = wr_init(written, sizeof written);

    assert(len <= sizeof read);
    if (!base64_read(text, read, len)) {
        return;
    }
    base64_write(&wr, (struct bytes){read, len}, false);
    assert(wr_ok(&wr));
    assert(bytes_equal(wr_done(&wr), text));
}

// What is written is read as what it was; the padded spelling only adds to it.
static void write_then_read(struct bytes span)
{
    uint8_t text[TEXT_MAX];
    uint8_t padded[TEXT_MAX];
    uint8_t read[BYTES_MAX];
    struct wr wr = wr_init(text, BASE64_LEN(span.len));
    struct wr wr_padded = wr_init(padded, sizeof padded);

    base64_write(&wr, span, false);
    assert(wr_ok(&wr));
    assert(wr.room == 0); // BASE64_LEN was exact
    bool is_read = base64_read(wr_done(&wr), read, span.len);
    assert(is_read);
    assert(bytes_equal((struct bytes){read, span.len}, span));

    base64_write(&wr_padded, span, true);
    assert(wr_padded.len % 4 == 0);
    assert(wr_padded.len - wr.len < 3);
    assert(bytes_equal(bytes_first(wr_done(&wr_padded), wr.len), wr_done(&wr)));
    for (size_t i = wr.len; i < wr_padded.len; i++) {
        assert(padded[i] == '=');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_from((struct bytes){data, size}, 1);

    if (size == 0 || rest.len > BYTES_MAX) {
        return 0;
    }
    read_then_write(rest, data[0]);
    read_then_write(rest, rest.len * 3 / 4 < 256 ? rest.len * 3 / 4 : 0);
    write_then_read(rest);
    return 0;
}

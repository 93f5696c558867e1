// SPDX-License-Identifier: Apache-2.0
// Whatever a path says, the file lies below the directory: no segment is "..", none is empty, and
// there is no NUL.
#include "http/http_path.h"

#include <assert.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t room[256];
    struct wr wr = wr_init(room, sizeof room);

    if (size == 0 || data[0] != '/' ||
        http_path_read((struct bytes){data, size}, &wr) != HTTP_PATH_GOOD) {
        return 0;
    }
    struct bytes left = wr_done(&wr);
    assert(left.len < size);
    assert(bytes_index(left, '\0') == left.len);
    while (left.len > 0) {
        const struct bytes segment = bytes_first(left, bytes_index(left, '/'));
        assert(segment.len > 0);
        assert(!bytes_equal_text(segment, "."));
        assert(!bytes_equal_text(segment, ".."));
        left = bytes_from(left, segment.len + 1);
    }
    return 0;
}

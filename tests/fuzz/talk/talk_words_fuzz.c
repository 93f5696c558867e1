// SPDX-License-Identifier: Apache-2.0
// Whatever a server sends can be told in words that are harmless wherever they are shown.
#include "talk/talk_words.h"

#include <assert.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t text[4096];

    // With room and without.
    for (size_t room = 8; room <= sizeof text; room *= 8) {
        struct wr wr = wr_init(text, room);
        talk_words_write(&wr, (struct bytes){data, size});
        assert(wr.len <= room);
        for (size_t i = 0; i < wr.len; i++) {
            assert(text[i] >= ' ');
            assert(text[i] <= '~');
        }
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_writer.h"

#include "stun/stun_attr.h"
#include "stun/stun_fingerprint.h"
#include "stun/stun_integrity.h"

enum { LENGTH_AT = 2 }; // offset of the length field in the header

void stun_writer_init(struct stun_writer *writer, uint8_t *ptr, size_t room,
                      const struct stun_header *header)
{
    // The length field has 16 bits.
    writer->wr = wr_init(ptr, room < UINT16_MAX ? room : UINT16_MAX);
    stun_header_write(&writer->wr, header);
}

// Sets the length field as if `more` bytes followed what is written.
static void patch_length(struct stun_writer *writer, size_t more)
{
    if (wr_ok(&writer->wr)) {
        size_t body_len = writer->wr.len - STUN_HEADER_LEN + more;
        wr_u16_at(&writer->wr, LENGTH_AT, (uint16_t)body_len);
    }
}

void stun_writer_integrity(struct stun_writer *writer, struct bytes key)
{
    uint8_t value[STUN_INTEGRITY_LEN];

    if (wr_ok(&writer->wr)) {
        stun_integrity(wr_done(&writer->wr), key, value);
        stun_attr_write(&writer->wr, STUN_ATTR_MESSAGE_INTEGRITY,
                        (struct bytes){value, sizeof value});
    }
}

void stun_writer_integrity_sha256(struct stun_writer *writer, struct bytes key)
{
    uint8_t value[STUN_INTEGRITY_SHA256_LEN];

    if (wr_ok(&writer->wr)) {
        stun_integrity_sha256(wr_done(&writer->wr), key, value);
        stun_attr_write(&writer->wr, STUN_ATTR_MESSAGE_INTEGRITY_SHA256,
                        (struct bytes){value, sizeof value});
    }
}

void stun_writer_fingerprint(struct stun_writer *writer)
{
    patch_length(writer, STUN_ATTR_HEAD_LEN + STUN_FINGERPRINT_LEN);
    if (wr_ok(&writer->wr)) {
        stun_attr_u32_write(&writer->wr, STUN_ATTR_FINGERPRINT,
                            stun_fingerprint(wr_done(&writer->wr)));
    }
}

bool stun_writer_finish(struct stun_writer *writer, struct bytes *out)
{
    patch_length(writer, 0);
    if (!wr_ok(&writer->wr)) {
        return false;
    }
    *out = wr_done(&writer->wr);
    return true;
}

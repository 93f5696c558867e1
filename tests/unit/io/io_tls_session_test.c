// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tls_pair.h"

static void knows_the_other_sides_certificate(void **state)
{
    struct io_tls_certificate peer;

    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    assert_true(io_tls_session_certificate(&tls_pair.world.server.tls, &peer));
    assert_string_equal(peer.common_name, "client");
    assert_string_equal(peer.issuer_name, "ca");
    assert_int_equal(peer.name_count, 0);
    assert_memory_equal(peer.pin, io_tls_context_certificate(tls_pair.client)->pin,
                        sizeof(peer.pin));
    assert_true(io_tls_session_certificate(&tls_pair.world.client.tls, &peer));
    assert_string_equal(peer.common_name, "server");
    assert_int_equal(peer.name_count, 3);
    assert_memory_equal(peer.pin, io_tls_context_certificate(tls_pair.server)->pin,
                        sizeof(peer.pin));
}

// --- what both know and nobody else --------------------------------------------------------------

static void export(const struct tls_end *end, const char *label, const char *context,
                   uint8_t out[32])
{
    assert_int_equal(io_tls_session_export(&end->tls, label, bytes_of_text(context), out, 32), 0);
}

static void exports_what_both_sides_know(void **state)
{
    uint8_t ours[32];
    uint8_t theirs[32];
    uint8_t other[32];

    (void)state;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    export(&tls_pair.world.client, "EXPORTER-tlsrelay-data", "context", ours);
    export(&tls_pair.world.server, "EXPORTER-tlsrelay-data", "context", theirs);
    assert_memory_equal(ours, theirs, sizeof(ours));
    export(&tls_pair.world.server, "EXPORTER-tlsrelay-data", "another", other);
    assert_memory_not_equal(ours, other, sizeof(ours));
    export(&tls_pair.world.server, "EXPORTER-another", "context", other);
    assert_memory_not_equal(ours, other, sizeof(ours));
}

static void exports_nothing_by_tls_1_2(void **state)
{
    uint8_t out[32] = {0};

    (void)state;
    tls_pair.world.is_1_2 = true;
    tls_world_join(&tls_pair.world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(&tls_pair.world, tls_world_both_open);
    assert_int_equal(io_tls_session_export(&tls_pair.world.client.tls, "EXPORTER-x",
                                           bytes_of_text(""), out, sizeof(out)),
                     -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TLS_PAIR_TEST(knows_the_other_sides_certificate),
        TLS_PAIR_TEST(exports_what_both_sides_know),
        TLS_PAIR_TEST(exports_nothing_by_tls_1_2),
    };

    return cmocka_run_group_tests(tests, tls_pair_group_setup, tls_pair_group_teardown);
}

// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void cuts_what_was_exported(void **state)
{
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof exported; i++) {
        exported[i] = (uint8_t)i;
    }
    struct revtun_secrets secrets = revtun_secrets_read(exported);
    assert_memory_equal(secrets.proof, exported, REVTUN_SECRETS_KEY_LEN);
    assert_memory_equal(secrets.preface, exported + 32, REVTUN_SECRETS_KEY_LEN);
    assert_memory_equal(secrets.head, exported + 64, REVTUN_SECRETS_KEY_LEN);

    static const struct revtun_secrets nothing;
    revtun_secrets_deinit(&secrets);
    assert_memory_equal(&secrets, &nothing, sizeof nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_what_was_exported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

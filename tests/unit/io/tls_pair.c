// SPDX-License-Identifier: Apache-2.0
#include "tls_pair.h"

struct tls_pair tls_pair;

void tls_pair_open(const struct io_tls_protocol *protocols, size_t count)
{
    struct io_tls_settings settings = tls_world_server();

    settings.protocols = protocols;
    settings.protocol_count = count;
    tls_pair.server = tls_world_context(&settings);
    settings = tls_world_client();
    settings.protocols = protocols;
    settings.protocol_count = count;
    tls_pair.client = tls_world_context(&settings);
}

int tls_pair_group_setup(void **state)
{
    (void)state;
    tls_pair_open(NULL, 0);
    return 0;
}

int tls_pair_group_teardown(void **state)
{
    (void)state;
    io_tls_context_close(tls_pair.client);
    io_tls_context_close(tls_pair.server);
    tls_world_remove_folder();
    return 0;
}

int tls_pair_setup(void **state)
{
    (void)state;
    tls_world_open(&tls_pair.world);
    return 0;
}

int tls_pair_teardown(void **state)
{
    (void)state;
    tls_world_close(&tls_pair.world);
    return 0;
}

void tls_pair_renew(void)
{
    tls_world_close(&tls_pair.world);
    tls_world_open(&tls_pair.world);
}

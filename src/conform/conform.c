// SPDX-License-Identifier: Apache-2.0
#include "conform/conform.h"

#include <string.h>

#include "base/macro.h"
#include "conform/conform_allocate.h"
#include "conform/conform_auth.h"
#include "conform/conform_binding.h"
#include "conform/conform_challenge.h"
#include "conform/conform_channel.h"
#include "conform/conform_data.h"
#include "conform/conform_expiry.h"
#include "conform/conform_family.h"
#include "conform/conform_framing.h"
#include "conform/conform_permission.h"
#include "conform/conform_port.h"
#include "conform/conform_refresh.h"
#include "conform/conform_sha256.h"

const struct talk_subject *const conform_subjects[] = {
    &conform_binding,  &conform_framing, &conform_challenge, &conform_auth,    &conform_sha256,
    &conform_allocate, &conform_port,    &conform_family,    &conform_refresh, &conform_permission,
    &conform_channel,  &conform_data,    &conform_expiry,
};
const size_t conform_subject_count = COUNT_OF(conform_subjects);

size_t conform_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < conform_subject_count; i++) {
        count += conform_subjects[i]->count;
    }
    return count;
}

const struct talk_check *conform_find(const char *id)
{
    for (size_t i = 0; i < conform_subject_count; i++) {
        for (size_t j = 0; j < conform_subjects[i]->count; j++) {
            if (strcmp(conform_subjects[i]->checks[j].id, id) == 0) {
                return &conform_subjects[i]->checks[j];
            }
        }
    }
    return NULL;
}

// SPDX-License-Identifier: Apache-2.0
#include "attack/attack.h"

#include <string.h>

#include "attack/attack_amplify.h"
#include "attack/attack_crash.h"
#include "attack/attack_enumerate.h"
#include "attack/attack_leak.h"
#include "attack/attack_loop.h"
#include "attack/attack_nonce.h"
#include "attack/attack_port.h"
#include "attack/attack_relay.h"
#include "attack/attack_relay6.h"
#include "attack/attack_state.h"
#include "attack/attack_user.h"
#include "base/macro.h"

const struct talk_subject *const attack_subjects[] = {
    &attack_relay,     &attack_relay6, &attack_loop, &attack_amplify, &attack_nonce, &attack_user,
    &attack_enumerate, &attack_port,   &attack_leak, &attack_state,   &attack_crash,
};
const size_t attack_subject_count = COUNT_OF(attack_subjects);

const struct talk_check *attack_find(const char *id)
{
    for (size_t i = 0; i < attack_subject_count; i++) {
        for (size_t j = 0; j < attack_subjects[i]->count; j++) {
            if (strcmp(attack_subjects[i]->checks[j].id, id) == 0) {
                return &attack_subjects[i]->checks[j];
            }
        }
    }
    return NULL;
}

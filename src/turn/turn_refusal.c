// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_refusal.h"

#include <assert.h>
#include <stddef.h>

const char *turn_refusal_words(enum turn_refusal refusal)
{
    static const char *const all_words[TURN_REFUSAL_END] = {
#define TURN_REFUSAL_WORDS(NAME, name, words) [TURN_REFUSAL_##NAME] = (words),
        TURN_REFUSALS(TURN_REFUSAL_WORDS)
#undef TURN_REFUSAL_WORDS
    };

    assert(refusal < TURN_REFUSAL_END);
    return all_words[refusal];
}

bool turn_refusal_is_credential(enum turn_refusal refusal)
{
    static const bool are_credentials[TURN_REFUSAL_END] = {
#define TURN_REFUSAL_CREDENTIAL(NAME, name, words) [TURN_REFUSAL_##NAME] = true,
        TURN_REFUSAL_CREDENTIALS(TURN_REFUSAL_CREDENTIAL)
#undef TURN_REFUSAL_CREDENTIAL
    };

    assert(refusal < TURN_REFUSAL_END);
    return are_credentials[refusal];
}

bool turn_refusal_is_peer(enum turn_refusal refusal)
{
    static const bool are_peers[TURN_REFUSAL_END] = {
#define TURN_REFUSAL_PEER(NAME, name, words) [TURN_REFUSAL_##NAME] = true,
        TURN_REFUSAL_PEERS(TURN_REFUSAL_PEER)
#undef TURN_REFUSAL_PEER
    };

    assert(refusal < TURN_REFUSAL_END);
    return are_peers[refusal];
}

bool turn_refusal_is_mistake(enum turn_refusal refusal)
{
    static const bool are_mistakes[TURN_REFUSAL_END] = {
#define TURN_REFUSAL_MISTAKE(NAME, name, words) [TURN_REFUSAL_##NAME] = true,
        TURN_REFUSAL_MISTAKES(TURN_REFUSAL_MISTAKE)
#undef TURN_REFUSAL_MISTAKE
    };

    assert(refusal < TURN_REFUSAL_END);
    return are_mistakes[refusal];
}

bool turn_refusal_is_liftable(enum turn_refusal refusal)
{
    return turn_refusal_is_peer(refusal) && refusal != TURN_REFUSAL_RULE &&
           refusal != TURN_REFUSAL_LISTENER && refusal != TURN_REFUSAL_TUNNEL;
}

// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_ports.h"

#include <assert.h>

enum {
    PAIR_COUNT = 32768, // pairs that 65536 ports make
    EVEN_FREE = 1,
    ODD_FREE = 2,
    BOTH_FREE = EVEN_FREE | ODD_FREE,
};

size_t turn_ports_size(void)
{
    // Three lists (pairs without a free port are in none), the places, and the states.
    return PAIR_COUNT * ((TURN_PORTS_STATES - 1) * sizeof(uint16_t) + sizeof(uint16_t) + 1);
}

static bool is_ours(const struct turn_ports *ports, uint32_t port)
{
    return port >= ports->lowest_port && port <= ports->highest_port;
}

static void leave_list(struct turn_ports *ports, uint32_t pair)
{
    unsigned state = ports->state[pair];

    if (state == 0) {
        return;
    }
    assert(ports->count[state] > 0);
    uint16_t last = ports->pairs[state][--ports->count[state]];
    ports->pairs[state][ports->place[pair]] = last;
    ports->place[last] = ports->place[pair];
}

static void enter_state(struct turn_ports *ports, uint32_t pair, unsigned state)
{
    assert(state < TURN_PORTS_STATES);
    leave_list(ports, pair);
    ports->state[pair] = (uint8_t)state;
    if (state != 0) {
        ports->place[pair] = (uint16_t)ports->count[state];
        ports->pairs[state][ports->count[state]++] = (uint16_t)pair;
    }
}

static unsigned bit_of(uint32_t port)
{
    return port % 2 == 0 ? EVEN_FREE : ODD_FREE;
}

void turn_ports_init(struct turn_ports *ports, void *memory, uint16_t lowest_port,
                     uint16_t highest_port)
{
    uint16_t *lists = memory;

    assert(lowest_port >= 1);
    assert(lowest_port <= highest_port);
    *ports = (struct turn_ports){
        .pairs = {NULL, lists, lists + PAIR_COUNT, lists + (size_t)2 * PAIR_COUNT},
        .place = lists + (size_t)3 * PAIR_COUNT,
        .state = (uint8_t *)(lists + (size_t)4 * PAIR_COUNT),
        .lowest_port = lowest_port,
        .highest_port = highest_port,
    };
    for (uint32_t pair = lowest_port / 2; pair <= highest_port / 2; pair++) {
        enter_state(ports, pair,
                    (is_ours(ports, pair * 2) ? EVEN_FREE : 0U) |
                        (is_ours(ports, pair * 2 + 1) ? ODD_FREE : 0U));
    }
    ports->total = turn_ports_free_count(ports);
}

static void use(struct turn_ports *ports, uint32_t port)
{
    unsigned state = ports->state[port / 2];

    assert((state & bit_of(port)) != 0);
    enter_state(ports, port / 2, state & ~bit_of(port));
}

// One of the ports that a wish allows: `from` numbers them, list behind list.
static uint32_t choose(const struct turn_ports *ports, enum turn_ports_wish wish, uint32_t from)
{
    if (wish != TURN_PORTS_PAIR) {
        if (from < ports->count[EVEN_FREE]) {
            return ports->pairs[EVEN_FREE][from] * 2U;
        }
        from -= ports->count[EVEN_FREE];
    }
    if (from < ports->count[BOTH_FREE]) {
        return ports->pairs[BOTH_FREE][from] * 2U;
    }
    from -= ports->count[BOTH_FREE];
    assert(wish == TURN_PORTS_ANY);
    if (from < ports->count[BOTH_FREE]) {
        return ports->pairs[BOTH_FREE][from] * 2U + 1;
    }
    from -= ports->count[BOTH_FREE];
    assert(from < ports->count[ODD_FREE]);
    return ports->pairs[ODD_FREE][from] * 2U + 1;
}

static uint32_t choice_count(const struct turn_ports *ports, enum turn_ports_wish wish)
{
    switch (wish) {
    case TURN_PORTS_ANY:
        return turn_ports_free_count(ports);
    case TURN_PORTS_EVEN:
        return ports->count[EVEN_FREE] + ports->count[BOTH_FREE];
    case TURN_PORTS_PAIR:
        return ports->count[BOTH_FREE];
    }
    return 0;
}

bool turn_ports_take(struct turn_ports *ports, enum turn_ports_wish wish,
                     struct crypto_random *random, uint16_t *out)
{
    uint32_t count = choice_count(ports, wish);

    if (count == 0) {
        return false;
    }
    uint32_t port = choose(ports, wish, crypto_random_below(random, count));
    assert(is_ours(ports, port));
    use(ports, port);
    if (wish == TURN_PORTS_PAIR) {
        use(ports, port + 1);
    }
    *out = (uint16_t)port;
    return true;
}

void turn_ports_give(struct turn_ports *ports, uint16_t port)
{
    unsigned state = ports->state[port / 2];

    assert(is_ours(ports, port));
    assert((state & bit_of(port)) == 0);
    enter_state(ports, port / 2U, state | bit_of(port));
}

static void end_rest(struct turn_ports *ports)
{
    uint16_t port = ports->resting[ports->resting_first].port;

    assert(ports->resting_count > 0);
    ports->resting_first = (ports->resting_first + 1) % TURN_PORTS_RESTING_MAX;
    ports->resting_count--;
    turn_ports_give(ports, port);
}

void turn_ports_rest(struct turn_ports *ports, uint16_t port, struct now now)
{
    assert(is_ours(ports, port));
    if (ports->resting_count == TURN_PORTS_RESTING_MAX) {
        end_rest(ports);
    }
    uint32_t at = (ports->resting_first + ports->resting_count) % TURN_PORTS_RESTING_MAX;
    ports->resting[at] = (struct turn_ports_resting){port, now.mono_ns + TURN_PORTS_REST_NS};
    ports->resting_count++;
}

void turn_ports_settle(struct turn_ports *ports, struct now now)
{
    while (ports->resting_count > 0 &&
           ports->resting[ports->resting_first].until_ns <= now.mono_ns) {
        end_rest(ports);
    }
}

uint32_t turn_ports_free_count(const struct turn_ports *ports)
{
    return ports->count[EVEN_FREE] + ports->count[ODD_FREE] + 2 * ports->count[BOTH_FREE];
}

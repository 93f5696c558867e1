// SPDX-License-Identifier: Apache-2.0
// Whatever a relay says to a server, and wherever it is cut: the same comes of it, and no more is
// dialled than may be.
#include "revtun/revtun_agent.h"

#include <assert.h>

#include "fuzz/fuzz.h"

enum { CONNECTION_MAX = 8 };

static const struct revtun_agent_config config = {
    .retry = REVTUN_AGENT_RETRY_ALWAYS,
    .connection_max = CONNECTION_MAX,
};

static void take_all(struct revtun_agent *agent)
{
    struct revtun_agent_command command = {0};

    while (revtun_agent_take(agent, &command)) {
        if (command.type == REVTUN_AGENT_DIAL || command.type == REVTUN_AGENT_PUBLISH) {
            assert(revtun_line_is_host(command.address.host));
            assert(command.address.port > 0);
        }
    }
    assert(agent->connection_count <= CONNECTION_MAX);
    assert(agent->state != REVTUN_AGENT_SERVING || agent->owed_count == 0 ||
           agent->connection_count == CONNECTION_MAX);
}

static void begin(struct revtun_agent *agent)
{
    revtun_agent_init(agent, &config);
    take_all(agent);
    revtun_agent_up(agent, 0);
}

static void read_cut(struct revtun_agent *agent, struct bytes input, size_t at)
{
    begin(agent);
    revtun_agent_read(agent, 0, bytes_first(input, at));
    take_all(agent);
    revtun_agent_read(agent, 0, bytes_from(input, at));
    take_all(agent);
}

static bool is_same_place(const struct revtun_agent_place *a, const struct revtun_agent_place *b)
{
    return a->is_known == b->is_known &&
           (!a->is_known ||
            (a->port == b->port && bytes_equal((struct bytes){a->text, a->text_len},
                                               (struct bytes){b->text, b->text_len})));
}

static void try_an_end(struct revtun_agent *agent)
{
    const uint32_t count = agent->connection_count;

    revtun_agent_down(agent, 0, UINT32_MAX);
    take_all(agent);
    assert(agent->state == REVTUN_AGENT_WAITING);
    for (uint32_t i = 0; i < count; i++) {
        revtun_agent_ended(agent);
    }
    revtun_agent_tick(agent, revtun_agent_deadline(agent));
    take_all(agent);
    assert(agent->state == REVTUN_AGENT_CONNECTING);
    assert(agent->connection_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct revtun_agent whole;
    static struct revtun_agent cut;
    const struct bytes input = {data, size};

    read_cut(&whole, input, size);
    for (size_t at = 0; at < size; at += size / 64 + 1) {
        read_cut(&cut, input, at);
        assert(cut.state == whole.state);
        assert(cut.why == whole.why);
        assert(cut.connection_count + cut.owed_count == whole.connection_count + whole.owed_count);
        assert(is_same_place(&cut.public, &whole.public));
        assert(is_same_place(&cut.reverse, &whole.reverse));
    }
    try_an_end(&whole);
    return 0;
}

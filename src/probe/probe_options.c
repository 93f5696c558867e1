// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_options.h"

#include "base/macro.h"
#include "conf/conf.h"
#include "probe/probe_server_options.h"

static const char server[] = PROBE_SERVER_GROUP;
static const char load[] = "The load";
static const char running[] = "Running it";

static const struct conf_option options[] = {
    PROBE_SERVER_OPTIONS(
        "Name of a user of the server, as whom all clients come. Its quota must be at least "
        "--num-clients and --num-allocations.",
        "Secret that the server shares with web services (TURN REST), in place of a user: each "
        "client comes as a user of its own."),
    {
        .name = "password",
        .placeholder = "TEXT",
        .group = server,
        .is_outside_file = true,
        .is_secret = true,
        .help = "The same as --pass, which is its name in all commands.",
    },
    {
        .name = "secret",
        .placeholder = "SECRET",
        .group = server,
        .is_outside_file = true,
        .is_secret = true,
        .help = "The same as --auth-secret, which is its name in all commands.",
    },
    {
        .name = "peer-address",
        .environment = "FAIRLEAD_PROBE_PEER_ADDRESS",
        .placeholder = "ADDR",
        .default_note = "the address from which this host reaches the server",
        .group = server,
        .is_outside_file = true,
        .help = "Address of this host at which the peers are, as the server sees it. The server "
                "must allow it as a peer.",
    },
    {
        .name = "num-clients",
        .placeholder = "N",
        .default_text = "100",
        .group = load,
        .is_outside_file = true,
        .help = "Clients, each with an address of its own, an allocation and a channel to the "
                "peer, through which packets go in turns.",
    },
    {
        .name = "size",
        .placeholder = "BYTES",
        .default_text = "1000",
        .group = load,
        .is_outside_file = true,
        .is_repeated = true,
        .help = "Payload of a packet. Up to four of them, each of which is measured.",
    },
    {
        .name = "train",
        .placeholder = "N",
        .default_note = "1 and 32",
        .group = load,
        .is_outside_file = true,
        .is_repeated = true,
        .help = "Packets of one client behind one another, as a video frame or a download has "
                "them, before it is the next one's turn. Up to four, each of which is measured.",
    },
    {
        .name = "direction",
        .placeholder = "WORD",
        .default_note = "each of them",
        .group = load,
        .is_outside_file = true,
        .is_repeated = true,
        .help = "to-peers, to-clients or both.",
    },
    {
        .name = "part",
        .placeholder = "WORD",
        .default_note = "overload, rate, latency and allocate",
        .group = load,
        .is_outside_file = true,
        .is_repeated = true,
        .help = "What to measure. overload: what is delivered of all that can be sent. rate: the "
                "highest rate that loses at most one packet of a thousand. latency: there and back "
                "at rest and at half of that rate. allocate: allocations a second. flood: what "
                "arrives beside requests that prove nothing, which must be named, since it is what "
                "an attacker does.",
    },
    {
        .name = "rate",
        .placeholder = "N",
        .group = load,
        .is_outside_file = true,
        .help = "Packets a second, in place of searching for the highest rate.",
    },
    {
        .name = "flood-rate",
        .placeholder = "N",
        .default_note = "10000, 50000, 100000 and 200000",
        .group = load,
        .is_outside_file = true,
        .is_repeated = true,
        .help = "Datagrams a second of each flood. Up to eight of them, each of which is measured.",
    },
    {
        .name = "num-allocations",
        .placeholder = "N",
        .default_text = "1000",
        .group = load,
        .is_outside_file = true,
        .help = "Allocations that are made, as fast as the server answers, to measure how many it "
                "makes a second.",
    },
    {
        .name = "seconds",
        .placeholder = "N",
        .default_text = "2",
        .group = load,
        .is_outside_file = true,
        .help = "How long each trial is.",
    },
    {
        .name = "json",
        .group = running,
        .is_outside_file = true,
        .help = "Print the results as JSON, not as a table.",
    },
    {
        .name = "help",
        .group = running,
        .is_outside_file = true,
        .help = "Print this help and exit.",
        .short_name = 'h',
    },
    {
        .name = "version",
        .group = running,
        .is_outside_file = true,
        .help = "Print the version and exit.",
        .short_name = 'V',
    },
};

const struct conf_table probe_options_table = {options, COUNT_OF(options)};

const struct conf_program probe_options_program = {
    .name = "fairlead-probe bench",
    .summary = "Measures a STUN/TURN server of any make: packets a second without loss and at "
               "overload, latency, allocations a second, what a flood does to it.",
    .note = "Measure only servers that are yours: it loads them as much as this host can.",
};

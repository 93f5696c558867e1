// SPDX-License-Identifier: Apache-2.0
// The options of `fairlead-tunnel expose` that are of version 2: who we are to the relay, and what
// the service is to be there.
#pragma once

#include "conf/conf.h"
#include "tunnel/tunnel_spoke.h"

// clang-format would put all of it into columns.
// clang-format off
#define TUNNEL_SPOKE_OPTIONS_RELAY(heading)                                                        \
    {                                                                                              \
        .name = "token",                                                                           \
        .environment = "FAIRLEAD_TOKEN",                                                           \
        .placeholder = "TOKEN",                                                                    \
        .is_secret = true,                                                                         \
        .group = (heading),                                                                        \
        .help = "What proves who we are to the relay, and the relay to us: a word that begins "    \
                "with flt1. and that the relay's operator has made. In FAIRLEAD_TOKEN or a file "  \
                "other users of this host do not see it.",                                         \
    },                                                                                             \
    {                                                                                              \
        .name = "token-file",                                                                      \
        .environment = "FAIRLEAD_TOKEN_FILE",                                                      \
        .placeholder = "FILE",                                                                     \
        .group = (heading),                                                                        \
        .help = "A file with the token on its first line.",                                        \
    },                                                                                             \
    {                                                                                              \
        .name = "cert",                                                                            \
        .placeholder = "FILE",                                                                     \
        .group = (heading),                                                                        \
        .help = "Our certificate for a relay of version 2, in PEM, in place of a token. The "      \
                "relay's CA has signed it, and its key is on the relay's access list.",            \
    },                                                                                             \
    {                                                                                              \
        .name = "key",                                                                             \
        .placeholder = "FILE",                                                                     \
        .group = (heading),                                                                        \
        .help = "The key of --cert.",                                                              \
    },                                                                                             \
    {                                                                                              \
        .name = "ca",                                                                              \
        .placeholder = "FILE",                                                                     \
        .group = (heading),                                                                        \
        .default_note = "the system's CAs",                                                        \
        .help = "The CA of the relay's certificate, in PEM. Most tokens say which key the relay "  \
                "has, and no CA is looked at then.",                                               \
    }

#define TUNNEL_SPOKE_OPTIONS_SERVICE(heading)                                                      \
    {                                                                                              \
        .name = "name",                                                                            \
        .placeholder = "NAME",                                                                     \
        .group = (heading),                                                                        \
        .default_note = "port- and the port of the service",                                       \
        .help = "What the service is called at the relay, where it keeps its port by that: a-z, "  \
                "0-9 and hyphens, up to 63. Each service of one token has a name of its own.",     \
    },                                                                                             \
    {                                                                                              \
        .name = "port",                                                                            \
        .placeholder = "PORT",                                                                     \
        .is_of_section = true,                                                                     \
        .group = (heading),                                                                        \
        .default_note = "the one that it had last, or any",                                        \
        .help = "The relay's port where clients are to find it.",                                  \
    },                                                                                             \
    {                                                                                              \
        .name = "host",                                                                            \
        .placeholder = "HOST",                                                                     \
        .is_repeated = true,                                                                       \
        .is_of_section = true,                                                                     \
        .group = (heading),                                                                        \
        .help = "Clients find it at the port that services share, by this host in their TLS. The " \
                "service speaks TLS, and its key stays with it. *.HOST is all below a host. May "  \
                "be given several times.",                                                         \
    },                                                                                             \
    {                                                                                              \
        .name = "proxy-protocol",                                                                  \
        .placeholder = "VERSION",                                                                  \
        .default_text = "off",                                                                     \
        .is_of_section = true,                                                                     \
        .group = (heading),                                                                        \
        .help = "Tells the service who its client is, by the PROXY protocol: v1, v2 or off. The "  \
                "service must be set up to expect it.",                                            \
    },                                                                                             \
    {                                                                                              \
        .name = "pool",                                                                            \
        .placeholder = "COUNT",                                                                    \
        .default_text = "2",                                                                       \
        .group = (heading),                                                                        \
        .help = "Connections to the relay that stand by, up to 64: they save their clients a "     \
                "round trip to the relay.",                                                        \
    },                                                                                             \
    {                                                                                              \
        .name = "data",                                                                            \
        .placeholder = "HOW",                                                                      \
        .default_text = "any",                                                                     \
        .group = (heading),                                                                        \
        .help = "How clients' bytes go between here and the relay: tls, so that nobody on the way " \
                "sees or changes them; plain; or any, as the relay wants, and plain where it has " \
                "no wish. Where service and client speak TLS, that protects them all the same.",   \
    },                                                                                             \
    {                                                                                              \
        .name = "take",                                                                            \
        .is_of_section = true,                                                                     \
        .group = (heading),                                                                        \
        .help = "Take the name from another process with the same token, even if that is alive.",  \
    }

#define TUNNEL_SPOKE_OPTIONS_DRAIN(heading)                                                        \
    {                                                                                              \
        .name = "drain-timeout",                                                                   \
        .placeholder = "SECONDS",                                                                  \
        .default_text = "60",                                                                      \
        .group = (heading),                                                                        \
        .help = "By version 2: how long it goes on for the clients that are there, once it is "    \
                "told to end, up to a week. When there are none it ends at once, and so it does "  \
                "when it is told again; clients that are left are cut off by resets.",             \
    }
// clang-format on

// Whether it is version 2 that is wanted: there is a token, or what only version 2 has.
bool tunnel_spoke_options_are_given(const struct conf *conf);

// Reads them. The relay, the target, sessions and when to come again are the caller's to read. What
// is borrowed from files, and texts, stays as long as the process.
void tunnel_spoke_options_read(struct conf *conf, struct tunnel_spoke_config *out);

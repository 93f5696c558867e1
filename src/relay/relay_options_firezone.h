// SPDX-License-Identifier: Apache-2.0
// The options about a Firezone portal, as a part of the table in relay_options.c. Environment names
// are those of Firezone's relay where it has the option.
#pragma once

#include "conf/conf_option.h"

// clang-format would put all of it into columns.
// clang-format off
#define RELAY_OPTIONS_FIREZONE(heading)                                                            \
    {                                                                                              \
        .name = "token",                                                                           \
        .environment = "FIREZONE_TOKEN",                                                           \
        .placeholder = "TOKEN",                                                                    \
        .group = (heading),                                                                        \
        .help = "Token of a Firezone portal, or the path of a file that has it. With it the relay "\
                "joins the portal and serves the clients that the portal sends, in Firezone's "    \
                "manner: the stamp secret is made up unless --stamp-secret gives one. Other users "\
                "of the host can read a command line; the file and the environment are safer "     \
                "places.",                                                                         \
        .is_secret = true,                                                                         \
        .is_positional = true,                                                                     \
    },                                                                                             \
    {                                                                                              \
        .name = "name",                                                                            \
        .environment = "FIREZONE_NAME",                                                            \
        .placeholder = "NAME",                                                                     \
        .group = (heading),                                                                        \
        .help = "What the relay calls itself to the portal.",                                      \
        .is_positional = true,                                                                     \
    },                                                                                             \
    {                                                                                              \
        .name = "api-url",                                                                         \
        .environment = "FIREZONE_API_URL",                                                         \
        .placeholder = "URL",                                                                      \
        .group = (heading),                                                                        \
        .help = "Where the portal is, such as wss://api.firezone.dev; must be given with a token. "\
                "http and https mean ws and wss. Without a port it is 443, whatever the scheme.",  \
    },                                                                                             \
    {                                                                                              \
        .name = "portal-ca",                                                                       \
        .environment = "FAIRLEAD_PORTAL_CA",                                                       \
        .placeholder = "FILE",                                                                     \
        .default_note = "the system's",                                                            \
        .group = (heading),                                                                        \
        .help = "Certificates (PEM) to trust for the portal, in place of the system's.",           \
    }
// clang-format on

// SPDX-License-Identifier: Apache-2.0
// The options by which all commands are told who the server is, and as whom they come: entries of
// their tables, the same names and the same variables in each.
#pragma once

#define PROBE_SERVER_GROUP "The server"

// One field a line, which clang-format would not leave within a macro.
// clang-format off
#define PROBE_SERVER_OPTIONS(user_help, secret_help) \
    { \
        .name = "server", \
        .placeholder = "HOST[:PORT]", \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .is_positional = true, \
        .help = "The STUN/TURN server, of whatever make: an address, or a name, of which the " \
                "address that the system puts first is taken, and told. UDP port 3478 if none " \
                "is given. An IPv6 address with a port stands in brackets."}, \
    { \
        .name = "ip4", \
        .short_name = '4', \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .help = "Of a name, take an IPv4 address."}, \
    { \
        .name = "ip6", \
        .short_name = '6', \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .help = "Of a name, take an IPv6 address."}, \
    { \
        .name = "user", \
        .environment = "FAIRLEAD_PROBE_USER", \
        .placeholder = "NAME", \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .help = (user_help)}, \
    { \
        .name = "pass", \
        .environment = "FAIRLEAD_PROBE_PASSWORD", \
        .placeholder = "TEXT", \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .is_secret = true, \
        .help = "The user's password."}, \
    { \
        .name = "auth-secret", \
        .environment = "FAIRLEAD_PROBE_SECRET", \
        .placeholder = "SECRET", \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .is_secret = true, \
        .help = (secret_help)}
// clang-format on

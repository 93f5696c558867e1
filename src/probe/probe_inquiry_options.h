// SPDX-License-Identifier: Apache-2.0
// The options that all commands share that ask by checks: entries of their tables.
#pragma once

#define PROBE_INQUIRY_SERVER "The server"
#define PROBE_INQUIRY_WHAT "What is asked"
#define PROBE_INQUIRY_RUNNING "Running it"

// One field a line, which clang-format would not leave within a macro.
// clang-format off
#define PROBE_INQUIRY_OPTIONS \
    { \
        .name = "server", \
        .placeholder = "ADDR[:PORT]", \
        .group = PROBE_INQUIRY_SERVER, \
        .is_positional = true, \
        .help = "The STUN/TURN server, of whatever make; UDP port 3478 if none is given. An IPv6 " \
                "address with a port stands in brackets."}, \
    { \
        .name = "user", \
        .environment = "FAIRLEAD_PROBE_USER", \
        .placeholder = "NAME", \
        .group = PROBE_INQUIRY_SERVER, \
        .help = "Name of a user of the server. Without one, nor a secret, only what anybody may " \
                "ask is asked."}, \
    { \
        .name = "pass", \
        .environment = "FAIRLEAD_PROBE_PASSWORD", \
        .placeholder = "TEXT", \
        .group = PROBE_INQUIRY_SERVER, \
        .is_secret = true, \
        .help = "The user's password."}, \
    { \
        .name = "other-user", \
        .placeholder = "NAME", \
        .group = PROBE_INQUIRY_SERVER, \
        .help = "Name of another user, for what one user may not do to the other. A secret makes " \
                "both."}, \
    { \
        .name = "other-pass", \
        .environment = "FAIRLEAD_PROBE_OTHER_PASSWORD", \
        .placeholder = "TEXT", \
        .group = PROBE_INQUIRY_SERVER, \
        .is_secret = true, \
        .help = "The other user's password."}, \
    { \
        .name = "auth-secret", \
        .environment = "FAIRLEAD_PROBE_SECRET", \
        .placeholder = "SECRET", \
        .group = PROBE_INQUIRY_SERVER, \
        .is_secret = true, \
        .help = "Secret that the server shares with web services (TURN REST), in place of users: " \
                "each check comes as a user of its own."}, \
    { \
        .name = "realm", \
        .placeholder = "TEXT", \
        .group = PROBE_INQUIRY_SERVER, \
        .help = "Realm to name in the first request, for servers that go by it. Else it is the " \
                "one that the server names."}, \
    { \
        .name = "peer-address", \
        .environment = "FAIRLEAD_PROBE_PEER_ADDRESS", \
        .placeholder = "ADDR", \
        .default_note = "the address from which this host reaches the server", \
        .group = PROBE_INQUIRY_SERVER, \
        .is_repeated = true, \
        .help = "Address of this host at which peers are, as the server reaches it. The server " \
                "must allow it as a peer. One of each family may be given."}, \
    { \
        .name = "only", \
        .placeholder = "ID", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_repeated = true, \
        .help = "Id of a check, or its first words such as \"allocate\": all others are left out."}, \
    { \
        .name = "except", \
        .placeholder = "ID", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_repeated = true, \
        .help = "Id of a check, or its first words, that is left out."}, \
    { \
        .name = "known", \
        .placeholder = "ID", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_repeated = true, \
        .help = "Id of a finding that is known and accepted: it is told, but does not count."}, \
    { \
        .name = "strict", \
        .group = PROBE_INQUIRY_WHAT, \
        .help = "Warnings and missing features count like faults."}, \
    { \
        .name = "slow", \
        .group = PROBE_INQUIRY_WHAT, \
        .help = "Run the checks that wait until something expires too. They take minutes."}, \
    { \
        .name = "list", \
        .group = PROBE_INQUIRY_WHAT, \
        .help = "Print the checks, and ask nothing."}, \
    { \
        .name = "timeout", \
        .placeholder = "MS", \
        .default_text = "3000", \
        .group = PROBE_INQUIRY_RUNNING, \
        .help = "How long an answer may take, in milliseconds. Questions are sent again within " \
                "that time."}, \
    { \
        .name = "quiet", \
        .placeholder = "MS", \
        .default_text = "400", \
        .group = PROBE_INQUIRY_RUNNING, \
        .help = "How long to listen, in milliseconds, where no answer may come."}, \
    { \
        .name = "rate", \
        .placeholder = "N", \
        .default_text = "500", \
        .group = PROBE_INQUIRY_RUNNING, \
        .help = "Datagrams a second that are sent at most."}, \
    { \
        .name = "jobs", \
        .placeholder = "N", \
        .default_text = "8", \
        .group = PROBE_INQUIRY_RUNNING, \
        .help = "Checks that run side by side, each at ports of its own. A server whose quota is " \
                "small, or that lets a user have one allocation only, needs fewer."}, \
    { \
        .name = "format", \
        .placeholder = "WORD", \
        .default_text = "text", \
        .group = PROBE_INQUIRY_RUNNING, \
        .help = "text, json, junit, or markdown, which is a table for a page."}, \
    { \
        .name = "output", \
        .placeholder = "PATH", \
        .group = PROBE_INQUIRY_RUNNING, \
        .help = "File for the results, in place of standard output."}, \
    { \
        .name = "details", \
        .group = PROBE_INQUIRY_RUNNING, \
        .help = "Tell of each finding what was sent and what came, datagram by datagram."}, \
    { \
        .name = "hex", \
        .group = PROBE_INQUIRY_RUNNING, \
        .help = "The same, with the bytes."}, \
    { \
        .name = "help", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .short_name = 'h', \
        .help = "Print this help and exit."}, \
    { \
        .name = "version", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .short_name = 'V', \
        .help = "Print the version and exit."}
// clang-format on

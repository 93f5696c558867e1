// SPDX-License-Identifier: Apache-2.0
// The options that all commands share that ask by checks: entries of their tables.
#pragma once

#include "probe/probe_server_options.h"

#define PROBE_INQUIRY_WHAT "What is asked"
#define PROBE_INQUIRY_RUNNING "Running it"

// One field a line, which clang-format would not leave within a macro.
// clang-format off
#define PROBE_INQUIRY_OPTIONS \
    PROBE_SERVER_OPTIONS( \
        "Name of a user of the server. Without one, nor a secret, only what anybody may ask is " \
        "asked.", \
        "Secret that the server shares with web services (TURN REST), in place of users: each " \
        "check comes as a user of its own."), \
    { \
        .name = "other-user", \
        .placeholder = "NAME", \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .help = "Name of another user, for what one user may not do to the other. A secret makes " \
                "both."}, \
    { \
        .name = "other-pass", \
        .environment = "FAIRLEAD_PROBE_OTHER_PASSWORD", \
        .placeholder = "TEXT", \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .is_secret = true, \
        .help = "The other user's password."}, \
    { \
        .name = "realm", \
        .placeholder = "TEXT", \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .help = "Realm to name in the first request, for servers that go by it. Else it is the " \
                "one that the server names."}, \
    { \
        .name = "peer-address", \
        .environment = "FAIRLEAD_PROBE_PEER_ADDRESS", \
        .placeholder = "ADDR", \
        .default_note = "the address from which this host reaches the server", \
        .group = PROBE_SERVER_GROUP, \
        .is_outside_file = true, \
        .is_repeated = true, \
        .help = "Address of this host at which peers are, as the server reaches it. The server " \
                "must allow it as a peer. One of each family may be given."}, \
    { \
        .name = "only", \
        .placeholder = "ID", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .is_repeated = true, \
        .help = "Id of a check, or its first words such as \"allocate\": all others are left out."}, \
    { \
        .name = "except", \
        .placeholder = "ID", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .is_repeated = true, \
        .help = "Id of a check, or its first words, that is left out."}, \
    { \
        .name = "known", \
        .placeholder = "ID", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .is_repeated = true, \
        .help = "Id of a finding that is known and accepted, or its first words: it is told, but " \
                "does not count."}, \
    { \
        .name = "known-file", \
        .placeholder = "PATH", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .help = "File of what is known and accepted, a line for each check: see KNOWN FINDINGS."}, \
    { \
        .name = "write-known", \
        .placeholder = "PATH", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .help = "Write all that was found, and what could not be tried, as such a file, and end " \
                "with 0. What --known-file says stays in it, with its reasons, and may be the " \
                "same file."}, \
    { \
        .name = "allow-skips", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .help = "End with 0, not 5, when nothing was found but some checks could not be tried."}, \
    { \
        .name = "strict", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .help = "Warnings and missing features count like faults."}, \
    { \
        .name = "slow", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .help = "Run the checks that wait until something expires too. They take minutes."}, \
    { \
        .name = "repeat", \
        .placeholder = "N", \
        .default_text = "1", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .help = "Run each check that is not slow N times, up to 20. What was found once is a " \
                "finding, and how often is told."}, \
    { \
        .name = "list", \
        .group = PROBE_INQUIRY_WHAT, \
        .is_outside_file = true, \
        .help = "Print the checks, and ask nothing."}, \
    { \
        .name = "timeout", \
        .placeholder = "MS", \
        .default_text = "3000", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .help = "How long an answer may take, in milliseconds. Questions are sent again within " \
                "that time."}, \
    { \
        .name = "quiet", \
        .placeholder = "MS", \
        .default_text = "400", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .help = "How long to listen, in milliseconds, where no answer may come."}, \
    { \
        .name = "rate", \
        .placeholder = "N", \
        .default_text = "500", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .help = "Datagrams a second that are sent at most."}, \
    { \
        .name = "jobs", \
        .placeholder = "N", \
        .default_text = "8", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .help = "Checks that run side by side, each at ports of its own. A server whose quota is " \
                "small, or that lets a user have one allocation only, needs fewer."}, \
    { \
        .name = "format", \
        .placeholder = "WORD", \
        .default_text = "text", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .help = "text, json, junit, or markdown, which is a table for a page."}, \
    { \
        .name = "output", \
        .placeholder = "PATH", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .help = "File for the results, in place of standard output."}, \
    { \
        .name = "details", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
        .help = "Tell of each finding what was sent and what came, datagram by datagram; with " \
                "--only also of what passed."}, \
    { \
        .name = "hex", \
        .group = PROBE_INQUIRY_RUNNING, \
        .is_outside_file = true, \
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

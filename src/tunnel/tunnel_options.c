// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_options.h"

#include "base/macro.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_options_otlp.h"
#include "tunnel/tunnel_state.h"

static const char addresses[] = "Addresses and ports";
static const char access[] = "Who may come";
static const char second[] = "Agents with tokens (version 2)";
static const char limits[] = "Limits";
static const char watching[] = "Watching it";
static const char telemetry[] = "Telemetry by OTLP";
static const char running[] = "Running";

static const struct conf_option options[] = {
    {
        .name = "port",
        .environment = "FAIRLEAD_TUNNEL_PORT",
        .placeholder = "PORT",
        .default_text = "12000",
        .is_positional = true,
        .group = addresses,
        .help = "Port for the control connections of servers. The reverse ports follow it, and "
                "behind them the public ones.",
    },
    {
        .name = "port-count",
        .environment = "FAIRLEAD_TUNNEL_PORT_COUNT",
        .placeholder = "COUNT",
        .default_text = "200",
        .group = addresses,
        .help = "How many ports above the control port are used, an even number: half of them are "
                "reverse ports, half public ones. Each server gets one of both.",
    },
    {
        .name = "myhost",
        .environment = "FAIRLEAD_TUNNEL_MYHOST",
        .placeholder = "HOST",
        .default_text = "127.0.0.1",
        .is_reloaded = true,
        .group = addresses,
        .help = "Address or name by which servers and clients reach this host. Servers are told it "
                "as it is; an IPv6 address has no brackets.",
    },
    {
        .name = "bind-addr",
        .environment = "FAIRLEAD_TUNNEL_BIND_ADDR",
        .placeholder = "ADDR",
        .default_text = "::",
        .group = addresses,
        .help = "Address at which it listens; :: is all of them, IPv4 and IPv6 (where the host has "
                "that).",
    },
    {
        .name = "public-bind-addr",
        .environment = "FAIRLEAD_TUNNEL_PUBLIC_BIND_ADDR",
        .placeholder = "ADDR",
        .default_note = "--bind-addr",
        .group = addresses,
        .help = "Address of the public ports, such as 127.0.0.1 when another program of this host "
                "stands in front of them.",
    },
    {
        .name = "keys",
        .short_name = 'k',
        .environment = "FAIRLEAD_TUNNEL_KEYS",
        .placeholder = "DIR",
        .default_text = "./relay_server_certs",
        .is_reloaded = true,
        .group = access,
        .help = "Directory with server.crt.pem and server.key.pem, the relay's certificate and its "
                "key, and ca.crt.pem, the CA whose certificates servers must have. fairlead-tunnel "
                "keys makes them.",
    },
    {
        .name = "reverse-policy",
        .environment = "FAIRLEAD_TUNNEL_REVERSE_POLICY",
        .placeholder = "POLICY",
        .default_text = "same-ip",
        .is_reloaded = true,
        .group = access,
        .help = "From where reverse connections are taken: same-ip, the address of the server's "
                "control connection (the /64 of an IPv6 one), or any.",
    },
    {
        .name = "state",
        .environment = "FAIRLEAD_TUNNEL_STATE",
        .placeholder = "DIR",
        .default_note = "none; ./" TUNNEL_STATE_HERE
                        " if neither --keys nor --access is given, and ./relay_server_certs is not "
                        "there",
        .group = second,
        .help = "Directory in which --keys, --access and --leases are if they are not given. What "
                "is missing there is made at the first start: keys for the relay, and a list with "
                "a token for the first agent, whose command is printed.",
    },
    {
        .name = "access",
        .environment = "FAIRLEAD_TUNNEL_ACCESS",
        .placeholder = "FILE",
        .default_note = "access in --state; without both there is version 1 alone",
        .is_reloaded = true,
        .group = second,
        .help = "List of the agents that may have tunnels by version 2 of the protocol, at the "
                "same control port: with tokens, or with certificates. fairlead-tunnel token makes "
                "lines for it. It is read again by a reload: who is not on it any more loses all "
                "connections.",
    },
    {
        .name = "tunnel-port",
        .environment = "FAIRLEAD_TUNNEL_TUNNEL_PORT",
        .placeholder = "PORT",
        .default_note = "the first one above the public ports",
        .group = second,
        .help = "First of the ports that these tunnels get.",
    },
    {
        .name = "tunnel-port-count",
        .environment = "FAIRLEAD_TUNNEL_TUNNEL_PORT_COUNT",
        .placeholder = "COUNT",
        .default_text = "100",
        .group = second,
        .help = "How many ports there are for tunnels.",
    },
    {
        .name = "tls-port",
        .environment = "FAIRLEAD_TUNNEL_TLS_PORT",
        .placeholder = "PORT",
        .default_note = "none",
        .group = second,
        .help = "Port that TLS services share, such as 443: a client gets to the one that has "
                "bound the host for which it asks. Agents can be served there, too.",
    },
    {
        .name = "leases",
        .environment = "FAIRLEAD_TUNNEL_LEASES",
        .placeholder = "FILE",
        .default_note = "leases in --state; without both a restart forgets them",
        .group = second,
        .help = "File in which the relay notes which tunnel has which port, so that tunnels have "
                "the same ones after a restart.",
    },
    {
        .name = "lease",
        .environment = "FAIRLEAD_TUNNEL_LEASE",
        .placeholder = "SECONDS",
        .default_text = "86400",
        .group = second,
        .help = "How long a port stays its tunnel's own after that has ended.",
    },
    {
        .name = "grace",
        .environment = "FAIRLEAD_TUNNEL_GRACE",
        .placeholder = "SECONDS",
        .default_text = "60",
        .group = second,
        .help = "How long clients of an agent whose control connection is lost may come and wait "
                "until it is back.",
    },
    {
        .name = "ping",
        .environment = "FAIRLEAD_TUNNEL_PING",
        .placeholder = "SECONDS",
        .default_text = "15",
        .group = second,
        .help = "How often agents and relay give one another a sign of life, from 5 to 300: less "
                "where a NAT forgets connections sooner. Who says nothing for three times as long "
                "is lost.",
    },
    {
        .name = "data",
        .environment = "FAIRLEAD_TUNNEL_DATA",
        .placeholder = "HOW",
        .default_text = "any",
        .group = second,
        .help = "How agents are to make the connections that carry clients' bytes: plain, which "
                "costs least, and TLS between client and service protects them all the same; tls, "
                "so that nobody between agent and relay sees or changes anything; or any, as each "
                "agent likes.",
    },
    {
        .name = "max-agents",
        .environment = "FAIRLEAD_TUNNEL_MAX_AGENTS",
        .placeholder = "COUNT",
        .default_note = "1024",
        .group = second,
        .help = "Agents at a time.",
    },
    {
        .name = "max-tunnels",
        .environment = "FAIRLEAD_TUNNEL_MAX_TUNNELS",
        .placeholder = "COUNT",
        .default_note = "4096",
        .group = second,
        .help = "Tunnels at a time, and hosts at the shared port.",
    },
    {
        .name = "max-standing",
        .environment = "FAIRLEAD_TUNNEL_MAX_STANDING",
        .placeholder = "COUNT",
        .default_note = "4096",
        .group = second,
        .help = "Connections that agents keep standing by, so that clients need not wait for them.",
    },
    {
        .name = "pending-timeout",
        .environment = "FAIRLEAD_TUNNEL_PENDING_TIMEOUT",
        .placeholder = "SECONDS",
        .default_text = "300",
        .is_reloaded = true,
        .group = limits,
        .help = "How long a client waits for its server's reverse connection; then it is closed. "
                "0: for ever, as with the original.",
    },
    {
        .name = "max-sessions",
        .environment = "FAIRLEAD_TUNNEL_MAX_SESSIONS",
        .placeholder = "COUNT",
        .default_note = "16384, or as many as there are descriptors for",
        .group = limits,
        .help = "Clients at a time. Those above a limit are closed.",
    },
    {
        .name = "max-sessions-per-pair",
        .environment = "FAIRLEAD_TUNNEL_MAX_SESSIONS_PER_PAIR",
        .placeholder = "COUNT",
        .default_note = "16384",
        .is_reloaded = true,
        .group = limits,
        .help = "Of these, clients of one server.",
    },
    {
        .name = "max-waiting",
        .environment = "FAIRLEAD_TUNNEL_MAX_WAITING",
        .placeholder = "COUNT",
        .default_note = "4096",
        .group = limits,
        .help = "Clients that wait for a reverse connection.",
    },
    {
        .name = "max-waiting-per-pair",
        .environment = "FAIRLEAD_TUNNEL_MAX_WAITING_PER_PAIR",
        .placeholder = "COUNT",
        .default_note = "128",
        .is_reloaded = true,
        .group = limits,
        .help = "Of these, clients of one server.",
    },
    {
        .name = "max-waiting-per-address",
        .environment = "FAIRLEAD_TUNNEL_MAX_WAITING_PER_ADDRESS",
        .placeholder = "COUNT",
        .default_note = "64",
        .is_reloaded = true,
        .group = limits,
        .help = "Of these, clients of one IPv4 address or one IPv6 /64.",
    },
    {
        .name = "max-handshakes-per-second",
        .environment = "FAIRLEAD_TUNNEL_MAX_HANDSHAKES_PER_SECOND",
        .placeholder = "COUNT",
        .default_text = "100",
        .is_reloaded = true,
        .group = limits,
        .help = "Control connections whose handshake begins in a second, up to 1000000; those "
                "above it are reset. While more than half of them are taken, each IPv4 /24 and "
                "each IPv6 /48 has a sixteenth, and the last quarter is for addresses from which "
                "somebody has proven himself within a day. 0: no limit.",
    },
    DAEMON_OPTIONS_METRICS_ADDR(watching, "FAIRLEAD_TUNNEL_METRICS_ADDR", "127.0.0.1:9642"),
    DAEMON_OPTIONS_HEALTH_CHECK_ADDR(watching, "FAIRLEAD_TUNNEL_HEALTH_CHECK_ADDR", "relay", "off"),
    DAEMON_OPTIONS_CONTROL_ENDPOINT(watching, "FAIRLEAD_TUNNEL_CONTROL_ENDPOINT", "off"),
    DAEMON_OPTIONS_OTLP(telemetry, TUNNEL_OPTIONS_SERVICE, TUNNEL_OPTIONS_NAMESPACE, "sessions",
                        "TCP"),
    DAEMON_OPTIONS_NUM_WORKER_THREADS(running, "FAIRLEAD_TUNNEL_NUM_WORKER_THREADS", "sessions",
                                      ""),
    DAEMON_OPTIONS_DRAIN_TIMEOUT(running, "FAIRLEAD_TUNNEL_DRAIN_TIMEOUT", "relay", "sessions"),
    DAEMON_OPTIONS_CONFIG(running, "FAIRLEAD_TUNNEL_CONFIG"),
    DAEMON_OPTIONS_CHECK_CONFIG(running),
    DAEMON_OPTIONS_LOG_FORMAT(running, "FAIRLEAD_TUNNEL_LOG_FORMAT"),
    DAEMON_OPTIONS_LOG_FILTER(running, "FAIRLEAD_TUNNEL_LOG_FILTER",
                              "tunnel, io or tunnel_controls", ""),
    DAEMON_OPTIONS_CONTROL_SOCKET(running, "FAIRLEAD_TUNNEL_CONTROL_SOCKET", "relay",
                                  TUNNEL_OPTIONS_SOCKET_FOLDER, TUNNEL_OPTIONS_SOCKET,
                                  "fairlead-tunnel status, why, top and reload"),
    DAEMON_OPTIONS_VERSION(running),
    DAEMON_OPTIONS_HELP(running),
};

const struct conf_table tunnel_options_table = {.options = options, .count = COUNT_OF(options)};

const struct conf_program tunnel_options_program = {
    .name = "fairlead-tunnel relay",
    .summary = "Makes servers behind NATs reachable: each keeps a control connection to this "
               "relay, gets a public port, and dials back for each client that connects there.",
    .note = DAEMON_OPTIONS_NOTE,
};

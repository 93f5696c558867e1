// SPDX-License-Identifier: Apache-2.0
// Environment names are those of Firezone's relay where it has the option.
#include "relay/relay_options.h"

#include "base/macro.h"
#include "conf/conf.h"

static const char addresses[] = "Addresses";
static const char access[] = "Who may use it, and for what";
static const char limits[] = "Limits";
static const char speed[] = "Relaying in the kernel";
static const char running[] = "Running it";

static const struct conf_option options[] = {
    {
        .name = "public-ip4-addr",
        .environment = "PUBLIC_IP4_ADDR",
        .placeholder = "ADDR",
        .default_note = "the address of the default route, if no address is given",
        .group = addresses,
        .help = "IPv4 address at which clients and peers reach the relay. It is what clients are "
                "told; behind a one-to-one NAT it is the outer address. When only an IPv6 address "
                "is given, IPv4 is not served.",
    },
    {
        .name = "public-ip6-addr",
        .environment = "PUBLIC_IP6_ADDR",
        .placeholder = "ADDR",
        .default_note = "the address of the default route, if no address is given",
        .group = addresses,
        .help = "IPv6 address at which clients and peers reach the relay. When only an IPv4 "
                "address is given, IPv6 is not served.",
    },
    {
        .name = "bind-ip4-addr",
        .environment = "BIND_IP4_ADDR",
        .placeholder = "ADDR",
        .default_text = "0.0.0.0",
        .group = addresses,
        .help = "Local IPv4 address to receive at and send from. If it is given and no public one, "
                "it is the public one too.",
    },
    {
        .name = "bind-ip6-addr",
        .environment = "BIND_IP6_ADDR",
        .placeholder = "ADDR",
        .default_text = "::",
        .group = addresses,
        .help = "Local IPv6 address to receive at and send from. If it is given and no public one, "
                "it is the public one too.",
    },
    {
        .name = "listen-port",
        .environment = "LISTEN_PORT",
        .placeholder = "PORT",
        .default_text = "3478",
        .group = addresses,
        .help = "UDP port for clients.",
    },
    {
        .name = "lowest-port",
        .environment = "LOWEST_PORT",
        .placeholder = "PORT",
        .default_text = "49152",
        .group = addresses,
        .help = "Lowest UDP port for peers. Each allocation takes one port from this range.",
    },
    {
        .name = "highest-port",
        .environment = "HIGHEST_PORT",
        .placeholder = "PORT",
        .default_text = "65535",
        .group = addresses,
        .help = "Highest UDP port for peers.",
    },
    {
        .name = "realm",
        .environment = "FAIRLEAD_REALM",
        .placeholder = "NAME",
        .default_text = "fairlead",
        .group = access,
        .help = "Realm of the credentials, up to 127 bytes. Changing it makes no difference to "
                "clients that follow the standard; but beyond 28 bytes the answer to the shortest "
                "first request is more than four times as long as the request, and not sent.",
    },
    {
        .name = "user",
        .environment = "FAIRLEAD_USER",
        .placeholder = "NAME:PASSWORD",
        .default_note = "without any credential, one user with a random password, which is printed",
        .group = access,
        .help = "A user and the password. Other users of the host can "
                "read a command line; the file and the environment are safer places.",
        .is_repeated = true,
        .is_secret = true,
    },
    {
        .name = "auth-secret",
        .environment = "FAIRLEAD_AUTH_SECRET",
        .placeholder = "SECRET",
        .group = access,
        .help = "Secret that a web service shares with the relay to make credentials that expire "
                "(TURN REST): the username is \"EXPIRY:NAME\" with a Unix time, the password the "
                "base64 of HMAC-SHA1(SECRET, username). May be given up to 8 times, so that it can "
                "be changed without cutting anybody off. fairlead-relay credential makes one.",
        .is_repeated = true,
        .is_secret = true,
    },
    {
        .name = "stamp-secret",
        .environment = "FAIRLEAD_STAMP_SECRET",
        .placeholder = "SECRET",
        .group = access,
        .help = "Secret of a Firezone portal. Requests whose realm is \"firezone\" are then "
                "served as Firezone's own relay serves them.",
        .is_secret = true,
    },
    {
        .name = "allow-peer",
        .environment = "FAIRLEAD_ALLOW_PEER",
        .placeholder = "CIDR",
        .group = access,
        .help = "Peers that clients may reach although a wider rule denies them, such as "
                "127.0.0.1 or 10.1.0.0/16. Of all rules that match a "
                "peer, the one with the longest prefix decides; of equally long ones denying wins. "
                "Denied from the start are all that are not reachable on the whole Internet: "
                "loopback, link-local, private, shared, unique local, multicast, broadcast, "
                "reserved and documentation addresses, and this host's own.",
        .is_repeated = true,
    },
    {
        .name = "deny-peer",
        .environment = "FAIRLEAD_DENY_PEER",
        .placeholder = "CIDR",
        .group = access,
        .help = "Peers that clients may not reach, such as 10.0.0.0/8.",
        .is_repeated = true,
    },
    {
        .name = "max-allocations",
        .environment = "FAIRLEAD_MAX_ALLOCATIONS",
        .placeholder = "COUNT",
        .default_text = "16384",
        .group = limits,
        .help = "Allocations at the same time. One more is refused with 508.",
    },
    {
        .name = "max-permissions",
        .environment = "FAIRLEAD_MAX_PERMISSIONS",
        .placeholder = "COUNT",
        .default_text = "65536",
        .group = limits,
        .help = "Permissions of all allocations together. One more is refused with 508.",
    },
    {
        .name = "max-channels",
        .environment = "FAIRLEAD_MAX_CHANNELS",
        .placeholder = "COUNT",
        .default_text = "65536",
        .group = limits,
        .help = "Channels of all allocations together. One more is refused with 508.",
    },
    {
        .name = "user-quota",
        .environment = "FAIRLEAD_USER_QUOTA",
        .placeholder = "COUNT",
        .default_text = "64",
        .group = limits,
        .help =
            "Allocations of one user at the same time, among which ports count that are reserved "
            "for it. One more is refused with 486.",
    },
    {
        .name = "permissions-per-allocation",
        .environment = "FAIRLEAD_PERMISSIONS_PER_ALLOCATION",
        .placeholder = "COUNT",
        .default_text = "64",
        .group = limits,
        .help = "Permissions of one allocation. One more is refused with 508.",
    },
    {
        .name = "channels-per-allocation",
        .environment = "FAIRLEAD_CHANNELS_PER_ALLOCATION",
        .placeholder = "COUNT",
        .default_text = "64",
        .group = limits,
        .help = "Channels of one allocation. One more is refused with 508.",
    },
    {
        .name = "min-lifetime",
        .environment = "FAIRLEAD_MIN_LIFETIME",
        .placeholder = "SECONDS",
        .default_text = "600",
        .group = limits,
        .help = "Shortest lifetime that an allocation is granted, up to 3600 seconds.",
    },
    {
        .name = "max-pps",
        .environment = "FAIRLEAD_MAX_PPS",
        .placeholder = "PACKETS",
        .default_text = "0",
        .group = limits,
        .help = "Packets that an allocation relays in a second, to its peers and from them each by "
                "itself; what is more is dropped. As many as a second has may come at once. 0: no "
                "limit.",
    },
    {
        .name = "max-bps",
        .environment = "FAIRLEAD_MAX_BPS",
        .placeholder = "BYTES",
        .default_text = "0",
        .group = limits,
        .help = "Bytes (not bits) of data that an allocation relays in a second, to its peers and "
                "from them each by itself; what is more is dropped. Headers do not count. As many "
                "as a second has may come at once. 0: no limit.",
    },
    {
        .name = "unauthenticated-rate",
        .environment = "FAIRLEAD_UNAUTHENTICATED_RATE",
        .placeholder = "COUNT",
        .default_text = "20000",
        .group = limits,
        .help =
            "Requests of strangers that are answered in a second, of each of two kinds: those "
            "without MESSAGE-INTEGRITY, which are Binding requests and each client's first one, "
            "and those whose MESSAGE-INTEGRITY is wrong. When there are more, a network (IPv4 "
            "/24, IPv6 /48) has one sixteenth of that at least, and what is over the limit is "
            "dropped. Clients that have an allocation are not limited. 0: no limit.",
    },
    {
        .name = "strict-amplification",
        .environment = "FAIRLEAD_STRICT_AMPLIFICATION",
        .group = limits,
        .help = "Send no response that is longer than its request to whoever has not proved where "
                "they are. Without it the limit is four times the request. Clients that do not pad "
                "their first request get no answer then.",
    },
    {
        .name = "ebpf-offloading",
        .environment = "EBPF_OFFLOADING",
        .placeholder = "INTERFACE",
        .group = speed,
        .help = "Interface on which the kernel relays the data of channels, and answers plain "
                "Binding requests, before packets reach the sockets; or auto, for those that bear "
                "the relay's addresses. Give every interface that such packets come in by or leave "
                "by, up to 16. What the kernel cannot do there the sockets do. It needs "
                "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root, at start only.",
        .is_repeated = true,
    },
    {
        .name = "ebpf-attach-mode",
        .environment = "EBPF_ATTACH_MODE",
        .placeholder = "MODE",
        .default_text = "auto",
        .group = speed,
        .help = "driver: where the network driver hands packets over, which is fast, and which not "
                "all drivers can do. generic: behind that, with any driver. auto: driver, or else "
                "generic.",
    },
    {
        .name = "ebpf-int4-addr",
        .environment = "EBPF_INT4_ADDR",
        .placeholder = "ADDR",
        .default_note = "the address that the relay's sockets use",
        .group = speed,
        .help =
            "This host's IPv4 address to which peers' packets come and from which packets go to "
            "them, when that is not the public one: behind a one-to-one NAT, the inner "
            "address.",
    },
    {
        .name = "ebpf-int6-addr",
        .environment = "EBPF_INT6_ADDR",
        .placeholder = "ADDR",
        .default_note = "the address that the relay's sockets use",
        .group = speed,
        .help = "The same for IPv6.",
    },
    {
        .name = "num-worker-threads",
        .environment = "NUM_WORKER_THREADS",
        .placeholder = "COUNT",
        .default_note = "as many as CPUs that it may run on",
        .group = running,
        .help = "Threads that relay, up to 256. Each has its share of the clients.",
    },
    {
        .name = "config",
        .environment = "FAIRLEAD_CONFIG",
        .placeholder = "FILE",
        .group = running,
        .help = "File with lines of the form key = value, where keys are the long options without "
                "dashes and a repeated option is a repeated line. Options on the command line and "
                "in the environment stand above it.",
        .is_outside_file = true,
    },
    {
        .name = "check-config",
        .group = running,
        .help = "Say what is wrong with the configuration, or that it is good, and exit.",
        .is_outside_file = true,
    },
    {
        .name = "log-format",
        .environment = "LOG_FORMAT",
        .placeholder = "FORMAT",
        .default_text = "human",
        .group = running,
        .help = "How log lines are written to standard output: human or json.",
    },
    {
        .name = "software",
        .environment = "FAIRLEAD_SOFTWARE",
        .placeholder = "TEXT",
        .default_note = "none is sent",
        .group = running,
        .help = "What responses say in SOFTWARE, up to 127 bytes.",
    },
    {
        .name = "version",
        .short_name = 'V',
        .group = running,
        .help = "Print the version and exit.",
        .is_outside_file = true,
    },
    {
        .name = "help",
        .short_name = 'h',
        .group = running,
        .help = "Print this text and exit.",
        .is_outside_file = true,
    },
};

const struct conf_table relay_options_table = {options, COUNT_OF(options)};

_Static_assert(CONF_VALUE_MAX == 4096, "the help text says how many");

const struct conf_program relay_options_program = {
    .name = "fairlead-relay",
    .summary = "A STUN/TURN relay over UDP: it makes machines behind NATs reachable. Without any "
               "option it serves the addresses of the default route, and prints a credential that "
               "it has made up.",
    .note = "Each option can be given on the command line, by the environment variable in brackets "
            "(values of a repeated one separated by commas; a comma or backslash in a value stands "
            "behind a backslash), or in the file that --config names, in this order of strength: "
            "the strongest of them that names an option gives all its values. All options "
            "together have at most 4096 values. Exit status: 0 ended by a signal, 1 could not run, "
            "2 wrong configuration. "
            "fairlead-relay credential --help tells how to make a credential. More in "
            "fairlead-relay(8).",
};

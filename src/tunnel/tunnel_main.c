// SPDX-License-Identifier: Apache-2.0
// fairlead-tunnel: finds the command, which is the first argument or the name by which it is
// called.
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_suggest.h"
#include "daemon/daemon_tell.h"
#include "io/io_fd.h"
#include "tunnel/tunnel_ask.h"
#include "tunnel/tunnel_connect.h"
#include "tunnel/tunnel_echo.h"
#include "tunnel/tunnel_expose.h"
#include "tunnel/tunnel_http.h"
#include "tunnel/tunnel_keys.h"
#include "tunnel/tunnel_serve.h"
#include "tunnel/tunnel_token.h"

extern char **environ;

struct command {
    const char *word;
    const char *link; // a name of the program that stands for it; or NULL
    const char *what;
    int (*run)(const struct daemon_load_sources *sources);
};

static const struct command commands[] = {
    {"relay", "tx_tlsrelay", "relays between clients and servers behind NATs", tunnel_serve},
    {"expose", NULL, "makes a service reachable through a relay", tunnel_expose},
    {"connect", "tls_netcat", "joins standard input and output to a server by TLS", tunnel_connect},
    {"echo", "relayed_echoserver", "sends back what clients send", tunnel_echo},
    {"http", "relayed_httpserver", "serves the files of the current directory", tunnel_http},
    {"status", NULL, "asks a running relay how it is", tunnel_ask},
    {"why", NULL, "asks it why a service is not reachable", tunnel_ask},
    {"top", NULL, "shows its servers and what they carry", tunnel_ask},
    {"reload", NULL, "has it read its configuration and certificates again", tunnel_ask},
    {"keys", NULL, "makes a CA and certificates for relays and servers", tunnel_keys},
    {"token", NULL, "makes a token for an agent", tunnel_token},
};

static int tell_commands(void)
{
    uint8_t text[2048];
    struct wr wr = wr_init(text, sizeof text);

    wr_text(&wr, "fairlead-tunnel makes services behind NATs reachable.\n\n"
                 "Usage: fairlead-tunnel COMMAND [OPTIONS]\n\nCommands:\n");
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        wr_text(&wr, "  ");
        wr_text(&wr, commands[i].word);
        for (size_t column = strlen(commands[i].word); column < 8; column++) {
            wr_u8(&wr, ' ');
        }
        wr_text(&wr, commands[i].what);
        wr_u8(&wr, '\n');
    }
    wr_text(&wr, "\nfairlead-tunnel COMMAND --help lists the options of one.\n");
    return daemon_tell(wr_done(&wr));
}

static const struct command *find(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(commands[i].word, word) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static const struct command *find_link(char *name)
{
    const char *base = name == NULL ? "" : basename(name);

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (commands[i].link != NULL && strcmp(commands[i].link, base) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

// The command that was perhaps meant, or NULL.
static const char *find_near(const char *word)
{
    struct conf_option options[COUNT_OF(commands)] = {{.name = NULL}};
    const struct conf_table table = {.options = options, .count = COUNT_OF(options)};

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        options[i].name = commands[i].word;
    }
    const struct conf_option *near = conf_suggest(&table, bytes_of_text(word));
    return near == NULL ? NULL : near->name;
}

static int tell_unknown(const char *word)
{
    // Not repeated unless it is near a command: it may be a token.
    const char *near = find_near(word);

    if (near != NULL) {
        daemon_tell_mistake("fairlead-tunnel", "there is no command '%s'; did you mean '%s'?", word,
                            near);
    } else {
        daemon_tell_mistake("fairlead-tunnel", "%s; fairlead-tunnel --help lists all commands",
                            word[0] == '-' ? "a command stands before its options"
                                           : "there is no such command");
    }
    return DAEMON_TELL_EXIT_WRONG;
}

int main(int argc, char **argv)
{
    struct daemon_load_sources sources = {.argc = argc, .argv = argv, .environment = environ};
    const struct command *command = find_link(argc > 0 ? argv[0] : NULL);

    IGNORE(io_fd_reserve_standard()); // without /dev/null there is nothing better to do
    if (command == NULL) {
        if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
            strcmp(argv[1], "help") == 0) {
            return tell_commands();
        }
        if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
            return daemon_tell(bytes_of_text("fairlead-tunnel " FAIRLEAD_VERSION "\n"));
        }
        command = find(argv[1]);
        if (command == NULL) {
            return tell_unknown(argv[1]);
        }
        sources.argc--;
        sources.argv++;
    }
    return command->run(&sources);
}

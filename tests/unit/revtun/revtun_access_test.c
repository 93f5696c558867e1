// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/wire.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const char good[] =
    "# agents\n"
    "\n"
    "token laptop " A " ports=*\r\n"
    "\ttoken  shop " B "\tnames=web,api-*  sni=shop.test,*.shop.test connections=100 hosts=3\n"
    "cert " A " ports=12101-12110,12150 tunnels=4\n"
    "cert any ports=12200";

static struct revtun_access_entry entries[4];
static struct revtun_access access = {.entries = entries, .capacity = COUNT_OF(entries)};
static struct revtun_access_mistakes mistakes;

static struct bytes text(const char *of)
{
    return bytes_of_text(of);
}

static void reads_a_list(void **state)
{
    (void)state;
    assert_true(revtun_access_read(text(good), &access, &mistakes));
    assert_int_equal(mistakes.count, 0);
    assert_int_equal(access.count, 4);
    assert_in_range(access.count, 0, revtun_access_count_max(text(good)));

    const struct revtun_access_entry *laptop = revtun_access_find_token(&access, text("laptop"));
    assert_non_null(laptop);
    assert_int_equal(laptop->line, 3);
    assert_int_equal(laptop->hash[31], 0xaa);
    assert_int_equal(laptop->tunnel_max, REVTUN_ACCESS_TUNNELS);
    assert_int_equal(laptop->host_max, REVTUN_ACCESS_HOSTS);
    assert_int_equal(laptop->connection_max, 0);
    assert_true(revtun_access_may_name(laptop, text("anything")));
    assert_true(revtun_access_may_port(laptop, 1));
    assert_false(revtun_access_may_hosts(laptop, text("shop.test")));

    const struct revtun_access_entry *shop = revtun_access_find_token(&access, text("shop"));
    assert_non_null(shop);
    assert_int_equal(shop->connection_max, 100);
    assert_int_equal(shop->host_max, 3);
    assert_true(revtun_access_may_name(shop, text("web")));
    assert_true(revtun_access_may_name(shop, text("api-1")));
    assert_false(revtun_access_may_name(shop, text("web1")));
    assert_false(revtun_access_may_port(shop, 12101));
    assert_true(revtun_access_may_hosts(shop, text("shop.test")));
    assert_true(revtun_access_may_hosts(shop, text("a.shop.test,shop.test,*.b.shop.test")));
    assert_false(revtun_access_may_hosts(shop, text("shop.test,other.test")));
    assert_false(revtun_access_may_hosts(shop, text("*")));
    assert_false(revtun_access_may_hosts(shop, (struct bytes){0}));
    assert_null(revtun_access_find_token(&access, text("sho")));
}

static void finds_certificates(void **state)
{
    uint8_t hash[REVTUN_ACCESS_HASH_LEN];

    (void)state;
    assert_true(revtun_access_read(text(good), &access, &mistakes));
    memset(hash, 0xaa, sizeof hash);
    const struct revtun_access_entry *own = revtun_access_find_cert(&access, hash);
    assert_non_null(own);
    assert_int_equal(own->tunnel_max, 4);
    assert_true(revtun_access_may_port(own, 12150));
    assert_false(revtun_access_may_port(own, 12111));
    memset(hash, 0xbb, sizeof hash); // a token's, and no certificate's
    const struct revtun_access_entry *any = revtun_access_find_cert(&access, hash);
    assert_non_null(any);
    assert_int_equal(any->kind, REVTUN_ACCESS_ANY_CERT);
    assert_true(revtun_access_read(text("cert " A), &access, &mistakes));
    assert_null(revtun_access_find_cert(&access, hash));
}

// Reads a list of one mistake and tells it in words.
static const char *told(const char *list)
{
    static uint8_t raw[256];
    struct wr wr = wr_init(raw, sizeof raw - 1);

    assert_false(revtun_access_read(text(list), &access, &mistakes));
    assert_int_equal(access.count, 0);
    assert_int_equal(mistakes.count, 1);
    revtun_access_mistake_write(&wr, &mistakes.items[0]);
    assert_true(wr_ok(&wr));
    raw[wr.len] = '\0';
    return (const char *)raw;
}

static void tells_each_mistake_with_its_line(void **state)
{
    static const struct {
        const char *list, *words;
    } rows[] = {
        {"\n\nflt1.laptop.AAAA\n", "line 3: the line begins with neither token nor cert"},
        {"token\n", "line 1: behind token there is no name of a-z, 0-9 and -"},
        {"token Laptop " A, "line 1: behind token there is no name of a-z, 0-9 and -"},
        {"token a", "line 1: the hash is not 64 hexadecimal digits in lower case"},
        {"token a any", "line 1: the hash is not 64 hexadecimal digits in lower case"},
        {"token a A" A, "line 1: the hash is not 64 hexadecimal digits in lower case"},
        {"cert\n", "line 1: the hash is not 64 hexadecimal digits in lower case"},
        {"token a " A " prots=1", "line 1: 'prots=' is not known here: names=, ports=, sni=, "
                                  "tunnels=, hosts=, connections="},
        {"token a " A " ports", "line 1: a word is not known here: names=, ports=, sni=, "
                                "tunnels=, hosts=, connections="},
        {"token a " A " ports=0", "line 1: 'ports=0' has a value that cannot be"},
        {"token a " A " ports=", "line 1: 'ports=' has a value that cannot be"},
        {"token a " A " sni=\x1b[2J", "line 1: 'sni=\\x1b[2J' has a value that cannot be"},
        {"token a " A " names=a,", "line 1: 'names=a,' has a value that cannot be"},
        {"token a " A " tunnels=0", "line 1: 'tunnels=0' has a value that cannot be"},
        {"token a " A " connections=4294967296",
         "line 1: 'connections=4294967296' has a value that cannot be"},
        {"token a " A " ports=1 ports=2", "line 1: 'ports' is there twice"},
        {"token a " A "\ntoken a " B, "line 2: 'a' is there twice"},
        {"cert " A "\ncert " A, "line 2: the agent is there twice"},
        {"cert any\n\ncert any", "line 3: the agent is there twice"},
        {"token a " A "\ntoken b " A "\ntoken c " A "\ntoken d " A "\ntoken e " A,
         "line 5: there are more agents than there is room for"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(told(rows[i].list), rows[i].words);
    }
}

static void tells_many_mistakes_and_counts_the_others(void **state)
{
    (void)state;
    assert_false(revtun_access_read(text("x\nx\nx\ntoken a " A "\nx\nx\nx\nx\nx\nx\nx\n"), &access,
                                    &mistakes));
    assert_int_equal(mistakes.count, REVTUN_ACCESS_MISTAKE_MAX);
    assert_int_equal(mistakes.left_off, 2);
    assert_int_equal(mistakes.items[3].line, 5);
    assert_int_equal(access.count, 0);
}

static void refuses_a_line_that_is_too_long(void **state)
{
    static char line[REVTUN_ACCESS_LINE_MAX + 2];

    (void)state;
    memset(line, 'x', REVTUN_ACCESS_LINE_MAX + 1);
    assert_string_equal(told(line), "line 1: the line is longer than 4096 bytes");
}

// If each line were compared with all before it this would take minutes, and no test has those.
static void reads_and_finds_very_many(void **state)
{
    enum { COUNT = 150000 };
    const size_t room = (size_t)COUNT * 96;
    char *list = malloc(room);
    struct revtun_access many = {.entries = calloc(COUNT, sizeof many.entries[0]),
                                 .capacity = COUNT};
    size_t len = 0;

    (void)state;
    assert_non_null(list);
    assert_non_null(many.entries);
    for (size_t i = 1; i <= COUNT; i++) {
        len += i % 2 == 0 ? (size_t)snprintf(list + len, room - len, "token t%06zu %064zx\n", i, i)
                          : (size_t)snprintf(list + len, room - len, "cert %064zx tunnels=2\n", i);
    }
    assert_true(revtun_access_read((struct bytes){(const uint8_t *)list, len}, &many, &mistakes));
    assert_int_equal(many.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const struct revtun_access_entry *entry = &many.entries[i];
        assert_ptr_equal(entry->kind == REVTUN_ACCESS_TOKEN
                             ? revtun_access_find_token(&many, entry->id)
                             : revtun_access_find_cert(&many, entry->hash),
                         entry);
    }
    // The last line once more.
    len += (size_t)snprintf(list + len, room - len, "token t%06d " A, COUNT);
    assert_false(revtun_access_read((struct bytes){(const uint8_t *)list, len}, &many, &mistakes));
    assert_int_equal(mistakes.items[0].wrong, REVTUN_ACCESS_WRONG_TWICE);
    assert_int_equal(mistakes.items[0].line, COUNT + 1);
    assert_null(revtun_access_find_token(&many, text("t000002")));
    free(many.entries);
    free(list);
}

static void reads_the_line_that_it_writes(void **state)
{
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];
    uint8_t raw[256];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    wire_unhex(wire_verifier, verifier, sizeof verifier);
    revtun_access_token_write(&wr, text("laptop"), verifier);
    wr_text(&wr, " ports=*\n");
    assert_true(revtun_access_read(wr_done(&wr), &access, &mistakes));
    const struct revtun_access_entry *entry = revtun_access_find_token(&access, text("laptop"));
    assert_non_null(entry);
    assert_memory_equal(entry->hash, verifier, sizeof verifier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_list),
        cmocka_unit_test(finds_certificates),
        cmocka_unit_test(tells_each_mistake_with_its_line),
        cmocka_unit_test(tells_many_mistakes_and_counts_the_others),
        cmocka_unit_test(refuses_a_line_that_is_too_long),
        cmocka_unit_test(reads_and_finds_very_many),
        cmocka_unit_test(reads_the_line_that_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

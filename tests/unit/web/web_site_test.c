// SPDX-License-Identifier: Apache-2.0
#include "web/web_site.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void note(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)request;
    wr_text(&answer->body, context);
}

static char noted[] = "noted";

static const struct web_route routes[] = {{"GET", "/a", note}, {"POST", "/b", note}};

static const struct web_site open_site = {
    .routes = routes, .route_count = COUNT_OF(routes), .context = noted};
static const struct web_site guarded = {.routes = routes,
                                        .route_count = COUNT_OF(routes),
                                        .context = noted,
                                        .is_local = true,
                                        .is_origin_known = true};

struct asked {
    const char *method, *path, *host, *origin;
    int status;
    const char *fields;
};

static void ask(const struct web_site *site, struct asked asked)
{
    uint8_t room[128];
    struct web_answer answer = {
        .status = HTTP_STATUS_OK, .fields = "", .body = wr_init(room, sizeof room)};
    const struct http_request request = {
        .method = bytes_of_text(asked.method),
        .path = bytes_of_text(asked.path),
        .host = bytes_of_text(asked.host),
        .origin = bytes_of_text(asked.origin),
    };

    web_site_answer(site, &request, &answer);
    assert_int_equal(answer.status, asked.status);
    assert_string_equal(answer.fields, asked.fields == NULL ? "" : asked.fields);
    assert_int_equal(bytes_equal_text(wr_done(&answer.body), "noted"), asked.status == 200);
    assert_true(answer.body.len > 0);
}

static void answers_by_path_and_method(void **state)
{
    (void)state;
    ask(&open_site, (struct asked){"GET", "/a", "", "", 200, NULL});
    ask(&open_site, (struct asked){"HEAD", "/a", "", "", 200, NULL});
    ask(&open_site, (struct asked){"POST", "/b", "", "", 200, NULL});
    ask(&open_site, (struct asked){"POST", "/b", "evil.example", "http://evil.test", 200, NULL});
    ask(&open_site, (struct asked){"POST", "/a", "", "", 405, "Allow: GET, HEAD\r\n"});
    ask(&open_site, (struct asked){"get", "/a", "", "", 405, "Allow: GET, HEAD\r\n"});
    ask(&open_site, (struct asked){"GET", "/b", "", "", 405, "Allow: POST\r\n"});
    ask(&open_site, (struct asked){"HEAD", "/b", "", "", 405, "Allow: POST\r\n"});
    ask(&open_site, (struct asked){"GET", "/", "", "", 404, NULL});
    ask(&open_site, (struct asked){"GET", "/a/", "", "", 404, NULL});
    ask(&open_site, (struct asked){"GET", "/%61", "", "", 404, NULL});
}

static void keeps_strangers_pages_out(void **state)
{
    (void)state;
    ask(&guarded, (struct asked){"GET", "/a", "localhost:1", "", 200, NULL});
    ask(&guarded, (struct asked){"POST", "/b", "localhost:1", "http://localhost:1", 200, NULL});
    ask(&guarded, (struct asked){"GET", "/a", "evil.example", "", 403, NULL});
    ask(&guarded, (struct asked){"GET", "/a", "", "", 403, NULL});
    ask(&guarded, (struct asked){"POST", "/b", "localhost:1", "http://evil.example", 403, NULL});
    ask(&guarded, (struct asked){"POST", "/b", "localhost:1", "null", 403, NULL});
    ask(&guarded, (struct asked){"POST", "/b", "evil.test", "http://evil.test", 403, NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_by_path_and_method),
        cmocka_unit_test(keeps_strangers_pages_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

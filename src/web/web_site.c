// SPDX-License-Identifier: Apache-2.0
#include "web/web_site.h"

#include "http/http_host.h"

static void refuse(struct web_answer *answer, enum http_status status, const char *why)
{
    answer->status = status;
    wr_text(&answer->body, why);
}

static bool is_method(const char *route, struct bytes method)
{
    return bytes_equal_text(method, route) ||
           (bytes_equal_text(method, "HEAD") && bytes_equal_text(bytes_of_text(route), "GET"));
}

void web_site_answer(const struct web_site *site, const struct http_request *request,
                     struct web_answer *answer)
{
    const struct web_route *found = NULL;

    if (site->is_local && !http_host_is_local(request->host)) {
        refuse(answer, HTTP_STATUS_FORBIDDEN, "this is served to http://localhost alone\n");
        return;
    }
    if (site->is_origin_known && request->origin.len > 0 &&
        !http_host_is_origin(request->host, request->origin)) {
        refuse(answer, HTTP_STATUS_FORBIDDEN, "this is not served to pages of other sites\n");
        return;
    }
    for (size_t i = 0; i < site->route_count; i++) {
        const struct web_route *route = &site->routes[i];
        if (!bytes_equal_text(request->path, route->path)) {
            continue;
        }
        if (is_method(route->method, request->method)) {
            route->fn(site->context, request, answer);
            return;
        }
        found = route;
    }
    if (found == NULL) {
        refuse(answer, HTTP_STATUS_NOT_FOUND, "there is nothing at this path\n");
        return;
    }
    // One path has one method, apart from HEAD.
    answer->fields = bytes_equal_text(bytes_of_text(found->method), "GET") ? "Allow: GET, HEAD\r\n"
                                                                           : "Allow: POST\r\n";
    refuse(answer, HTTP_STATUS_METHOD_NOT_ALLOWED, "this path has another method\n");
}

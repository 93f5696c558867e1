// SPDX-License-Identifier: Apache-2.0
// Dates in fields of HTTP (RFC 9110 section 5.6.7), in each of the three forms that a recipient has
// to know:
//
//      Sun, 06 Nov 1994 08:49:37 GMT     what senders have to write
//      Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
//      Sun Nov  6 08:49:37 1994          asctime()
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

// Reads a date that fills the span, as Unix time. A year of two digits is the last such one that
// does not lie more than 50 years after `wall_s`. Whether the day of the week is right is not
// looked at. False, with *out_s untouched, for all else, such as a 30th of February.
MUST_USE bool http_date_read(struct bytes text, int64_t wall_s, int64_t *out_s);

enum { HTTP_DATE_LEN = 29 }; // bytes of the first form

// Writes a Unix time of a year from 1 to 9999 in the first form.
void http_date_write(struct wr *wr, int64_t unix_s);

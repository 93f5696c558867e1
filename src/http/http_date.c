// SPDX-License-Identifier: Apache-2.0
#include "http/http_date.h"

#include <assert.h>

enum {
    MONTHS = 12,
    DAYS = 7,
    YEAR_S = 31556952, // a 400th of the 146,097 days that 400 years have
    CENTURY = 100,
    DAY_S = 86400,
    DAYS_OF_400_YEARS = 146097,
    FAR_YEARS = 50, // two digits that lie farther ahead are of the century before
};

struct parts {
    int64_t year;
    uint32_t month; // 0 to 11
    uint32_t day;   // from 1
    uint32_t hour;
    uint32_t minute;
    uint32_t second;
};

static const char *const months[MONTHS] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// As they stand in front of the first form.
static const char *const short_days[DAYS] = {"Sun, ", "Mon, ", "Tue, ", "Wed, ",
                                             "Thu, ", "Fri, ", "Sat, "};

static bool take(struct rd *rd, const char *text)
{
    const struct bytes wanted = bytes_of_text(text);

    return bytes_equal(rd_bytes(rd, wanted.len), wanted) && rd_ok(rd);
}

static bool take_number(struct rd *rd, size_t digit_count, uint32_t *out)
{
    uint64_t number = 0;

    if (!bytes_to_number(rd_bytes(rd, digit_count), UINT32_MAX, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool take_one_of(struct rd *rd, const char *const *words, uint32_t count, uint32_t *out)
{
    for (uint32_t i = 0; i < count; i++) {
        struct rd ahead = *rd;
        if (take(&ahead, words[i])) {
            *rd = ahead;
            *out = i;
            return true;
        }
    }
    return false;
}

static bool take_month(struct rd *rd, struct parts *parts)
{
    return take_one_of(rd, months, MONTHS, &parts->month);
}

static bool take_time(struct rd *rd, struct parts *parts)
{
    return take_number(rd, 2, &parts->hour) && take(rd, ":") &&
           take_number(rd, 2, &parts->minute) && take(rd, ":") &&
           take_number(rd, 2, &parts->second);
}

static bool take_year(struct rd *rd, struct parts *parts)
{
    uint32_t year = 0;

    if (!take_number(rd, 4, &year)) {
        return false;
    }
    parts->year = year;
    return true;
}

// Behind "Sun, ".
static bool take_fixdate(struct rd *rd, struct parts *parts)
{
    return take_number(rd, 2, &parts->day) && take(rd, " ") && take_month(rd, parts) &&
           take(rd, " ") && take_year(rd, parts) && take(rd, " ") && take_time(rd, parts) &&
           take(rd, " GMT");
}

// Behind "Sun ".
static bool take_asctime(struct rd *rd, struct parts *parts)
{
    if (!take_month(rd, parts) || !take(rd, " ")) {
        return false;
    }
    struct rd ahead = *rd;
    const bool is_short = take(&ahead, " ");
    *rd = is_short ? ahead : *rd;
    return take_number(rd, is_short ? 1 : 2, &parts->day) && take(rd, " ") &&
           take_time(rd, parts) && take(rd, " ") && take_year(rd, parts);
}

// Behind "Sunday, ".
static bool take_rfc850(struct rd *rd, int64_t wall_s, struct parts *parts)
{
    const int64_t now_year = 1970 + wall_s / YEAR_S;
    uint32_t year = 0;

    if (!take_number(rd, 2, &parts->day) || !take(rd, "-") || !take_month(rd, parts) ||
        !take(rd, "-") || !take_number(rd, 2, &year) || !take(rd, " ") || !take_time(rd, parts) ||
        !take(rd, " GMT")) {
        return false;
    }
    parts->year = now_year - now_year % CENTURY + CENTURY + year;
    while (parts->year > now_year + FAR_YEARS) {
        parts->year -= CENTURY;
    }
    return true;
}

static bool take_date(struct rd *rd, int64_t wall_s, struct parts *parts)
{
    static const char *const long_days[DAYS] = {
        "Sunday, ", "Monday, ", "Tuesday, ", "Wednesday, ", "Thursday, ", "Friday, ", "Saturday, "};
    static const char *const bare_days[DAYS] = {"Sun ", "Mon ", "Tue ", "Wed ",
                                                "Thu ", "Fri ", "Sat "};
    uint32_t day = 0;

    if (take_one_of(rd, short_days, DAYS, &day)) {
        return take_fixdate(rd, parts);
    }
    if (take_one_of(rd, long_days, DAYS, &day)) {
        return take_rfc850(rd, wall_s, parts);
    }
    return take_one_of(rd, bare_days, DAYS, &day) && take_asctime(rd, parts);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % CENTURY != 0) || year % 400 == 0;
}

static uint32_t days_of(int64_t year, uint32_t month)
{
    static const uint8_t days[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month] + (month == 1 && is_leap(year) ? 1U : 0U);
}

static bool is_sound(const struct parts *parts)
{
    return parts->day >= 1 && parts->day <= days_of(parts->year, parts->month) &&
           parts->hour < 24 && parts->minute < 60 && parts->second <= 60; // a leap second
}

// The years before this one since the year 0, of which each fourth is longer, but for centuries.
static int64_t days_before_year(int64_t year)
{
    const int64_t last = year - 1;

    return year * 365 + last / 4 - last / CENTURY + last / 400;
}

static int64_t seconds_of(const struct parts *parts)
{
    int64_t days = days_before_year(parts->year) - days_before_year(1970) + parts->day - 1;

    for (uint32_t month = 0; month < parts->month; month++) {
        days += days_of(parts->year, month);
    }
    return ((days * 24 + parts->hour) * 60 + parts->minute) * 60 + parts->second;
}

bool http_date_read(struct bytes text, int64_t wall_s, int64_t *out_s)
{
    struct rd rd = rd_init(text);
    struct parts parts = {0};

    if (!take_date(&rd, wall_s, &parts) || !rd_is_done(&rd) || !is_sound(&parts)) {
        return false;
    }
    *out_s = seconds_of(&parts);
    return true;
}

// --- writing -------------------------------------------------------------------------------------

static void two_digits_write(struct wr *wr, uint32_t number)
{
    wr_u8(wr, (uint8_t)('0' + number / 10 % 10));
    wr_u8(wr, (uint8_t)('0' + number % 10));
}

// What days_before_year() counts begins with a Sunday, and is one day off before the year 1.
static struct parts parts_of(int64_t days)
{
    struct parts parts = {.year = days * 400 / DAYS_OF_400_YEARS}; // or one too few

    parts.year -= days_before_year(parts.year) > days;
    parts.year += days_before_year(parts.year + 1) <= days;
    days -= days_before_year(parts.year);
    while (days >= days_of(parts.year, parts.month)) {
        days -= days_of(parts.year, parts.month++);
    }
    parts.day = (uint32_t)days + 1;
    return parts;
}

void http_date_write(struct wr *wr, int64_t unix_s)
{
    const int64_t since_0_s = unix_s + days_before_year(1970) * DAY_S;
    const uint32_t second = (uint32_t)(since_0_s % DAY_S);
    const struct parts parts = parts_of(since_0_s / DAY_S);

    assert(since_0_s >= days_before_year(1) * DAY_S);
    assert(parts.year <= 9999);
    wr_text(wr, short_days[since_0_s / DAY_S % DAYS]);
    two_digits_write(wr, parts.day);
    wr_u8(wr, ' ');
    wr_text(wr, months[parts.month]);
    wr_u8(wr, ' ');
    two_digits_write(wr, (uint32_t)(parts.year / CENTURY));
    two_digits_write(wr, (uint32_t)(parts.year % CENTURY));
    wr_u8(wr, ' ');
    two_digits_write(wr, second / 3600);
    wr_u8(wr, ':');
    two_digits_write(wr, second / 60 % 60);
    wr_u8(wr, ':');
    two_digits_write(wr, second % 60);
    wr_text(wr, " GMT");
}

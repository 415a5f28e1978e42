/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <policy/account.h>
#include <string.h>

#define SECONDS_PER_DAY 86400

/* "Locked until an administrator says otherwise": draft-behera-ldap-password-policy-10 section 5.3.3. */
static const char locked_for_good[] = "000001010000Z";

const char *const account_attributes[] = {
    "pwdAccountLockedTime", "pwdStartTime",           "pwdEndTime",       "pwdReset",  "nsAccountLock",
    "shadowExpire",         "passwordExpirationTime", "shadowLastChange", "shadowMax", NULL,
};

/* Two digits as a number, or -1. */
static int two_digits(const char *text)
{
	if (!ascii_is_digit(text[0]) || !ascii_is_digit(text[1]))
		return -1;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar (years run from March, so leap days come last). */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/* "Z", "+hh", "-hhmm" to the offset in seconds. */
static bool parse_zone(const char *text, int64_t *offset_out)
{
	int hours, minutes = 0;

	if (strcmp(text, "Z") == 0) {
		*offset_out = 0;
		return true;
	}
	if (text[0] != '+' && text[0] != '-')
		return false;
	if (strlen(text) != 3 && strlen(text) != 5)
		return false;
	hours = two_digits(text + 1);
	if (text[3] != '\0')
		minutes = two_digits(text + 3);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*offset_out = (text[0] == '-' ? -1 : 1) * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
	return true;
}

/* A fraction of the last part that was given is dropped: nobody is let in or shut out by less than a second. */
static const char *skip_fraction(const char *text)
{
	if (*text != '.' && *text != ',')
		return text;
	do
		text++;
	while (ascii_is_digit(*text));
	return text;
}

bool account_parse_time(const char *text, int64_t *seconds_out)
{
	int century, year, month, day, hour, minute = 0, second = 0;
	int64_t offset;

	if (strlen(text) < 11)
		return false;
	century = two_digits(text);
	year = two_digits(text + 2);
	month = two_digits(text + 4);
	day = two_digits(text + 6);
	hour = two_digits(text + 8);
	text += 10;
	if (ascii_is_digit(*text)) {
		minute = two_digits(text);
		text += minute < 0 ? 0 : 2;
		if (minute >= 0 && ascii_is_digit(*text)) {
			second = two_digits(text);
			text += second < 0 ? 0 : 2;
		}
	}
	if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	if (!parse_zone(skip_fraction(text), &offset))
		return false;
	*seconds_out = days_from_date(century * 100 + year, month, day) * SECONDS_PER_DAY + (int64_t)hour * 3600 +
		       (int64_t)minute * 60 + second - offset;
	return true;
}

/* A whole number, "-1" among them. */
static bool parse_number(const char *text, int64_t *number_out)
{
	bool negative = text[0] == '-';
	int64_t number = 0;

	text += negative ? 1 : 0;
	if (*text == '\0' || strlen(text) > 10)
		return false;
	for (; *text != '\0'; text++) {
		if (!ascii_is_digit(*text))
			return false;
		number = number * 10 + (*text - '0');
	}
	*number_out = negative ? -number : number;
	return true;
}

/* An attribute of one value. False: it has several, or does not parse. Absent: *there_out is false. */
static bool read_time(const struct dir_entry *entry, const char *name, bool *there_out, int64_t *seconds_out)
{
	const struct dir_attribute *attribute = dir_entry_attribute(entry, name);

	*there_out = attribute != NULL && attribute->value_count > 0;
	return !*there_out ||
	       (attribute->value_count == 1 && account_parse_time(attribute->values[0].data, seconds_out));
}

static bool read_number(const struct dir_entry *entry, const char *name, bool *there_out, int64_t *number_out)
{
	const struct dir_attribute *attribute = dir_entry_attribute(entry, name);

	*there_out = attribute != NULL && attribute->value_count > 0;
	return !*there_out || (attribute->value_count == 1 && parse_number(attribute->values[0].data, number_out));
}

static bool is_true(const struct dir_entry *entry, const char *name)
{
	const struct dir_attribute *attribute = dir_entry_attribute(entry, name);

	for (size_t i = 0; attribute != NULL && i < attribute->value_count; i++)
		if (ascii_equal_nocase(attribute->values[i].data, "TRUE"))
			return true;
	return false;
}

/* Whether a lock of that moment is still on; one of a moment to come is, whatever clock is wrong. */
static bool is_locked(int64_t since_s, int64_t now_s, int64_t lockout_s)
{
	return lockout_s == ACCOUNT_LOCKED_UNTIL_LIFTED || now_s < since_s + lockout_s;
}

/* A moment at which something changes by itself, if it is yet to come. */
static void expect_change(struct account_state *state, int64_t now_s, int64_t moment_s)
{
	if (moment_s > now_s && moment_s < state->until_s)
		state->until_s = moment_s;
}

/* The first second of a day; numbers of the directory have ten digits, so it fits. */
static int64_t second_of_day(int64_t day)
{
	return day * SECONDS_PER_DAY;
}

static bool read_lock(const struct dir_entry *entry, int64_t now_s, int64_t lockout_s, struct account_state *state)
{
	const struct dir_attribute *locked = dir_entry_attribute(entry, "pwdAccountLockedTime");

	state->disabled = is_true(entry, "nsAccountLock");
	for (size_t i = 0; locked != NULL && i < locked->value_count; i++) {
		int64_t since = 0;

		if (strcmp(locked->values[i].data, locked_for_good) == 0)
			state->disabled = true;
		else if (!account_parse_time(locked->values[i].data, &since))
			return false;
		else if (is_locked(since, now_s, lockout_s))
			state->locked = true;
		if (state->locked && lockout_s != ACCOUNT_LOCKED_UNTIL_LIFTED)
			expect_change(state, now_s, since + lockout_s);
	}
	return true;
}

int64_t account_lockout_of(const struct dir_entry *policies)
{
	int64_t longest = ACCOUNT_LOCKED_UNTIL_LIFTED;

	for (; policies != NULL; policies = policies->next) {
		int64_t duration = 0;
		bool there;

		if (!read_number(policies, "pwdLockoutDuration", &there, &duration) || !there || duration <= 0)
			return ACCOUNT_LOCKED_UNTIL_LIFTED;
		if (duration > longest)
			longest = duration;
	}
	return longest;
}

bool account_state_of(const struct dir_entry *entry, int64_t now_s, int64_t lockout_s, struct account_state *state_out,
		      const char **malformed_out)
{
	struct account_state state = {.until_s = INT64_MAX};
	int64_t start = 0, end = 0, password_end = 0, expire_day = 0, change_day = 0, max_days = 0;
	int64_t today = now_s / SECONDS_PER_DAY;
	bool has_start, has_end, has_password_end, has_expire, has_change, has_max;
	const char *malformed = NULL;

	if (!read_lock(entry, now_s, lockout_s, &state))
		malformed = "pwdAccountLockedTime";
	else if (!read_time(entry, "pwdStartTime", &has_start, &start))
		malformed = "pwdStartTime";
	else if (!read_time(entry, "pwdEndTime", &has_end, &end))
		malformed = "pwdEndTime";
	else if (!read_time(entry, "passwordExpirationTime", &has_password_end, &password_end))
		malformed = "passwordExpirationTime";
	else if (!read_number(entry, "shadowExpire", &has_expire, &expire_day))
		malformed = "shadowExpire";
	else if (!read_number(entry, "shadowLastChange", &has_change, &change_day))
		malformed = "shadowLastChange";
	else if (!read_number(entry, "shadowMax", &has_max, &max_days))
		malformed = "shadowMax";
	if (malformed != NULL) {
		*malformed_out = malformed;
		return false;
	}
	state.expired = (has_start && now_s < start) || (has_end && now_s >= end) ||
			(has_expire && expire_day >= 0 && today >= expire_day);
	state.password_expired = is_true(entry, "pwdReset") || (has_password_end && now_s >= password_end) ||
				 (has_change && has_max && max_days >= 0 && today > change_day + max_days);
	if (has_start)
		expect_change(&state, now_s, start);
	if (has_end)
		expect_change(&state, now_s, end);
	if (has_expire && expire_day >= 0)
		expect_change(&state, now_s, second_of_day(expire_day));
	if (has_password_end)
		expect_change(&state, now_s, password_end);
	if (has_change && has_max && max_days >= 0)
		expect_change(&state, now_s, second_of_day(change_day + max_days + 1));
	*state_out = state;
	return true;
}

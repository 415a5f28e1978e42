/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/utf.h>
#include <config/config.h>
#include <config/config_value.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *word;
	uint64_t factor;
};

/* The digits a text begins with; NULL when it begins with none, or they say more than 64 bits hold. */
static const char *take_digits(const char *text, uint64_t *number_out)
{
	uint64_t number = 0;
	const char *at = text;

	for (; ascii_is_digit(*at); at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (number > (UINT64_MAX - digit) / 10)
			return NULL;
		number = number * 10 + digit;
	}
	*number_out = number;
	return at == text ? NULL : at;
}

static bool parse_with_unit(const char *text, const struct unit *units, size_t unit_count, uint64_t maximum,
			    uint64_t *value_out)
{
	uint64_t number = 0;
	const char *rest = take_digits(text, &number);

	for (size_t i = 0; rest != NULL && i < unit_count; i++) {
		if (strcmp(rest, units[i].word) != 0)
			continue;
		if (number > maximum / units[i].factor)
			return false;
		*value_out = number * units[i].factor;
		return true;
	}
	return false;
}

static bool is_label_char(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '_';
}

static bool is_dns_name(const char *name, size_t length)
{
	size_t label = 0;

	if (length > CONFIG_DOMAIN_MAX_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (name[i] != '.' ? !is_label_char(name[i]) || ++label > CONFIG_LABEL_MAX_BYTES : label == 0)
			return false;
		if (name[i] == '.')
			label = 0;
	}
	return label > 0;
}

static bool is_netbios_name(const char *name, size_t length)
{
	if (length == 0 || length > CONFIG_NETBIOS_MAX_BYTES)
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] == '\0' || (!is_label_char(name[i]) && strchr("!#$%&'()^{}~", name[i]) == NULL))
			return false;
	return true;
}

/* How many single changes (a letter more, less or other, two swapped) lead from one name to another, without case. */
static size_t name_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	enum { MAX = 32 };
	size_t rows[3][MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	if (a_length > MAX || b_length > MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_length; j++)
		above[j] = before[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			bool same = ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]);
			size_t best = above[j - 1] + (same ? 0 : 1);

			best = above[j] + 1 < best ? above[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			if (i > 1 && j > 1 && ascii_lower(a[i - 1]) == ascii_lower(b[j - 2]) &&
			    ascii_lower(a[i - 2]) == ascii_lower(b[j - 1]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b_length];
}

/* The nearest of the names, if it is near: a third of its letters may differ. */
static const char *find_meant(const char *wrong, const char *const *names, size_t count)
{
	const char *meant = NULL;
	size_t nearest = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]);
		size_t distance = name_distance(wrong, strlen(wrong), names[i], length);

		if (distance >= nearest || distance > (length + 2) / 3)
			continue;
		nearest = distance;
		meant = names[i];
	}
	return meant;
}

bool config_parse_duration(const char *text, uint64_t *ms_out)
{
	static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

	return parse_with_unit(text, units, COUNT_OF(units), CONFIG_MAX_DURATION_MS, ms_out);
}

bool config_parse_size(const char *text, uint64_t *bytes_out)
{
	static const struct unit units[] = {{"B", 1}, {"KB", 1u << 10}, {"MB", 1u << 20}, {"GB", 1u << 30}};

	return parse_with_unit(text, units, COUNT_OF(units), UINT64_MAX, bytes_out);
}

bool config_parse_number(const char *text, uint64_t maximum, uint64_t *number_out)
{
	static const struct unit none = {"", 1};

	return parse_with_unit(text, &none, 1, maximum, number_out);
}

bool config_is_comma_list(const char *word, size_t length)
{
	static const char scheme[] = "://";
	const char *end = word + length;
	const char *comma = memchr(word, ',', length);

	if (comma == NULL)
		return false;
	if (comma == word || end[-1] == ',')
		return true;
	for (const char *at = comma; (size_t)(end - at) >= strlen(scheme); at++)
		if (memcmp(at, scheme, strlen(scheme)) == 0)
			return true;
	return false;
}

bool config_is_domain_name(const char *name, size_t length)
{
	return is_dns_name(name, length) || is_netbios_name(name, length);
}

bool config_is_thumbprint(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!ascii_is_digit(text[i]) && !(ascii_lower(text[i]) >= 'a' && ascii_lower(text[i]) <= 'f'))
			return false;
	return length == CONFIG_THUMBPRINT_BYTES;
}

const char *config_show(struct config_shown *shown, const char *value, size_t length)
{
	const char *end = value + length;
	const char *at = value;
	size_t kept = 0;

	while (at < end) {
		const char *next = at;
		uint32_t code_point = utf8_next(&next, end);
		size_t size = (size_t)(next - at);

		if (kept + size > CONFIG_SHOWN_BYTES)
			break;
		if (code_point == UTF_INVALID || utf_is_control(code_point)) {
			shown->text[kept++] = '?';
		} else {
			memcpy(shown->text + kept, at, size);
			kept += size;
		}
		at = next;
	}
	memcpy(shown->text + kept, at < end ? "..." : "", at < end ? sizeof("...") : 1);
	return shown->text;
}

enum status config_hint_names(struct error *error, enum status status, const char *wrong, const char *const *names,
			      size_t count)
{
	const char *meant = find_meant(wrong, names, count);
	char list[ERROR_TEXT_BYTES] = "";
	size_t length = 0;

	if (count == 0)
		return error_hint(error, status, "nothing is allowed here");
	if (meant != NULL)
		return error_hint(error, status, "did you mean '%s'?", meant);
	for (size_t i = 0; i < count && length < sizeof(list) - 1; i++) {
		int added = snprintf(list + length, sizeof(list) - length, "%s%s", i == 0 ? "" : ", ", names[i]);

		length += added > 0 ? (size_t)added : 0;
	}
	return error_hint(error, status, "allowed here: %s", list);
}

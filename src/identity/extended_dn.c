/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/extended_dn.h>

#include <base/ascii.h>
#include <identity/hex.h>
#include <string.h>

/* "<NAME=value>" */
struct component {
	const char *name, *value;
	size_t name_length, value_length;
};

static bool is_named(const struct component *component, const char *name)
{
	return ascii_equal_nocase_n(component->name, component->name_length, name, strlen(name));
}

/* The component at `at`, which is a '<'. @return what stands behind its separator; NULL: it is none. */
static const char *next_component(const char *at, const char *end, struct component *component)
{
	const char *close = memchr(at, '>', (size_t)(end - at));
	const char *equals = close == NULL ? NULL : memchr(at, '=', (size_t)(close - at));

	if (equals == NULL || close + 1 == end || (close[1] != ';' && close[1] != ','))
		return NULL;
	*component = (struct component){
	    .name = at + 1,
	    .name_length = (size_t)(equals - at - 1),
	    .value = equals + 1,
	    .value_length = (size_t)(close - equals - 1),
	};
	return close + 2;
}

static bool take_guid(const struct component *component, struct extended_dn *extended)
{
	if (extended->guid[0] != '\0' || component->value_length != EXTENDED_DN_GUID_BYTES - 1)
		return false;
	for (size_t i = 0; i < component->value_length; i++) {
		const char c = component->value[i];
		const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? c != '-' : !hex_is_digit(c))
			return false;
		extended->guid[i] = ascii_lower(c);
	}
	return true;
}

static bool take_sid(const struct component *component, struct extended_dn *extended)
{
	if (extended->has_sid)
		return false;
	extended->has_sid = sid_parse_text(component->value, component->value_length, &extended->sid);
	return extended->has_sid;
}

static bool take_ttl(const struct component *component, struct extended_dn *extended)
{
	uint64_t seconds = 0;

	if (extended->has_ttl || component->value_length == 0 || component->value_length > 10)
		return false;
	for (size_t i = 0; i < component->value_length; i++) {
		if (!ascii_is_digit(component->value[i]))
			return false;
		seconds = seconds * 10 + (uint64_t)(component->value[i] - '0');
	}
	if (seconds > UINT32_MAX)
		return false;
	extended->has_ttl = true;
	extended->ttl_s = (uint32_t)seconds;
	return true;
}

static bool take(const struct component *component, struct extended_dn *extended)
{
	if (is_named(component, "SID"))
		return take_sid(component, extended);
	if (is_named(component, "GUID"))
		return take_guid(component, extended);
	if (is_named(component, "TTL"))
		return take_ttl(component, extended);
	return component->name_length > 0;
}

bool extended_dn_parse(const char *value, size_t length, struct extended_dn *extended_out)
{
	struct extended_dn extended = {.has_sid = false};
	const char *at = value, *end = value + length;
	struct component component;

	while (at < end && *at == '<') {
		at = next_component(at, end, &component);
		if (at == NULL || !take(&component, &extended))
			return false;
	}
	if (at == end)
		return false;
	extended.dn = at;
	extended.dn_length = (size_t)(end - at);
	*extended_out = extended;
	return true;
}

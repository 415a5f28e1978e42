/* SPDX-License-Identifier: Apache-2.0 */
#include <support/fake_filter.h>

#include <base/ascii.h>
#include <stdlib.h>
#include <string.h>
#include <support/fake_text.h>

enum kind { AND, OR, NOT, EQUAL, PRESENT, GREATER, LESS, UNKNOWN_RULE };

enum truth { NO = 0, YES, UNDEFINED };

struct fake_filter {
	enum kind kind;
	struct fake_filter *first; /* of AND, OR, NOT */
	struct fake_filter *next;  /* the sibling */
	char *attribute;
	char *key; /* the assertion's; NULL when it breaks the attribute's syntax */
};

static const struct {
	const char *name, *superior;
} classes[] = {
    {"inetOrgPerson", "organizationalPerson"},
    {"organizationalPerson", "person"},
    {"residentialPerson", "person"},
};

static const char *const dn_attributes[] = {"member", "memberOf", "owner", "manager", "entryDN", "seeAlso"};

static const char *const exact_attributes[] = {
    "memberUid",    "entryCSN",     "contextCSN", "uidNumber",  "gidNumber",      "pwdEndTime",          "shadowExpire",
    "pwdStartTime", "userPassword", "uSNChanged", "uSNCreated", "pwdChangedTime", "pwdAccountLockedTime"};

static const char *const binary_attributes[] = {"objectSid", "objectGUID", "tokenGroups"};

static const char *const operational_attributes[] = {"entryUUID",
						     "entryCSN",
						     "contextCSN",
						     "entryDN",
						     "createTimestamp",
						     "modifyTimestamp",
						     "memberOf",
						     "tokenGroups",
						     "hasSubordinates",
						     "pwdChangedTime",
						     "pwdAccountLockedTime",
						     "structuralObjectClass",
						     "pwdEndTime",
						     "pwdStartTime",
						     "pwdPolicySubentry",
						     "subschemaSubentry",
						     "nsAccountLock"};

static bool is_listed(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ascii_equal_nocase(name, list[i]))
			return true;
	}
	return false;
}

bool fake_attribute_is_operational(const char *attribute)
{
	return is_listed(attribute, operational_attributes, COUNT_OF(operational_attributes));
}

/* uniqueMember is a name with an optional bit string: "cn=a,dc=x#'0101'B". Another bit string, another value. */
static char *unique_member_key(const char *data, size_t length)
{
	char *dn = NULL, *key = NULL;
	size_t name = length;

	for (size_t i = length; i > 0; i--) {
		if (data[i - 1] == '#' && length - i >= 3 && data[i] == '\'' && data[length - 1] == 'B') {
			name = i - 1;
			break;
		}
	}
	dn = fake_dn_key(data, name);
	if (dn != NULL)
		key = fake_format("%s%.*s", dn, (int)(length - name), data + name);
	free(dn);
	return key;
}

/* Bytes may hold a NUL: hexadecimal. */
static char *binary_key(const char *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	char *key = fake_new(2 * length + 1, 1);

	for (size_t i = 0; i < length; i++) {
		key[2 * i] = digits[(unsigned char)data[i] >> 4];
		key[2 * i + 1] = digits[(unsigned char)data[i] & 15];
	}
	return key;
}

char *fake_value_key(const char *attribute, const char *data, size_t length)
{
	if (is_listed(attribute, binary_attributes, COUNT_OF(binary_attributes)))
		return binary_key(data, length);
	/* An extended DN (MS-ADTS 3.1.1.3.4.1.5) is shown, never asked for. */
	if (length > 0 && data[0] == '<')
		return fake_fold(data, length);
	if (is_listed(attribute, dn_attributes, COUNT_OF(dn_attributes)))
		return fake_dn_key(data, length);
	if (ascii_equal_nocase(attribute, "uniqueMember"))
		return unique_member_key(data, length);
	if (is_listed(attribute, exact_attributes, COUNT_OF(exact_attributes)))
		return fake_copy(data, length);
	return fake_fold(data, length);
}

void fake_filter_free(struct fake_filter **filter)
{
	/* Recursion goes as deep as the text was nested; the siblings are walked. */
	while (*filter != NULL) {
		struct fake_filter *next = (*filter)->next;

		fake_filter_free(&(*filter)->first);
		free((*filter)->attribute);
		free((*filter)->key);
		free(*filter);
		*filter = next;
	}
}

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The assertion value up to ')', unescaped; NULL when an escape is broken or a '*' or '(' stands in it. */
static char *read_assertion(const char **cursor, size_t *length_out)
{
	const char *c = *cursor;
	char *value = fake_copy(c, strcspn(c, ")"));
	size_t length = 0;

	while (*c != ')' && *c != '\0') {
		if (*c == '*' || *c == '(')
			goto broken;
		if (*c != '\\') {
			value[length++] = *c++;
			continue;
		}
		if (hex_digit(c[1]) < 0 || hex_digit(c[2]) < 0)
			goto broken;
		value[length++] = (char)(hex_digit(c[1]) * 16 + hex_digit(c[2]));
		c += 3;
	}
	value[length] = '\0';
	*cursor = c;
	*length_out = length;
	return value;
broken:
	free(value);
	return NULL;
}

static bool read_comparison(const char **cursor, struct fake_filter *filter)
{
	const char *c = *cursor;
	size_t name = strcspn(c, "=<>~:()");
	size_t length;
	char *value;

	if (name == 0)
		return false;
	filter->attribute = fake_type_name(c, name);
	c += name;
	filter->kind = EQUAL;
	if (*c == '>' || *c == '<') {
		filter->kind = *c == '>' ? GREATER : LESS;
		c++;
	} else if (*c == ':') {
		/* A server that does not know the rule says Undefined, and so does this one. */
		filter->kind = UNKNOWN_RULE;
		c += strcspn(c, "=)");
	}
	if (*c++ != '=')
		return false;
	if (filter->kind == EQUAL && c[0] == '*' && c[1] == ')') {
		filter->kind = PRESENT;
		*cursor = c + 1;
		return true;
	}
	value = read_assertion(&c, &length);
	if (value == NULL)
		return false;
	filter->key = fake_value_key(filter->attribute, value, length);
	free(value);
	*cursor = c;
	return true;
}

static struct fake_filter *parse(const char **cursor);

static bool read_list(const char **cursor, struct fake_filter *filter)
{
	struct fake_filter **end = &filter->first;

	switch (**cursor) {
	case '&':
		filter->kind = AND;
		break;
	case '|':
		filter->kind = OR;
		break;
	default:
		filter->kind = NOT;
		break;
	}
	++*cursor;
	while (**cursor == '(') {
		*end = parse(cursor);
		if (*end == NULL)
			return false;
		end = &(*end)->next;
	}
	return filter->kind != NOT || (filter->first != NULL && filter->first->next == NULL);
}

static struct fake_filter *parse(const char **cursor)
{
	struct fake_filter *filter;
	bool good;

	if (**cursor != '(')
		return NULL;
	++*cursor;
	filter = fake_new(1, sizeof(*filter));
	if (**cursor == '&' || **cursor == '|' || **cursor == '!')
		good = read_list(cursor, filter);
	else
		good = read_comparison(cursor, filter);
	if (good && **cursor == ')') {
		++*cursor;
		return filter;
	}
	fake_filter_free(&filter);
	return NULL;
}

struct fake_filter *fake_filter_parse(const char *text)
{
	struct fake_filter *filter = parse(&text);

	if (filter != NULL && *text != '\0')
		fake_filter_free(&filter);
	return filter;
}

static bool is_class(const char *class, const char *asserted)
{
	bool same = ascii_equal_nocase(asserted, "top");

	while (class != NULL && !same) {
		char *key = fake_fold(class, strlen(class));
		const char *superior = NULL;

		same = strcmp(key, asserted) == 0;
		free(key);
		for (size_t i = 0; i < COUNT_OF(classes); i++) {
			if (ascii_equal_nocase(class, classes[i].name))
				superior = classes[i].superior;
		}
		class = superior;
	}
	return same;
}

static bool value_satisfies(const struct fake_filter *filter, const struct fake_value *value)
{
	int order;

	if (filter->kind == PRESENT)
		return true;
	if (ascii_equal_nocase(filter->attribute, "objectClass"))
		return filter->kind == EQUAL && is_class(value->data, filter->key);
	order = strcmp(value->key, filter->key);
	if (filter->kind == GREATER)
		return order >= 0;
	if (filter->kind == LESS)
		return order <= 0;
	return order == 0;
}

static enum truth compare(const struct fake_filter *filter, const struct fake_entry *entry)
{
	const struct fake_attribute *attribute = fake_entry_attribute(entry, filter->attribute);

	if (filter->kind == UNKNOWN_RULE || (filter->kind != PRESENT && filter->key == NULL))
		return UNDEFINED;
	if (attribute == NULL || attribute->hidden)
		return NO;
	for (size_t i = 0; i < attribute->count; i++) {
		if (value_satisfies(filter, &attribute->values[i]))
			return YES;
	}
	return NO;
}

static enum truth evaluate(const struct fake_filter *filter, const struct fake_entry *entry)
{
	enum truth all = filter->kind == AND ? YES : NO;
	enum truth part;

	if (filter->kind != AND && filter->kind != OR && filter->kind != NOT)
		return compare(filter, entry);
	if (filter->kind == NOT) {
		part = evaluate(filter->first, entry);
		return part == UNDEFINED ? UNDEFINED : (part == YES ? NO : YES);
	}
	for (const struct fake_filter *member = filter->first; member != NULL; member = member->next) {
		part = evaluate(member, entry);
		if (part == (filter->kind == AND ? NO : YES))
			return part;
		if (part == UNDEFINED)
			all = UNDEFINED;
	}
	return all;
}

bool fake_filter_matches(const struct fake_filter *filter, const struct fake_entry *entry)
{
	return evaluate(filter, entry) == YES;
}

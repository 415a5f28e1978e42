/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/dn.h>

#include <base/ascii.h>
#include <base/utf.h>
#include <identity/attribute.h>
#include <identity/hex.h>
#include <string.h>

/*
 * Types whose equality rule is caseIgnoreMatch or caseIgnoreIA5Match in the standard schema and on
 * every server, in the one spelling that slapd shows (it prints "commonName" as "cn"; 389-ds keeps
 * what was written, so an alias is foreign). No telephoneNumber: its rule drops hyphens and blanks.
 */
static const struct {
	size_t length;
	const char *name;
} IGNORE_CASE[] = {
    {2, "cn"},           {2, "dc"}, {2, "ou"},   {3, "uid"},   {1, "o"},      {1, "c"},         {1, "l"},
    {2, "st"},           {2, "sn"}, {4, "mail"}, {5, "title"}, {6, "street"}, {9, "givenName"}, {12, "serialNumber"},
    {11, "description"},
};

/* What a backslash may stand before: RFC 4514's `special`, and '?', which Samba escapes. */
#define ESCAPABLE "\"+,;<>\\ #=?"

/* The rest of a DN while it is read. */
struct cursor {
	const char *at, *end;
	const char *fault; /* why reading stopped, in words that follow "at byte offset N: " */
};

/* One `type=value`, without the blanks around it. */
struct ava {
	const char *type, *value;
	size_t type_length, value_length;
	bool ignores_case;
	char joint; /* what stands behind it: ',' or '+', or NUL at the end */
};

static bool stop(struct cursor *cursor, const char *fault)
{
	cursor->fault = fault;
	return false;
}

static void skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
}

static bool take_hex_pair(struct cursor *cursor)
{
	if (cursor->end - cursor->at < 2 || !hex_is_digit(cursor->at[0]) || !hex_is_digit(cursor->at[1]))
		return stop(cursor, "two hex digits are expected here");
	cursor->at += 2;
	return true;
}

static bool take_escape(struct cursor *cursor)
{
	cursor->at++;
	if (cursor->at < cursor->end && *cursor->at != '\0' && strchr(ESCAPABLE, *cursor->at) != NULL) {
		cursor->at++;
		return true;
	}
	return take_hex_pair(cursor);
}

static bool ignores_case(const char *type, size_t length)
{
	size_t i;

	for (i = 0; i < COUNT_OF(IGNORE_CASE); i++) {
		if (length == IGNORE_CASE[i].length && ascii_equal_nocase_n(type, length, IGNORE_CASE[i].name, length))
			return true;
	}
	return false;
}

static bool take_type(struct cursor *cursor, struct ava *ava)
{
	skip_blanks(cursor);
	ava->type = cursor->at;
	while (cursor->at < cursor->end && attribute_is_type_char(*cursor->at))
		cursor->at++;
	ava->type_length = (size_t)(cursor->at - ava->type);
	if (!attribute_is_type(ava->type, ava->type_length)) {
		cursor->at = ava->type;
		return stop(cursor, "an attribute type is expected here, as in 'cn=...'");
	}
	ava->ignores_case = ignores_case(ava->type, ava->type_length);
	skip_blanks(cursor);
	if (cursor->at == cursor->end || *cursor->at != '=')
		return stop(cursor, "'=' is expected here");
	cursor->at++;
	skip_blanks(cursor);
	return true;
}

/* '#' and the BER encoding of the value in hex. */
static bool take_hexstring(struct cursor *cursor, struct ava *ava)
{
	cursor->at++;
	do {
		if (!take_hex_pair(cursor))
			return false;
	} while (cursor->at < cursor->end && hex_is_digit(*cursor->at));
	ava->value_length = (size_t)(cursor->at - ava->value);
	skip_blanks(cursor);
	return true;
}

static bool take_string(struct cursor *cursor, struct ava *ava)
{
	const char *significant_end = cursor->at;

	while (cursor->at < cursor->end && *cursor->at != ',' && *cursor->at != '+') {
		if (*cursor->at == '\\') {
			if (!take_escape(cursor))
				return false;
			significant_end = cursor->at;
			continue;
		}
		if (*cursor->at == '\0')
			return stop(cursor, "a NUL must be written '\\00'");
		if (*cursor->at == '"' || *cursor->at == ';' || *cursor->at == '<' || *cursor->at == '>')
			return stop(cursor, "this character must have a '\\' before it");
		if (*cursor->at++ != ' ')
			significant_end = cursor->at;
	}
	ava->value_length = (size_t)(significant_end - ava->value);
	return true;
}

/* The next `type=value` and what joins it to its successor; false on a fault. There must be one. */
static bool take_ava(struct cursor *cursor, struct ava *ava)
{
	if (!take_type(cursor, ava))
		return false;
	ava->value = cursor->at;
	if (cursor->at < cursor->end && *cursor->at == '#' ? !take_hexstring(cursor, ava) : !take_string(cursor, ava))
		return false;
	ava->joint = '\0';
	if (cursor->at == cursor->end)
		return true;
	if (*cursor->at != ',' && *cursor->at != '+')
		return stop(cursor, "',' is expected here");
	ava->joint = *cursor->at++;
	return true;
}

/* What every server shows the way it was written. '"', '+', ';', '<', '>' and '\\' are escaped by all, '=' by slapd, '#'
 * and '?' by Samba. */
static bool is_shown_as_written(char c)
{
	switch (c) {
	case '"':
	case '#':
	case '+':
	case ',':
	case ';':
	case '<':
	case '=':
	case '>':
	case '?':
	case '\\':
		return false;
	default:
		return c >= ' ' && c <= '~';
	}
}

static bool is_plain(const struct ava *ava)
{
	size_t i;

	for (i = 0; i < ava->value_length; i++) {
		if (!is_shown_as_written(ava->value[i]))
			return false;
	}
	return ava->value_length > 0 && ava->joint != '+' && ava->ignores_case;
}

/* A key on its way into a text: whole chunks, because a member index makes millions of keys. */
struct key {
	struct text *text;
	size_t used;
	char chunk[128];
};

static void flush_key(struct key *key)
{
	text_add_bytes(key->text, key->chunk, key->used);
	key->used = 0;
}

static void put(struct key *key, char c)
{
	if (key->used == sizeof(key->chunk))
		flush_key(key);
	key->chunk[key->used++] = c;
}

static void put_lower(struct key *key, const char *data, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		put(key, ascii_lower(data[i]));
}

/* The value as it stands, blanks and all; hex pairs in lower case. */
static void put_exact(struct key *key, const struct ava *ava)
{
	size_t i, pair = 0;

	for (i = 0; i < ava->value_length; i++) {
		if (pair > 0) {
			pair--;
			put_lower(key, ava->value + i, 1);
			continue;
		}
		put(key, ava->value[i]);
		if (ava->value[i] == '\\')
			pair = hex_is_digit(ava->value[i + 1]) ? 2 : 1;
	}
}

/* In lower case with inner blanks squeezed; an escaped letter is a hex digit, so lower case is right for it too. */
static void put_folded(struct key *key, const struct ava *ava)
{
	bool after_blank = false, after_escape = false;
	size_t i;

	for (i = 0; i < ava->value_length; i++) {
		if (ava->value[i] != ' ' || !after_blank)
			put_lower(key, ava->value + i, 1);
		after_blank = ava->value[i] == ' ' && !after_escape;
		after_escape = ava->value[i] == '\\' && !after_escape;
	}
}

/* Reads all of a DN, adds its key unless `key` is NULL, and says whether it is plain; false on a fault. */
static bool walk(struct cursor *cursor, struct key *key, bool *plain_out)
{
	bool plain = true;
	struct ava ava = {0};

	do {
		if (!take_ava(cursor, &ava))
			return false;
		plain = plain && is_plain(&ava);
		if (key == NULL)
			continue;
		put_lower(key, ava.type, ava.type_length);
		put(key, '=');
		if (ava.ignores_case)
			put_folded(key, &ava);
		else
			put_exact(key, &ava);
		if (ava.joint != '\0')
			put(key, ava.joint);
	} while (ava.joint != '\0');
	*plain_out = plain;
	return true;
}

enum dn_kind dn_classify(const char *dn, size_t length, struct text *key_out)
{
	struct cursor cursor = {dn, dn + length, NULL};
	struct key key = {.text = key_out};
	bool plain;

	if (key_out != NULL)
		text_clear(key_out);
	if (!walk(&cursor, key_out != NULL ? &key : NULL, &plain) || (!plain && !utf8_is_valid(dn, length))) {
		if (key_out != NULL)
			text_clear(key_out);
		return DN_INVALID;
	}
	if (key_out != NULL && plain)
		flush_key(&key);
	else if (key_out != NULL)
		text_clear(key_out);
	return plain ? DN_PLAIN : DN_FOREIGN;
}

void dn_own_key(const char *dn, size_t length, struct text *key_out)
{
	struct cursor cursor = {dn, dn + length, NULL};
	struct key key = {.text = key_out};
	bool plain;

	text_clear(key_out);
	if (walk(&cursor, &key, &plain)) {
		flush_key(&key);
		return;
	}
	/* No key of a DN is malformed, so a malformed text cannot collide with one. */
	text_clear(key_out);
	text_add_bytes(key_out, dn, length);
}

/* The offset of the first byte that is not UTF-8; `length` when all are. */
static size_t find_not_utf8(const char *data, size_t length)
{
	const char *at = data, *end = data + length;
	size_t offset;

	while (at < end) {
		offset = (size_t)(at - data);
		if (utf8_next(&at, end) == UTF_INVALID)
			return offset;
	}
	return length;
}

enum status dn_check(const char *dn, struct error *error)
{
	size_t length = strlen(dn), bad = find_not_utf8(dn, length);
	struct cursor cursor = {dn, dn + length, NULL};
	bool plain;

	if (length > DN_MAX_BYTES)
		return error_set(error, STATUS_LIMIT, "the DN is %zu bytes long; the most is %d", length, DN_MAX_BYTES);
	if (length == 0)
		return error_set(error, STATUS_INVALID, "the DN is empty");
	if (bad < length)
		return error_set(error, STATUS_INVALID, "the DN is malformed at byte offset %zu: this is not UTF-8",
				 bad);
	if (!walk(&cursor, NULL, &plain))
		return error_set(error, STATUS_INVALID, "the DN is malformed at byte offset %zu: %s",
				 (size_t)(cursor.at - dn), cursor.fault);
	return STATUS_OK;
}

const char *dn_parent(const char *dn)
{
	for (; *dn != '\0' && *dn != ','; dn++) {
		/* Behind a backslash stands one character, or a hex pair, whose second digit is no comma. */
		if (*dn == '\\' && dn[1] != '\0')
			dn++;
	}
	if (*dn == '\0')
		return NULL;
	do {
		dn++;
	} while (*dn == ' ');
	return *dn != '\0' ? dn : NULL;
}

static void add_hex(struct text *dn, const char *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		text_printf(dn, "\\%02X", (unsigned)(unsigned char)bytes[i]);
}

void dn_add_value(struct text *dn, const void *value, size_t length)
{
	const char *start = value, *end = start + length, *at = start, *next;
	uint32_t code_point;

	for (; at < end; at = next) {
		next = at;
		code_point = utf8_next(&next, end);
		if (code_point == UTF_INVALID || code_point < ' ' || code_point == 0x7F) {
			add_hex(dn, at, (size_t)(next - at));
			continue;
		}
		if (code_point < 0x80 && (strchr("\"+,;<=>\\", *at) != NULL || (at == start && *at == '#') ||
					  (*at == ' ' && (at == start || next == end))))
			text_add_char(dn, '\\');
		text_add_bytes(dn, at, (size_t)(next - at));
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <identity/sender.h>

#include <base/ascii.h>
#include <base/utf.h>
#include <identity/fold_table.h>
#include <inttypes.h>
#include <string.h>

/* What never stands in a SAM name, and what of it does not stand in an atom of RFC 5322 either. */
#define NOT_IN_SAM_NAME "\"/[]:;|=,+*?<>"
#define NOT_IN_ATOM     "\"[]:;,<>"

/* UTF-8 needs at most 3 bytes for a UTF-16 unit, so a longer name has too many units whatever it holds. */
#define MAX_BYTES ((size_t)3 * SENDER_MAX_UPN_UNITS)

/* Code points that no name may hold: they hide, reorder or break what an administrator reads. Ascending. */
static const struct {
	uint32_t first, last;
	const char *what;
} REFUSED[] = {
    {0x0000, 0x0000, "a NUL"},
    {0x0001, 0x001F, "a control character"},
    {0x007F, 0x009F, "a control character"},
    {0x00AD, 0x00AD, "an invisible character"},  /* soft hyphen */
    {0x034F, 0x034F, "an invisible character"},  /* combining grapheme joiner */
    {0x061C, 0x061C, "a bidirectional control"}, /* Arabic letter mark */
    {0x115F, 0x1160, "an invisible character"},  /* Hangul fillers */
    {0x17B4, 0x17B5, "an invisible character"},  /* Khmer inherent vowels */
    {0x180E, 0x180E, "an invisible character"},  /* Mongolian vowel separator */
    {0x200B, 0x200D, "a zero-width character"},  /* zero-width space, non-joiner, joiner */
    {0x200E, 0x200F, "a bidirectional control"}, /* left-to-right and right-to-left marks */
    {0x2028, 0x2029, "a line separator"},        /* line and paragraph separators */
    {0x202A, 0x202E, "a bidirectional control"}, /* embeddings and overrides */
    {0x2060, 0x2065, "a zero-width character"},  /* word joiner, invisible operators */
    {0x2066, 0x2069, "a bidirectional control"}, /* isolates */
    {0x206A, 0x206F, "an invisible character"},  /* deprecated format characters */
    {0x3164, 0x3164, "an invisible character"},  /* Hangul filler */
    {0xFDD0, 0xFDEF, "a noncharacter"},
    {0xFEFF, 0xFEFF, "a zero-width character"},   /* byte order mark */
    {0xFFA0, 0xFFA0, "an invisible character"},   /* half-width Hangul filler */
    {0xFFF0, 0xFFFB, "an invisible character"},   /* interlinear annotation */
    {0xFFFD, 0xFFFD, "a replacement character"},  /* what stood here was lost, so this is nobody's name */
    {0xE0000, 0xE007F, "an invisible character"}, /* tags */
};

/* A part of the name. */
struct part {
	const char *words; /* what it is called in an error */
	const char *data;
	size_t length;
	size_t offset;         /* of its first byte in the name */
	const char *forbidden; /* ASCII characters */
	size_t max_units;
};

static const char *refused_what(uint32_t code_point)
{
	size_t i;

	if (code_point >= ' ' && code_point < 0x7F)
		return NULL;
	if ((code_point & 0xFFFE) == 0xFFFE)
		return "a noncharacter";
	for (i = 0; i < COUNT_OF(REFUSED) && code_point >= REFUSED[i].first; i++) {
		if (code_point <= REFUSED[i].last)
			return REFUSED[i].what;
	}
	return NULL;
}

/* Unicode's White_Space, without the ones that are refused anyway. */
static bool is_blank(uint32_t code_point)
{
	return code_point == ' ' || code_point == 0x00A0 || code_point == 0x1680 ||
	       (code_point >= 0x2000 && code_point <= 0x200A) || code_point == 0x202F || code_point == 0x205F ||
	       code_point == 0x3000;
}

static enum status too_long(const char *words, size_t max_units, struct error *error)
{
	return error_set(error, STATUS_INVALID, "%s is longer than %zu UTF-16 units", words, max_units);
}

/* What holds for the whole name, whatever its form. */
static enum status check_whole(const char *name, size_t length, struct error *error)
{
	const char *at = name, *end = name + length, *what;
	size_t offset, units = 0;
	uint32_t code_point;

	if (length == 0)
		return error_set(error, STATUS_INVALID, "the sender name is empty");
	if (length > MAX_BYTES)
		return too_long("the sender name", SENDER_MAX_UPN_UNITS, error);
	while (at < end) {
		offset = (size_t)(at - name);
		code_point = utf8_next(&at, end);
		if (code_point == UTF_INVALID)
			return error_set(error, STATUS_INVALID, "the sender name is not UTF-8 at byte offset %zu",
					 offset);
		what = refused_what(code_point);
		if (what != NULL)
			return error_set(error, STATUS_INVALID,
					 "the sender name holds %s (U+%04" PRIX32 ") at byte offset %zu", what,
					 code_point, offset);
		units += code_point > 0xFFFF ? 2 : 1;
	}
	return units > SENDER_MAX_UPN_UNITS ? too_long("the sender name", SENDER_MAX_UPN_UNITS, error) : STATUS_OK;
}

/* What holds for a part; its bytes have passed check_whole(). */
static enum status check_part(const struct part *part, struct error *error)
{
	const char *at = part->data, *start = at, *end = at + part->length;
	uint32_t code_point = 0;
	size_t units = 0;

	if (part->length == 0)
		return error_set(error, STATUS_INVALID, "%s is empty (byte offset %zu)", part->words, part->offset);
	while (at < end) {
		start = at;
		code_point = utf8_next(&at, end);
		if (start == part->data && is_blank(code_point))
			return error_set(error, STATUS_INVALID, "%s begins with a blank (byte offset %zu)", part->words,
					 part->offset);
		if (code_point < 0x80 && strchr(part->forbidden, *start) != NULL)
			return error_set(error, STATUS_INVALID, "%s holds '%c' at byte offset %zu", part->words, *start,
					 part->offset + (size_t)(start - part->data));
		units += code_point > 0xFFFF ? 2 : 1;
	}
	if (is_blank(code_point) || code_point == '.')
		return error_set(error, STATUS_INVALID, "%s ends with a %s (byte offset %zu)", part->words,
				 code_point == '.' ? "dot" : "blank", part->offset + (size_t)(start - part->data));
	return units > part->max_units ? too_long(part->words, part->max_units, error) : STATUS_OK;
}

static bool begins_like_sid(const char *data, size_t length)
{
	return length >= 4 && ascii_equal_nocase_n(data, 4, "S-1-", 4);
}

/* Finds the one '\' or '@' (NULL in a plain name). */
static enum status find_separator(const char *name, size_t length, const char **separator_out, struct error *error)
{
	const char *end = name + length, *backslash = memchr(name, '\\', length), *at = memchr(name, '@', length);
	const char *separator = backslash != NULL ? backslash : at, *second;

	if (backslash != NULL && at != NULL) {
		error_set(error, STATUS_INVALID,
			  "the sender name holds '\\' (byte offset %zu) and '@' (byte offset %zu)",
			  (size_t)(backslash - name), (size_t)(at - name));
		return error_hint(error, STATUS_INVALID, "Give DOMAIN\\user or user@domain, not both in one.");
	}
	second = separator != NULL ? memchr(separator + 1, *separator, (size_t)(end - separator - 1)) : NULL;
	if (second != NULL)
		return error_set(error, STATUS_INVALID, "the sender name holds a second '%c' at byte offset %zu",
				 *separator, (size_t)(second - name));
	*separator_out = separator;
	return STATUS_OK;
}

/* Cuts the name at its separator. The domain's data is NULL where there is none. */
static enum sender_form cut(const char *name, size_t length, const char *separator, struct part *user,
			    struct part *domain)
{
	size_t first = separator != NULL ? (size_t)(separator - name) : length;
	struct part before = {.data = name, .length = first};
	struct part behind = {.length = first < length ? length - first - 1 : 0, .offset = first + 1};
	bool is_domain_user = separator != NULL && *separator == '\\';

	behind.data = separator != NULL ? separator + 1 : NULL;
	*user = is_domain_user ? behind : before;
	*domain = is_domain_user ? before : behind;
	user->words = separator != NULL ? "the user part of the sender name" : "the sender name";
	user->forbidden = is_domain_user ? NOT_IN_SAM_NAME : NOT_IN_ATOM;
	user->max_units = separator != NULL && !is_domain_user ? SENDER_MAX_UPN_UNITS : SENDER_MAX_USER_UNITS;
	domain->words = "the domain part of the sender name";
	domain->forbidden = NOT_IN_SAM_NAME;
	domain->max_units = SENDER_MAX_DOMAIN_UNITS;
	if (separator == NULL)
		return SENDER_PLAIN;
	return is_domain_user ? SENDER_DOMAIN_USER : SENDER_UPN;
}

static enum status parse_sid(const char *name, size_t length, struct arena *arena, struct sender *sender_out,
			     struct error *error)
{
	struct sender sender = {.form = SENDER_SID};

	if (!sid_parse_text(name, length, &sender.sid)) {
		error_set(error, STATUS_INVALID, "the sender name begins like a SID but is none");
		return error_hint(error, STATUS_INVALID,
				  "A SID looks like S-1-5-21-1-2-3-1104; no account is looked up "
				  "by a name that could be taken for one.");
	}
	sender.name = arena_copy_bytes(arena, name, length);
	if (sender.name == NULL)
		return error_no_memory(error);
	*sender_out = sender;
	return STATUS_OK;
}

enum status sender_parse(const char *name, size_t length, struct arena *arena, struct sender *sender_out,
			 struct error *error)
{
	struct part user, domain;
	struct sender sender = {0};
	const char *separator = NULL;
	enum status status = check_whole(name, length, error);

	if (status != STATUS_OK)
		return status;
	if (begins_like_sid(name, length))
		return parse_sid(name, length, arena, sender_out, error);
	status = find_separator(name, length, &separator, error);
	if (status != STATUS_OK)
		return status;
	sender.form = cut(name, length, separator, &user, &domain);
	status = check_part(&user, error);
	if (status == STATUS_OK && domain.data != NULL)
		status = check_part(&domain, error);
	if (status != STATUS_OK)
		return status;
	if (begins_like_sid(user.data, user.length))
		return error_set(error, STATUS_INVALID, "%s begins like a SID (byte offset %zu)", user.words,
				 user.offset);

	sender.name = arena_copy_bytes(arena, name, length);
	sender.user = arena_copy_bytes(arena, user.data, user.length);
	if (domain.data != NULL)
		sender.domain = arena_copy_bytes(arena, domain.data, domain.length);
	if (sender.name == NULL || sender.user == NULL || (domain.data != NULL && sender.domain == NULL))
		return error_no_memory(error);
	*sender_out = sender;
	return STATUS_OK;
}

static uint32_t fold(uint32_t code_point)
{
	size_t low = 0, high = COUNT_OF(FOLD_RANGES), middle;
	const struct fold_range *range;

	if (code_point < 0x80) /* nearly always */
		return code_point >= 'A' && code_point <= 'Z' ? code_point + 0x20 : code_point;
	while (low < high) {
		middle = low + (high - low) / 2;
		range = &FOLD_RANGES[middle];
		if (code_point < range->first)
			high = middle;
		else if (code_point > range->last)
			low = middle + 1;
		else if ((code_point - range->first) % range->stride == 0)
			return (uint32_t)((int64_t)code_point + range->delta);
		else
			return code_point;
	}
	return code_point;
}

bool sender_name_is_same(const char *asked, const char *returned, size_t returned_length)
{
	const char *asked_end = asked + strlen(asked), *returned_end;
	uint32_t a, b;

	if (returned_length == 0)
		return false;
	returned_end = returned + returned_length;
	while (asked < asked_end && returned < returned_end) {
		a = utf8_next(&asked, asked_end);
		b = utf8_next(&returned, returned_end);
		if (a == UTF_INVALID || b == UTF_INVALID || fold(a) != fold(b))
			return false;
	}
	return asked == asked_end && returned == returned_end;
}

/* Names may be long, so they are hashed piece by piece; each piece is keyed by what came before it. */
#define HASH_PIECE 64

uint64_t sender_name_hash(const struct digest_key *key, const char *name, size_t length)
{
	const char *end = name + length;
	struct digest_key chain = *key;
	struct digest digest = {0, 0};
	uint32_t piece[HASH_PIECE];
	size_t count;

	do {
		for (count = 0; count < HASH_PIECE && name < end; count++) {
			const unsigned char byte = (unsigned char)*name;
			const uint32_t code_point = utf8_next(&name, end);

			piece[count] = code_point == UTF_INVALID ? UINT32_MAX - byte : fold(code_point);
		}
		digest = digest_of(&chain, piece, count * sizeof(piece[0]));
		chain = (struct digest_key){digest.high, digest.low};
	} while (name < end);
	return digest.high;
}

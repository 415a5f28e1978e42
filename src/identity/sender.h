/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sender names: what a WinRM client said it is called, taken apart. Pure: no I/O, no state.
 *
 * Four forms are accepted: a SID ("S-1-5-21-..."), DOMAIN\user, user@domain, and a plain name.
 * Whether the domain is one of ours, and whether a plain name has a home, is the policy's affair
 * and decided by the caller; nothing falls through from one form to another.
 *
 * Sources: WSMAN_SENDER_DETAILS (senderName); MS-SAMR 3.1.1.8.4 (characters not allowed in a SAM name);
 * MS-ADTS 5.1.1.1.1 lists the forms a DC takes: we take fewer on purpose; RFC 5322 section 3.2.3 (atoms).
 */
#ifndef WSMAUTHZ_IDENTITY_SENDER_H
#define WSMAUTHZ_IDENTITY_SENDER_H

#include <base/arena.h>
#include <base/digest.h>
#include <base/error.h>
#include <base/sid.h>

/* In UTF-16 units, as Windows counts: a SAM name (UNLEN), a DNS name, and the whole, which may be a UPN. */
#define SENDER_MAX_USER_UNITS   256
#define SENDER_MAX_DOMAIN_UNITS 255
#define SENDER_MAX_UPN_UNITS    1024

enum sender_form {
	SENDER_NONE = 0,
	SENDER_SID,         /* S-1-5-21-... */
	SENDER_DOMAIN_USER, /* DOMAIN\user */
	SENDER_UPN,         /* user@domain */
	SENDER_PLAIN,       /* user */
};

struct sender {
	enum sender_form form;
	const char *name;   /* as given */
	const char *user;   /* the part before the '@', behind the '\', or all; NULL for a SID */
	const char *domain; /* NULL for SENDER_SID and SENDER_PLAIN */
	struct sid sid;     /* for SENDER_SID */
};

/**
 * Take a sender name apart.
 *
 * Refused, each with its own words and the byte offset (from 0) at which it stands:
 *  - an empty name, an empty part;
 *  - more units than the limits above (SENDER_MAX_USER_UNITS: DOMAIN\user and plain names only);
 *  - what is not UTF-8; NUL and every other C0 or C1 control character, DEL; line and paragraph separators;
 *    zero-width, bidirectional and other invisible characters; U+FFFD; noncharacters;
 *  - a blank, of any Unicode kind, at either end of the name or of a part;
 *  - a trailing dot of a part (so also the domain ".");
 *  - more than one backslash, more than one '@', a backslash together with '@';
 *  - in DOMAIN\user any of `" / [ ] : ; | = , + * ? < >` in either part, and in user@domain in the
 *    domain: they are never valid in a SAM name, a NetBIOS name or a DNS name;
 *  - in a plain name and in the user part of a UPN, which may be an LDAP uid or a mail address, only
 *    `" [ ] : ; , < >` of these: the others may stand in an atom of RFC 5322;
 *  - what begins like a SID ("S-1-", without regard to case) but is none; and a user part that does.
 *
 * @param name        `length` bytes; may hold any byte.
 * @param arena       gets the copies that *sender_out points to.
 * @param sender_out  untouched unless STATUS_OK.
 * @param error       never holds bytes of the name, but for a printable character that is refused.
 * @return STATUS_OK, STATUS_INVALID, STATUS_NO_MEMORY.
 */
NODISCARD enum status sender_parse(const char *name, size_t length, struct arena *arena, struct sender *sender_out,
				   struct error *error);

/**
 * Whether a name that came back from the directory is the name that was asked for.
 *
 * Equal code point by code point, after folding each by its simple lower-case mapping where that
 * is one to one (so no Kelvin sign for 'k', no dotted I for 'i'; the table says which); no
 * normalisation, no other equivalence, because servers match far more than that (full-width
 * letters, blanks, composed forms) and a match we did not ask for is somebody else. An empty name,
 * and what is not UTF-8, is never the same.
 *
 * @param asked     NUL-terminated.
 * @param returned  any bytes.
 */
bool sender_name_is_same(const char *asked, const char *returned, size_t returned_length);

/** A hash of a name that is equal for names which are the same by sender_name_is_same; what is not UTF-8 is hashed byte by byte. */
uint64_t sender_name_hash(const struct digest_key *key, const char *name, size_t length);

#endif

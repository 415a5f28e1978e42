/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_code.h>

#include <base/compiler.h>
#include <directory/dir_search.h>

/*
 * Numbers instead of the names in <ldap.h>: this file knows no LDAP library. The positive ones are
 * RFC 4511 appendix A; the negative ones are libldap's own, and those from 0x51 to 0x61 wldap32's (<winldap.h>).
 */
static const struct {
	int code;
	enum dir_outcome outcome;
	const char *text;
} codes[] = {
    {0, DIR_OUTCOME_OK, "success"},
    /* AD: also "not bound", and tokenGroups in a search that is not of base scope. */
    {1, DIR_OUTCOME_REFUSED, "operations error"},
    {2, DIR_OUTCOME_REFUSED, "protocol error"},
    {3, DIR_OUTCOME_LIMIT, "time limit exceeded"},
    {4, DIR_OUTCOME_LIMIT, "size limit exceeded"},
    {7, DIR_OUTCOME_NOT_PERMITTED, "authentication method not supported"},
    {8, DIR_OUTCOME_NOT_PERMITTED, "stronger authentication required"},
    {10, DIR_OUTCOME_REFERRAL, "referral"},
    {11, DIR_OUTCOME_LIMIT, "administrative limit exceeded"},
    {12, DIR_OUTCOME_REFUSED, "critical extension not available"},
    {13, DIR_OUTCOME_NOT_PERMITTED, "confidentiality required"},
    {14, DIR_OUTCOME_REFUSED, "bind in progress"},
    {16, DIR_OUTCOME_REFUSED, "no such attribute"},
    {17, DIR_OUTCOME_REFUSED, "undefined attribute type"},
    {18, DIR_OUTCOME_REFUSED, "inappropriate matching"},
    {21, DIR_OUTCOME_REFUSED, "invalid attribute syntax"},
    {32, DIR_OUTCOME_NO_SUCH_OBJECT, "no such object"},
    {33, DIR_OUTCOME_REFUSED, "alias problem"},
    {34, DIR_OUTCOME_REFUSED, "invalid DN syntax"},
    {36, DIR_OUTCOME_REFUSED, "alias dereferencing problem"},
    {48, DIR_OUTCOME_NOT_PERMITTED, "inappropriate authentication"},
    {49, DIR_OUTCOME_NOT_PERMITTED, "invalid credentials"},
    {50, DIR_OUTCOME_NOT_PERMITTED, "insufficient access rights"},
    {51, DIR_OUTCOME_BUSY, "busy"},
    {52, DIR_OUTCOME_BUSY, "unavailable"},
    {53, DIR_OUTCOME_BUSY, "unwilling to perform"},
    {54, DIR_OUTCOME_REFUSED, "loop detected"},
    {80, DIR_OUTCOME_BUSY, "other error"},
    {-1, DIR_OUTCOME_BAD_CONNECTION, "connection lost"},
    {-2, DIR_OUTCOME_BAD_CONNECTION, "local error"},
    {-3, DIR_OUTCOME_REFUSED, "encoding error"},
    {-4, DIR_OUTCOME_BAD_CONNECTION, "decoding error"},
    {-5, DIR_OUTCOME_TIMEOUT, "timed out"},
    {-6, DIR_OUTCOME_NOT_PERMITTED, "unknown authentication method"},
    {-7, DIR_OUTCOME_REFUSED, "bad search filter"},
    {-9, DIR_OUTCOME_REFUSED, "bad parameter"},
    {-10, DIR_OUTCOME_NO_MEMORY, "out of memory"},
    {-11, DIR_OUTCOME_BAD_CONNECTION, "connect error"},
    {-12, DIR_OUTCOME_REFUSED, "not supported"},
    {0x51, DIR_OUTCOME_BAD_CONNECTION, "connection lost"},
    {0x52, DIR_OUTCOME_BAD_CONNECTION, "local error"},
    {0x53, DIR_OUTCOME_REFUSED, "encoding error"},
    {0x54, DIR_OUTCOME_BAD_CONNECTION, "decoding error"},
    {0x55, DIR_OUTCOME_TIMEOUT, "timed out"},
    {0x56, DIR_OUTCOME_NOT_PERMITTED, "unknown authentication method"},
    {0x57, DIR_OUTCOME_REFUSED, "bad search filter"},
    {0x58, DIR_OUTCOME_BAD_CONNECTION, "cancelled"},
    {0x59, DIR_OUTCOME_REFUSED, "bad parameter"},
    {0x5a, DIR_OUTCOME_NO_MEMORY, "out of memory"},
    {0x5b, DIR_OUTCOME_BAD_CONNECTION, "connect error"},
    {0x5c, DIR_OUTCOME_REFUSED, "not supported"},
    {0x5d, DIR_OUTCOME_REFUSED, "control not found"},
    {0x5e, DIR_OUTCOME_BAD_CONNECTION, "no results returned"},
    {0x5f, DIR_OUTCOME_BAD_CONNECTION, "more results to return"},
    {0x60, DIR_OUTCOME_REFUSED, "client loop"},
    {0x61, DIR_OUTCOME_REFUSED, "too many referrals"},
};

#define NOT_THERE COUNT_OF(codes)

static unsigned long find(int code)
{
	unsigned long i;

	for (i = 0; i < COUNT_OF(codes) && codes[i].code != code; i++)
		;
	return i;
}

const char *dir_code_text(int code)
{
	const unsigned long at = find(code);

	return at == NOT_THERE ? "unknown result" : codes[at].text;
}

enum dir_outcome dir_outcome_of_code(int code)
{
	const unsigned long at = find(code);

	if (at != NOT_THERE)
		return codes[at].outcome;
	/* A code that we do not know tells us nothing; a library that is lost for words has lost the connection. */
	return code < 0 ? DIR_OUTCOME_BAD_CONNECTION : DIR_OUTCOME_REFUSED;
}

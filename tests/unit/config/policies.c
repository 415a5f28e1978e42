/* SPDX-License-Identifier: Apache-2.0 */
#include <unit/config/policies.h>

#include <base/compiler.h>

#define GOOD(text)                                                                                                     \
	{                                                                                                              \
		text, SCHEMA_TAKES, STATUS_OK, NULL, NULL                                                              \
	}

static const struct policy_row good[] = {
    GOOD(HEAD DIRECTORY ALLOW TAIL),
    GOOD("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" HEAD ALLOW DIRECTORY TAIL),
    GOOD("<p:wsmauthz xmlns:p=\"urn:wsmauthz:policy:1\"><p:directory uri=\"ldap://localhost\" base=\"dc=example\">"
	 "<p:bind mechanism=\"anonymous\"/></p:directory><p:allow group=\"cn=a,dc=example\"></p:allow></p:wsmauthz>"),
    GOOD("<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" "
	 "i:schemaLocation=\"urn:wsmauthz:policy:1 wsmauthz.xsd\">" DIRECTORY ALLOW TAIL),
    GOOD("<wsmauthz xmlns=\"urn:wsmauthz:policy:1\" default-domain=\"corp\"><directory uri=\"ldap://localhost\" "
	 "base=\"dc=example\" domain=\"CORP  corp.example\">" BIND "</directory>" ALLOW TAIL),
    GOOD(WITH("<!-- a comment --><?editor mode?>")),
    GOOD(WITH("<deny group=\"cn=b,dc=example\" if-missing=\"ignore\"/>")),
    GOOD(WITH("<allow group=\"cn=b,dc=example\" administrator=\" true \" fresh=\"false\" max-shells=\"0\" "
	      "max-operations=\"4294967294\" timeslot=\"60s\" max-operations-per-timeslot=\"5\"/>")),
    GOOD(WITH("<cache ttl=\"0s\" negative-ttl=\"500ms\" stale-limit=\"2h\" unwatched-ttl=\"1m\" max-entries=\"1\" "
	      "member-index=\"0\"/>")),
    GOOD(WITH("<account disabled=\"allow\" expired=\"deny\" locked=\"allow\" password-expired=\"deny\" "
	      "filter=\"(employeeType=*)\"/>")),
    GOOD(WITH("<account filter=\"\"/><plugin completion=\"asynchronous\" allow-null-token=\"true\"/>")),
    GOOD(WITH("<certificates issuers=\"0123456789abcdef0123456789ABCDEF01234567 "
	      "1123456789abcdef0123456789ABCDEF01234567\"/>")),
    GOOD(WITH("<audit to=\"file\" file=\"audit.log\"/><metrics file=\"metrics\"/>")),
    GOOD(WITH("<audit to=\"journal\" file=\"\"/><metrics file=\"\"/>")),
    GOOD(WITH_URI("LDAPI://%2Frun%2Fslapd.sock", "")),
    GOOD(WITH_URI("ldapi://%2Frun%2Fslapd.sock", "<tls mode=\"none\"/>")),
    GOOD(WITH_URI("ldaps://a.example ldaps://b.example:1636", "<tls/>")),
    GOOD(WITH_URI("ldap://a.example", "<tls mode=\"none\"/>")),
    GOOD(WITH_URI("ldap://a.example",
		  "<tls mode=\"starttls\" ca-file=\"ca.pem\" crl-file=\"ca.pem\" minimum=\"1.3\"/>")),
    GOOD(WITH_URI("ldap://a.example", "<pool connections=\"8\"/><groups strategy=\"memberof\" base=\"ou=g,dc=x\"/>")),
    GOOD(WITH_URI("ldap://a.example", "<users name-attribute=\"cn\" upn-attribute=\"mail\" filter=\"(cn=*)\"/>")),
    GOOD(WITH_CHILD("<bind mechanism=\"simple\" dn=\"cn=svc\" password-file=\"bind.secret\"/>")),
    GOOD(WITH_CHILD("<bind mechanism=\"SCRAM-SHA-256\" user=\"svc\" password-file=\"bind.secret\"/>")),
    GOOD(WITH_CHILD("<bind mechanism=\"EXTERNAL\"/>")),
    GOOD(WITH_CHILD("<bind mechanism=\"GSSAPI\" user=\"svc\"/>")),
    GOOD(WITH_SITE("attribute=\"l\" here=\"New York\" unmapped=\"deny\"",
		   "<here value=\"Boston\"/><site name=\"EMEA\" uri=\"" HTTPS "\"/><here value=\"Quebec\"/>")),
    GOOD(WITH_SITE("",
		   "<site group=\"cn=lab,dc=example\" uri=\"http://winrm.example:5985/wsman\" allow-http=\"true\"/>")),
    GOOD(WITH_SITE("attribute=\"l\" here=\"AMER\"", "")),
};

const struct policy_table policies_good = {good, COUNT_OF(good)};

/* Wrong as XML, or in the names of elements and attributes. */
static const struct policy_row bad_form[] = {
    {"", SCHEMA_UNASKED, STATUS_INVALID, "not well-formed XML", NULL},
    {"hello", SCHEMA_UNASKED, STATUS_INVALID, "1: not well-formed XML", NULL},
    {HEAD DIRECTORY ALLOW, SCHEMA_UNASKED, STATUS_INVALID, "not well-formed XML", NULL},
    {HEAD DIRECTORY ALLOW TAIL "<again/>", SCHEMA_UNASKED, STATUS_INVALID, "5: not well-formed XML", NULL},
    {HEAD DIRECTORY ALLOW "<cache ttl=\"1s\" ttl=\"2s\"/>" TAIL, SCHEMA_UNASKED, STATUS_INVALID,
     "4: not well-formed XML: Attribute ttl redefined", NULL},
    {WITH("<x:cache/>"), SCHEMA_UNASKED, STATUS_INVALID, "4: not well-formed XML: Namespace prefix x", NULL},
    {"<!DOCTYPE wsmauthz>\n" HEAD DIRECTORY ALLOW TAIL, SCHEMA_UNASKED, STATUS_INVALID, "1: document type declarations",
     "<!DOCTYPE"},
    {"<wsmauthz>" DIRECTORY ALLOW TAIL, SCHEMA_REFUSES, STATUS_INVALID, "1: <wsmauthz> is in the namespace ''",
     "urn:wsmauthz:policy:1"},
    {"<wsmauthz xmlns=\"urn:wsmauthz:policy:2\">" DIRECTORY ALLOW TAIL, SCHEMA_REFUSES, STATUS_INVALID,
     "1: <wsmauthz> is in the namespace 'urn:wsmauthz:policy:2'", "urn:wsmauthz:policy:1"},
    {"<policy xmlns=\"urn:wsmauthz:policy:1\"/>", SCHEMA_REFUSES, STATUS_INVALID, "1: the document is a <policy>",
     "write <wsmauthz"},
    {WITH("<cache xmlns=\"\"/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: <cache> is in the namespace ''", ""},
    {WITH("<chache/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: unknown element <chache> in <wsmauthz>",
     "did you mean 'cache'?"},
    {WITH("<Cache/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: unknown element <Cache>", "did you mean 'cache'?"},
    {WITH("<permit/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: unknown element <permit>",
     "allowed here: directory, allow,"},
    {WITH("<cache><ttl/></cache>"), SCHEMA_REFUSES, STATUS_INVALID, "4: unknown element <ttl> in <cache>",
     "nothing is allowed here"},
    {WITH("<cache/>\n<cache/>"), SCHEMA_TAKES, STATUS_INVALID, "5: <cache> stands a second time in <wsmauthz>", NULL},
    {WITH("<audit/><audit/>"), SCHEMA_TAKES, STATUS_INVALID, "4: <audit> stands a second time", NULL},
    {WITH("\n\n<cache>\n5m</cache>"), SCHEMA_REFUSES, STATUS_INVALID, "7: <cache> holds text", "remove the text"},
    {WITH("hello"), SCHEMA_REFUSES, STATUS_INVALID, "4: <wsmauthz> holds text", "remove the text"},
    {WITH("<![CDATA[hello]]>"), SCHEMA_REFUSES, STATUS_INVALID, "4: <wsmauthz> holds text", "remove the text"},
    {WITH("<cache\n\n\ntll=\"1s\"\n/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: <cache> has an unknown attribute 'tll'",
     "did you mean 'ttl'?"},
    {WITH("<allow group=\"cn=b\" maxshells=\"1\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: <allow> has an unknown attribute 'maxshells'", "did you mean 'max-shells'?"},
    {WITH("<allow group=\"cn=b\" colour=\"red\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: <allow> has an unknown attribute 'colour'", "allowed here: group, max-shells,"},
    {WITH("<cache x:ttl=\"1s\" xmlns:x=\"urn:x\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: <cache> has the attribute 'ttl' of a foreign namespace", NULL},
    {WITH("<cache xml:lang=\"en\"/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: <cache> has the attribute 'lang'", NULL},
    {WITH("<allow/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: <allow> lacks the attribute 'group'", NULL},
    {WITH("<metrics/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: <metrics> lacks the attribute 'file'", NULL},
    {WITH("<plugin completion=\"synchronous\" allow-null-token=\"yes\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: plugin/@allow-null-token: 'yes' is none of its values", "allowed here: true, false"},
    {WITH("<plugin completion=\"asynchronus\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: plugin/@completion: 'asynchronus' is none", "did you mean 'asynchronous'?"},
    {WITH("<plugin completion=\"asyn&#10;chronous\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: plugin/@completion: there is a control character in it", NULL},
    {WITH("<cache ttl=\"5\"/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: cache/@ttl: '5' is not a duration",
     "write a whole"},
    {WITH("<cache ttl=\"101\"/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: cache/@ttl: '101' is not a duration", ""},
    {WITH("<cache ttl=\"2401h\"/>"), SCHEMA_TAKES, STATUS_INVALID, "4: cache/@ttl: '2401h' is not a duration", ""},
    {WITH("<cache max-entries=\"0\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: cache/@max-entries: '0' is not from 1 to 10000000", NULL},
    {WITH("<cache max-entries=\"-1\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: cache/@max-entries: '-1' is not a whole number", NULL},
    {WITH("<cache member-index=\"128mb\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: cache/@member-index: '128mb' is not a size", "KB, MB or GB"},
    {WITH("<account disabled=\"true\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: account/@disabled: 'true' is none of its values", "allowed here: allow, deny"},
    {WITH("<account filter=\"(cn=*\"/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: account/@filter: ", ""},
    {WITH("<certificates issuers=\"\"/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: certificates/@issuers: it is empty",
     NULL},
    {WITH("<certificates issuers=\"01 23\"/>"), SCHEMA_REFUSES, STATUS_INVALID,
     "4: certificates/@issuers: '01' is not a SHA-1 thumbprint", "40 hexadecimal digits"},
    {WITH("<certificates issuers=\"0123456789abcdef0123456789ABCDEF01234567 "
	  "0123456789ABCDEF0123456789ABCDEF01234567\"/>"),
     SCHEMA_TAKES, STATUS_INVALID, "4: certificates/@issuers: '0123456789ABCDEF0123456789ABCDEF01234567' stands there",
     NULL},
    {WITH("<audit to=\"eventlog\"/>"), SCHEMA_TAKES, STATUS_INVALID,
     "4: audit/@to: the event log exists on Windows only", "journal"},
    {WITH("<audit to=\"syslog\"/>"), SCHEMA_REFUSES, STATUS_INVALID, "4: audit/@to: 'syslog' is none of its values",
     "allowed here: journal, file, eventlog"},
    {WITH("<audit to=\"file\"/>"), SCHEMA_TAKES, STATUS_INVALID, "4: <audit to=\"file\"> lacks the attribute 'file'",
     NULL},
    {WITH("<audit to=\"file\" file=\"\"/>"), SCHEMA_TAKES, STATUS_INVALID, "4: <audit to=\"file\"> lacks", NULL},
    {WITH("<audit file=\"audit.log\"/>"), SCHEMA_TAKES, STATUS_INVALID, "4: <audit> names a file but does not write",
     "add to=\"file\""},
};

const struct policy_table policies_bad_form = {bad_form, COUNT_OF(bad_form)};

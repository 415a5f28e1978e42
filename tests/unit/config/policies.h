/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies and what is expected of them. The same rows are given to the loader (test_policies.c) and, written
 * into files, to the schema (schema.sh), so that the two cannot drift apart unseen.
 *
 * The text of most rows is put together from the parts below; each part is one line, so that the line of what
 * is wrong can be counted: HEAD is line 1, DIRECTORY line 2, ALLOW line 3.
 */
#ifndef WSMAUTHZ_TESTS_UNIT_CONFIG_POLICIES_H
#define WSMAUTHZ_TESTS_UNIT_CONFIG_POLICIES_H

#include <base/error.h>
#include <stddef.h>

#define HEAD      "<wsmauthz xmlns=\"urn:wsmauthz:policy:1\">\n"
#define BIND      "<bind mechanism=\"anonymous\"/>"
#define DIRECTORY "<directory uri=\"ldap://localhost\" base=\"dc=example\">" BIND "</directory>\n"
#define ALLOW     "<allow group=\"cn=a,dc=example\"/>\n"
#define TAIL      "</wsmauthz>\n"

/* A policy of which only one line, the fourth, is of interest; or the attributes of the directory; or its children. */
#define WITH(line)           HEAD DIRECTORY ALLOW line "\n" TAIL
#define WITH_DIRECTORY(line) HEAD line "\n" ALLOW TAIL
#define WITH_CHILD(child)                                                                                              \
	WITH_DIRECTORY("<directory uri=\"ldap://localhost\" base=\"dc=example\">" child "</directory>")
#define WITH_URI(uri, child)         WITH_DIRECTORY("<directory uri=\"" uri "\" base=\"dc=example\">" BIND child "</directory>")
#define WITH_SITE(attributes, sites) WITH("<redirect " attributes ">" sites "</redirect>")

#define HTTPS                        "https://winrm.example:5986/wsman"

/* What the schema makes of a row. */
enum schema_view {
	SCHEMA_REFUSES, /* it is wrong in form */
	SCHEMA_TAKES,   /* it is good, or wrong in a way that only the loader sees */
	SCHEMA_UNASKED, /* not a document that a schema can look at */
};

struct policy_row {
	const char *text;
	enum schema_view schema;
	enum status status;
	const char *what; /* part of the error, from the line's number on */
	const char *hint; /* part of its hint, "" for any; NULL: there is none */
};

struct policy_table {
	const struct policy_row *rows;
	size_t count;
};

extern const struct policy_table policies_good;
extern const struct policy_table policies_bad_form;
extern const struct policy_table policies_bad_directory;
extern const struct policy_table policies_bad_rules;

#endif

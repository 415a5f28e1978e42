/* SPDX-License-Identifier: Apache-2.0 */
/* The changes: in the directory, and to the policy file. What fails ends the program. */
#ifndef REVOCATION_WRITE_H
#define REVOCATION_WRITE_H

#include <base/compiler.h>
#include <stdbool.h>

struct writer;

/** Bind to the directory as the one who may write all. `is_ad`: it is a domain controller. */
struct writer *writer_open(const char *uri, const char *dn, const char *password, const char *suffix, bool is_ad);
void writer_close(struct writer *writer);

/** "uid=NAME,ou=people,SUFFIX", "cn=NAME,ou=groups,SUFFIX"; of a controller "CN=NAME,OU=People,SUFFIX", and so on; owned by the writer, until the next call of the same. */
const char *writer_person(struct writer *writer, const char *name);
const char *writer_group(struct writer *writer, const char *name);

/** Add a value to an attribute of an entry, or take it away. */
void writer_value(struct writer *writer, const char *dn, const char *attribute, const char *value, bool is_added);
/** Let an account have expired, or be disabled, and take that back. */
void writer_disable(struct writer *writer, const char *person, bool is_disabled);
/** Make a person. */
void writer_make_person(struct writer *writer, const char *dn, const char *name);
/** Make a group with one member. */
void writer_make_group(struct writer *writer, const char *dn, const char *name, const char *member);
/** Whoever is deleted is taken out of all groups (domain controllers), or stays in them as a name (LDAP). */
bool writer_deletes_links(const struct writer *writer);
void writer_delete(struct writer *writer, const char *dn);

/** Put a copy of `from` in the place of `path`, at once. */
void writer_replace_file(const char *path, const char *from);

#endif

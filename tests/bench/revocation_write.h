/* SPDX-License-Identifier: Apache-2.0 */
/* The changes: in the directory, and to the policy file. What fails ends the program. */
#ifndef REVOCATION_WRITE_H
#define REVOCATION_WRITE_H

#include <base/compiler.h>
#include <stdbool.h>

struct writer;

/** Bind to the directory as the one who may write all. */
struct writer *writer_open(const char *uri, const char *dn, const char *password, const char *suffix);
void writer_close(struct writer *writer);

/** "uid=NAME,ou=people,SUFFIX", "cn=NAME,ou=groups,SUFFIX"; owned by the writer, until the next call of the same. */
const char *writer_person(struct writer *writer, const char *name);
const char *writer_group(struct writer *writer, const char *name);

/** Add a value to an attribute of an entry, or take it away. */
void writer_value(struct writer *writer, const char *dn, const char *attribute, const char *value, bool is_added);
/** Make a group with one member, or delete it. */
void writer_make_group(struct writer *writer, const char *dn, const char *name, const char *member);
void writer_delete(struct writer *writer, const char *dn);

/** Put a copy of `from` in the place of `path`, at once. */
void writer_replace_file(const char *path, const char *from);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands before the XML parser: a document passes as UTF-8 without a DTD and within the bounds of
 * xml_reader.h, or it does not reach the parser. The same for every parser library.
 */
#ifndef WSMAUTHZ_CONFIG_XML_GATE_H
#define WSMAUTHZ_CONFIG_XML_GATE_H

#include <base/compiler.h>
#include <base/error.h>
#include <stddef.h>

/**
 * Bring a document to UTF-8 without a byte-order mark: *document_out points into `data`, or to *owned_out.
 *
 * @param owned_out  the converted document (memory_free), or NULL where none was needed.
 * @return STATUS_OK, STATUS_INVALID (neither UTF-8 nor UTF-16 with a byte-order mark, or a NUL in it),
 *         STATUS_LIMIT (over XML_MAX_DOCUMENT_BYTES), STATUS_NO_MEMORY.
 */
NODISCARD enum status xml_gate_decode(const char *data, size_t length, const char *name, const char **document_out,
				      size_t *length_out, char **owned_out, struct error *error);

/**
 * Look over a UTF-8 document before it is parsed.
 *
 * @param was_utf16  what its XML declaration may call its encoding: UTF-16 then, else UTF-8.
 * @return STATUS_OK; STATUS_INVALID (a DTD, another encoding); STATUS_LIMIT (depth, attributes, bytes of a value).
 *         `what` begins with "name:line: ".
 */
NODISCARD enum status xml_gate_check(const char *document, size_t length, const char *name, int was_utf16,
				     struct error *error);

#endif

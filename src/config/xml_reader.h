/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pull reader for small XML documents that may be hostile: no DTD, no entities but the five of
 * XML itself, no network, no files but the bytes given; depth, attributes and size are bounded.
 *
 *	xml_reader_open(data, length, "policy.xml", &reader, &error)
 *	while (xml_reader_next(reader, &error) == STATUS_OK && xml_reader_node(reader) != XML_END)
 *		...
 *	xml_reader_close(&reader);
 *
 * Nodes that carry nothing for us (comments, processing instructions, white space) are not shown.
 * An empty element is shown as its start followed by its end, so that callers have one form only.
 *
 * One implementation a library: xml_reader_libxml2.c here, xml_reader_xmllite.c on Windows.
 */
#ifndef WSMAUTHZ_CONFIG_XML_READER_H
#define WSMAUTHZ_CONFIG_XML_READER_H

#include <base/compiler.h>
#include <base/error.h>
#include <stddef.h>

/* Bounds of a document: a policy needs three levels and a dozen attributes; WinRM's own parameters little more. */
#define XML_MAX_DOCUMENT_BYTES ((size_t)4 * 1024 * 1024)
#define XML_MAX_DEPTH          16
#define XML_MAX_ATTRIBUTES     64    /* of one element, namespace declarations included */
#define XML_MAX_VALUE_BYTES    65536 /* of one attribute or text, as written */

struct xml_reader;

enum xml_node {
	XML_NONE = 0, /* before the first node */
	XML_ELEMENT_START,
	XML_ELEMENT_END,
	XML_TEXT, /* text or CDATA that is not only white space */
	XML_END,  /* behind the last node */
};

/**
 * Check the bounds of a document and stand before its first node.
 *
 * @param data  `length` bytes; must be valid UTF-8 (a byte-order mark is skipped; UTF-16 with a byte-order
 *              mark is taken too); borrowed until the close.
 * @param name  what messages call the document ("/etc/wsmauthz/wsmauthz.xml"); borrowed likewise.
 * @return STATUS_OK; STATUS_INVALID (neither UTF-8 nor UTF-16, a DTD, another encoding in the XML declaration);
 *         STATUS_LIMIT (a bound above); STATUS_NO_MEMORY. `what` begins with the name, and the line where there is one.
 *
 * Threads: any; one reader is for one thread at a time.
 */
NODISCARD enum status xml_reader_open(const char *data, size_t length, const char *name, struct xml_reader **reader_out,
				      struct error *error);

/** NULL-safe; sets the pointer to NULL. */
void xml_reader_close(struct xml_reader **reader);

/**
 * Go to the next node. Behind XML_END it stays there; after a failure it fails again in the same words.
 *
 * @return STATUS_OK; STATUS_INVALID (not well-formed, an undeclared prefix, an attribute given twice; `what` begins
 *         with "name:line: "); STATUS_NO_MEMORY.
 */
NODISCARD enum status xml_reader_next(struct xml_reader *reader, struct error *error);

enum xml_node xml_reader_node(const struct xml_reader *reader);
/** The line in which the node begins. */
unsigned xml_reader_line(const struct xml_reader *reader);

/* All strings below are borrowed until the next xml_reader_next. */

/** Local name and namespace URI ("" for none) of the element. */
const char *xml_reader_name(const struct xml_reader *reader);
const char *xml_reader_namespace(const struct xml_reader *reader);

/** Attributes of an element's start, in the order of the document; namespace declarations are left out. */
size_t xml_reader_attribute_count(const struct xml_reader *reader);
const char *xml_reader_attribute_name(const struct xml_reader *reader, size_t index);
const char *xml_reader_attribute_namespace(const struct xml_reader *reader, size_t index);
const char *xml_reader_attribute_value(const struct xml_reader *reader, size_t index);

/** The text of an XML_TEXT node. */
const char *xml_reader_text(const struct xml_reader *reader);

#endif

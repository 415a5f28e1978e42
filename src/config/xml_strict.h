/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a document must keep to, and some parsers let pass: XmlLite as Wine 8 has it takes entities that nobody has declared, numbers
 * that are no character, "]]>" in a text and "--" in a comment. Asked before such a parser.
 *
 * Sources: XML 1.0 (fifth edition) productions 2, 14, 15, 66 and 68, sections 2.4, 2.5 and 4.1.
 */
#ifndef WSMAUTHZ_CONFIG_XML_STRICT_H
#define WSMAUTHZ_CONFIG_XML_STRICT_H

#include <base/compiler.h>
#include <base/error.h>
#include <stddef.h>

/**
 * @param document  UTF-8, as xml_gate_check has let it pass.
 * @param name      what messages call it.
 * @return STATUS_OK, STATUS_INVALID (`what` begins with "name:line: not well-formed XML: ").
 */
NODISCARD enum status xml_strict_check(const char *document, size_t length, const char *name, struct error *error);

#endif

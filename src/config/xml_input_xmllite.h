/* SPDX-License-Identifier: Apache-2.0 */
/* A document as XmlLite is given it. Used within config, on Windows. */
#ifndef WSMAUTHZ_CONFIG_XML_INPUT_XMLLITE_H
#define WSMAUTHZ_CONFIG_XML_INPUT_XMLLITE_H

#include <base/compiler.h>
#include <stdbool.h>
#include <stddef.h>
#include <windows.h>

#include <objidl.h>
#include <xmllite.h>

struct xml_input {
	IStream *stream; /* has a copy of the document */
	IUnknown *input;
	IXmlReader *text;
};

/** The document is UTF-8, whatever it says: xml_gate_decode has decided it. False: no memory; what is open is closed all the same. */
NODISCARD bool xml_input_open(struct xml_input *input, const char *document, size_t length);
void xml_input_close(struct xml_input *input);

/** The XML declaration of what was UTF-16 says so, and it is UTF-8 now. The gate has seen that the word is its encoding. */
void xml_input_rename_encoding(char *document, size_t length);

#endif

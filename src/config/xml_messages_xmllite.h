/* SPDX-License-Identifier: Apache-2.0 */
/* What the numbers of XmlLite mean. Used within config, on Windows. */
#ifndef WSMAUTHZ_CONFIG_XML_MESSAGES_XMLLITE_H
#define WSMAUTHZ_CONFIG_XML_MESSAGES_XMLLITE_H

#include <windows.h>

struct xml_message {
	HRESULT code;
	const char *text;
	const char *hint; /* NULL: the message must do */
};

/** NULL: a number that says nothing to the writer of a document. */
const struct xml_message *xml_message_of(HRESULT code);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <config/xml_messages_xmllite.h>

#include <base/compiler.h>
#include <stddef.h>

#include <objidl.h>
#include <xmllite.h>

#define CODE(number)   ((HRESULT)(number))
#define QUOTE_HINT     "a straight \" or ' is expected around a value"
#define AMPERSAND_HINT "write &amp; for &, and &lt; for <"

/* The mistakes that people make in a text editor; of others the number must do. */
static const struct xml_message messages[] = {
    {CODE(MX_E_INPUTEND), "the document ends too early", NULL},
    {CODE(WC_E_WHITESPACE), "white space is missing", NULL},
    {CODE(WC_E_SEMICOLON), "the ; behind an entity is missing", AMPERSAND_HINT},
    {CODE(WC_E_GREATERTHAN), "the > at the end of a tag is missing", NULL},
    {CODE(WC_E_QUOTE), "a value without quotes", QUOTE_HINT},
    {CODE(WC_E_EQUAL), "the = behind an attribute's name is missing", NULL},
    {CODE(WC_E_LESSTHAN), "a < within a value", "close the quote before it, or write &lt; for <"},
    {CODE(WC_E_XMLCHARACTER), "a character that XML does not have", NULL},
    {CODE(WC_E_NAMECHARACTER), "a character that a name may not have", AMPERSAND_HINT},
    {CODE(WC_E_SYNTAX), "it is not the form of a document", NULL},
    {CODE(WC_E_CDSECT), "a CDATA section that is none", NULL},
    {CODE(WC_E_COMMENT), "a comment that is none", NULL},
    {CODE(WC_E_DECLDOCTYPE), "a document type declaration", NULL},
    {CODE(WC_E_ROOTELEMENT), "there must be one element around all others", NULL},
    {CODE(WC_E_ELEMENTMATCH), "Opening and ending tag mismatch", NULL},
    {CODE(WC_E_UNIQUEATTRIBUTE), "an attribute that is given twice", NULL},
    {CODE(WC_E_XMLDECL), "an XML declaration that is none", NULL},
    {CODE(WC_E_UNDECLAREDENTITY), "an entity that is not defined", AMPERSAND_HINT},
    {CODE(WC_E_CDSECTEND), "]]> stands in a text", "write ]]&gt;"},
    {CODE(NC_E_UNDECLAREDPREFIX), "Namespace prefix is not defined", NULL},
    {CODE(NC_E_DECLAREDPREFIX), "a namespace prefix that may not be declared", NULL},
    {CODE(NC_E_QNAMECOLON), "a name with two colons", NULL},
    {CODE(NC_E_QNAMECHARACTER), "a character that a name may not have", NULL},
};

const struct xml_message *xml_message_of(HRESULT code)
{
	for (size_t i = 0; i < COUNT_OF(messages); i++)
		if (messages[i].code == code)
			return &messages[i];
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#define COBJMACROS
#define INITGUID /* no library has the number of IXmlReader */
#include <config/xml_input_xmllite.h>

#include <base/ascii.h>
#include <config/xml_lex.h>
#include <shlwapi.h>
#include <string.h>

bool xml_input_open(struct xml_input *input, const char *document, size_t length)
{
	void *text = NULL;

	input->stream = SHCreateMemStream((const BYTE *)document, (UINT)length);
	if (input->stream == NULL || FAILED(CreateXmlReader(&IID_IXmlReader, &text, NULL)))
		return false;
	input->text = text;
	return SUCCEEDED(
		   IXmlReader_SetProperty(input->text, XmlReaderProperty_DtdProcessing, DtdProcessing_Prohibit)) &&
	       SUCCEEDED(CreateXmlReaderInputWithEncodingName((IUnknown *)input->stream, NULL, L"utf-8", FALSE, NULL,
							      &input->input)) &&
	       SUCCEEDED(IXmlReader_SetInput(input->text, input->input));
}

void xml_input_close(struct xml_input *input)
{
	if (input->text != NULL)
		(void)IXmlReader_Release(input->text);
	if (input->input != NULL)
		(void)IUnknown_Release(input->input);
	if (input->stream != NULL)
		(void)IStream_Release(input->stream);
	*input = (struct xml_input){0};
}

void xml_input_rename_encoding(char *document, size_t length)
{
	static const char was[] = "UTF-16";
	struct xml_lex lex;
	char *at, quote;

	xml_lex_start(&lex, document, length);
	if (xml_lex_next(&lex) == XML_PIECE_END || lex.length < 6 || memcmp(document, "<?xml", 5) != 0)
		return;
	for (at = document; (size_t)(at - document) + sizeof(was) <= lex.length; at++) {
		if (!ascii_equal_nocase_n(at, strlen(was), was, strlen(was)))
			continue;
		quote = at[strlen(was)];
		memcpy(at, "UTF-8", 5);
		at[5] = quote;
		at[6] = ' ';
		return;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What XmlLite does not do, or Wine's does not, is done here: entities and characters are looked over before it (xml_strict.h), and an
 * attribute that is given twice is found beside it.
 *
 * Sources: learn.microsoft.com/previous-versions/windows/desktop/ms752838(v=vs.85) (IXmlReader), .../ms762770(v=vs.85).
 */
#define COBJMACROS
#include <base/arena.h>
#include <base/ascii.h>
#include <base/memory.h>
#include <base/utf.h>
#include <config/xml_gate.h>
#include <config/xml_input_xmllite.h>
#include <config/xml_lex.h>
#include <config/xml_messages_xmllite.h>
#include <config/xml_reader.h>
#include <config/xml_strict.h>
#include <stdbool.h>
#include <string.h>
#include <windows.h>

/* Strings of one node: at most its attributes at their largest, and their names. */
#define NODE_MAX_BYTES ((size_t)2 * XML_MAX_DOCUMENT_BYTES)

_Static_assert(sizeof(WCHAR) == sizeof(uint16_t), "Windows speaks UTF-16");

struct attribute {
	const char *name;
	const char *namespace;
	const char *value;
};

struct xml_reader {
	const char *name; /* borrowed */
	char *converted;  /* owned; NULL where the caller's bytes are parsed as they are */
	struct xml_input input;
	IXmlReader *text;   /* of the input */
	struct xml_lex lex; /* walks beside the parser, for the lines */
	unsigned depth;     /* of elements that are open */
	bool has_root;

	enum xml_node node;
	unsigned line;
	bool end_is_due;       /* an empty element's start was shown */
	struct arena *strings; /* of the node; owned */
	const char *element_name;
	const char *element_namespace;
	struct attribute *attributes;
	size_t attribute_count;
	const char *value;
	struct error problem; /* the first that went wrong; STATUS_OK while nothing did */
};

static unsigned parser_line(struct xml_reader *reader)
{
	UINT line = 0;

	return SUCCEEDED(IXmlReader_GetLineNumber(reader->text, &line)) && line > 0 ? line : reader->lex.line;
}

static void refuse_node(struct xml_reader *reader, const char *what)
{
	error_set(&reader->problem, STATUS_INVALID, "%s:%u: %s", reader->name, parser_line(reader), what);
}

static void remember_problem(struct xml_reader *reader, HRESULT code)
{
	const struct xml_message *message = xml_message_of(code);

	if (reader->problem.status != STATUS_OK)
		return;
	if (code == E_OUTOFMEMORY) {
		error_no_memory(&reader->problem);
		return;
	}
	if (message == NULL) {
		error_set(&reader->problem, STATUS_INVALID, "%s:%u: not well-formed XML: error 0x%08lx of XmlLite",
			  reader->name, parser_line(reader), (unsigned long)code);
		return;
	}
	error_set(&reader->problem, STATUS_INVALID, "%s:%u: not well-formed XML: %s", reader->name, parser_line(reader),
		  message->text);
	if (message->hint != NULL)
		error_hint(&reader->problem, STATUS_INVALID, "%s", message->hint);
}

static enum status fail(struct xml_reader *reader, struct error *error)
{
	reader->node = XML_NONE;
	reader->attribute_count = 0;
	if (error != NULL)
		*error = reader->problem;
	return reader->problem.status;
}

/*
 * Step beside the parser to the tag that it shows, and note its line. Parser and pieces must agree on every tag:
 * should the parser ever lose one, the document is not read at all.
 */
static void follow(struct xml_reader *reader, enum xml_piece expected)
{
	enum xml_piece piece = xml_lex_next(&reader->lex);

	while (piece == XML_PIECE_NOTHING || piece == XML_PIECE_TEXT)
		piece = xml_lex_next(&reader->lex);
	reader->line = reader->lex.line;
	if (piece != expected && reader->problem.status == STATUS_OK)
		error_set(&reader->problem, STATUS_INTERNAL, "%s:%u: the XML parser lost a part of the document",
			  reader->name, reader->line);
}

/* The same for text, which may have been white space in the parser's eyes: never past a tag. */
static void follow_text(struct xml_reader *reader)
{
	struct xml_lex ahead = reader->lex;

	while (xml_lex_next(&ahead) == XML_PIECE_NOTHING)
		;
	if (ahead.piece != XML_PIECE_TEXT)
		return;
	reader->lex = ahead;
	reader->line = ahead.line;
}

static bool forget_node(struct xml_reader *reader)
{
	arena_free(&reader->strings);
	reader->strings = arena_new(NODE_MAX_BYTES);
	reader->attributes = NULL;
	reader->attribute_count = 0;
	reader->element_name = reader->element_namespace = reader->value = "";
	return reader->strings != NULL;
}

/* UTF-16 of the parser's, which the next step takes back; NULL: no memory, or not UTF-16. */
static const char *copy_units(struct xml_reader *reader, const WCHAR *units, UINT count)
{
	size_t length = 0;
	char *copy;

	/* Three bytes a unit at most; documents are far below the half of what a size can be. */
	copy = arena_alloc(reader->strings, (size_t)count * 3 + 1);
	if (copy == NULL || !utf16_to_utf8_into((const uint16_t *)units, count, copy, &length))
		return NULL;
	copy[length] = '\0';
	return copy;
}

typedef HRESULT(STDMETHODCALLTYPE *string_fn)(IXmlReader *text, LPCWSTR *string, UINT *length);

static const char *copy_string(struct xml_reader *reader, string_fn get)
{
	const WCHAR *units = NULL;
	UINT count = 0;
	const HRESULT code = get(reader->text, &units, &count);

	if (FAILED(code))
		remember_problem(reader, code);
	return SUCCEEDED(code) && units != NULL ? copy_units(reader, units, count) : NULL;
}

/* Wine's XmlLite takes a prefix that nobody has declared: its namespace is empty then. Namespaces in XML 1.0 section 5. */
static void check_prefix(struct xml_reader *reader, const char *namespace)
{
	const char *name = copy_string(reader, reader->text->lpVtbl->GetQualifiedName);
	const char *colon = name != NULL ? strchr(name, ':') : NULL;

	if (reader->problem.status != STATUS_OK)
		return;
	if (name == NULL)
		error_no_memory(&reader->problem);
	else if (colon != NULL && *namespace == '\0')
		error_set(&reader->problem, STATUS_INVALID,
			  "%s:%u: not well-formed XML: Namespace prefix %.*s is not defined", reader->name,
			  reader->line, (int)(colon - name), name);
}

static bool copy_name(struct xml_reader *reader)
{
	reader->element_name = copy_string(reader, reader->text->lpVtbl->GetLocalName);
	reader->element_namespace = copy_string(reader, reader->text->lpVtbl->GetNamespaceUri);
	if (reader->element_name == NULL || reader->element_namespace == NULL)
		return false;
	check_prefix(reader, reader->element_namespace);
	return true;
}

/* xmlns="..." and xmlns:x="...". */
static bool is_declaration(struct xml_reader *reader)
{
	const WCHAR *prefix = NULL, *name = NULL;
	UINT prefix_count = 0, name_count = 0;

	if (FAILED(IXmlReader_GetPrefix(reader->text, &prefix, &prefix_count)) ||
	    FAILED(IXmlReader_GetLocalName(reader->text, &name, &name_count)))
		return false;
	return prefix_count > 0 ? wcscmp(prefix, L"xmlns") == 0 : wcscmp(name, L"xmlns") == 0;
}

static bool copy_attribute(struct xml_reader *reader)
{
	struct attribute *attribute = &reader->attributes[reader->attribute_count];

	attribute->name = copy_string(reader, reader->text->lpVtbl->GetLocalName);
	attribute->namespace = copy_string(reader, reader->text->lpVtbl->GetNamespaceUri);
	attribute->value = copy_string(reader, reader->text->lpVtbl->GetValue);
	if (attribute->name == NULL || attribute->namespace == NULL || attribute->value == NULL)
		return false;
	check_prefix(reader, attribute->namespace);
	reader->attribute_count++;
	return true;
}

static bool copy_attributes(struct xml_reader *reader)
{
	size_t seen = 0;
	HRESULT moved;

	reader->attributes = arena_alloc_array(reader->strings, XML_MAX_ATTRIBUTES, sizeof(*reader->attributes));
	if (reader->attributes == NULL)
		return false;
	for (moved = IXmlReader_MoveToFirstAttribute(reader->text); moved == S_OK;
	     moved = IXmlReader_MoveToNextAttribute(reader->text)) {
		/* The gate has counted them; this holds should the two ever count differently. */
		if (seen++ == XML_MAX_ATTRIBUTES)
			return false;
		if (!is_declaration(reader) && !copy_attribute(reader))
			return false;
	}
	if (FAILED(moved))
		remember_problem(reader, moved);
	return moved == S_FALSE && seen == reader->lex.attribute_count &&
	       SUCCEEDED(IXmlReader_MoveToElement(reader->text));
}

/* By name and namespace; XML 1.0 section 3.1, Namespaces in XML 1.0 section 6.3. At most XML_MAX_ATTRIBUTES. */
static void check_unique(struct xml_reader *reader)
{
	for (size_t i = 1; i < reader->attribute_count; i++) {
		const struct attribute *later = &reader->attributes[i];

		for (size_t k = 0; k < i; k++) {
			if (strcmp(later->name, reader->attributes[k].name) != 0 ||
			    strcmp(later->namespace, reader->attributes[k].namespace) != 0)
				continue;
			error_set(&reader->problem, STATUS_INVALID, "%s:%u: not well-formed XML: %s %s redefined",
				  reader->name, reader->line,
				  *later->namespace != '\0' ? "Namespaced Attribute" : "Attribute", later->name);
			return;
		}
	}
}

static void show_start(struct xml_reader *reader)
{
	reader->node = XML_ELEMENT_START;
	reader->has_root = true;
	reader->depth++;
	reader->end_is_due = IXmlReader_IsEmptyElement(reader->text) != 0;
	follow(reader, reader->end_is_due ? XML_PIECE_EMPTY : XML_PIECE_START);
	if ((!copy_name(reader) || !copy_attributes(reader)) && reader->problem.status == STATUS_OK)
		error_no_memory(&reader->problem);
	if (reader->problem.status == STATUS_OK)
		check_unique(reader);
}

static void show_end(struct xml_reader *reader)
{
	reader->node = XML_ELEMENT_END;
	reader->depth--;
	follow(reader, XML_PIECE_CLOSE);
	if (!copy_name(reader) && reader->problem.status == STATUS_OK)
		error_no_memory(&reader->problem);
}

/* Text, or nothing when it is only white space. */
static bool show_text(struct xml_reader *reader)
{
	reader->value = copy_string(reader, reader->text->lpVtbl->GetValue);
	if (reader->value == NULL) {
		reader->value = "";
		if (reader->problem.status == STATUS_OK)
			error_no_memory(&reader->problem);
		return true;
	}
	if (reader->value[strspn(reader->value, " \t\r\n")] == '\0')
		return false;
	reader->node = XML_TEXT;
	follow_text(reader);
	if (reader->depth == 0)
		refuse_node(reader, "not well-formed XML: text that stands in no element");
	return true;
}

/* Show the node on which the parser stands, if it is of a kind that is shown; or set the problem. */
static void show(struct xml_reader *reader, XmlNodeType type, bool *shown_out)
{
	*shown_out = true;
	switch ((int)type) {
	case XmlNodeType_Element:
		show_start(reader);
		break;
	case XmlNodeType_EndElement:
		show_end(reader);
		break;
	case XmlNodeType_Text:
	case XmlNodeType_CDATA:
		*shown_out = show_text(reader);
		break;
	case XmlNodeType_Whitespace:
	case XmlNodeType_Comment:
	case XmlNodeType_ProcessingInstruction:
	case XmlNodeType_XmlDeclaration:
		*shown_out = false;
		break;
	case XmlNodeType_DocumentType:
		/* The gate refuses them before the parser starts; this is the second lock on that door. */
		refuse_node(reader, "document type declarations are not taken");
		break;
	default:
		refuse_node(reader, "entities are not taken");
		break;
	}
}

/* One step of the parser; false at the end and on failure (then the problem is set). */
static bool step(struct xml_reader *reader, XmlNodeType *type_out)
{
	const HRESULT result = IXmlReader_Read(reader->text, type_out);

	if (FAILED(result))
		remember_problem(reader, result);
	return result == S_OK;
}

/* Takes over `converted` when it succeeds. */
static struct xml_reader *reader_new(const char *document, size_t length, const char *name, char *converted)
{
	struct xml_reader *reader = memory_new(sizeof(*reader));

	if (reader == NULL)
		return NULL;
	reader->name = name;
	if (converted != NULL)
		xml_input_rename_encoding(converted, length);
	if (!forget_node(reader) || !xml_input_open(&reader->input, document, length)) {
		xml_reader_close(&reader);
		return NULL;
	}
	reader->text = reader->input.text;
	xml_lex_start(&reader->lex, document, length);
	reader->line = 1;
	reader->converted = converted;
	return reader;
}

enum status xml_reader_open(const char *data, size_t length, const char *name, struct xml_reader **reader_out,
			    struct error *error)
{
	struct xml_reader *reader = NULL;
	const char *document = NULL;
	size_t document_length = 0;
	char *converted = NULL;
	enum status status;

	status = xml_gate_decode(data, length, name, &document, &document_length, &converted, error);
	if (status != STATUS_OK)
		return status;
	status = xml_gate_check(document, document_length, name, converted != NULL, error);
	if (status != STATUS_OK)
		goto out;
	reader = reader_new(document, document_length, name, converted);
	if (reader == NULL) {
		status = error_no_memory(error);
		goto out;
	}
	converted = NULL;
	/* What is not strictly XML fails as what the parser finds: in a step, not here. */
	if (xml_strict_check(document, document_length, name, &reader->problem) == STATUS_OK)
		reader->problem.status = STATUS_OK;
	*reader_out = reader;
out:
	memory_free(converted);
	return status;
}

void xml_reader_close(struct xml_reader **reader)
{
	struct xml_reader *old = *reader;

	*reader = NULL;
	if (old == NULL)
		return;
	xml_input_close(&old->input);
	arena_free(&old->strings);
	memory_free(old->converted);
	memory_free(old);
}

/* Wine's XmlLite takes a document without an element. */
static void finish(struct xml_reader *reader)
{
	follow(reader, XML_PIECE_END);
	if (reader->problem.status == STATUS_OK && !reader->has_root)
		refuse_node(reader, "not well-formed XML: there must be one element around all others");
}

enum status xml_reader_next(struct xml_reader *reader, struct error *error)
{
	XmlNodeType type = XmlNodeType_None;
	bool shown = false;

	if (reader->problem.status != STATUS_OK)
		return fail(reader, error);
	if (reader->node == XML_END)
		return STATUS_OK;
	if (reader->end_is_due) {
		reader->end_is_due = false;
		reader->depth--;
		reader->attribute_count = 0;
		reader->node = XML_ELEMENT_END;
		return STATUS_OK;
	}
	if (!forget_node(reader)) {
		error_no_memory(&reader->problem);
		return fail(reader, error);
	}
	while (!shown && step(reader, &type))
		show(reader, type, &shown);
	if (!shown)
		finish(reader);
	if (reader->problem.status != STATUS_OK)
		return fail(reader, error);
	if (!shown)
		reader->node = XML_END;
	return STATUS_OK;
}

enum xml_node xml_reader_node(const struct xml_reader *reader)
{
	return reader->node;
}

unsigned xml_reader_line(const struct xml_reader *reader)
{
	return reader->line;
}

const char *xml_reader_name(const struct xml_reader *reader)
{
	return reader->element_name;
}

const char *xml_reader_namespace(const struct xml_reader *reader)
{
	return reader->element_namespace;
}

size_t xml_reader_attribute_count(const struct xml_reader *reader)
{
	return reader->attribute_count;
}

const char *xml_reader_attribute_name(const struct xml_reader *reader, size_t index)
{
	return reader->attributes[index].name;
}

const char *xml_reader_attribute_namespace(const struct xml_reader *reader, size_t index)
{
	return reader->attributes[index].namespace;
}

const char *xml_reader_attribute_value(const struct xml_reader *reader, size_t index)
{
	return reader->attributes[index].value;
}

const char *xml_reader_text(const struct xml_reader *reader)
{
	return reader->value;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <base/arena.h>
#include <base/ascii.h>
#include <base/memory.h>
#include <config/xml_gate.h>
#include <config/xml_lex.h>
#include <config/xml_reader.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlreader.h>
#include <stdbool.h>
#include <string.h>

/* What libxml2 hands to an error handler became const in 2.12. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *library_error;
#else
typedef xmlErrorPtr library_error;
#endif

/* Strings of one node: at most its attributes at their largest, and their names. */
#define NODE_MAX_BYTES ((size_t)2 * XML_MAX_DOCUMENT_BYTES)

/* The encoding is decided by xml_gate_decode; what the XML declaration says was compared with it. */
#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_IGNORE_ENC)

struct attribute {
	const char *name;
	const char *namespace;
	const char *value;
};

struct xml_reader {
	const char *name;    /* borrowed */
	char *converted;     /* owned; NULL where the caller's bytes are parsed as they are */
	xmlTextReader *text; /* owned */
	struct xml_lex lex;  /* walks beside the parser, for the lines */

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

static const char *or_empty(const xmlChar *string)
{
	return string != NULL ? (const char *)string : "";
}

/* libxml2 quotes the document in its messages and ends them with a line end. */
static void copy_printable(char *out, size_t size, const char *message)
{
	size_t length = 0;

	for (; *message != 0 && length + 1 < size; message++)
		out[length++] = (char)(*message < ' ' || *message > '~' ? ' ' : *message);
	while (length > 0 && out[length - 1] == ' ')
		length--;
	out[length] = 0;
}

/* What to do about the mistakes that people make in a text editor; NULL: the message must do. */
static const char *hint_of(int code)
{
	switch (code) {
	case XML_ERR_ATTRIBUTE_NOT_STARTED:
		return "a straight \" or ' is expected around a value";
	case XML_ERR_LT_IN_ATTRIBUTE:
		return "close the quote before it, or write &lt; for <";
	case XML_ERR_NAME_REQUIRED:
	case XML_ERR_ENTITYREF_SEMICOL_MISSING:
	case XML_ERR_UNDECLARED_ENTITY:
		return "write &amp; for &, and &lt; for <";
	default:
		return NULL;
	}
}

static void remember_problem(void *context, library_error raised)
{
	struct xml_reader *reader = context;
	char message[200];

	if (raised == NULL || raised->level < XML_ERR_ERROR || reader->problem.status != STATUS_OK)
		return;
	if (raised->code == XML_ERR_NO_MEMORY) {
		error_no_memory(&reader->problem);
		return;
	}
	copy_printable(message, sizeof(message), or_empty((const xmlChar *)raised->message));
	error_set(&reader->problem, STATUS_INVALID, "%s:%d: not well-formed XML: %s", reader->name, raised->line,
		  message);
	if (hint_of(raised->code) != NULL)
		error_hint(&reader->problem, STATUS_INVALID, "%s", hint_of(raised->code));
}

/* Some messages about memory go to the thread's other handler, which would print them. */
static void say_nothing(void *context, const char *format, ...) PRINTF_LIKE(2, 3);

static void say_nothing(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

/*
 * The library's tree and string functions tell that memory ran out to the thread's handlers only, not to the
 * reader's, and the reader goes on without a node, a namespace or a part of a value (libxml2 2.9.14): a policy
 * could lose a deny rule. So the thread's handlers are ours while the library runs, and put back behind it.
 */
struct listening {
	xmlStructuredErrorFunc structured;
	void *structured_context;
	xmlGenericErrorFunc generic;
	void *generic_context;
};

static void listen(struct xml_reader *reader, struct listening *kept)
{
	kept->structured = xmlStructuredError;
	kept->structured_context = xmlStructuredErrorContext;
	kept->generic = xmlGenericError;
	kept->generic_context = xmlGenericErrorContext;
	xmlSetStructuredErrorFunc(reader, remember_problem);
	xmlSetGenericErrorFunc(NULL, say_nothing);
}

static void listen_no_more(const struct listening *kept)
{
	xmlSetStructuredErrorFunc(kept->structured_context, kept->structured);
	xmlSetGenericErrorFunc(kept->generic_context, kept->generic);
}

static enum status fail(struct xml_reader *reader, struct error *error)
{
	reader->node = XML_NONE;
	reader->attribute_count = 0;
	if (error != NULL)
		*error = reader->problem;
	return reader->problem.status;
}

static bool is_blank(const char *text)
{
	while (ascii_is_blank(*text))
		text++;
	return *text == 0;
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

static bool copy_name(struct xml_reader *reader)
{
	reader->element_name = arena_copy_text(reader->strings, or_empty(xmlTextReaderConstLocalName(reader->text)));
	reader->element_namespace =
	    arena_copy_text(reader->strings, or_empty(xmlTextReaderConstNamespaceUri(reader->text)));
	return reader->element_name != NULL && reader->element_namespace != NULL;
}

static bool copy_attribute(struct xml_reader *reader)
{
	struct attribute *attribute = &reader->attributes[reader->attribute_count];

	attribute->name = arena_copy_text(reader->strings, or_empty(xmlTextReaderConstLocalName(reader->text)));
	attribute->namespace = arena_copy_text(reader->strings, or_empty(xmlTextReaderConstNamespaceUri(reader->text)));
	attribute->value = arena_copy_text(reader->strings, or_empty(xmlTextReaderConstValue(reader->text)));
	if (attribute->name == NULL || attribute->namespace == NULL || attribute->value == NULL)
		return false;
	reader->attribute_count++;
	return true;
}

static bool copy_attributes(struct xml_reader *reader)
{
	size_t seen = 0;
	int moved;

	reader->attributes = arena_alloc_array(reader->strings, XML_MAX_ATTRIBUTES, sizeof(*reader->attributes));
	if (reader->attributes == NULL)
		return false;
	while ((moved = xmlTextReaderMoveToNextAttribute(reader->text)) == 1) {
		/* The gate has counted them; this holds should the two ever count differently. */
		if (seen++ == XML_MAX_ATTRIBUTES)
			return false;
		if (xmlTextReaderIsNamespaceDecl(reader->text) != 1 && !copy_attribute(reader))
			return false;
	}
	/* The library loses attributes only when memory runs out. */
	return moved == 0 && seen == reader->lex.attribute_count && xmlTextReaderMoveToElement(reader->text) >= 0;
}

static void show_start(struct xml_reader *reader)
{
	reader->node = XML_ELEMENT_START;
	reader->end_is_due = xmlTextReaderIsEmptyElement(reader->text) == 1;
	follow(reader, reader->end_is_due ? XML_PIECE_EMPTY : XML_PIECE_START);
	if (!copy_name(reader) || !copy_attributes(reader))
		error_no_memory(&reader->problem);
}

static void show_end(struct xml_reader *reader)
{
	reader->node = XML_ELEMENT_END;
	follow(reader, XML_PIECE_CLOSE);
	if (!copy_name(reader))
		error_no_memory(&reader->problem);
}

/* Text, or nothing when it is only white space. */
static bool show_text(struct xml_reader *reader)
{
	const char *value = or_empty(xmlTextReaderConstValue(reader->text));

	if (is_blank(value))
		return false;
	reader->node = XML_TEXT;
	follow_text(reader);
	reader->value = arena_copy_text(reader->strings, value);
	if (reader->value == NULL)
		error_no_memory(&reader->problem);
	return true;
}

static void refuse_node(struct xml_reader *reader, const char *what)
{
	error_set(&reader->problem, STATUS_INVALID, "%s:%d: %s", reader->name,
		  xmlTextReaderGetParserLineNumber(reader->text), what);
}

/* Show the node on which the parser stands, if it is of a kind that is shown; or set the problem. */
static void show(struct xml_reader *reader, bool *shown_out)
{
	*shown_out = true;
	switch (xmlTextReaderNodeType(reader->text)) {
	case XML_READER_TYPE_ELEMENT:
		show_start(reader);
		break;
	case XML_READER_TYPE_END_ELEMENT:
		show_end(reader);
		break;
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
		*shown_out = show_text(reader);
		break;
	case XML_READER_TYPE_WHITESPACE:
	case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
	case XML_READER_TYPE_COMMENT:
	case XML_READER_TYPE_PROCESSING_INSTRUCTION:
	case XML_READER_TYPE_XML_DECLARATION:
		*shown_out = false;
		break;
	case XML_READER_TYPE_DOCUMENT_TYPE:
		/* The gate refuses them before the parser starts; this is the second lock on that door. */
		refuse_node(reader, "document type declarations are not taken");
		break;
	default:
		refuse_node(reader, "entities are not taken");
		break;
	}
}

/* One step of the parser; false at the end and on failure (then the problem is set). */
static bool step(struct xml_reader *reader)
{
	int result = xmlTextReaderRead(reader->text);

	if (result < 0 && reader->problem.status == STATUS_OK)
		error_set(&reader->problem, STATUS_INTERNAL, "%s: the XML parser failed without saying why",
			  reader->name);
	return result == 1 && reader->problem.status == STATUS_OK;
}

/* Takes over `converted` when it succeeds. */
static struct xml_reader *reader_new(const char *document, size_t length, const char *name, char *converted)
{
	struct xml_reader *reader = memory_new(sizeof(*reader));
	struct listening listening;

	if (reader == NULL)
		return NULL;
	reader->name = name;
	/* Takes the library's own lock; any number of threads may come here first (libxml2 2.9, parser.c). */
	xmlInitParser();
	listen(reader, &listening);
	if (forget_node(reader))
		reader->text = xmlReaderForMemory(document, (int)length, NULL, NULL, PARSE_OPTIONS);
	listen_no_more(&listening);
	if (reader->text == NULL || reader->problem.status != STATUS_OK) {
		xml_reader_close(&reader);
		return NULL;
	}
	xmlTextReaderSetStructuredErrorHandler(reader->text, remember_problem, reader);
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
	*reader_out = reader;
out:
	memory_free(converted);
	return status;
}

void xml_reader_close(struct xml_reader **reader)
{
	if (*reader == NULL)
		return;
	xmlFreeTextReader((*reader)->text);
	arena_free(&(*reader)->strings);
	memory_free((*reader)->converted);
	memory_free(*reader);
	*reader = NULL;
}

enum status xml_reader_next(struct xml_reader *reader, struct error *error)
{
	struct listening listening;
	bool shown = false;

	if (reader->problem.status != STATUS_OK)
		return fail(reader, error);
	if (reader->node == XML_END)
		return STATUS_OK;
	if (reader->end_is_due) {
		reader->end_is_due = false;
		reader->attribute_count = 0;
		reader->node = XML_ELEMENT_END;
		return STATUS_OK;
	}
	if (!forget_node(reader)) {
		error_no_memory(&reader->problem);
		return fail(reader, error);
	}
	listen(reader, &listening);
	while (!shown && step(reader))
		show(reader, &shown);
	listen_no_more(&listening);
	if (!shown)
		follow(reader, XML_PIECE_END);
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

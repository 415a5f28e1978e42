/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one parameter of ours among those that WinRM hands to a plug-in. The fragment is written by others:
 * parameters that we do not know are theirs, and its namespace is whatever their configuration has.
 */
#include <base/ascii.h>
#include <base/memory.h>
#include <config/config.h>
#include <config/xml_reader.h>
#include <string.h>

/* What messages call the fragment: it has no file. */
#define SOURCE "extraInfo"

/* The value of an attribute by a name without regard to case, as Windows takes such names; NULL when there is none. */
static const char *attribute_value(const struct xml_reader *reader, const char *name)
{
	for (size_t i = 0; i < xml_reader_attribute_count(reader); i++)
		if (ascii_equal_nocase(xml_reader_attribute_name(reader, i), name))
			return xml_reader_attribute_value(reader, i);
	return NULL;
}

static enum status take_parameter(const struct xml_reader *reader, char **path, struct error *error)
{
	const char *name = attribute_value(reader, "Name");
	const char *value = attribute_value(reader, "Value");

	if (strcmp(xml_reader_name(reader), "Param") != 0 || name == NULL || !ascii_equal_nocase(name, "ConfigFile"))
		return STATUS_OK;
	if (*path != NULL)
		return error_set(error, STATUS_INVALID, "%s:%u: the parameter ConfigFile is given twice", SOURCE,
				 xml_reader_line(reader));
	if (value == NULL || *value == '\0')
		return error_set(error, STATUS_INVALID, "%s:%u: the parameter ConfigFile has no value", SOURCE,
				 xml_reader_line(reader));
	*path = memory_copy_text(value);
	return *path != NULL ? STATUS_OK : error_no_memory(error);
}

static enum status read_parameters(struct xml_reader *reader, char **path, struct error *error)
{
	unsigned depth = 0;
	enum status status;

	while ((status = xml_reader_next(reader, error)) == STATUS_OK && xml_reader_node(reader) != XML_END) {
		if (xml_reader_node(reader) == XML_ELEMENT_END)
			depth--;
		if (xml_reader_node(reader) != XML_ELEMENT_START)
			continue;
		if (depth == 0 && strcmp(xml_reader_name(reader), "InitializationParameters") != 0)
			return error_set(error, STATUS_INVALID, "%s:%u: it is not an <InitializationParameters>",
					 SOURCE, xml_reader_line(reader));
		if (depth == 1)
			status = take_parameter(reader, path, error);
		if (status != STATUS_OK)
			return status;
		depth++;
	}
	return status;
}

enum status config_path_from_extra_info(const char *extra_info, size_t length, char **path_out, struct error *error)
{
	struct xml_reader *reader = NULL;
	char *path = NULL;
	enum status status = xml_reader_open(extra_info, length, SOURCE, &reader, error);

	if (status != STATUS_OK)
		return status;
	status = read_parameters(reader, &path, error);
	if (status == STATUS_OK) {
		*path_out = path;
		path = NULL;
	}
	memory_free(path);
	xml_reader_close(&reader);
	return status;
}

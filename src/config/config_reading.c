/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <base/utf.h>
#include <config/config_reading.h>
#include <config/config_value.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* More attributes or children than this has no table of ours (close to the bits of `seen`). */
#define TABLE_MAX 32

/* Editors and validators write where the schema is (XML Schema part 1, section 2.6); nothing is fetched from there. */
#define SCHEMA_INSTANCE "http://www.w3.org/2001/XMLSchema-instance"

static enum status read_element(struct config_reading *reading, const struct config_element *element, void *parent);

static enum status hint_attributes(struct config_reading *reading, const struct config_element *element,
				   const char *wrong, enum status status)
{
	const char *names[TABLE_MAX];

	for (size_t i = 0; i < element->attribute_count; i++)
		names[i] = element->attributes[i].name;
	return config_hint_names(reading->error, status, wrong, names, element->attribute_count);
}

static enum status hint_children(struct config_reading *reading, const struct config_element *element,
				 const char *wrong, enum status status)
{
	const char *names[TABLE_MAX];

	for (size_t i = 0; i < element->child_count; i++)
		names[i] = element->children[i].element->name;
	return config_hint_names(reading->error, status, wrong, names, element->child_count);
}

static bool has_control(const char *value)
{
	const char *end = value + strlen(value);

	while (value < end)
		if (utf_is_control(utf8_next(&value, end)))
			return true;
	return false;
}

/* A copy of the value without the white space at its ends; NULL when memory ran out. */
static char *trimmed(const char *value)
{
	size_t length;

	while (ascii_is_blank(*value))
		value++;
	length = strlen(value);
	while (length > 0 && ascii_is_blank(value[length - 1]))
		length--;
	return memory_copy_bytes(value, length);
}

static enum status take_value(struct config_reading *reading, const struct config_attribute *attribute,
			      const char *value, void *target)
{
	char *copy;
	enum status status;

	if (has_control(value))
		return error_set(reading->error, STATUS_INVALID, "there is a control character in it");
	copy = trimmed(value);
	if (copy == NULL)
		return error_no_memory(reading->error);
	status = attribute->take(reading, attribute, copy, target);
	memory_free(copy);
	return status;
}

static enum status refuse_attribute(struct config_reading *reading, const struct config_element *element,
				    const char *name, const char *namespace)
{
	struct config_shown shown;
	unsigned line = xml_reader_line(reading->xml);
	enum status status;

	config_show(&shown, name, strlen(name));
	if (*namespace != '\0')
		return config_fail(reading, STATUS_INVALID, line, "<%s> has the attribute '%s' of a foreign namespace",
				   element->name, shown.text);
	status =
	    config_fail(reading, STATUS_INVALID, line, "<%s> has an unknown attribute '%s'", element->name, shown.text);
	return hint_attributes(reading, element, name, status);
}

static enum status read_attribute(struct config_reading *reading, const struct config_element *element, void *target,
				  size_t index, uint32_t *seen)
{
	const char *name = xml_reader_attribute_name(reading->xml, index);
	const char *namespace = xml_reader_attribute_namespace(reading->xml, index);
	size_t i = 0;
	enum status status;

	if (strcmp(namespace, SCHEMA_INSTANCE) == 0)
		return STATUS_OK;
	while (i < element->attribute_count && strcmp(element->attributes[i].name, name) != 0)
		i++;
	if (*namespace != '\0' || i == element->attribute_count)
		return refuse_attribute(reading, element, name, namespace);
	*seen |= UINT32_C(1) << i;
	status = take_value(reading, &element->attributes[i], xml_reader_attribute_value(reading->xml, index), target);
	if (status != STATUS_OK)
		error_prefix(reading->error, "%s:%u: %s/@%s", reading->path, xml_reader_line(reading->xml),
			     element->name, name);
	return status;
}

static enum status read_attributes(struct config_reading *reading, const struct config_element *element, void *target)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < xml_reader_attribute_count(reading->xml); i++) {
		enum status status = read_attribute(reading, element, target, i, &seen);

		if (status != STATUS_OK)
			return status;
	}
	for (size_t i = 0; i < element->attribute_count; i++)
		if (element->attributes[i].required && (seen & UINT32_C(1) << i) == 0)
			return config_fail(reading, STATUS_INVALID, xml_reader_line(reading->xml),
					   "<%s> lacks the attribute '%s'", element->name, element->attributes[i].name);
	return STATUS_OK;
}

/* A name in a foreign namespace is another name, even where it looks the same. */
static enum status check_namespace(struct config_reading *reading)
{
	struct config_shown name;
	struct config_shown namespace;
	enum status status;

	if (strcmp(xml_reader_namespace(reading->xml), CONFIG_NAMESPACE) == 0)
		return STATUS_OK;
	config_show(&name, xml_reader_name(reading->xml), strlen(xml_reader_name(reading->xml)));
	config_show(&namespace, xml_reader_namespace(reading->xml), strlen(xml_reader_namespace(reading->xml)));
	status = config_fail(reading, STATUS_INVALID, xml_reader_line(reading->xml),
			     "<%s> is in the namespace '%s', not in that of policies", name.text, namespace.text);
	return error_hint(reading->error, status, "write <wsmauthz xmlns=\"%s\">", CONFIG_NAMESPACE);
}

static enum status read_child(struct config_reading *reading, const struct config_element *element, void *target,
			      uint32_t *seen)
{
	const char *name = xml_reader_name(reading->xml);
	unsigned line = xml_reader_line(reading->xml);
	struct config_shown shown;
	size_t i = 0;
	enum status status = check_namespace(reading);

	if (status != STATUS_OK)
		return status;
	while (i < element->child_count && strcmp(element->children[i].element->name, name) != 0)
		i++;
	if (i == element->child_count) {
		status = config_fail(reading, STATUS_INVALID, line, "unknown element <%s> in <%s>",
				     config_show(&shown, name, strlen(name)), element->name);
		return hint_children(reading, element, name, status);
	}
	if ((*seen & UINT32_C(1) << i) != 0 && !element->children[i].repeats)
		return config_fail(reading, STATUS_INVALID, line, "<%s> stands a second time in <%s>", name,
				   element->name);
	*seen |= UINT32_C(1) << i;
	return read_element(reading, element->children[i].element, target);
}

static enum status check_children(struct config_reading *reading, const struct config_element *element, uint32_t seen,
				  unsigned line)
{
	for (size_t i = 0; i < element->child_count; i++) {
		const struct config_child *child = &element->children[i];
		enum status status;

		if (child->missing_hint == NULL || (seen & UINT32_C(1) << i) != 0)
			continue;
		status = config_fail(reading, STATUS_INVALID, line, "<%s> lacks the element <%s>", element->name,
				     child->element->name);
		return error_hint(reading->error, status, "%s", child->missing_hint);
	}
	return STATUS_OK;
}

static enum status read_children(struct config_reading *reading, const struct config_element *element, void *target,
				 unsigned line)
{
	uint32_t seen = 0;
	enum status status;

	while ((status = xml_reader_next(reading->xml, reading->error)) == STATUS_OK) {
		switch (xml_reader_node(reading->xml)) {
		case XML_ELEMENT_START:
			status = read_child(reading, element, target, &seen);
			if (status != STATUS_OK)
				return status;
			break;
		case XML_ELEMENT_END:
			return check_children(reading, element, seen, line);
		case XML_TEXT:
			status = config_fail(reading, STATUS_INVALID, xml_reader_line(reading->xml), "<%s> holds text",
					     element->name);
			return error_hint(reading->error, status, "everything is said by attributes; remove the text");
		case XML_NONE:
		case XML_END:
			return config_fail(reading, STATUS_INTERNAL, line, "<%s> has no end", element->name);
		}
	}
	return status;
}

static enum status read_element(struct config_reading *reading, const struct config_element *element, void *parent)
{
	unsigned line = xml_reader_line(reading->xml);
	void *target = parent;
	enum status status = STATUS_OK;

	if (element->open != NULL)
		status = element->open(reading, parent, &target);
	if (status == STATUS_OK)
		status = read_attributes(reading, element, target);
	if (status == STATUS_OK)
		status = read_children(reading, element, target, line);
	if (status == STATUS_OK && element->close != NULL)
		status = element->close(reading, target, line);
	return status;
}

enum status config_read_document(struct config_reading *reading, const struct config_element *root, void *target)
{
	struct config_shown shown;
	const char *name;
	enum status status = xml_reader_next(reading->xml, reading->error);

	if (status != STATUS_OK)
		return status;
	name = xml_reader_name(reading->xml);
	if (strcmp(name, root->name) != 0) {
		status = config_fail(reading, STATUS_INVALID, xml_reader_line(reading->xml),
				     "the document is a <%s>, not a policy", config_show(&shown, name, strlen(name)));
		return error_hint(reading->error, status, "write <%s xmlns=\"%s\">", root->name, CONFIG_NAMESPACE);
	}
	status = check_namespace(reading);
	if (status == STATUS_OK)
		status = read_element(reading, root, target);
	/* What follows the root may still not be well-formed. */
	if (status == STATUS_OK)
		status = xml_reader_next(reading->xml, reading->error);
	return status;
}

enum status config_fail(struct config_reading *reading, enum status status, unsigned line, const char *format, ...)
{
	char what[ERROR_TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(what, sizeof(what), format, arguments) < 0)
		what[0] = '\0';
	va_end(arguments);
	error_set(reading->error, status, "%s", what);
	error_prefix(reading->error, "%s:%u", reading->path, line);
	return status;
}

enum status config_file_failed(struct config_reading *reading, const char *attribute, enum status status, unsigned line)
{
	if (status == STATUS_NOT_FOUND)
		error_hint(reading->error, status,
			   "a relative name is looked for beside the policy, not in the "
			   "working directory");
	error_prefix(reading->error, "%s:%u: %s", reading->path, line, attribute);
	return status;
}

enum status config_no_room(struct config_reading *reading)
{
	if (arena_hit_limit(reading->arena))
		return error_set(reading->error, STATUS_LIMIT, "%s: the policy is too large", reading->path);
	return error_no_memory(reading->error);
}

void *config_room(struct config_reading *reading, void *list, size_t count, size_t size)
{
	void *moved;

	/* A list has the size of the next power of two: it is full when its count is one. */
	if (count != 0 && (count & (count - 1)) != 0)
		return list;
	moved = arena_alloc_array(reading->arena, count == 0 ? 1 : 2 * count, size);
	if (moved != NULL && count != 0)
		memcpy(moved, list, count * size);
	return moved;
}

enum status config_add_string(struct config_reading *reading, const char ***list, size_t *count, size_t limit,
			      const char *text, size_t length)
{
	const char **room;
	char *copy;

	if (*count >= limit)
		return error_set(reading->error, STATUS_LIMIT, "there are more than %zu", limit);
	room = config_room(reading, *list, *count, sizeof(*room));
	copy = arena_copy_bytes(reading->arena, text, length);
	if (room == NULL || copy == NULL)
		return config_no_room(reading);
	room[*count] = copy;
	*list = room;
	*count += 1;
	return STATUS_OK;
}

bool config_has_string(const char *const *list, size_t count, const char *text, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (ascii_equal_nocase_n(list[i], strlen(list[i]), text, length))
			return true;
	return false;
}

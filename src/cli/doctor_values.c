/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <cli/doctor_values.h>
#include <stdlib.h>
#include <string.h>

static struct doctor_value *find(const struct doctor_values *values, const struct dir_value *value)
{
	for (size_t i = 0; i < values->count; i++)
		if (strlen(values->values[i].value) == value->length &&
		    ascii_equal_nocase_n(values->values[i].value, value->length, value->data, value->length))
			return &values->values[i];
	return NULL;
}

bool doctor_values_count(struct doctor_values *values, const struct dir_value *value, const char *dn)
{
	struct doctor_value *known = find(values, value), added = {.count = 1};

	if (known != NULL) {
		known->count++;
		return true;
	}
	if (values->count == DOCTOR_MAX_VALUES) {
		values->others++;
		return true;
	}
	added.value = memory_copy_bytes(value->data, value->length);
	added.dn = memory_copy_text(dn);
	if (added.value == NULL || added.dn == NULL ||
	    !ARRAY_RESERVE(&values->values, &values->capacity, values->count + 1)) {
		memory_free(added.value);
		memory_free(added.dn);
		return false;
	}
	values->values[values->count++] = added;
	return true;
}

void doctor_values_done(struct doctor_values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		memory_free(values->values[i].value);
		memory_free(values->values[i].dn);
	}
	memory_free(values->values);
	memset(values, 0, sizeof(*values));
}

static int compare(const void *left, const void *right)
{
	const struct doctor_value *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return strcmp(a->value, b->value);
}

const char *doctor_values_text(struct doctor_values *values, struct doctor *doctor)
{
	const char *words = "";

	if (values->count > 1)
		qsort(values->values, values->count, sizeof(*values->values), compare);
	for (size_t i = 0; i < values->count && i < DOCTOR_NAMED_VALUES; i++) {
		const struct doctor_value *one = &values->values[i];

		words =
		    doctor_text(doctor, "%s%s'%s' of %zu %s (%s%s)", words, i > 0 ? ", " : "", one->value, one->count,
				one->count == 1 ? "user" : "users", one->dn, one->count == 1 ? "" : " for one");
	}
	if (values->others > 0)
		return doctor_text(doctor, "%s, and more than %d other values", words,
				   DOCTOR_MAX_VALUES - DOCTOR_NAMED_VALUES);
	if (values->count > DOCTOR_NAMED_VALUES)
		return doctor_text(doctor, "%s, and %zu other values", words, values->count - DOCTOR_NAMED_VALUES);
	return words;
}

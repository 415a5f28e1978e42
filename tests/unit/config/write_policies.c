/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the policies of policies.h into a folder, for schema.sh: takes-NNN.xml and refuses-NNN.xml, by what the
 * schema must make of them.
 */
#include <base/compiler.h>
#include <stdio.h>
#include <unit/config/policies.h>

static int write_row(const char *folder, const struct policy_row *row, unsigned number)
{
	char path[512];
	FILE *file;
	int written;

	if (row->schema == SCHEMA_UNASKED)
		return 0;
	written = snprintf(path, sizeof(path), "%s/%s-%03u.xml", folder,
			   row->schema == SCHEMA_TAKES ? "takes" : "refuses", number);
	if (written < 0 || (size_t)written >= sizeof(path) || (file = fopen(path, "w")) == NULL)
		return -1;
	written = fputs(row->text, file);
	return fclose(file) == 0 && written >= 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct policy_table *tables[] = {&policies_good, &policies_bad_form, &policies_bad_directory,
					       &policies_bad_rules};
	unsigned number = 0;

	if (argc != 2)
		return 2;
	for (size_t t = 0; t < COUNT_OF(tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			if (write_row(argv[1], &tables[t]->rows[i], ++number) != 0) {
				perror(argv[1]);
				return 1;
			}
		}
	}
	return 0;
}

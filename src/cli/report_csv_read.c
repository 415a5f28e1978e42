/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/report_csv_read.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

static const char *const header[REPORT_CSV_COLUMNS] = {"sender", "dn", "verdict", "rule", "site", "target", "path"};

static enum status fail(const struct csv_reader *reader, struct error *error, const char *what)
{
	(void)error_set(error, STATUS_INVALID, "'%s', line %llu: %s", reader->path, (unsigned long long)reader->line,
			what);
	return error_hint(error, STATUS_INVALID, "it has to be a file that 'wsmauthz report --csv' wrote");
}

static int next_byte(struct csv_reader *reader)
{
	const int byte = getc(reader->file);

	if (byte != EOF)
		reader->position++;
	return byte;
}

static void put_back(struct csv_reader *reader, int byte)
{
	if (byte != EOF && ungetc(byte, reader->file) != EOF)
		reader->position--;
}

/* Behind the opening quote, up to the closing one. False: there is none. */
static bool read_quoted(struct csv_reader *reader, uint64_t *lines)
{
	for (int byte = next_byte(reader); byte != EOF && reader->record.length < CSV_READER_MAX_RECORD_BYTES;
	     byte = next_byte(reader)) {
		if (byte == '"') {
			byte = next_byte(reader);
			if (byte != '"') {
				put_back(reader, byte);
				return true;
			}
		}
		*lines += byte == '\n' ? 1 : 0;
		text_add_char(&reader->record, (char)byte);
	}
	return false;
}

enum field_end { FIELD_COMMA, FIELD_RECORD, FIELD_BROKEN };

/* What stands behind a field. */
static enum field_end end_of_field(struct csv_reader *reader, int byte)
{
	if (byte == ',')
		return FIELD_COMMA;
	if (byte == '\r') {
		byte = next_byte(reader);
		if (byte != '\n')
			return FIELD_BROKEN;
	}
	return byte == '\n' || byte == EOF ? FIELD_RECORD : FIELD_BROKEN;
}

static enum field_end read_field(struct csv_reader *reader, uint64_t *lines)
{
	int byte = next_byte(reader);

	if (byte == '"')
		return read_quoted(reader, lines) ? end_of_field(reader, next_byte(reader)) : FIELD_BROKEN;
	while (byte != EOF && byte != ',' && byte != '\r' && byte != '\n' && byte != '"' &&
	       reader->record.length < CSV_READER_MAX_RECORD_BYTES) {
		text_add_char(&reader->record, (char)byte);
		byte = next_byte(reader);
	}
	return end_of_field(reader, byte);
}

/* The fields of a record lie behind one another; they can be pointed to when all are there. */
static void point_to_fields(struct csv_reader *reader, const size_t *starts)
{
	for (size_t i = 0; i < REPORT_CSV_COLUMNS; i++) {
		const char *field = text_string(&reader->record) + starts[i];

		reader->fields[i] = field[0] == '\'' ? field + 1 : field;
	}
}

static enum status read_record(struct csv_reader *reader, struct error *error)
{
	size_t starts[REPORT_CSV_COLUMNS], count = 0;
	enum field_end end = FIELD_COMMA;
	uint64_t lines = 1;

	text_clear(&reader->record);
	while (end == FIELD_COMMA && count < REPORT_CSV_COLUMNS) {
		starts[count++] = reader->record.length;
		end = read_field(reader, &lines);
		text_add_char(&reader->record, '\0');
	}
	if (text_failed(&reader->record))
		return error_no_memory(error);
	if (ferror(reader->file) != 0)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not read '%s'", reader->path);
	if (reader->record.length >= CSV_READER_MAX_RECORD_BYTES)
		return error_set(error, STATUS_LIMIT, "'%s', line %llu: a row is too long", reader->path,
				 (unsigned long long)reader->line);
	if (end != FIELD_RECORD || count != REPORT_CSV_COLUMNS)
		return fail(reader, error,
			    end == FIELD_BROKEN ? "a quote is not where it may be" : "there are not seven fields");
	point_to_fields(reader, starts);
	reader->line += lines;
	return STATUS_OK;
}

static void skip_byte_order_mark(struct csv_reader *reader)
{
	static const unsigned char mark[] = {0xEF, 0xBB, 0xBF};
	const int first = next_byte(reader);

	if (first != mark[0]) {
		put_back(reader, first);
		return;
	}
	/* Nothing else begins so in a header. */
	(void)next_byte(reader);
	(void)next_byte(reader);
}

static enum status read_header(struct csv_reader *reader, struct error *error)
{
	bool is_there = false;
	enum status status;

	skip_byte_order_mark(reader);
	status = csv_reader_next(reader, &is_there, error);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < REPORT_CSV_COLUMNS && is_there; i++)
		is_there = strcmp(reader->fields[i], header[i]) == 0;
	reader->line = 1;
	if (!is_there)
		return fail(reader, error, "the first line is not sender,dn,verdict,rule,site,target,path");
	reader->line = 2;
	return STATUS_OK;
}

enum status csv_reader_open(struct csv_reader *reader, const char *path, struct error *error)
{
	enum status status;

	*reader = (struct csv_reader){.path = path, .line = 1};
	text_init(&reader->record);
	reader->file = fopen(path, "rb");
	if (reader->file == NULL)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not open '%s'", path);
	status = read_header(reader, error);
	if (status != STATUS_OK)
		csv_reader_close(reader);
	return status;
}

void csv_reader_close(struct csv_reader *reader)
{
	if (reader->file != NULL)
		(void)fclose(reader->file);
	reader->file = NULL;
	text_done(&reader->record);
}

enum status csv_reader_next(struct csv_reader *reader, bool *there_out, struct error *error)
{
	const int first = next_byte(reader);

	*there_out = first != EOF;
	if (first == EOF)
		return ferror(reader->file) == 0
			   ? STATUS_OK
			   : error_system(error, STATUS_UNREACHABLE, errno, "could not read '%s'", reader->path);
	put_back(reader, first);
	reader->began = reader->position;
	return read_record(reader, error);
}

enum status csv_reader_at(struct csv_reader *reader, uint64_t position, struct error *error)
{
	bool is_there = false;
	enum status status;

	if (position > LONG_MAX)
		return error_set(error, STATUS_LIMIT, "'%s' is too long for this system", reader->path);
	if (fseek(reader->file, (long)position, SEEK_SET) != 0)
		return error_system(error, STATUS_UNREACHABLE, errno, "could not read '%s'", reader->path);
	reader->position = position;
	status = csv_reader_next(reader, &is_there, error);
	if (status == STATUS_OK && !is_there)
		return error_set(error, STATUS_UNREACHABLE, "'%s' was changed while it was read", reader->path);
	return status;
}

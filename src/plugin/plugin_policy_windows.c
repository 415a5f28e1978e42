/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: learn.microsoft.com/windows/win32/api/winreg (RegOpenKeyExW, RegGetValueW), .../winprog64/accessing-an-alternate-registry-view. */
#include <base/ascii.h>
#include <base/memory.h>
#include <base/utf.h>
#include <plugin/plugin.h>
#include <plugin/plugin_policy.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

/* The longest path that Windows takes, in UTF-16 units, and the terminator. */
#define PATH_UNITS 32768

_Static_assert(sizeof(WCHAR) == sizeof(uint16_t), "Windows speaks UTF-16");

static const WCHAR *const keys[] = {L"SOFTWARE\\Policies\\wsmauthz", L"SOFTWARE\\wsmauthz"};
static const char *const key_names[] = {"HKLM\\SOFTWARE\\Policies\\wsmauthz", "HKLM\\SOFTWARE\\wsmauthz"};

/* A place where a path may be written, and room for it. */
struct place {
	const char *key_name;
	const char *value_name; /* "" is the default value */
	WCHAR *units;           /* PATH_UNITS */
};

static enum status blame(const struct place *place, enum status status, const char *what, struct error *error)
{
	error_set(error, status, "%s, %s%s%s: %s", place->key_name, place->value_name[0] != '\0' ? "value '" : "",
		  place->value_name[0] != '\0' ? place->value_name : "the default value",
		  place->value_name[0] != '\0' ? "'" : "", what);
	return error_hint(
	    error, status,
	    "write the policy's full path there, as a string (REG_SZ or REG_EXPAND_SZ), or remove the value");
}

/* STATUS_NOT_FOUND: there is no such value. RegGetValueW expands, and ends what it reads with a NUL. */
static enum status read_value(HKEY key, const WCHAR *value, const struct place *place, struct error *error)
{
	DWORD bytes = PATH_UNITS * sizeof(WCHAR);
	const LSTATUS result = RegGetValueW(key, NULL, value, RRF_RT_REG_SZ, NULL, place->units, &bytes);

	switch (result) {
	case ERROR_SUCCESS:
		return STATUS_OK;
	case ERROR_FILE_NOT_FOUND:
		return STATUS_NOT_FOUND;
	case ERROR_UNSUPPORTED_TYPE:
		return blame(place, STATUS_INVALID, "it is not a string", error);
	case ERROR_MORE_DATA:
		return blame(place, STATUS_LIMIT, "it is longer than any path", error);
	default:
		return error_system(error, STATUS_UNREACHABLE, (int)result, "could not read '%s'", place->key_name);
	}
}

/* "C:\..." or "\\server\...": whatever folder the process happens to be in has no say. */
static bool is_full(const char *path)
{
	if (path[0] == '\\' && path[1] == '\\')
		return path[2] != '\0';
	return ascii_is_alnum(path[0]) && !ascii_is_digit(path[0]) && path[1] == ':' &&
	       (path[2] == '\\' || path[2] == '/');
}

static enum status take_path(const struct place *place, char **path_out, struct error *error)
{
	char *path = NULL;
	const int result = utf16_to_utf8((const uint16_t *)place->units, wcslen(place->units), &path, NULL);

	if (result == -1)
		return blame(place, STATUS_INVALID, "it is not valid Unicode text", error);
	if (result != 0)
		return error_no_memory(error);
	if (!is_full(path)) {
		const enum status status =
		    blame(place, STATUS_INVALID, path[0] != '\0' ? "it is not a full path" : "it is empty", error);

		memory_free(path);
		return status;
	}
	*path_out = path;
	return STATUS_OK;
}

static enum status read_key(HKEY key, const WCHAR *application, struct place *place, const char *application_name,
			    struct error *error)
{
	const struct {
		const WCHAR *name;
		const char *text;
	} values[] = {{application, application_name}, {L"PolicyFile", "PolicyFile"}, {L"", ""}};
	enum status status = STATUS_NOT_FOUND;

	for (size_t i = 0; i < COUNT_OF(values) && status == STATUS_NOT_FOUND; i++) {
		if (values[i].name == NULL)
			continue;
		place->value_name = values[i].text;
		status = read_value(key, values[i].name, place, error);
	}
	return status;
}

static enum status look_in_registry(const WCHAR *application, const char *application_name, struct place *place,
				    struct error *error)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		HKEY key;
		const LSTATUS result =
		    RegOpenKeyExW(HKEY_LOCAL_MACHINE, keys[i], 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);
		enum status status;

		if (result == ERROR_FILE_NOT_FOUND)
			continue;
		if (result != ERROR_SUCCESS)
			return error_system(error, STATUS_UNREACHABLE, (int)result, "could not open '%s'",
					    key_names[i]);
		place->key_name = key_names[i];
		status = read_key(key, application, place, application_name, error);
		(void)RegCloseKey(key);
		if (status != STATUS_NOT_FOUND)
			return status;
	}
	return STATUS_NOT_FOUND;
}

static enum status use_default(struct place *place, struct error *error)
{
	const DWORD units =
	    ExpandEnvironmentStringsW(L"%ProgramData%\\wsmauthz\\wsmauthz.xml", place->units, PATH_UNITS);

	if (units == 0 || units > PATH_UNITS)
		return error_system(error, STATUS_UNREACHABLE, (int)GetLastError(), "could not expand %%ProgramData%%");
	place->key_name = PLUGIN_DEFAULT_POLICY;
	place->value_name = "";
	return STATUS_OK;
}

static enum status find(const WCHAR *application, const char *application_name, char **path_out, struct error *error)
{
	struct place place = {
	    .key_name = "", .value_name = "", .units = memory_new_array(PATH_UNITS, sizeof(*place.units))};
	enum status status;

	if (place.units == NULL)
		return error_no_memory(error);
	status = look_in_registry(application, application_name, &place, error);
	if (status == STATUS_NOT_FOUND)
		status = use_default(&place, error);
	if (status == STATUS_OK)
		status = take_path(&place, path_out, error);
	memory_free(place.units);
	return status;
}

enum status plugin_policy_find(const char *application, char **path_out, struct error *error)
{
	uint16_t *units = NULL;
	enum status status;

	/* What is not UTF-8 is not the name of a value. */
	if (application != NULL && utf8_to_utf16(application, strlen(application), &units, NULL) == -2)
		return error_no_memory(error);
	status = find((const WCHAR *)units, application, path_out, error);
	memory_free(units);
	return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a policy is read: every element has a table of its attributes and of its children, and one
 * reader walks the document beside the tables. What the tables do not name is refused, so that
 * nothing an administrator wrote is ever passed over in silence. Used within config.
 *
 *	element found -> open (where do its attributes go?) -> each attribute's take -> children
 *		      -> close (do the parts agree with each other?)
 *
 * A `take` function turns one value into its place in the target and says only what is wrong with
 * the value; the reader puts file, line, element and attribute before it. An `open` or `close`
 * function uses config_fail, which puts file and line there itself.
 *
 * Values: white space at both ends is not part of them; control characters are refused everywhere.
 */
#ifndef WSMAUTHZ_CONFIG_CONFIG_READING_H
#define WSMAUTHZ_CONFIG_CONFIG_READING_H

#include <base/arena.h>
#include <base/compiler.h>
#include <base/error.h>
#include <config/config.h>
#include <config/xml_reader.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_reading;
struct config_attribute;

/* One word that a value may be; a list of them ends with one whose word is NULL. */
struct config_choice {
	const char *word;
	int value;
	const char *refused; /* why the word is not taken here, though it is one; NULL where it is taken */
	const char *instead; /* what to do about it */
};

/** @param value  trimmed; @param target  what `open` gave. Sets the error without file and line. */
typedef enum status (*config_take_fn)(struct config_reading *reading, const struct config_attribute *attribute,
				      const char *value, void *target);

struct config_attribute {
	const char *name;
	bool required;
	config_take_fn take;
	size_t offset;                       /* of its place in the target */
	const struct config_choice *choices; /* of config_take_choice and config_take_flag */
	uint64_t minimum, maximum; /* of config_take_number, _number32, _duration, _seconds; maximum 0: no bound */
};

struct config_element;

struct config_child {
	const struct config_element *element;
	bool repeats;
	const char *missing_hint; /* it is required, and this is what to write; NULL where it is not */
};

struct config_element {
	const char *name;
	const struct config_attribute *attributes;
	size_t attribute_count;
	const struct config_child *children;
	size_t child_count;
	/* Where the attributes go; NULL: where the parent's go. */
	enum status (*open)(struct config_reading *reading, void *parent, void **target_out);
	/* Checks across attributes and children; NULL: none. `line` is the element's. */
	enum status (*close)(struct config_reading *reading, void *target, unsigned line);
};

/* What an element says before it is checked and becomes part of the policy. */
struct config_directory_draft {
	struct config_directory out; /* owns bind_secret until it is moved to the policy */
	const struct config_choice *mechanism;
	const char *password_file;
	uint32_t minssf; /* CONFIG_MINSSF_NOT_SAID */
	int tls_mode;    /* of enum config_tls; CONFIG_NOT_SAID */
	bool tls_seen;
	int identity; /* of enum config_identity; CONFIG_NOT_SAID */
};

#define CONFIG_NOT_SAID        (-1)
#define CONFIG_MINSSF_NOT_SAID UINT32_MAX

struct config_site_draft {
	struct config_site out;
	bool allow_http;
};

struct config_reading {
	struct config *config;  /* being filled */
	struct arena *arena;    /* the policy's; all its strings and lists */
	struct xml_reader *xml; /* borrowed */
	const char *path;       /* borrowed */
	struct error *error;    /* the caller's; may be NULL */

	struct config_directory_draft directory;
	struct config_site_draft site;
	struct config_rule rule;
	const char **rule_keys; /* the groups of config->rules in the form in which they are compared */
	const char **site_keys; /* the same of config->redirect.sites; NULL where a site has no group */
};

/** Read the whole document, whose root must be `root`. */
NODISCARD enum status config_read_document(struct config_reading *reading, const struct config_element *root,
					   void *target);

/** Set the error with file and line before it. Returns `status`. */
enum status config_fail(struct config_reading *reading, enum status status, unsigned line, const char *format, ...)
    PRINTF_LIKE(4, 5);

/** As config_fail, around an error that a file gave: adds the place, and a hint where there is no such file. */
enum status config_file_failed(struct config_reading *reading, const char *attribute, enum status status,
			       unsigned line);

/** The status for an arena that gave nothing: its limit, or no memory. */
enum status config_no_room(struct config_reading *reading);

/**
 * Room for one more element behind `count` in a list of the arena.
 * @return the list, perhaps moved; NULL when there is no room.
 */
NODISCARD void *config_room(struct config_reading *reading, void *list, size_t count, size_t size);

/** Append a copy of `length` bytes to a list of strings that takes at most `limit`. */
NODISCARD enum status config_add_string(struct config_reading *reading, const char ***list, size_t *count, size_t limit,
					const char *text, size_t length);

/** Whether a string is in a list, without regard to the case of A-Z. */
bool config_has_string(const char *const *list, size_t count, const char *text, size_t length);

/* The take functions that several elements need. The slot is what stands at `offset` in the target. */
enum status config_take_text(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target); /* const char *; not empty */
enum status config_take_path(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target); /* const char *; beside the policy */
enum status config_take_group(struct config_reading *reading, const struct config_attribute *attribute,
			      const char *value, void *target); /* const char * */
enum status config_take_dn(struct config_reading *reading, const struct config_attribute *attribute, const char *value,
			   void *target); /* const char * */
enum status config_take_filter(struct config_reading *reading, const struct config_attribute *attribute,
			       const char *value, void *target); /* const char * */
enum status config_take_attribute_name(struct config_reading *reading, const struct config_attribute *attribute,
				       const char *value, void *target); /* const char * */
enum status config_take_choice(struct config_reading *reading, const struct config_attribute *attribute,
			       const char *value, void *target); /* int, or an enum */
enum status config_take_flag(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target); /* bool; true and false where there are no choices */
enum status config_take_number(struct config_reading *reading, const struct config_attribute *attribute,
			       const char *value, void *target); /* uint64_t */
enum status config_take_number32(struct config_reading *reading, const struct config_attribute *attribute,
				 const char *value, void *target); /* uint32_t */
enum status config_take_duration(struct config_reading *reading, const struct config_attribute *attribute,
				 const char *value, void *target); /* uint64_t, milliseconds */
enum status config_take_seconds(struct config_reading *reading, const struct config_attribute *attribute,
				const char *value, void *target); /* uint32_t, whole seconds */
enum status config_take_size(struct config_reading *reading, const struct config_attribute *attribute,
			     const char *value, void *target); /* uint64_t, bytes */

/** The choice that a word is; NULL (and the error set) when it is none, or one that is not taken on this system. */
const struct config_choice *config_find_choice(struct config_reading *reading, const struct config_choice *choices,
					       const char *word);

#endif

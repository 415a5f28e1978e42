/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elements that stand directly below <wsmauthz>, one table each. Used within config.
 */
#ifndef WSMAUTHZ_CONFIG_CONFIG_ELEMENTS_H
#define WSMAUTHZ_CONFIG_CONFIG_ELEMENTS_H

#include <config/config_reading.h>

/* config_directory.c; its target is of its own */
extern const struct config_element config_directory_element;

/* config_bind.c; its target is the draft of the directory */
extern const struct config_element config_bind_element;

/** What holds in a <directory> without <bind>. @return STATUS_OK, STATUS_INVALID (there must be one). */
NODISCARD enum status config_bind_without_element(struct config_reading *reading, struct config_directory_draft *draft,
						  unsigned line);

/* config_rules.c */
extern const struct config_element config_deny_element;
extern const struct config_element config_allow_element;

/* config_redirect.c */
extern const struct config_element config_redirect_element;

/* config_settings.c; their target is the struct config */
extern const struct config_element config_plugin_element;
extern const struct config_element config_cache_element;
extern const struct config_element config_account_element;
extern const struct config_element config_certificates_element;
extern const struct config_element config_audit_element;
extern const struct config_element config_metrics_element;

/** What these elements mean when the policy does not have them. */
void config_settings_default(struct config *config);

/**
 * The form in which groups of a policy are compared with each other: the key of a plain DN, else the
 * DN as written in lower case. From the arena; NULL when there is no room.
 */
const char *config_group_key(struct config_reading *reading, const char *group);

#endif

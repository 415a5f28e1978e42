/* SPDX-License-Identifier: Apache-2.0 */
/* Which URIs of a <directory> stand for a domain, whose servers DNS knows. Used within config. */
#ifndef WSMAUTHZ_CONFIG_CONFIG_DOMAIN_H
#define WSMAUTHZ_CONFIG_CONFIG_DOMAIN_H

#include <config/config_reading.h>

/** directory/@site: a name that can be part of a DNS name. */
NODISCARD enum status config_take_site(struct config_reading *reading, const struct config_attribute *attribute,
				       const char *value, void *target);

/**
 * Fill uri_domains, once all attributes were read: see struct config_directory.
 *
 * @return STATUS_OK; STATUS_INVALID (a URI without a host, and no domain to be known; a site, and no domain); STATUS_LIMIT; STATUS_NO_MEMORY.
 */
NODISCARD enum status config_find_domains(struct config_reading *reading, struct config_directory *directory,
					  unsigned line);

#endif

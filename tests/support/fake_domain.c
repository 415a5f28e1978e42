/* SPDX-License-Identifier: Apache-2.0 */
#include <support/assertions.h>

#include <base/sid.h>
#include <stdlib.h>
#include <string.h>
#include <support/fake_domain.h>
#include <support/fake_text.h>

#define CONFIGURATION "cn=configuration," FAKE_DOMAIN_DN
#define PARTITIONS    "cn=partitions," CONFIGURATION
#define GUID          "2092dd8c-1f4d-4cd5-a2b8-6a3c0ad6e8a7"

static size_t encode(const char *text, uint8_t binary[SID_BINARY_BYTES])
{
	struct sid sid;

	assert_true(sid_parse_text(text, strlen(text), &sid));
	return sid_encode(&sid, binary);
}

static void show_sid(struct fake_directory *directory, const char *dn, const char *attribute, const char *sid)
{
	uint8_t binary[SID_BINARY_BYTES];
	size_t length = encode(sid, binary);

	assert_true(fake_directory_show(directory, dn, attribute, binary, length));
}

static void gain(struct fake_directory *directory, const char *dn, const char *attribute, const char *value)
{
	assert_true(fake_directory_gain(directory, dn, attribute, value));
}

void fake_domain_add(struct fake_directory *directory, const char *dn, const char *object_class, const char *sid)
{
	assert_true(fake_directory_add(directory, dn));
	gain(directory, dn, "objectClass", object_class);
	if (sid != NULL)
		show_sid(directory, dn, "objectSid", sid);
}

void fake_domain_add_group(struct fake_directory *directory, const char *dn, const char *sid, const char *group_type)
{
	char *attribute = NULL, *name = NULL;

	fake_domain_add(directory, dn, "group", sid);
	gain(directory, dn, "groupType", group_type);
	assert_true(fake_dn_naming(dn, &attribute, &name));
	gain(directory, dn, "sAMAccountName", name);
	free(attribute);
	free(name);
}

static char *extended(const char *sid, const char *dn)
{
	return sid == NULL ? fake_format("<GUID=" GUID ">;%s", dn)
			   : fake_format("<GUID=" GUID ">;<SID=%s>;%s", sid, dn);
}

static char *link_to(struct fake_directory *directory, const char *dn)
{
	const struct fake_entry *entry = fake_directory_entry(directory, dn);
	const struct fake_attribute *sids;
	char text[SID_TEXT_BYTES];
	struct sid sid;

	assert_non_null(entry);
	sids = fake_entry_attribute(entry, "objectSid");
	if (sids == NULL || sids->count == 0)
		return extended(NULL, entry->dn);
	assert_true(sid_parse_binary((const uint8_t *)sids->values[0].data, sids->values[0].length, &sid));
	sid_format(&sid, text);
	return extended(text, entry->dn);
}

void fake_domain_nest(struct fake_directory *directory, const char *child, const char *parent)
{
	char *link = link_to(directory, parent);

	assert_true(fake_directory_show(directory, child, "memberOf", link, strlen(link)));
	gain(directory, parent, "member", child);
	free(link);
}

void fake_domain_unnest(struct fake_directory *directory, const char *child, const char *parent)
{
	char *link = link_to(directory, parent);

	assert_true(fake_directory_unshow(directory, child, "memberOf", link, strlen(link)));
	assert_true(fake_directory_lose(directory, parent, "member", child));
	free(link);
}

void fake_domain_token(struct fake_directory *directory, const char *dn, const char *sid)
{
	show_sid(directory, dn, "tokenGroups", sid);
}

void fake_domain_untoken(struct fake_directory *directory, const char *dn, const char *sid)
{
	uint8_t binary[SID_BINARY_BYTES];
	size_t length = sid == NULL ? 0 : encode(sid, binary);

	assert_true(fake_directory_unshow(directory, dn, "tokenGroups", sid == NULL ? NULL : binary, length));
}

static void add_cross_ref(struct fake_directory *directory, const char *dn, const char *dns_name, const char *name,
			  const char *sid)
{
	char *cross_ref = fake_format("cn=%s," PARTITIONS, name), *link = extended(sid, dn);

	fake_domain_add(directory, cross_ref, "crossRef", NULL);
	assert_true(fake_directory_show(directory, cross_ref, "nCName", link, strlen(link)));
	gain(directory, cross_ref, "dnsRoot", dns_name);
	gain(directory, cross_ref, "nETBIOSName", name);
	gain(directory, cross_ref, "systemFlags", "3");
	free(cross_ref);
	free(link);
}

void fake_domain_add_domain(struct fake_directory *directory, const char *dn, const char *dns_name,
			    const char *netbios_name, const char *sid)
{
	add_cross_ref(directory, dn, dns_name, netbios_name, sid);
}

struct fake_directory *fake_domain_new(void)
{
	static const struct {
		const char *attribute, *value;
	} root[] = {
	    {"supportedCapabilities", "1.2.840.113556.1.4.800"},
	    {"supportedControl", "1.2.840.113556.1.4.529"},
	    {"defaultNamingContext", FAKE_DOMAIN_DN},
	    {"configurationNamingContext", CONFIGURATION},
	    {"rootDomainNamingContext", FAKE_DOMAIN_DN},
	    {"dsServiceName", "CN=NTDS Settings,CN=DC1,CN=Servers," CONFIGURATION},
	};
	struct fake_directory *directory = fake_directory_new_controller(FAKE_DOMAIN_DN);

	for (size_t i = 0; i < COUNT_OF(root); i++)
		fake_directory_root(directory, root[i].attribute, root[i].value);
	show_sid(directory, FAKE_DOMAIN_DN, "objectSid", FAKE_DOMAIN_SID);
	fake_domain_add(directory, "cn=system," FAKE_DOMAIN_DN, "container", NULL);
	fake_domain_add(directory, CONFIGURATION, "configuration", NULL);
	fake_domain_add(directory, PARTITIONS, "crossRefContainer", NULL);
	add_cross_ref(directory, FAKE_DOMAIN_DN, "corp.example", "CORP", FAKE_DOMAIN_SID);
	fake_domain_add(directory, "ou=groups," FAKE_DOMAIN_DN, "organizationalUnit", NULL);
	fake_domain_add(directory, "ou=people," FAKE_DOMAIN_DN, "organizationalUnit", NULL);
	return directory;
}

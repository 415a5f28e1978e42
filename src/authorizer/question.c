/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/question.h>
#include <base/ascii.h>
#include <base/text.h>
#include <identity/filter.h>
#include <string.h>

static const char *copy_or_null(struct arena *arena, const char *text, bool *failed)
{
	const char *copy = text == NULL ? NULL : arena_copy_text(arena, text);

	*failed = *failed || (text != NULL && copy == NULL);
	return copy;
}

static struct wa_certificate *copy_certificate(struct arena *arena, const struct wa_certificate *certificate,
					       bool *failed)
{
	struct wa_certificate *copy = arena_alloc(arena, sizeof(*copy));

	if (copy == NULL) {
		*failed = true;
		return NULL;
	}
	copy->subject = copy_or_null(arena, certificate->subject, failed);
	copy->issuer_name = copy_or_null(arena, certificate->issuer_name, failed);
	copy->issuer_thumbprint = copy_or_null(arena, certificate->issuer_thumbprint, failed);
	copy->subject_name = copy_or_null(arena, certificate->subject_name, failed);
	return copy;
}

struct wa_question *question_copy(const struct wa_question *question, struct arena *arena)
{
	struct wa_question *copy = arena_alloc(arena, sizeof(*copy));
	bool failed = false;

	if (copy == NULL)
		return NULL;
	*copy = *question;
	if (question->sender == NULL)
		copy->sender_length = 0;
	if (copy->sender_length > QUESTION_MAX_NAME_BYTES)
		copy->sender_length = QUESTION_MAX_NAME_BYTES;
	copy->sender = arena_copy_bytes(arena, question->sender == NULL ? "" : question->sender, copy->sender_length);
	copy->mechanism = copy_or_null(arena, question->mechanism, &failed);
	copy->http_url = copy_or_null(arena, question->http_url, &failed);
	if (question->certificate != NULL)
		copy->certificate = copy_certificate(arena, question->certificate, &failed);
	return failed || copy->sender == NULL ? NULL : copy;
}

static bool is_ours(const struct config_directory *directory, const char *domain)
{
	for (size_t i = 0; i < directory->domain_count; i++)
		if (ascii_equal_nocase(directory->domains[i], domain))
			return true;
	return false;
}

/* Thumbprints are written with blanks and colons, in either case; the policy's have neither. */
static bool is_trusted_issuer(const struct config *config, const char *thumbprint)
{
	char plain[64];
	size_t length = 0;

	for (; thumbprint != NULL && *thumbprint != '\0'; thumbprint++) {
		if (ascii_is_blank(*thumbprint) || *thumbprint == ':')
			continue;
		if (length + 1 >= sizeof(plain))
			return false;
		plain[length++] = *thumbprint;
	}
	plain[length] = '\0';
	for (size_t i = 0; i < config->certificate_issuer_count; i++)
		if (ascii_equal_nocase(config->certificate_issuers[i], plain))
			return true;
	return false;
}

static enum wa_reason refuse(struct error *error, enum wa_reason reason, const char *what, const char *hint)
{
	error_set(error, STATUS_INVALID, "%s", what);
	error_hint(error, STATUS_INVALID, "%s", hint);
	return reason;
}

/* The name that the question stands for: the sender's, or the one in a certificate that we trust. */
static enum wa_reason find_name(const struct config *config, const struct wa_question *question, const char **name_out,
				size_t *length_out, struct error *error)
{
	const struct wa_certificate *certificate = question->certificate;

	*name_out = question->sender;
	*length_out = question->sender_length;
	if (question->mechanism == NULL || !ascii_equal_nocase(question->mechanism, "ClientCertificate"))
		return WA_REASON_NONE;
	if (certificate == NULL || certificate->subject_name == NULL)
		return refuse(error, WA_REASON_BAD_SENDER_NAME, "the client certificate's details are missing", "");
	if (!is_trusted_issuer(config, certificate->issuer_thumbprint))
		return refuse(error, WA_REASON_BAD_SENDER_NAME,
			      "the client certificate's issuer is not one of the policy's <certificates issuers>",
			      "add the thumbprint of the issuer's certificate to the policy if it is to be trusted");
	*name_out = certificate->subject_name;
	*length_out = strlen(certificate->subject_name);
	return WA_REASON_NONE;
}

static enum wa_reason check_home(const struct config *config, const struct wa_question *question,
				 const struct sender *sender, struct error *error)
{
	switch (sender->form) {
	case SENDER_SID:
		if (question->allow_sid)
			return WA_REASON_NONE;
		return refuse(error, WA_REASON_BAD_SENDER_NAME, "a sender may not name itself by a SID", "");
	case SENDER_PLAIN:
		if (config->default_domain != NULL)
			return WA_REASON_NONE;
		return refuse(error, WA_REASON_FOREIGN_DOMAIN,
			      "the name has no domain, and the policy no default-domain",
			      "set default-domain in the policy if plain names are to be looked up");
	case SENDER_DOMAIN_USER:
	case SENDER_UPN:
		if (is_ours(&config->directories[0], sender->domain))
			return WA_REASON_NONE;
		return refuse(error, WA_REASON_FOREIGN_DOMAIN, "the name's domain is none of the policy's",
			      "add it to the directory's domain attribute if it is to be trusted");
	case SENDER_NONE:
		break;
	}
	return refuse(error, WA_REASON_BAD_SENDER_NAME, "the name has no form that we know", "");
}

enum wa_reason question_identify(const struct config *config, const struct wa_question *question, struct arena *arena,
				 struct sender *sender_out, struct error *error)
{
	const char *name;
	size_t length;
	enum wa_reason reason = find_name(config, question, &name, &length, error);
	enum status status;

	if (reason != WA_REASON_NONE)
		return reason;
	status = sender_parse(name, length, arena, sender_out, error);
	if (status == STATUS_NO_MEMORY)
		return WA_REASON_NO_MEMORY;
	if (status != STATUS_OK)
		return WA_REASON_BAD_SENDER_NAME;
	return check_home(config, question, sender_out, error);
}

void question_add_identity(const struct config_directory *directory, const struct sender *sender, struct text *filter)
{
	uint8_t sid[SID_BINARY_BYTES];

	if (sender->form == SENDER_SID) {
		filter_add_equality(filter, "objectSid", sid, sid_encode(&sender->sid, sid));
		return;
	}
	if (sender->form != SENDER_UPN || directory->user_upn_attribute == NULL) {
		filter_add_equality(filter, directory->user_name_attribute, sender->user, strlen(sender->user));
		return;
	}
	/* The explicit name and the one made of name and domain, at once: were they two people, we must see both. */
	text_add(filter, "(|");
	filter_add_equality(filter, directory->user_upn_attribute, sender->name, strlen(sender->name));
	filter_add_equality(filter, directory->user_name_attribute, sender->user, strlen(sender->user));
	text_add(filter, ")");
}

char *question_filter(const struct config_directory *directory, const char *identity, const char *extra)
{
	struct text filter;

	text_init(&filter);
	text_add(&filter, "(&");
	text_add(&filter, directory->user_filter);
	text_add(&filter, identity);
	text_add(&filter, extra);
	text_add(&filter, ")");
	return text_take(&filter);
}

static bool has_name(const struct dir_entry *entry, const char *attribute, const char *name)
{
	const struct dir_attribute *names = attribute == NULL ? NULL : dir_entry_attribute(entry, attribute);

	for (size_t i = 0; names != NULL && i < names->value_count; i++)
		if (sender_name_is_same(name, names->values[i].data, names->values[i].length))
			return true;
	return false;
}

static bool has_sid(const struct dir_entry *entry, const struct sid *sid)
{
	const struct dir_value *value = dir_entry_single(entry, "objectSid");
	struct sid found;

	return value != NULL && sid_parse_binary((const uint8_t *)value->data, value->length, &found) &&
	       sid_is_equal(&found, sid);
}

bool question_is_sender(const struct config_directory *directory, const struct sender *sender,
			const struct dir_entry *entry)
{
	if (sender->form == SENDER_SID)
		return has_sid(entry, &sender->sid);
	if (sender->form == SENDER_UPN && has_name(entry, directory->user_upn_attribute, sender->name))
		return true;
	return has_name(entry, directory->user_name_attribute, sender->user);
}

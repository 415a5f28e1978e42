/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/question.h>
#include <base/ascii.h>
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
	copy->token_sid = copy_or_null(arena, question->token_sid, &failed);
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

/* What Windows itself calls its own accounts and those of services; no directory may claim these names. */
static bool is_of_windows(const char *domain)
{
	static const char *const names[] = {"BUILTIN", "NT AUTHORITY", "NT SERVICE", "IIS APPPOOL"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (ascii_equal_nocase(names[i], domain))
			return true;
	return false;
}

static enum wa_reason refuse_foreign(struct error *error)
{
	return refuse(error, WA_REASON_FOREIGN_DOMAIN, "the name's domain is none of the policy's",
		      "add it to the directory's domain attribute if it is to be trusted");
}

/* DOMAIN\user, or a plain name by the policy's default domain. */
static enum wa_reason check_domain(const struct dir_forest *forest, const char *domain, struct error *error)
{
	const struct dir_domain *found = dir_forest_find_domain(forest, domain);

	if (found == forest->home)
		return WA_REASON_NONE;
	if (found == NULL)
		return refuse(error, WA_REASON_FOREIGN_DOMAIN, "the forest has no domain of that name", "");
	return refuse(error, WA_REASON_FOREIGN_DOMAIN,
		      "the name is of another domain of the forest than the search base",
		      "a policy serves one domain; the host's own domain should be it");
}

static enum wa_reason check_suffix(const struct dir_forest *forest, const char *suffix, struct error *error)
{
	if (dir_forest_has_suffix(forest, suffix) || dir_forest_find_domain(forest, suffix) == forest->home)
		return WA_REASON_NONE;
	return refuse(error, WA_REASON_FOREIGN_DOMAIN, "the forest has neither a domain nor a UPN suffix of that name",
		      "");
}

static enum wa_reason check_issuer(const struct dir_forest *forest, const struct sid *sid, struct error *error)
{
	const struct dir_domain *issuer = dir_forest_find_issuer(forest, sid);

	if (issuer != NULL && issuer == forest->home)
		return WA_REASON_NONE;
	if (issuer != NULL)
		return refuse(error, WA_REASON_FOREIGN_DOMAIN,
			      "the SID is of another domain of the forest than the search base",
			      "a policy serves one domain; the host's own domain should be it");
	if (dir_forest_trusts_issuer(forest, sid))
		return WA_REASON_NONE; /* there may be a foreign security principal */
	return refuse(error, WA_REASON_FOREIGN_DOMAIN, "the SID is of no domain that the directory knows",
		      "local accounts and services of a machine are never looked up in a directory");
}

/* The forest's word. */
static enum wa_reason check_forest(const struct config *config, const struct dir_forest *forest,
				   const struct sender *sender, struct error *error)
{
	switch (sender->form) {
	case SENDER_SID:
		return check_issuer(forest, &sender->sid, error);
	case SENDER_PLAIN:
		return check_domain(forest, config->default_domain, error);
	case SENDER_DOMAIN_USER:
		return check_domain(forest, sender->domain, error);
	case SENDER_UPN:
		return check_suffix(forest, sender->domain, error);
	case SENDER_NONE:
		break;
	}
	return WA_REASON_BAD_SENDER_NAME;
}

/* The policy's word. Its domains are all there are where no forest tells any. */
static enum wa_reason check_policy(const struct config *config, const struct dir_forest *forest,
				   const struct wa_question *question, const struct sender *sender, struct error *error)
{
	const struct config_directory *directory = &config->directories[0];
	const bool takes_all = forest != NULL && directory->domain_count == 0;

	switch (sender->form) {
	case SENDER_SID:
		if (question->allow_sid)
			return WA_REASON_NONE;
		return refuse(error, WA_REASON_BAD_SENDER_NAME, "a sender may not name itself by a SID", "");
	case SENDER_PLAIN:
		if (config->default_domain == NULL)
			return refuse(error, WA_REASON_FOREIGN_DOMAIN,
				      "the name has no domain, and the policy no default-domain",
				      "set default-domain in the policy if plain names are to be looked up");
		return takes_all || is_ours(directory, config->default_domain) ? WA_REASON_NONE : refuse_foreign(error);
	case SENDER_DOMAIN_USER:
	case SENDER_UPN:
		if (is_of_windows(sender->domain))
			return refuse(error, WA_REASON_FOREIGN_DOMAIN, "the name's domain is Windows' own", "");
		return takes_all || is_ours(directory, sender->domain) ? WA_REASON_NONE : refuse_foreign(error);
	case SENDER_NONE:
		break;
	}
	return refuse(error, WA_REASON_BAD_SENDER_NAME, "the name has no form that we know", "");
}

static enum wa_reason identify_by_name(const struct config *config, const struct dir_forest *forest,
				       const struct wa_question *question, const char *name, size_t length,
				       struct arena *arena, struct sender *sender_out, struct error *error)
{
	enum status status = sender_parse(name, length, arena, sender_out, error);
	enum wa_reason reason;

	if (status == STATUS_NO_MEMORY)
		return WA_REASON_NO_MEMORY;
	if (status != STATUS_OK)
		return WA_REASON_BAD_SENDER_NAME;
	reason = check_policy(config, forest, question, sender_out, error);
	if (reason != WA_REASON_NONE || forest == NULL)
		return reason;
	return check_forest(config, forest, sender_out, error);
}

/* The token's SID, and nothing else: a name beside it is never looked up. */
static enum wa_reason identify_by_token(const struct dir_forest *forest, const char *token_sid, struct arena *arena,
					struct sender *sender_out, struct error *error)
{
	struct sender sender = {.form = SENDER_SID};

	if (!sid_parse_text(token_sid, strlen(token_sid), &sender.sid))
		return refuse(error, WA_REASON_BAD_SENDER_NAME, "the token's SID is none", "");
	sender.name = arena_copy_text(arena, token_sid);
	if (sender.name == NULL)
		return WA_REASON_NO_MEMORY;
	*sender_out = sender;
	return forest == NULL ? WA_REASON_NONE : check_issuer(forest, &sender.sid, error);
}

/* What the policy says; where it says nothing, the token on AD and the name elsewhere. */
static bool is_by_token(const struct config_directory *directory, const struct dir_forest *forest)
{
	return directory->identity_given ? directory->identity == CONFIG_IDENTITY_TOKEN : forest != NULL;
}

enum wa_reason question_identify(const struct config *config, const struct dir_forest *forest,
				 const struct wa_question *question, struct arena *arena, struct sender *sender_out,
				 struct error *error)
{
	const struct config_directory *directory = &config->directories[0];
	const char *name;
	size_t length;
	enum wa_reason reason = find_name(config, question, &name, &length, error);

	if (reason != WA_REASON_NONE)
		return reason;
	if (question->token_sid != NULL && is_by_token(directory, forest))
		return identify_by_token(forest, question->token_sid, arena, sender_out, error);
	reason = identify_by_name(config, forest, question, name, length, arena, sender_out, error);
	/* Nobody's name stands for a token that the policy wants; a SID that the sender may name is as good. */
	if (reason == WA_REASON_NONE && directory->identity_given && directory->identity == CONFIG_IDENTITY_TOKEN &&
	    sender_out->form != SENDER_SID)
		return refuse(error, WA_REASON_NO_TOKEN,
			      "the policy says identity=\"token\", and there is no token's SID", "");
	return reason;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <base/ascii.h>
#include <base/memory.h>
#include <cli/host_login.h>
#include <config/config.h>
#include <directory/dir_conn.h>
#include <directory/dir_locator.h>
#include <directory/dir_servers.h>
#include <os/clock.h>
#include <os/thread.h>
#include <string.h>
#include <wsmauthz/engine.h>

struct host_login {
	const struct config *config; /* a reference */
	struct wa_engine *engine;    /* owned: it finds entries, and nobody is let in by what it says of them */
};

/* A question under way. */
struct search {
	struct mutex lock; /* guards what follows */
	struct condition changed;
	bool is_decided;
	enum wa_verdict verdict;
	enum wa_reason reason;
	char *dn; /* owned */
};

enum status host_login_open(const char *policy, struct host_login **login_out, struct error *error)
{
	const struct wa_options options = {.dry_run = true, .no_cache = true};
	struct host_login *login = memory_new(sizeof(*login));
	struct wa_error why;
	enum status status;

	if (login == NULL)
		return error_no_memory(error);
	status = config_load(policy, &login->config, error);
	if (status == STATUS_OK && !wa_engine_open(policy, &options, &login->engine, &why))
		status = error_hint(error, error_set(error, STATUS_INVALID, "%s", why.what), "%s", why.hint);
	if (status != STATUS_OK) {
		host_login_close(&login);
		return status == STATUS_NO_MEMORY ? status : STATUS_INVALID;
	}
	*login_out = login;
	return STATUS_OK;
}

void host_login_close(struct host_login **login)
{
	if (*login == NULL)
		return;
	wa_engine_close(&(*login)->engine);
	config_unref(&(*login)->config);
	memory_free(*login);
	*login = NULL;
}

static void decided(void *context, const struct wa_decision *decision)
{
	struct search *search = context;

	mutex_lock(&search->lock);
	search->verdict = decision->verdict;
	search->reason = decision->reason;
	search->dn = decision->dn != NULL ? memory_copy_text(decision->dn) : NULL;
	search->is_decided = true;
	condition_signal(&search->changed);
	mutex_unlock(&search->lock);
}

static enum status ask(struct host_login *login, const char *name, struct search *search, struct error *error)
{
	const struct wa_question question = {
	    .kind = WA_KIND_USER, .sender = name, .sender_length = strlen(name), .mechanism = "Basic"};

	if (!wa_engine_decide(login->engine, &question, decided, search))
		return error_no_memory(error);
	mutex_lock(&search->lock);
	while (!search->is_decided)
		condition_wait(&search->changed, &search->lock);
	mutex_unlock(&search->lock);
	if (search->dn != NULL)
		return STATUS_OK;
	return error_set(error, search->verdict == WA_ERROR ? STATUS_UNREACHABLE : STATUS_REFUSED,
			 "the user's entry is not found: %s", wa_reason_word(search->reason));
}

static enum status find_entry(struct host_login *login, const char *name, char **dn_out, struct error *error)
{
	struct search search = {.is_decided = false};
	enum status status;

	mutex_init(&search.lock);
	condition_init(&search.changed);
	status = ask(login, name, &search, error);
	condition_done(&search.changed);
	mutex_done(&search.lock);
	if (status == STATUS_OK)
		*dn_out = search.dn;
	return status;
}

static bool is_beneath(const char *dn, const char *base)
{
	size_t length = strlen(dn), base_length = strlen(base);

	return base_length <= length && ascii_equal_nocase(dn + length - base_length, base);
}

static const struct config_directory *directory_of(const struct config *config, const char *dn)
{
	for (size_t i = 0; i < config->directory_count; i++)
		if (is_beneath(dn, config->directories[i].base))
			return &config->directories[i];
	return &config->directories[0];
}

/* The servers one after the other: one that refuses the password has answered. */
static enum status bind_to_any(const struct config_directory *as_user, const struct dir_servers *servers,
			       uint64_t deadline_ms, struct error *error)
{
	enum status status = error_set(error, STATUS_UNREACHABLE, "the directory has no server");

	for (size_t i = 0; i < dir_servers_count(servers); i++) {
		struct dir_conn *conn = NULL;

		status = dir_conn_open(as_user, dir_servers_uri(servers, i), deadline_ms, &conn, error);
		dir_conn_close(&conn);
		if (status == STATUS_OK || status == STATUS_REFUSED)
			break;
	}
	return status;
}

static enum status bind_as(const struct config_directory *directory, const char *dn, struct secret *password,
			   struct error *error)
{
	struct config_directory as_user = *directory;
	uint64_t deadline_ms = clock_monotonic_ms() + directory->timeout_ms;
	struct dir_servers *servers = NULL;
	enum status status;

	as_user.bind = CONFIG_BIND_SIMPLE;
	as_user.bind_mechanism = NULL;
	as_user.bind_dn = dn;
	as_user.bind_user = NULL;
	as_user.bind_secret = password;
	as_user.bind_keytab = as_user.bind_credential_cache = as_user.bind_principal = NULL;
	status = dir_locator_find(directory, NULL, deadline_ms, &servers, error);
	if (status == STATUS_OK)
		status = bind_to_any(&as_user, servers, deadline_ms, error);
	dir_servers_unref(&servers);
	return status;
}

enum status host_login_check(struct host_login *login, const struct host_credentials *credentials, char **dn_out,
			     struct error *error)
{
	char *dn = NULL;
	enum status status;

	/* Such a bind would succeed as nobody: RFC 4513 section 5.1.2. */
	if (secret_length(credentials->password) == 0)
		return error_set(error, STATUS_REFUSED, "the password is empty");
	status = find_entry(login, credentials->name, &dn, error);
	if (status == STATUS_OK && dn[0] == '\0')
		status = error_set(error, STATUS_REFUSED, "the user's entry has no name");
	if (status == STATUS_OK)
		status = bind_as(directory_of(login->config, dn), dn, credentials->password, error);
	if (status == STATUS_OK)
		*dn_out = dn;
	else
		memory_free(dn);
	return status;
}

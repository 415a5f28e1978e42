/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy file as a struct: what conf/wsmauthz.xsd says in XML, checked and with every default
 * filled in. Immutable once loaded and reference-counted: a decision keeps the policy it began with.
 *
 * The names of elements and attributes are fixed; others write policies against them.
 */
#ifndef WSMAUTHZ_CONFIG_CONFIG_H
#define WSMAUTHZ_CONFIG_CONFIG_H

#include <base/digest.h>
#include <base/error.h>
#include <base/log.h>
#include <os/secret.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_NAMESPACE "urn:wsmauthz:policy:1"

/* Bounds of one policy; each far above what anyone writes by hand, low enough to stay quick. */
#define CONFIG_MAX_RULES       1024
#define CONFIG_MAX_SITES       1024
#define CONFIG_MAX_URIS        16 /* of one directory, or of one site */
#define CONFIG_MAX_DOMAINS     64
#define CONFIG_MAX_HERE        64 /* values served on one host */
#define CONFIG_MAX_ISSUERS     64
#define CONFIG_MAX_ENTRIES     10000000           /* of the cache: some gigabytes */
#define CONFIG_MAX_PEM_BYTES   ((size_t)64 << 20) /* of a CA or CRL file; large public CRLs have ten MB */
#define CONFIG_MAX_DURATION_MS (UINT64_C(100) * 24 * 60 * 60 * 1000)
#define CONFIG_MAX_TIMEOUT_MS  60000 /* WinRM's own MaxOperationTimeoutSeconds is 60 by default */

/* The strength of a SASL security layer (RFC 4422 3.7): 0 none, 1 signed, then the bits of the key that seals. */
#define CONFIG_LEAST_SSF 56
#define CONFIG_MAX_SSF   256

/* How often the metrics are written: who looks more often asks a scraper for more than it does, and what is older than an hour helps nobody. */
#define CONFIG_LEAST_METRICS_MS 1000
#define CONFIG_MAX_METRICS_MS   3600000

/* Unlimited, as WSMAN_AUTHZ_QUOTA writes it. */
#define CONFIG_UNLIMITED UINT32_MAX

enum config_bind {
	CONFIG_BIND_NONE = 0, /* never in a loaded policy */
	CONFIG_BIND_SIMPLE,
	CONFIG_BIND_ANONYMOUS, /* only where the policy says the word */
	CONFIG_BIND_SASL,      /* mechanism in bind_mechanism */
};

enum config_tls { CONFIG_TLS_STARTTLS = 0, CONFIG_TLS_LDAPS, CONFIG_TLS_NONE /* said in words; or ldapi */ };

enum config_identity { CONFIG_IDENTITY_NAME = 0, CONFIG_IDENTITY_TOKEN };

/* How a user's direct groups are found. <groups strategy="..."/> */
enum config_strategy {
	CONFIG_STRATEGY_AUTO = 0, /* the member index within its budget, else search */
	CONFIG_STRATEGY_SEARCH,   /* always ask the server for the groups that hold the user */
	CONFIG_STRATEGY_MEMBEROF, /* trust the memberOf attribute */
};

struct config_directory {
	unsigned line;
	const char **uris; /* in order of preference */
	size_t uri_count;
	/*
	 * For each URI the domain whose servers it stands for (directory/dir_locate.h), NULL: the URI is a server's. A URI is of a domain when it
	 * has no host (ldap:///: the first of `domains` that is a DNS name, else what the dc= of `base` spell), or when it has no port and its host is one
	 * of `domains`, or what the dc= of `base` spell.
	 */
	const char **uri_domains;
	const char *site; /* of this host, for servers that are found by DNS; NULL: they are asked */
	const char *base;
	const char **
	    domains; /* names this directory answers for; of AD, the names that are taken of those that the forest has */
	size_t domain_count; /* 0: not given. On AD, all that the forest has; elsewhere none */
	uint64_t timeout_ms;
	enum config_identity identity;
	bool identity_given; /* where it is not, an AD forest is asked by the token's SID if there is one */

	enum config_bind bind;
	const char *bind_mechanism;   /* "EXTERNAL", "SCRAM-SHA-256", "GSSAPI"...: for CONFIG_BIND_SASL */
	const char *bind_dn;          /* simple */
	const char *bind_user;        /* SASL authentication identity; NULL: the mechanism's own */
	const char *bind_secret_file; /* where it came from; NULL likewise */
	struct secret *bind_secret;   /* owned; NULL where the mechanism needs none */
	/* For GSSAPI and GSS-SPNEGO; the files are read anew for each connection. */
	const char *bind_keytab;           /* NULL: none */
	const char *bind_credential_cache; /* NULL: with bind_keytab the connection's own, else the process's */
	const char *bind_principal;        /* NULL: the first of the keytab, the cache's */
	bool has_bind_minssf;              /* false: Kerberos seals, CONFIG_LEAST_SSF at least */
	unsigned bind_minssf;              /* what the layer of a mechanism must count where there is no TLS */

	enum config_tls tls;
	const char *tls_ca_file;  /* beside the policy; NULL: the system's */
	const char *tls_crl_file; /* likewise; NULL: none */
	int tls_minimum;          /* 12 or 13: TLS 1.2, TLS 1.3 */

	const char *user_name_attribute; /* "uid" */
	const char *user_upn_attribute;  /* NULL: UPNs are domain + name only */
	const char *user_filter;         /* "(objectClass=inetOrgPerson)" */
	/* Whether the policy says so; what it does not say is otherwise on AD (question_adapt). */
	bool user_name_given, user_upn_given, user_filter_given;

	enum config_strategy strategy;
	const char *group_base; /* where groups are listed; default `base` */
	unsigned connections;   /* 1 to 8 connections to the server in use; default 2 */
};

enum config_effect { CONFIG_DENY = 0, CONFIG_ALLOW };

struct config_rule {
	unsigned line;
	enum config_effect effect;
	const char *group; /* as written */
	const char *label; /* "allow CN=WinRM Users,...": names the rule in answers and audit */
	/* deny */
	bool ignore_if_missing;
	/* allow */
	bool administrator;
	bool fresh; /* never from a stale cache */
	uint32_t max_shells, max_operations;
	uint32_t timeslot_s, max_operations_per_timeslot;
};

struct config_site {
	unsigned line;
	const char *name;   /* a value of the redirect attribute; or */
	const char *group;  /* a group, as written; or */
	const char *ou;     /* what the user's entry lies beneath, as written */
	const char *ou_key; /* dn_own_key of it */
	const char **uris;
	size_t uri_count;
};

struct config_redirect {
	bool present;
	unsigned line;
	const char *attribute; /* NULL: only site groups */
	const char **here;     /* values served on this host */
	size_t here_count;
	bool deny_unmapped; /* unmapped="deny" */
	struct config_site *sites;
	size_t site_count;
};

struct config_account {
	bool deny_disabled, deny_expired, deny_locked, deny_password_expired;
	const char *filter; /* users must match it too; "" for none */
};

enum config_audit_sink { CONFIG_AUDIT_SYSTEM = 0, /* journal */ CONFIG_AUDIT_FILE };

struct config_life;

struct config {
	struct config_life *life;   /* private: references, and what owns the strings */
	const char *path;           /* as given to config_load */
	struct digest content;      /* of the policy and the CA and CRL files, in this order; see config_is_same */
	const char *default_domain; /* NULL: plain names are refused */

	struct config_directory *directories;
	size_t directory_count; /* 1 for now */

	struct config_rule *rules; /* deny and allow, in document order */
	size_t rule_count;
	struct config_redirect redirect;
	struct config_account account;

	struct {
		uint64_t ttl_ms, negative_ttl_ms, stale_limit_ms;
		uint64_t unwatched_ttl_ms;       /* at most ttl_ms */
		uint64_t max_entries, max_bytes; /* of the cached verdicts; max_bytes 0: none is cached */
		uint64_t member_index_bytes;     /* 0: no group has its members indexed */
	} cache;

	struct {
		bool asynchronous;
		bool allow_null_token;
		enum log_level log_level; /* of the system's log; read when the service starts */
	} plugin;

	/* Issuers (SHA-1 thumbprints, 40 upper-case hex digits) whose client certificates are taken; none: none are. */
	const char **certificate_issuers;
	size_t certificate_issuer_count;

	struct {
		enum config_audit_sink sink;
		const char *file;
	} audit;
	const char *metrics_file;     /* NULL: none */
	uint64_t metrics_interval_ms; /* CONFIG_LEAST_METRICS_MS to CONFIG_MAX_METRICS_MS */
};

/**
 * Read and check a policy file, and the secrets it names.
 *
 * Strict: an unknown or repeated element or attribute, a bad duration, size, DN, URI, filter, an
 * empty group, a redirect target that is not https (unless allow-http="true" stands at the site), a target
 * given twice in one site, a file that others may write, a secret that others may read, a CA or CRL file without
 * what it is for in PEM form, are each an error that says file, line, what, and what to do. Only the first is reported.
 *
 * @param path        as given by the user; relative to the working directory.
 * @param config_out  one reference, the caller's.
 * @return STATUS_OK; STATUS_NOT_FOUND, STATUS_REFUSED, STATUS_UNREACHABLE (the policy, or a file that it names);
 *         STATUS_INVALID; STATUS_LIMIT; STATUS_NO_MEMORY; STATUS_INTERNAL (the XML parser failed of itself).
 *
 * Threads: any. Does file I/O.
 */
NODISCARD enum status config_load(const char *path, const struct config **config_out, struct error *error);

/** The same from memory; relative paths stand beside `path`. */
NODISCARD enum status config_parse(const char *data, size_t length, const char *path, const struct config **config_out,
				   struct error *error);

const struct config *config_ref(const struct config *config);
/** NULL-safe; sets the pointer to NULL. */
void config_unref(const struct config **config);

/** Whether two policies of one path were read from the same bytes: their own, and those of the files that they name. */
bool config_is_same(const struct config *a, const struct config *b);

/** "500ms", "3s", "5m", "2h", "0s" -> milliseconds. False: not a duration, or over 100 days. */
NODISCARD bool config_parse_duration(const char *text, uint64_t *ms_out);
/** "0B", "64KB", "128MB", "1GB" -> bytes (1 KB is 1024 B). False: not a size, a number without a unit among them. */
NODISCARD bool config_parse_size(const char *text, uint64_t *bytes_out);

/**
 * The `ConfigFile` parameter of WinRM's extraInfo: `<InitializationParameters><Param Name="ConfigFile" Value="..."/>...`.
 *
 * @param extra_info  UTF-8; a fragment without XML declaration.
 * @param path_out    owned by the caller (memory_free); NULL when there is no such parameter.
 * @return STATUS_OK; STATUS_INVALID (not well-formed, another root, given twice, without a value); STATUS_LIMIT (the
 *         bounds of xml_reader.h); STATUS_NO_MEMORY; STATUS_INTERNAL.
 */
NODISCARD enum status config_path_from_extra_info(const char *extra_info, size_t length, char **path_out,
						  struct error *error);

#endif

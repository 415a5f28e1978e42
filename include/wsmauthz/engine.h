/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: what the plug-in, the CLI and any embedder talk to.
 *
 *	wa_engine_open("/etc/wsmauthz/wsmauthz.xml", NULL, &engine, &error)
 *	wa_engine_decide(engine, &question, decided, context)     any thread, returns at once
 *	    ... decided(context, &decision) runs later, exactly once, on the engine's thread
 *	wa_engine_decide_cached(engine, &question, decided, context)   first, where speed matters: at once, or not at all
 *	wa_engine_close(&engine)                                  everything asked has been answered
 *
 * A decision has three kinds of outcome. AUTHORIZE and DENY (and REDIRECT, an authorize that
 * belongs elsewhere) are what the directory says; ERROR means that it could not be known. An error is
 * never an authorize, and zeroed memory is a deny.
 *
 * The engine does no I/O on the caller's threads and raises no signal in the host's process.
 */
#ifndef WSMAUTHZ_ENGINE_H
#define WSMAUTHZ_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wa_engine;

enum wa_verdict {
	WA_DENY = 0,
	WA_AUTHORIZE,
	WA_REDIRECT, /* allowed, but served by another endpoint */
	WA_ERROR,    /* not known: treat as a failure of the service, not of the user */
};

/* Why. Each has a stable word (wa_reason_word) that scripts and audit lines may rely on. */
enum wa_reason {
	WA_REASON_NONE = 0,
	/* authorize */
	WA_REASON_MEMBER,
	/* redirect */
	WA_REASON_SITE_ELSEWHERE,
	/* deny */
	WA_REASON_NOT_A_MEMBER,
	WA_REASON_DENIED_GROUP,
	WA_REASON_ACCOUNT_DISABLED,
	WA_REASON_ACCOUNT_EXPIRED,
	WA_REASON_ACCOUNT_LOCKED,
	WA_REASON_PASSWORD_EXPIRED,
	WA_REASON_ACCOUNT_FILTER, /* the policy's account filter does not match the user */
	WA_REASON_NO_SUCH_USER,
	WA_REASON_AMBIGUOUS_USER,
	WA_REASON_BAD_SENDER_NAME,
	WA_REASON_FOREIGN_DOMAIN,
	WA_REASON_NO_TOKEN,      /* the sender came without a token */
	WA_REASON_SITE_UNMAPPED, /* only with unmapped="deny" */
	/* error */
	WA_REASON_BAD_CALL,
	WA_REASON_DIRECTORY_UNAVAILABLE,
	WA_REASON_DEADLINE_EXCEEDED,
	WA_REASON_OVERLOAD,
	WA_REASON_DIRECTORY_LIMIT,    /* a size, time or administrative limit cut an answer */
	WA_REASON_INCOMPLETE_DATA,    /* the directory answered, but not what is needed for a decision */
	WA_REASON_DENY_GROUP_MISSING, /* a deny rule names a group that does not exist */
	WA_REASON_POLICY_UNUSABLE,
	WA_REASON_NO_MEMORY,
	WA_REASON_SHUTTING_DOWN,
	WA_REASON_DENY_GROUP_UNKNOWN, /* nobody here can tell whether the group of a deny rule holds the user */
	WA_REASON_COUNT
};

/** "member", "not-a-member", ... Never NULL. */
WSMAUTHZ_EXPORT const char *wa_reason_word(enum wa_reason reason);

/** "authorize", "deny", "redirect", "error". */
WSMAUTHZ_EXPORT const char *wa_verdict_word(enum wa_verdict verdict);

/* Quotas as WSMAN_AUTHZ_QUOTA has them; UINT32_MAX: unlimited. */
struct wa_quota {
	uint32_t max_shells;
	uint32_t max_operations;
	uint32_t timeslot_s;
	uint32_t max_operations_per_timeslot;
};

enum wa_kind {
	WA_KIND_USER = 0,  /* a connection: may be redirected */
	WA_KIND_OPERATION, /* an operation of a connected user: never redirected */
	WA_KIND_QUOTA,     /* as an operation; the quota is wanted */
};

/* What is known of a client certificate; strings UTF-8, each may be NULL. */
struct wa_certificate {
	const char *subject, *issuer_name, *issuer_thumbprint, *subject_name;
};

/* Everything is copied before wa_engine_decide returns. */
struct wa_question {
	enum wa_kind kind;
	const char *sender;                       /* UTF-8; may hold any byte: it is checked */
	size_t sender_length;                     /* bytes */
	const char *mechanism;                    /* "Basic", "Negotiate", ...; NULL: not known */
	const char *http_url;                     /* where the sender came to; NULL: not known */
	const struct wa_certificate *certificate; /* NULL: none */
	bool allow_sid; /* the sender may be named by a SID (never true for what a client typed) */
	/*
	 * Whose token the sender came with: "S-1-5-21-..."; NULL: not known. Where the policy's identity is the token (the default on
	 * Active Directory) it alone says who is asked about, and the name is for the record.
	 */
	const char *token_sid;
};

struct wa_decision {
	enum wa_verdict verdict;
	enum wa_reason reason;
	uint32_t code;            /* the number that WinRM is given: 0, 5, 0x80338199, 0x80338083, 87 */
	const char *redirect_uri; /* NULL unless the verdict is WA_REDIRECT */
	const char *rule;         /* the rule that decided, as the policy has it ("allow CN=..."); NULL: none did */
	const char *dn;           /* the user's entry; NULL: none was found */
	const char *const *path;  /* user, groups..., configured group, by DN; NULL: none */
	size_t path_count;
	bool administrator;
	struct wa_quota quota; /* unlimited unless authorized or redirected and the rules say less */
	unsigned searches;     /* round trips that this decision waited for */
	bool cached;           /* no directory operation was needed */
	uint64_t elapsed_us;
	const char *detail; /* one line for administrators: what exactly went wrong; NULL: nothing to add */
};

/** Runs on the engine's thread, exactly once for a question; the decision and its strings live until it returns. Must not block. */
typedef void wa_decided_fn(void *context, const struct wa_decision *decision);

enum wa_log_level { WA_LOG_ERROR = 0, WA_LOG_WARNING, WA_LOG_INFO, WA_LOG_DEBUG };

/* Where the engine's log lines go. `write` may be called from several threads at once. */
struct wa_log {
	enum wa_log_level level;
	void (*write)(void *context, enum wa_log_level level, const char *line);
	void *context;
};

struct wa_options {
	struct wa_log log; /* `write` NULL: the system's log, at the policy's log-level */
	bool dry_run;      /* leave no audit record: nobody is let in by these decisions */
	bool no_cache;     /* ask the directory each time: to measure it */
};

struct wa_error {
	char what[512]; /* what happened, and where ("file:line: ...") */
	char hint[512]; /* what to do; may be empty */
};

/*
 * What an engine can say about itself. Counters are of everything since it was opened, loads of the groups included; what is
 * not known is 0.
 */
struct wa_stats {
	uint64_t decisions;                   /* answered */
	uint64_t cached;                      /* of these, without asking the directory */
	uint64_t searches;                    /* LDAP searches sent */
	uint64_t round_trips;                 /* what was sent together and waited for together counts as one */
	uint64_t bytes_in;                    /* of its answers, as they were on the wire */
	uint64_t closure_load_us;             /* how long the last load of the groups took */
	uint64_t closure_groups, memberships; /* what it holds */
	uint64_t cached_users, cached_bytes;
	bool watched; /* the directory tells of its changes now */
};

/**
 * Read the policy and start: threads, connections and the first load of the groups go on behind
 * this call, which does not wait for the directory.
 *
 * @param policy_path  the policy file.
 * @param options      copied; NULL: as a service has it.
 * @param engine_out   closed by the caller with wa_engine_close.
 * @return true; false: the policy is unusable or the system refused a thread; *error says why.
 *
 * Threads: any, but no other call of the process may be changing the environment (the first call
 * sets LDAPNOINIT, so that libldap reads no ldaprc of somebody else).
 */
WSMAUTHZ_EXPORT bool wa_engine_open(const char *policy_path, const struct wa_options *options,
				    struct wa_engine **engine_out, struct wa_error *error);

/**
 * Ask. `decided` is called exactly once, later, never inside this call, at the latest at the policy's deadline and a moment.
 * When there is no memory even to remember the question, or tens of thousands wait already, `decided` is not called and
 * false is returned: answer with an error yourself.
 *
 * Threads: any. Does no I/O and never waits for the directory.
 */
WSMAUTHZ_EXPORT bool wa_engine_decide(struct wa_engine *engine, const struct wa_question *question,
				      wa_decided_fn *decided, void *context);

/**
 * Ask the cache alone: when it may answer, `decided` is called here and now, inside this call and on this thread, and true is
 * returned; otherwise nothing is called, and the question is one for wa_engine_decide.
 *
 * Only authorizations are answered so: denials and redirects, which are audited one by one, take the other way. The decision has
 * no DN and no path. Takes well under a microsecond; the directory's own changes and the policy's time limits are heeded as ever.
 *
 * Threads: any. Allocates nothing, does no I/O, waits for nobody.
 */
WSMAUTHZ_EXPORT bool wa_engine_decide_cached(struct wa_engine *engine, const struct wa_question *question,
					     wa_decided_fn *decided, void *context);

/**
 * Leave the audit record of an answer that was given without asking: a name that cannot be read, a sender without a token.
 * Question and decision are copied (of the decision: verdict, reason, code, detail). When memory is short the
 * record is lost, and the loss is told by the log.
 *
 * Threads: any. Does no I/O.
 */
WSMAUTHZ_EXPORT void wa_engine_record(struct wa_engine *engine, const struct wa_question *question,
				      const struct wa_decision *decision);

/** Threads: any. The figures are each right, but not of one moment. */
WSMAUTHZ_EXPORT void wa_engine_stats(struct wa_engine *engine, struct wa_stats *stats_out);

/** The longest time that a decision takes, by the policy: the directory's timeout, in milliseconds. */
WSMAUTHZ_EXPORT uint32_t wa_engine_timeout_ms(const struct wa_engine *engine);

/** What the policy says of the plug-in's manners. */
WSMAUTHZ_EXPORT bool wa_engine_is_asynchronous(const struct wa_engine *engine);
WSMAUTHZ_EXPORT bool wa_engine_allows_null_token(const struct wa_engine *engine);
/** Whether wa_question.token_sid may matter: false where the policy says identity="name". */
WSMAUTHZ_EXPORT bool wa_engine_wants_token_sid(const struct wa_engine *engine);

/**
 * Answer everything that was asked (what cannot be known any more with WA_REASON_SHUTTING_DOWN), end
 * every thread, free. Not from inside `decided`. NULL-safe; sets the pointer to NULL.
 */
WSMAUTHZ_EXPORT void wa_engine_close(struct wa_engine **engine);

#ifdef __cplusplus
}
#endif

#endif

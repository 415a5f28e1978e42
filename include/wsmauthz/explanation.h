/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision explained: what it was made of, and why it is what it is.
 *
 *	wa_engine_explain(engine, &question, explained, context)
 *	    ... explained(context, &decision, &explanation) runs later, exactly once, on the engine's thread
 *
 * The decision is the one of wa_engine_decide: the same way through the same engine. What the explanation shows is what that way
 * has seen; only the ways from group to group are looked for afterwards, in the groups that the engine holds, without asking the
 * directory. A decision from the cache has seen nothing: then the directory is asked once more, behind the decision, and these
 * steps are marked (is_extra).
 */
#ifndef WSMAUTHZ_EXPLANATION_H
#define WSMAUTHZ_EXPLANATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ways to one group that are told one by one; the others are counted. */
#define WA_EXPLAIN_MAX_PATHS 12
/* Groups that are listed: those of the ways above first, then the configured ones, then others above the user. */
#define WA_EXPLAIN_MAX_GROUPS 250
/* After the decision, so long is waited for the watch to say whether it is there. */
#define WA_EXPLAIN_WATCH_MS 500

#define WA_NO_GROUP         UINT32_MAX

/* How the name was taken. */
enum wa_form { WA_FORM_NONE = 0, WA_FORM_SID, WA_FORM_DOMAIN_USER, WA_FORM_UPN, WA_FORM_PLAIN };

struct wa_explained_identity {
	enum wa_form form;  /* NONE: it could not be read */
	bool is_by_token;   /* the token's SID was looked up, and not the name */
	const char *user;   /* the part that names the user; NULL: none */
	const char *domain; /* as given, or the policy's default; NULL: none */
	const char *sid;    /* of FORM_SID; NULL */
	const char *base;   /* where it is looked up; NULL: it is not */
	const char *filter; /* and by what */
};

/* Something that the question waited for. */
enum wa_step_kind {
	WA_STEP_ROUND_TRIP = 0, /* `searches` were sent together */
	WA_STEP_GROUPS,         /* the configured groups were being read */
	WA_STEP_CHANGES,        /* the directory had shown changes that were not known yet */
	WA_STEP_LEASE,          /* whether what is cached is still true was asked */
	WA_STEP_SHARED, /* another question about the same sender was under way, and this one shares its answer */
};

struct wa_explained_search {
	const char *purpose; /* "user", "account-filter", "mark", "groups", "lockout" */
	const char *base;
	const char *scope; /* "base", "one", "sub" */
	const char *filter;
	const char *outcome; /* "ok", "no-such-object", "timeout", ... */
	size_t entries;
};

struct wa_explained_step {
	enum wa_step_kind kind;
	uint64_t began_us; /* after the question */
	uint64_t elapsed_us;
	const char *server; /* that answered; NULL: none did, or it is not known any more */
	const struct wa_explained_search *searches;
	size_t search_count;
	bool is_extra; /* behind the decision, for the explanation alone */
};

/* A group; others name it by its number in wa_explanation.groups. */
struct wa_explained_group {
	const char *dn;
	const char *id;  /* the stable one: entryUUID, nsUniqueId, objectSid; the DN where there is none */
	bool is_direct;  /* it lists the user, or the user it */
	bool is_primary; /* the user's primary group */
	unsigned ring;   /* groups with the same number hold each other in a ring; 0: it is in none */
};

struct wa_explained_edge {
	uint32_t member, group; /* the first is a direct member of the second */
};

/* From a group that holds the user directly up to a configured one. */
struct wa_explained_path {
	const uint32_t *groups;
	size_t count;
};

struct wa_explained_paths {
	const struct wa_explained_path *paths; /* the shortest first */
	size_t count;
	uint64_t more;      /* that are not told; UINT64_MAX: so many or more */
	bool more_is_least; /* there may be more than that */
};

enum wa_holding {
	WA_HOLDING_UNASKED = 0, /* the decision ended before it was looked at */
	WA_HOLDING_NO,
	WA_HOLDING_YES,
	WA_HOLDING_UNKNOWN, /* nobody here can tell */
	WA_HOLDING_MISSING, /* the group does not exist */
};

/* What a rule did. */
enum wa_part {
	WA_PART_NONE = 0, /* nothing: it does not hold the user */
	WA_PART_DECIDED,
	WA_PART_ADDED,     /* another one decided; this one adds its administrator, fresh and quotas */
	WA_PART_OVERRULED, /* it holds the user, and something else decided */
};

struct wa_explained_rule {
	const char *label; /* "allow CN=..." */
	unsigned line;     /* of the policy */
	bool is_deny, administrator, fresh, ignores_missing;
	struct wa_quota quota;
	enum wa_holding holding;
	enum wa_part part;
	const char *note; /* what there is to say beside; NULL: nothing */
	uint32_t group;   /* the configured group; WA_NO_GROUP: it is not listed */
	struct wa_explained_paths paths;
};

enum wa_check_state {
	WA_CHECK_UNASKED = 0,
	WA_CHECK_PASSED,
	WA_CHECK_FAILED,     /* the account is in this state */
	WA_CHECK_UNREADABLE, /* an attribute is malformed, or hidden */
};

struct wa_explained_check {
	const char *name; /* "disabled", "expired", "locked", "password-expired", "filter" */
	enum wa_check_state state;
	bool denies; /* the policy denies who is in this state */
	bool decided;
};

#define WA_EXPLAIN_CHECKS 5

struct wa_explained_account {
	struct wa_explained_check checks[WA_EXPLAIN_CHECKS];
	bool is_too_late;            /* a deny rule had decided before */
	const char *filter;          /* of the policy; NULL: none */
	const char *const *evidence; /* "userAccountControl: 514": what the entry shows of it */
	size_t evidence_count;
	int64_t until_s; /* Unix time at which the state changes by itself; INT64_MAX: never */
};

enum wa_place {
	WA_PLACE_UNASKED = 0,
	WA_PLACE_NONE, /* the policy has no <redirect> */
	WA_PLACE_HERE, /* a value of the user's is served on this host */
	WA_PLACE_UNMAPPED,
	WA_PLACE_SITE,
};

enum wa_site_kind { WA_SITE_BY_VALUE = 0, WA_SITE_BY_GROUP, WA_SITE_BY_OU };

struct wa_explained_site {
	enum wa_site_kind kind;
	const char *label; /* the value, the group's DN, the OU */
	unsigned line;
	bool is_his; /* the first in the policy's order that is */
	uint32_t group;
	struct wa_explained_paths paths;
};

struct wa_explained_redirect {
	enum wa_place place;
	const char *attribute; /* NULL: the policy names none */
	const char *const *values;
	size_t value_count;
	bool denies_unmapped;
	size_t site;           /* in `sites`, of WA_PLACE_SITE */
	const char *uri;       /* the user's URI of that site */
	bool is_already_there; /* the sender came to an endpoint of that site */
	bool is_too_late;      /* the user is not let in, and so not redirected */
	const struct wa_explained_site *sites;
	size_t site_count;
};

enum wa_cache_state {
	WA_CACHE_OFF = 0,
	WA_CACHE_UNASKED, /* the question ended before */
	WA_CACHE_ABSENT,
	WA_CACHE_OUTDATED, /* it was there, and might not be used: too old, or something has changed */
	WA_CACHE_SERVED,
	WA_CACHE_STALE, /* no server answered, and the policy lets what was known serve */
};

struct wa_explained_cache {
	enum wa_cache_state state;
	bool is_kept;    /* this answer is kept now */
	uint64_t ttl_ms; /* ... for so long at most */
};

enum wa_watch_state {
	WA_WATCH_STARTING = 0, /* it has not said anything yet */
	WA_WATCH_UP,
	WA_WATCH_READING, /* it is up; the groups are still read under it */
	WA_WATCH_BEHIND,  /* the servers that answer have shown more than it told */
	WA_WATCH_LOST,
	WA_WATCH_UNSUPPORTED,
};

enum wa_strategy {
	WA_STRATEGY_UNKNOWN = 0,
	WA_STRATEGY_INDEX,
	WA_STRATEGY_SEARCH,
	WA_STRATEGY_MEMBEROF,
	WA_STRATEGY_SID,
	WA_STRATEGY_TOKEN
};

struct wa_explained_watch {
	enum wa_watch_state state;
	const char *means;  /* "RFC 4533 refreshAndPersist: ..."; NULL while it is not up */
	const char *server; /* NULL: none now */
	const char *trouble;
	bool is_pending;   /* something that it told is not applied yet */
	uint64_t lease_ms; /* for so long what is cached is served without asking */
	bool is_loaded;    /* the groups were read: */
	uint64_t age_ms, load_us;
	size_t groups, memberships;
};

/* All of it, and all that it points to, lives until the callback returns. */
struct wa_explanation {
	const char *policy; /* path */
	struct wa_explained_identity identity;
	const char *entry_id; /* the stable id of the user's entry; NULL */
	bool is_active_directory;

	const struct wa_explained_group *groups;
	size_t group_count;
	size_t more_groups; /* above the user that are not listed */
	const struct wa_explained_edge *edges;
	size_t edge_count;
	enum wa_strategy strategy; /* how the user's direct groups were found */

	const struct wa_explained_rule *rules; /* in the policy's order */
	size_t rule_count;
	struct wa_explained_account account;
	struct wa_explained_redirect redirect;

	const struct wa_explained_step *steps;
	size_t step_count;
	unsigned extra_searches; /* round trips behind the decision */
	bool is_incomplete;      /* there was no memory for all of it */
	struct wa_explained_cache cache;
	struct wa_explained_watch watch;
};

typedef void wa_explained_fn(void *context, const struct wa_decision *decision,
			     const struct wa_explanation *explanation);

/**
 * As wa_engine_decide, and explain the decision. It is told at most WA_EXPLAIN_WATCH_MS later.
 * @return false: as wa_engine_decide.
 * Threads: any.
 */
WSMAUTHZ_EXPORT bool wa_engine_explain(struct wa_engine *engine, const struct wa_question *question,
				       wa_explained_fn *explained, void *context);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explanation for people: one tree, in the order of judgement. Lines are broken at EXPLAIN_TEXT_COLUMNS where that is possible, between
 * two groups.
 *
 *	CORP\frank  authorize  member
 *	├─ who      user 'frank' of domain 'CORP'
 *	│  └─ ...
 *	├─ judged in this order
 *	│  ├─   deny   CN=Leavers           does not hold the user
 *	│  ├─   account                     nothing against the user
 *	│  ├─ ▶ allow  CN=WinRM Users       lets the user in
 *	│  │     └─ uid=frank → cn=ops → CN=WinRM Users
 *	│  └─   place                       ...
 *	├─ asked ...
 *
 *	explain_text.c        the tree, and all but
 *	explain_text_rules.c  what is judged
 */
#ifndef WSMAUTHZ_CLI_EXPLAIN_TEXT_H
#define WSMAUTHZ_CLI_EXPLAIN_TEXT_H

#include <base/compiler.h>
#include <base/text.h>
#include <cli/check_format.h>
#include <cli/explain_names.h>
#include <stdbool.h>
#include <stddef.h>
#include <wsmauthz/explanation.h>

#define EXPLAIN_TEXT_COLUMNS 120
/* Rules and sites that hold nobody, one by one; more are counted. */
#define EXPLAIN_TEXT_MAX_IDLE 20
#define EXPLAIN_TREE_DEPTH    6

/** Memory that runs out is told by text_failed(out). */
void explain_text(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		  const struct wa_explanation *explanation);

/* Shared by its files. */

/* Where a line begins. */
struct explain_tree {
	struct text *out;
	size_t depth;
	bool is_last[EXPLAIN_TREE_DEPTH]; /* [depth]: the branches that this level hangs from were the last of theirs */
};

/** "├─ " or "└─ ", behind the prefix. */
void explain_tree_branch(const struct explain_tree *tree, bool is_last);
/** The level below a branch of this one. */
struct explain_tree explain_tree_below(const struct explain_tree *tree, bool is_last);
/** The begin of another line of the same branch. */
void explain_tree_again(const struct explain_tree *tree, bool is_last);

/** What is judged, in its order: branches of `tree`, the last one of which is the last. */
void explain_text_rules(const struct explain_tree *tree, const struct explain_names *names,
			const struct wa_decision *decision);

#endif

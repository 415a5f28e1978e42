/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The membership graph of an explanation, as a picture: the user, the groups above him, the configured groups, each by what its rule
 * says and did.
 *
 *	explain_picture.c  nodes and edges, which both share
 *	explain_svg.c      an SVG that needs nothing else: laid out here, text escaped, for light and dark
 *	explain_dot.c      for Graphviz
 */
#ifndef WSMAUTHZ_CLI_EXPLAIN_PICTURE_H
#define WSMAUTHZ_CLI_EXPLAIN_PICTURE_H

#include <base/compiler.h>
#include <base/text.h>
#include <cli/check_format.h>
#include <cli/explain_names.h>
#include <cli/layered.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wsmauthz/explanation.h>

/** Write a picture. Memory that runs out is told by text_failed(out). */
void explain_svg(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		 const struct wa_explanation *explanation);
void explain_dot(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		 const struct wa_explanation *explanation);

/* Shared by its files. */

enum explain_node_kind {
	EXPLAIN_NODE_USER = 0,
	EXPLAIN_NODE_GROUP,
	EXPLAIN_NODE_SITE, /* of a site, and of no rule */
	EXPLAIN_NODE_ALLOW,
	EXPLAIN_NODE_DENY,
};

struct explain_node {
	enum explain_node_kind kind;
	bool holds;   /* it is the user, or above him */
	bool decided; /* its rule did, or its site is the user's */
};

/* Node 0 is the user, node i + 1 group i of the explanation. */
struct explain_picture {
	struct explain_names names;
	const struct wa_explanation *explanation; /* borrowed */
	struct explain_node *nodes;
	size_t node_count;
	struct layered_edge *edges;
	bool *is_on_path; /* [edge_count]: of the shortest way to a group that decided */
	size_t edge_count;
	struct text user; /* what the user is called */
};

/** @return false: memory ran out, and there is nothing to free. */
NODISCARD bool explain_picture_init(struct explain_picture *picture, const struct check_sender *sender,
				    const struct wa_decision *decision, const struct wa_explanation *explanation);
void explain_picture_done(struct explain_picture *picture);

/** What a node is called, fit for a terminal and as characters of XML; `full`: its whole DN. */
void explain_picture_add_name(const struct explain_picture *picture, size_t node, bool full, struct text *out);

/** What its rules and sites say of a group: "allow, decides", one after the other. Nothing for others. */
void explain_picture_add_part(const struct explain_picture *picture, size_t node, struct text *out);

/** Append text with the five characters of XML escaped, and what XML 1.0 does not allow replaced. */
void explain_picture_add_xml(struct text *out, const char *data, size_t length);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/explain_picture.h>
#include <cli/shown.h>
#include <string.h>

/* In quotes, where Graphviz reads backslashes as orders ("\N", "\l"): each is doubled. */
static void add_quoted(struct text *out, const struct text *name)
{
	const char *data = text_string(name);

	text_add_char(out, '"');
	for (size_t i = 0; i < name->length; i++) {
		if (data[i] == '"' || data[i] == '\\')
			text_add_char(out, '\\');
		text_add_char(out, data[i]);
	}
	text_add_char(out, '"');
	out->failed = out->failed || text_failed(name);
}

static const char *fill_of(const struct explain_node *node)
{
	switch (node->kind) {
	case EXPLAIN_NODE_USER:
		return "#cfe2ff";
	case EXPLAIN_NODE_GROUP:
		return "#eeeeee";
	case EXPLAIN_NODE_SITE:
		return "#e5d8f8";
	case EXPLAIN_NODE_ALLOW:
		return "#cdeccd";
	case EXPLAIN_NODE_DENY:
		return "#f8d0d0";
	}
	return "#eeeeee";
}

static void add_node(struct text *out, const struct explain_picture *picture, size_t i)
{
	const struct explain_node *node = &picture->nodes[i];
	struct text name, part;

	text_init(&name);
	text_init(&part);
	explain_picture_add_name(picture, i, false, &name);
	explain_picture_add_part(picture, i, &part);
	text_printf(out, "  n%zu [label=", i);
	add_quoted(out, &name);
	text_printf(out, ", fillcolor=\"%s\", style=\"%s\", penwidth=%d", fill_of(node),
		    node->holds ? "filled,rounded" : "filled,rounded,dashed", node->decided ? 3 : 1);
	if (part.length > 0) {
		text_add(out, ", xlabel=");
		add_quoted(out, &part);
	}
	text_clear(&name);
	explain_picture_add_name(picture, i, true, &name);
	text_add(out, ", tooltip=");
	add_quoted(out, &name);
	text_add(out, "];\n");
	out->failed = out->failed || text_failed(&part);
	text_done(&name);
	text_done(&part);
}

static void add_title(struct text *out, const struct check_sender *sender, const struct wa_decision *decision)
{
	struct text title;

	text_init(&title);
	shown_add(&title, sender->name, sender->length);
	text_printf(&title, ": %s, %s", wa_verdict_word(decision->verdict), wa_reason_word(decision->reason));
	text_add(out, "  label=");
	add_quoted(out, &title);
	text_add(out, ";\n  labelloc=t;\n");
	text_done(&title);
}

void explain_dot(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		 const struct wa_explanation *explanation)
{
	struct explain_picture picture;

	if (!explain_picture_init(&picture, sender, decision, explanation)) {
		out->failed = true;
		return;
	}
	text_add(out, "digraph wsmauthz {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
	add_title(out, sender, decision);
	for (size_t i = 0; i < picture.node_count; i++)
		add_node(out, &picture, i);
	for (size_t i = 0; i < picture.edge_count; i++)
		text_printf(out, "  n%u -> n%u%s;\n", picture.edges[i].from, picture.edges[i].to,
			    picture.is_on_path[i] ? " [penwidth=3]" : "");
	text_add(out, "}\n");
	explain_picture_done(&picture);
}

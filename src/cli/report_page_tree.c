/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <cli/report_html.h>
#include <cli/report_page.h>

/* Levels that are open at first. */
#define OPEN_LEVELS 2

struct tree {
	struct text *out;
	const struct tally *tally;
	const struct closure *closure;
	unsigned char *is_shown; /* [groups]: its children stand somewhere above; owned */
	unsigned char *is_on_way;
	uint32_t way[REPORT_TREE_DEPTH];
	size_t next[REPORT_TREE_DEPTH]; /* which child is the next */
	size_t depth;
	size_t lines, left_out;
};

static void add_count(struct text *out, uint32_t count, const char *one, const char *many)
{
	html_add_number(out, count);
	text_printf(out, " %s", count == 1 ? one : many);
}

static void add_counts(const struct tree *tree, uint32_t group)
{
	const struct report_group *at = report_groups_at(tree->tally->groups, group);
	struct text *out = tree->out;

	text_add(out, " <span class=\"quiet\">");
	add_count(out, at->users, "user", "users");
	if (at->users > 0) {
		text_add(out, ", ");
		html_add_number(out, at->in);
		text_add(out, " let in");
	}
	if (at->direct != at->users) {
		text_add(out, ", ");
		html_add_number(out, at->direct);
		text_add(out, " directly");
	}
	text_add(out, "</span>");
}

static void add_group_name(const struct tree *tree, uint32_t group)
{
	const char *dn = closure_group_dn(tree->closure, group);

	text_add(tree->out, "<bdi title=\"");
	html_add_attribute(tree->out, dn);
	text_add(tree->out, "\">");
	html_add_short(tree->out, dn);
	text_add(tree->out, "</bdi>");
	add_counts(tree, group);
}

/* What ends a branch here; NULL: nothing does. */
static const char *end_of_branch(const struct tree *tree, uint32_t group, size_t child_count)
{
	if (tree->is_on_way[group])
		return "nested in itself: see above on this branch";
	if (child_count == 0)
		return "";
	if (tree->is_shown[group])
		return "its groups are shown above";
	return tree->depth == REPORT_TREE_DEPTH ? "deeper groups are not shown" : NULL;
}

static void add_leaf(const struct tree *tree, uint32_t group, const char *why)
{
	text_add(tree->out, "<li class=\"leaf\">");
	add_group_name(tree, group);
	if (why[0] != '\0')
		text_printf(tree->out, " <span class=\"tag%s\">%s</span>", tree->is_on_way[group] ? " warning" : "",
			    why);
	text_add(tree->out, "</li>\n");
}

static void enter(struct tree *tree, uint32_t group)
{
	text_printf(tree->out, "<li><details%s><summary>", tree->depth < OPEN_LEVELS ? " open" : "");
	add_group_name(tree, group);
	text_add(tree->out, "</summary>\n<ul>\n");
	tree->is_shown[group] = tree->is_on_way[group] = 1;
	tree->way[tree->depth] = group;
	tree->next[tree->depth++] = 0;
}

static void leave(struct tree *tree)
{
	tree->is_on_way[tree->way[--tree->depth]] = 0;
	text_add(tree->out, "</ul></details></li>\n");
}

static void add_group(struct tree *tree, uint32_t group)
{
	const char *why;
	size_t count;

	(void)closure_children(tree->closure, group, &count);
	why = end_of_branch(tree, group, count);
	if (tree->lines >= REPORT_TREE_LINES) {
		tree->left_out++;
		return;
	}
	tree->lines++;
	if (why != NULL)
		add_leaf(tree, group, why);
	else
		enter(tree, group);
}

/* From a root down, by a stack of its own: nesting has no bound. */
static void add_branch(struct tree *tree, uint32_t root)
{
	add_group(tree, root);
	while (tree->depth > 0) {
		const size_t top = tree->depth - 1;
		size_t count;
		const uint32_t *children = closure_children(tree->closure, tree->way[top], &count);

		if (tree->next[top] == count)
			leave(tree);
		else
			add_group(tree, children[tree->next[top]++]);
	}
}

static void add_root(struct tree *tree, size_t root)
{
	const struct config *config = tree->tally->config;
	const uint32_t group = closure_root_group(tree->closure, root);

	text_add(tree->out, "<li><span class=\"rule\">");
	if (root < config->rule_count) {
		html_add_name(tree->out, config->rules[root].label);
		if (config->rules[root].administrator)
			text_add(tree->out, " <span class=\"tag\">administrators</span>");
	} else {
		text_add(tree->out, "site ");
		html_add_name(tree->out, config->redirect.sites[root - config->rule_count].group);
	}
	text_add(tree->out, "</span>");
	if (group == CLOSURE_NONE) {
		text_add(tree->out, " <span class=\"tag warning\">does not exist</span>");
	} else {
		text_add(tree->out, "\n<ul>\n");
		add_branch(tree, group);
		text_add(tree->out, "</ul>");
	}
	text_add(tree->out, "</li>\n");
}

static void add_all(struct tree *tree)
{
	const struct config *config = tree->tally->config;
	struct text *out = tree->out;

	text_add(out,
		 "<section aria-labelledby=\"groups\">\n<h2 id=\"groups\">Groups</h2>\n<p class=\"quiet\">Each rule "
		 "of the policy, in its order, and the groups beneath. A user counts once in a group, on however many "
		 "ways they are in it.</p>\n<ul class=\"tree\">\n");
	for (size_t i = 0; i < config->rule_count + config->redirect.site_count; i++)
		if (i < config->rule_count || config->redirect.sites[i - config->rule_count].group != NULL)
			add_root(tree, i);
	text_add(out, "</ul>\n");
	if (tree->left_out > 0) {
		text_add(out, "<p class=\"note\">This page shows ");
		html_add_number(out, tree->lines);
		text_add(out, " lines of the tree; more groups are left out here, but counted.</p>\n");
	}
	text_add(out, "</section>\n");
}

enum status page_add_tree(struct text *out, const struct tally *tally)
{
	struct tree tree = {.out = out, .tally = tally, .closure = report_groups_closure(tally->groups)};
	const size_t count = closure_group_count(tree.closure) + 1;

	tree.is_shown = memory_new(count);
	tree.is_on_way = memory_new(count);
	if (tree.is_shown != NULL && tree.is_on_way != NULL)
		add_all(&tree);
	else
		out->failed = true;
	memory_free(tree.is_shown);
	memory_free(tree.is_on_way);
	return text_failed(out) ? STATUS_NO_MEMORY : STATUS_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <authorizer/engine_private.h>
#include <authorizer/explain.h>
#include <base/memory.h>
#include <membership/closure_ways.h>
#include <string.h>

/* What is listed, by the closure's numbers. */
struct listing {
	const struct explain_source *source;
	struct closure_ways *ways; /* NULL: nobody is above anybody */
	uint32_t *numbers;         /* [closure's groups]: the number in the list, or WA_NO_GROUP */
	uint32_t *listed;          /* [closure's groups]: the other way round */
	size_t count;
	bool good;
};

static uint32_t list_group(struct listing *listing, uint32_t group)
{
	if (listing->numbers[group] == WA_NO_GROUP) {
		listing->numbers[group] = (uint32_t)listing->count;
		listing->listed[listing->count++] = group;
	}
	return listing->numbers[group];
}

/* From the closure's numbers to the list's. */
static bool take_path(struct listing *listing, const struct closure_way *way, struct wa_explained_path *path_out)
{
	uint32_t *groups = arena_alloc_array(listing->source->arena, way->count, sizeof(*groups));

	if (groups == NULL)
		return false;
	for (size_t i = 0; i < way->count; i++)
		groups[i] = list_group(listing, way->groups[i]);
	*path_out = (struct wa_explained_path){groups, way->count};
	return true;
}

/* The first is told however long it is; more only while there is room. */
static void take_paths(struct listing *listing, const struct closure_ways_found *found,
		       struct wa_explained_paths *paths_out)
{
	struct wa_explained_path *paths = arena_alloc_array(listing->source->arena, found->count + 1, sizeof(*paths));
	size_t count = 0;

	while (paths != NULL && count < found->count && (count == 0 || listing->count < WA_EXPLAIN_MAX_GROUPS)) {
		if (!take_path(listing, &found->ways[count], &paths[count]))
			break;
		count++;
	}
	listing->good = listing->good && paths != NULL;
	paths_out->paths = paths;
	paths_out->count = count;
	paths_out->more =
	    found->more > UINT64_MAX - (found->count - count) ? UINT64_MAX : found->more + (found->count - count);
	paths_out->more_is_least = found->is_least;
}

static void find_paths(struct listing *listing, size_t root, struct wa_explained_paths *paths_out)
{
	struct closure_ways_found found = {.count = 0};

	if (listing->ways == NULL)
		return;
	if (closure_ways_find(listing->ways, root, WA_EXPLAIN_MAX_PATHS, listing->source->arena, &found) != STATUS_OK)
		listing->good = false;
	else if (found.count > 0)
		take_paths(listing, &found, paths_out);
}

static uint32_t list_root(struct listing *listing, size_t root)
{
	const uint32_t group = closure_root_group(listing->source->closure, root);

	if (group == CLOSURE_NONE)
		return WA_NO_GROUP;
	if (listing->numbers[group] == WA_NO_GROUP && listing->count >= WA_EXPLAIN_MAX_GROUPS)
		return WA_NO_GROUP;
	return list_group(listing, group);
}

static void list_others(struct listing *listing, struct wa_explanation *explanation)
{
	for (size_t i = 0; listing->ways != NULL && i < closure_ways_group_count(listing->ways); i++) {
		const uint32_t group = closure_ways_group(listing->ways, i);

		if (listing->numbers[group] != WA_NO_GROUP)
			continue;
		if (listing->count < WA_EXPLAIN_MAX_GROUPS)
			(void)list_group(listing, group);
		else
			explanation->more_groups++;
	}
}

static bool write_groups(const struct listing *listing, struct wa_explanation *explanation)
{
	const struct explain_source *source = listing->source;
	struct wa_explained_group *groups = arena_alloc_array(source->arena, listing->count + 1, sizeof(*groups));
	uint32_t primary = CLOSURE_NONE;
	bool good = groups != NULL;

	if (source->review.facts != NULL)
		primary = membership_primary_group(source->findings->lookup, source->review.facts->user);
	for (size_t i = 0; good && i < listing->count; i++) {
		const uint32_t group = listing->listed[i];

		groups[i] = (struct wa_explained_group){
		    .dn = explain_copy(source->arena, closure_group_dn(source->closure, group), &good),
		    .id = explain_copy(source->arena, closure_group_id(source->closure, group), &good),
		    .is_direct = listing->ways != NULL && closure_ways_is_direct(listing->ways, group),
		    .is_primary = group == primary,
		    .ring = listing->ways == NULL ? 0 : closure_ways_ring(listing->ways, group),
		};
	}
	explanation->groups = groups;
	explanation->group_count = good ? listing->count : 0;
	return good;
}

/* @return how many there are; written when `edges` is not NULL. */
static size_t list_edges(const struct listing *listing, struct wa_explained_edge *edges)
{
	size_t count = 0, child_count;

	for (uint32_t i = 0; i < listing->count; i++) {
		const uint32_t *children = closure_children(listing->source->closure, listing->listed[i], &child_count);

		for (size_t k = 0; k < child_count; k++) {
			if (listing->numbers[children[k]] == WA_NO_GROUP)
				continue;
			if (edges != NULL)
				edges[count] = (struct wa_explained_edge){listing->numbers[children[k]], i};
			count++;
		}
	}
	return count;
}

static bool write_edges(const struct listing *listing, struct wa_explanation *explanation)
{
	const size_t count = list_edges(listing, NULL);
	struct wa_explained_edge *edges = arena_alloc_array(listing->source->arena, count + 1, sizeof(*edges));

	if (edges == NULL)
		return false;
	explanation->edge_count = list_edges(listing, edges);
	explanation->edges = edges;
	return true;
}

static bool listing_init(struct listing *listing, const struct explain_source *source)
{
	const size_t count = closure_group_count(source->closure);
	const struct review *review = &source->review;

	*listing = (struct listing){.source = source, .good = true};
	listing->numbers = memory_new_array(count + 1, sizeof(*listing->numbers));
	listing->listed = memory_new_array(count + 1, sizeof(*listing->listed));
	if (listing->numbers == NULL || listing->listed == NULL)
		return false;
	memset(listing->numbers, 0xff, (count + 1) * sizeof(*listing->numbers));
	return review->facts == NULL ||
	       closure_ways_new(source->closure, review->direct, review->direct_count, &listing->ways) == STATUS_OK;
}

static void listing_done(struct listing *listing)
{
	closure_ways_free(&listing->ways);
	memory_free(listing->numbers);
	memory_free(listing->listed);
}

bool explain_groups(const struct explain_source *source, struct wa_explained_rule *rules,
		    struct wa_explained_site *sites, struct wa_explanation *explanation)
{
	const size_t rule_count = explanation->rule_count, site_count = explanation->redirect.site_count;
	struct listing listing;
	bool good;

	if (source->closure == NULL)
		return true;
	good = listing_init(&listing, source);
	for (size_t i = 0; good && i < rule_count; i++)
		find_paths(&listing, i, &rules[i].paths);
	for (size_t i = 0; good && i < site_count; i++)
		if (sites[i].kind == WA_SITE_BY_GROUP)
			find_paths(&listing, rule_count + i, &sites[i].paths);
	for (size_t i = 0; good && i < rule_count; i++)
		rules[i].group = list_root(&listing, i);
	for (size_t i = 0; good && i < site_count; i++)
		if (sites[i].kind == WA_SITE_BY_GROUP)
			sites[i].group = list_root(&listing, rule_count + i);
	if (good) {
		list_others(&listing, explanation);
		good = write_groups(&listing, explanation) && write_edges(&listing, explanation) && listing.good;
	}
	listing_done(&listing);
	return good;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/utf.h>
#include <cli/explain_picture.h>
#include <cli/shown.h>
#include <string.h>

/* Pixels; a character is taken for as wide as the widest of most, since nobody measures it here. */
#define CHARACTER  7.5
#define PART_WIDTH 0.85 /* of smaller letters */
#define WIDE       14.0 /* of East Asian scripts */
#define BOX_HEIGHT 38.0
#define ROW        52.0
#define GAP        70.0 /* between layers, for the edges */
#define PADDING    10.0
#define MARGIN     16.0
#define HEAD       64.0 /* title and legend */
#define LEAST_BOX  80.0
#define LEAST_PAGE 740.0 /* the legend's */
/* What is shown of a name; the rest is in its tooltip. */
#define MAX_NAME_COLUMNS 34

struct drawing {
	struct text *out;
	const struct explain_picture *picture;
	struct layered layered;
	double *left, *width; /* [layer_count] */
	double page_width, page_height;
};

static const char style[] =
    "<style>\n"
    "svg{background:#fff;color:#1b1f24}\n"
    "text{font:13px system-ui,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1b1f24}\n"
    "text.title{font-size:17px;font-weight:600}\n"
    "text.part{font-size:11px;fill:#57606a}\n"
    "rect{stroke:#8c959f;stroke-width:1;fill:#f3f4f6}\n"
    "rect.user{fill:#cfe2ff;stroke:#2f6fd0}\n"
    "rect.site{fill:#e8dcfa;stroke:#7b4fc0}\n"
    "rect.allow{fill:#d3f0d6;stroke:#2e7d32}\n"
    "rect.deny{fill:#fbd5d5;stroke:#c62828}\n"
    "rect.decided{stroke-width:3}\n"
    "rect.idle{stroke-dasharray:4 3;fill-opacity:.35}\n"
    "path{fill:none;stroke:#8c959f;stroke-width:1.2}\n"
    "path.way{stroke:#1b1f24;stroke-width:2.6}\n"
    "path.ring{stroke-dasharray:5 3}\n"
    "marker path{fill:#57606a;stroke:none}\n"
    "@media(prefers-color-scheme:dark){\n"
    "svg{background:#0d1117}\n"
    "text{fill:#e6edf3}text.part{fill:#9da7b3}\n"
    "rect{fill:#21262d;stroke:#6e7681}\n"
    "rect.user{fill:#12345f;stroke:#6ca4f8}rect.site{fill:#3a2560;stroke:#b392f0}\n"
    "rect.allow{fill:#143d1c;stroke:#56d364}rect.deny{fill:#5a1a1d;stroke:#ff7b72}\n"
    "path{stroke:#6e7681}path.way{stroke:#e6edf3}marker path{fill:#9da7b3}\n"
    "}\n"
    "</style>\n"
    "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
    "markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n";

static const char *class_of(enum explain_node_kind kind)
{
	switch (kind) {
	case EXPLAIN_NODE_USER:
		return "user";
	case EXPLAIN_NODE_GROUP:
		return "group";
	case EXPLAIN_NODE_SITE:
		return "site";
	case EXPLAIN_NODE_ALLOW:
		return "allow";
	case EXPLAIN_NODE_DENY:
		return "deny";
	}
	return "group";
}

/* Numbers with one decimal, whatever the locale says. */
static void add_number(struct text *out, double number)
{
	const long tenths = (long)(number * 10 + (number < 0 ? -0.5 : 0.5));

	text_printf(out, "%s%ld.%ld", tenths < 0 ? "-" : "", (tenths < 0 ? -tenths : tenths) / 10,
		    (tenths < 0 ? -tenths : tenths) % 10);
}

static void add_attribute(struct text *out, const char *name, double number)
{
	text_printf(out, " %s=\"", name);
	add_number(out, number);
	text_add_char(out, '"');
}

static double width_of(uint32_t code_point)
{
	const bool is_wide =
	    (code_point >= 0x1100 && code_point < 0x1160) || (code_point >= 0x2E80 && code_point < 0xA4D0) ||
	    (code_point >= 0xAC00 && code_point < 0xD7A4) || (code_point >= 0xF900 && code_point < 0xFB00) ||
	    (code_point >= 0xFF00 && code_point < 0xFF61) || code_point >= 0x1F300;

	return is_wide ? WIDE : CHARACTER;
}

/* How much of a name is shown, and how wide that is. */
static size_t cut(const char *data, size_t length, double *width_out)
{
	const char *at = data, *end = data + length;
	double width = 0;

	while (at < end) {
		const char *next = at;
		const double own = width_of(utf8_next(&next, end));

		if (width + own > MAX_NAME_COLUMNS * CHARACTER)
			break;
		width += own;
		at = next;
	}
	*width_out = width + (at < end ? CHARACTER : 0);
	return (size_t)(at - data);
}

/* How wide a node's name is, or what its rules say. *good becomes false when memory ran out. */
static double label_width(const struct explain_picture *picture, size_t node, bool is_name, bool *good)
{
	struct text label;
	double width;

	text_init(&label);
	if (is_name)
		explain_picture_add_name(picture, node, false, &label);
	else
		explain_picture_add_part(picture, node, &label);
	(void)cut(text_string(&label), label.length, &width);
	*good = *good && !text_failed(&label);
	text_done(&label);
	return width;
}

static double box_width(const struct explain_picture *picture, size_t node, bool *good)
{
	const double name = label_width(picture, node, true, good);
	const double part = label_width(picture, node, false, good) * PART_WIDTH;

	return (name > part ? name : part) + 2 * PADDING;
}

static bool measure(struct drawing *drawing)
{
	double x = MARGIN;
	bool good = true;

	for (size_t i = 0; i < drawing->picture->node_count; i++) {
		double *width = &drawing->width[drawing->layered.layers[i]];
		const double own = box_width(drawing->picture, i, &good);

		if (own > *width)
			*width = own;
	}
	for (size_t i = 0; i < drawing->layered.layer_count; i++) {
		if (drawing->width[i] < LEAST_BOX)
			drawing->width[i] = LEAST_BOX;
		drawing->left[i] = x;
		x += drawing->width[i] + GAP;
	}
	drawing->page_width = x - GAP + MARGIN > LEAST_PAGE ? x - GAP + MARGIN : LEAST_PAGE;
	drawing->page_height = HEAD + drawing->layered.row_count * ROW + MARGIN;
	return good;
}

static double middle(double row)
{
	return HEAD + row * ROW;
}

/* A curve that leaves and arrives level. */
static void add_curve(struct text *out, double x0, double y0, double x1, double y1)
{
	const double half = (x0 + x1) / 2;
	const double numbers[] = {half, y0, half, y1, x1, y1};

	text_add(out, "C");
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		text_add(out, i == 0 ? "" : " ");
		add_number(out, numbers[i]);
	}
}

static void add_point(struct text *out, const char *word, double x, double y)
{
	text_add(out, word);
	add_number(out, x);
	text_add_char(out, ' ');
	add_number(out, y);
}

/* Left end, right end, whichever way the edge leads; from box to box over the layers between. */
static void draw_line(const struct drawing *drawing, size_t edge, uint32_t from, uint32_t to)
{
	const struct layered *layered = &drawing->layered;
	const struct layered_route *route = &layered->routes[edge];
	const uint32_t layer = layered->layers[from];
	double x = drawing->left[layer] + drawing->width[layer], y = middle(layered->rows[from]);

	add_point(drawing->out, "M", x, y);
	for (size_t i = 0; i < route->count; i++) {
		const size_t between = layer + 1 + i;
		const double row = middle(layered->points[route->first + i]);

		add_curve(drawing->out, x, y, drawing->left[between], row);
		add_point(drawing->out, "L", drawing->left[between] + drawing->width[between], row);
		x = drawing->left[between] + drawing->width[between];
		y = row;
	}
	add_curve(drawing->out, x, y, drawing->left[layered->layers[to]] - 1, middle(layered->rows[to]));
}

/* From the right side of a box round to its top. */
static void draw_loop(const struct drawing *drawing, uint32_t node)
{
	const uint32_t layer = drawing->layered.layers[node];
	const double x = drawing->left[layer] + drawing->width[layer], y = middle(drawing->layered.rows[node]);

	add_point(drawing->out, "M", x, y - 6);
	text_add(drawing->out, "C");
	add_number(drawing->out, x + 30);
	text_add_char(drawing->out, ' ');
	add_number(drawing->out, y - 6);
	add_point(drawing->out, " ", x + 30, y - 34);
	add_point(drawing->out, " ", x - 12, y - BOX_HEIGHT / 2 - 1);
}

static void draw_edge(const struct drawing *drawing, size_t i)
{
	const struct explain_picture *picture = drawing->picture;
	const struct layered_edge *edge = &picture->edges[i];
	const bool is_turned = drawing->layered.routes[i].is_turned;
	const bool is_loop = edge->from == edge->to;

	text_printf(drawing->out, "<path class=\"%s%s\" marker-%s=\"url(#arrow)\" d=\"",
		    picture->is_on_path[i] ? "way" : "edge", is_turned || is_loop ? " ring" : "",
		    is_turned && !is_loop ? "start" : "end");
	if (is_loop)
		draw_loop(drawing, edge->from);
	else if (is_turned)
		draw_line(drawing, i, edge->to, edge->from);
	else
		draw_line(drawing, i, edge->from, edge->to);
	text_add(drawing->out, "\"/>\n");
}

static void add_label(struct text *out, const char *class_name, double x, double y, const struct text *name)
{
	double width;
	const size_t shown = cut(text_string(name), name->length, &width);

	text_printf(out, "<text class=\"%s\" text-anchor=\"middle\"", class_name);
	add_attribute(out, "x", x);
	add_attribute(out, "y", y);
	text_add_char(out, '>');
	explain_picture_add_xml(out, text_string(name), shown);
	text_add(out, shown < name->length ? "\xE2\x80\xA6</text>\n" : "</text>\n");
	out->failed = out->failed || text_failed(name);
}

/* The name, and beneath it what its rules say. */
static void label_box(const struct drawing *drawing, size_t i, double x, double y)
{
	struct text name, part;

	text_init(&name);
	text_init(&part);
	explain_picture_add_name(drawing->picture, i, false, &name);
	explain_picture_add_part(drawing->picture, i, &part);
	add_label(drawing->out, "name", x, part.length > 0 ? y - 2 : y + 4, &name);
	if (part.length > 0)
		add_label(drawing->out, "part", x, y + 13, &part);
	drawing->out->failed = drawing->out->failed || text_failed(&part);
	text_done(&name);
	text_done(&part);
}

static void draw_box(const struct drawing *drawing, size_t i)
{
	const struct explain_node *node = &drawing->picture->nodes[i];
	const uint32_t layer = drawing->layered.layers[i];
	const double x = drawing->left[layer], y = middle(drawing->layered.rows[i]);
	struct text *out = drawing->out;
	struct text name;

	text_init(&name);
	explain_picture_add_name(drawing->picture, i, true, &name);
	text_add(out, "<g><title>");
	explain_picture_add_xml(out, text_string(&name), name.length);
	text_printf(out, "</title><rect class=\"%s%s%s\" rx=\"6\"", class_of(node->kind),
		    node->decided ? " decided" : "", node->holds ? "" : " idle");
	out->failed = out->failed || text_failed(&name);
	text_done(&name);
	add_attribute(out, "x", x);
	add_attribute(out, "y", y - BOX_HEIGHT / 2);
	add_attribute(out, "width", drawing->width[layer]);
	add_attribute(out, "height", BOX_HEIGHT);
	text_add(out, "/>\n");
	label_box(drawing, i, x + drawing->width[layer] / 2, y);
	text_add(out, "</g>\n");
}

static void add_title(struct text *out, const struct check_sender *sender, const struct wa_decision *decision)
{
	explain_picture_add_xml(out, sender->name, sender->length);
	text_printf(out, ": %s, %s", wa_verdict_word(decision->verdict), wa_reason_word(decision->reason));
}

static void draw_legend(const struct drawing *drawing)
{
	static const struct {
		const char *classes, *words;
	} keys[] = {{"user", "the user"},        {"group", "group"},    {"allow", "of an allow rule"},
		    {"deny", "of a deny rule"},  {"site", "of a site"}, {"group idle", "does not hold the user"},
		    {"group decided", "decides"}};
	double x = MARGIN;

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		text_printf(drawing->out, "<rect class=\"%s\" rx=\"3\" y=\"38\" width=\"14\" height=\"12\"",
			    keys[i].classes);
		add_attribute(drawing->out, "x", x);
		text_add(drawing->out, "/><text class=\"part\" y=\"48\"");
		add_attribute(drawing->out, "x", x + 19);
		text_printf(drawing->out, ">%s</text>\n", keys[i].words);
		x += 36 + (double)strlen(keys[i].words) * 5.6;
	}
}

static void draw_head(const struct drawing *drawing, const struct check_sender *sender,
		      const struct wa_decision *decision)
{
	struct text *out = drawing->out;

	text_add(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
	add_attribute(out, "width", drawing->page_width);
	add_attribute(out, "height", drawing->page_height);
	text_add(out, " viewBox=\"0 0 ");
	add_number(out, drawing->page_width);
	text_add_char(out, ' ');
	add_number(out, drawing->page_height);
	text_add(out, "\">\n<title>");
	add_title(out, sender, decision);
	text_add(out, "</title>\n");
	text_add(out, style);
	text_add(out, "<text class=\"title\" x=\"16\" y=\"25\">");
	add_title(out, sender, decision);
	text_add(out, "</text>\n");
	draw_legend(drawing);
}

static void draw(const struct drawing *drawing, const struct check_sender *sender, const struct wa_decision *decision)
{
	draw_head(drawing, sender, decision);
	for (size_t i = 0; i < drawing->picture->edge_count; i++)
		draw_edge(drawing, i);
	for (size_t i = 0; i < drawing->picture->node_count; i++)
		draw_box(drawing, i);
	text_add(drawing->out, "</svg>\n");
}

static bool lay_out(struct drawing *drawing)
{
	const struct explain_picture *picture = drawing->picture;
	bool *to_last = memory_new_array(picture->node_count + 1, sizeof(*to_last));
	bool good = to_last != NULL;

	for (size_t i = 0; good && i < picture->node_count; i++)
		to_last[i] = picture->nodes[i].kind > EXPLAIN_NODE_GROUP;
	good =
	    good && layered_make(picture->node_count, picture->edges, picture->edge_count, to_last, &drawing->layered);
	memory_free(to_last);
	if (!good)
		return false;
	drawing->left = memory_new_array(drawing->layered.layer_count, sizeof(*drawing->left));
	drawing->width = memory_new_array(drawing->layered.layer_count, sizeof(*drawing->width));
	return drawing->left != NULL && drawing->width != NULL && measure(drawing);
}

void explain_svg(struct text *out, const struct check_sender *sender, const struct wa_decision *decision,
		 const struct wa_explanation *explanation)
{
	struct explain_picture picture;
	struct drawing drawing = {.out = out, .picture = &picture};

	if (!explain_picture_init(&picture, sender, decision, explanation)) {
		out->failed = true;
		return;
	}
	if (lay_out(&drawing))
		draw(&drawing, sender, decision);
	else
		out->failed = true;
	layered_done(&drawing.layered);
	memory_free(drawing.left);
	memory_free(drawing.width);
	explain_picture_done(&picture);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/probe.h>

#include <string.h>

/* The text of the first element of that local name; prefixes differ. Only to be shown, so no parser is wanted for it. */
static void read_element(const char *body, const char *end_of_tag, char out[PROBE_TEXT_BYTES])
{
	const char *text = strstr(body, end_of_tag);
	size_t length;

	out[0] = '\0';
	if (text == NULL)
		return;
	text += strlen(end_of_tag);
	length = strcspn(text, "<");
	if (length >= PROBE_TEXT_BYTES)
		length = PROBE_TEXT_BYTES - 1;
	memcpy(out, text, length);
	out[length] = '\0';
}

void probe_read_body(const char *body, struct probe_answer *answer)
{
	answer->is_identify = strstr(body, "IdentifyResponse") != NULL;
	answer->product[0] = '\0';
	if (!answer->is_identify)
		return;
	read_element(body, "ProductVersion>", answer->product);
	if (answer->product[0] == '\0')
		read_element(body, "ProductVendor>", answer->product);
}

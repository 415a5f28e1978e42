/* SPDX-License-Identifier: Apache-2.0 */
#include <base/memory.h>
#include <base/utf.h>
#include <cli/host_soap.h>
#include <config/xml_reader.h>
#include <inttypes.h>
#include <os/random.h>
#include <string.h>

#define NS_SOAP       "http://www.w3.org/2003/05/soap-envelope"
#define NS_ADDRESSING "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define NS_WSMAN      "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
#define NS_IDENTITY   "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
#define NS_FAULT      "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
#define ANONYMOUS     NS_ADDRESSING "/role/anonymous"
#define FAULT_ACTION  "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
#define DETAIL_URI    "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"

/* Where the reading stands: Envelope is 1, Header and Body 2, what is in them 3. */
struct reading {
	struct xml_reader *reader;
	unsigned depth;
	bool is_header, is_body;
	char **taken; /* where the text of the element goes; NULL */
	struct host_soap_request *request;
	struct error *error;
};

static bool is_named(const struct reading *r, const char *name, const char *space)
{
	return strcmp(xml_reader_name(r->reader), name) == 0 && strcmp(xml_reader_namespace(r->reader), space) == 0;
}

static char **member_of(const struct reading *r)
{
	if (is_named(r, "Action", NS_ADDRESSING))
		return &r->request->action;
	if (is_named(r, "MessageID", NS_ADDRESSING))
		return &r->request->message_id;
	return is_named(r, "ResourceURI", NS_WSMAN) ? &r->request->resource : NULL;
}

static enum status begin_element(struct reading *r)
{
	r->depth++;
	r->taken = NULL;
	if (r->depth == 1 && !is_named(r, "Envelope", NS_SOAP))
		return error_set(r->error, STATUS_INVALID, "it is no SOAP 1.2 envelope");
	if (r->depth == 2) {
		r->is_header = is_named(r, "Header", NS_SOAP);
		r->is_body = is_named(r, "Body", NS_SOAP);
	}
	if (r->depth == 3 && r->is_header)
		r->taken = member_of(r);
	if (r->depth == 3 && r->is_body && is_named(r, "Identify", NS_IDENTITY))
		r->request->is_identify = true;
	/* What is said twice is ambiguous, and somebody else might take the other one. */
	if (r->taken != NULL && *r->taken != NULL)
		return error_set(r->error, STATUS_INVALID, "<%s> is given twice", xml_reader_name(r->reader));
	return STATUS_OK;
}

static enum status take_text(struct reading *r)
{
	if (r->taken == NULL || *r->taken != NULL)
		return STATUS_OK;
	*r->taken = memory_copy_text(xml_reader_text(r->reader));
	return *r->taken != NULL ? STATUS_OK : error_no_memory(r->error);
}

static enum status read_node(struct reading *r)
{
	enum xml_node node = xml_reader_node(r->reader);

	if (node == XML_ELEMENT_START)
		return begin_element(r);
	if (node == XML_TEXT)
		return take_text(r);
	if (node == XML_ELEMENT_END) {
		r->depth--;
		r->taken = NULL;
	}
	return STATUS_OK;
}

enum status host_soap_read(const char *body, size_t length, struct host_soap_request *request_out, struct error *error)
{
	struct host_soap_request request = {.is_identify = false};
	struct reading reading = {.request = &request, .error = error};
	enum status status = xml_reader_open(body, length, "the request", &reading.reader, error);

	while (status == STATUS_OK && xml_reader_node(reading.reader) != XML_END) {
		status = xml_reader_next(reading.reader, error);
		if (status == STATUS_OK)
			status = read_node(&reading);
	}
	xml_reader_close(&reading.reader);
	if (status != STATUS_OK) {
		host_soap_request_done(&request);
		return status == STATUS_NO_MEMORY ? status : STATUS_INVALID;
	}
	*request_out = request;
	return STATUS_OK;
}

void host_soap_request_done(struct host_soap_request *request)
{
	memory_free(request->action);
	memory_free(request->resource);
	memory_free(request->message_id);
	memset(request, 0, sizeof(*request));
}

/* Text of XML 1.0: markup is escaped, what XML cannot hold becomes U+FFFD. */
static void add_escaped(struct text *out, const char *value)
{
	const char *end = value + strlen(value);

	while (value < end) {
		const char *begin = value;
		uint32_t code_point = utf8_next(&value, end);

		if (code_point == '&')
			text_add(out, "&amp;");
		else if (code_point == '<')
			text_add(out, "&lt;");
		else if (code_point == '>')
			text_add(out, "&gt;");
		else if (code_point == '"')
			text_add(out, "&quot;");
		else if (code_point == UTF_INVALID || (code_point < 0x20 && code_point != '\t') ||
			 code_point == 0xFFFE || code_point == 0xFFFF)
			text_add(out, "\xEF\xBF\xBD");
		else
			text_add_bytes(out, begin, (size_t)(value - begin));
	}
}

void host_soap_add_identify(struct text *out)
{
	text_add(out, "<s:Envelope xml:lang=\"en-US\" xmlns:s=\"" NS_SOAP "\"><s:Header/><s:Body>"
		      "<wsmid:IdentifyResponse xmlns:wsmid=\"" NS_IDENTITY "\"><wsmid:ProtocolVersion>" NS_WSMAN
		      "</wsmid:ProtocolVersion><wsmid:ProductVendor>wsmauthz host</wsmid:ProductVendor>"
		      "<wsmid:ProductVersion>" WSMAUTHZ_VERSION "</wsmid:ProductVersion>"
		      "</wsmid:IdentifyResponse></s:Body></s:Envelope>");
}

/* RFC 4122 section 4.4. */
static void add_uuid(struct text *out)
{
	uint64_t bits[2] = {0, 0}, a, b;

	/* Without random bits it is no good name for a message, but still a name. */
	(void)!random_fill(bits, sizeof(bits), NULL);
	a = bits[0];
	b = bits[1];
	text_printf(out, "uuid:%08" PRIX64 "-%04" PRIX64 "-4%03" PRIX64 "-%04" PRIX64 "-%012" PRIX64, a >> 32,
		    a >> 16 & 0xFFFF, a & 0xFFF, (b >> 48 & 0x3FFF) | 0x8000, b & 0xFFFFFFFFFFFFu);
}

static void add_header(struct text *out, const char *action, const char *message_id)
{
	text_add(out, "<s:Header><a:Action>");
	text_add(out, action);
	text_add(out, "</a:Action><a:MessageID>");
	add_uuid(out);
	text_add(out, "</a:MessageID><a:To>" ANONYMOUS "</a:To>");
	if (message_id != NULL) {
		text_add(out, "<a:RelatesTo>");
		add_escaped(out, message_id);
		text_add(out, "</a:RelatesTo>");
	}
	text_add(out, "</s:Header>");
}

void host_soap_add_fault(struct text *out, enum host_fault fault, const char *message_id, uint32_t code,
			 const char *words)
{
	static const struct {
		const char *side, *subcode, *action, *detail;
	} faults[] = {
	    [HOST_FAULT_ACCESS_DENIED] = {"Sender", "w:AccessDenied", FAULT_ACTION, NULL},
	    [HOST_FAULT_NO_RESOURCE] = {"Sender", "a:DestinationUnreachable", NS_ADDRESSING "/fault",
					DETAIL_URI "InvalidResourceURI"},
	    [HOST_FAULT_INTERNAL] = {"Receiver", "w:InternalError", FAULT_ACTION, NULL},
	    [HOST_FAULT_BAD_REQUEST] = {"Sender", "w:SchemaValidationError", FAULT_ACTION, NULL},
	};

	text_add(out, "<s:Envelope xml:lang=\"en-US\" xmlns:s=\"" NS_SOAP "\" xmlns:a=\"" NS_ADDRESSING
		      "\" xmlns:w=\"" NS_WSMAN "\">");
	add_header(out, faults[fault].action, message_id);
	text_printf(
	    out,
	    "<s:Body><s:Fault><s:Code><s:Value>s:%s</s:Value><s:Subcode><s:Value>%s</s:Value></s:Subcode></s:Code>",
	    faults[fault].side, faults[fault].subcode);
	text_add(out, "<s:Reason><s:Text xml:lang=\"en-US\">");
	add_escaped(out, words);
	text_add(out, "</s:Text></s:Reason><s:Detail>");
	if (faults[fault].detail != NULL)
		text_printf(out, "<w:FaultDetail>%s</w:FaultDetail>", faults[fault].detail);
	text_printf(out,
		    "<f:WSManFault xmlns:f=\"" NS_FAULT "\" Code=\"%" PRIu32 "\" Machine=\"wsmauthz-host\"><f:Message>",
		    code);
	add_escaped(out, words);
	text_add(out, "</f:Message></f:WSManFault></s:Detail></s:Fault></s:Body></s:Envelope>");
}

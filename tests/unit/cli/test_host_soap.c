/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/host_soap.h>
#include <string.h>
#include <support/assertions.h>
#include <support/memory_failing.h>

#define BEGIN                                                                                                          \
	"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'"                                                \
	" xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing'"                                                  \
	" xmlns:w='http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd'>"
#define END "</s:Envelope>"
#define REQUEST                                                                                                        \
	BEGIN "<s:Header><a:Action s:mustUnderstand='true'>urn:act</a:Action><a:MessageID>uuid:1</a:MessageID>"        \
	      "<w:ResourceURI>urn:res</w:ResourceURI><x><a:Action>urn:inner</a:Action></x></s:Header><s:Body/>" END
#define IDENTIFY                                                                                                       \
	BEGIN "<s:Body><i:Identify xmlns:i='http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd'/>"        \
	      "</s:Body>" END

static void host_soap_read__a_request__is_taken_by_namespace_and_place(void **state)
{
	struct host_soap_request request;
	struct error error = {.status = STATUS_OK};

	(void)state;
	assert_status(host_soap_read(REQUEST, strlen(REQUEST), &request, &error), STATUS_OK, &error);
	assert_false(request.is_identify);
	assert_string_equal(request.action, "urn:act");
	assert_string_equal(request.resource, "urn:res");
	assert_string_equal(request.message_id, "uuid:1");
	host_soap_request_done(&request);
	assert_status(host_soap_read(IDENTIFY, strlen(IDENTIFY), &request, &error), STATUS_OK, &error);
	assert_true(request.is_identify);
	assert_null(request.action);
	host_soap_request_done(&request);
}

static void host_soap_read__what_is_no_request__is_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "x",
	    "<Envelope/>",
	    "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'/>",
	    BEGIN "<s:Header><a:Action>x</a:Action><a:Action>y</a:Action></s:Header>" END,
	    BEGIN,
	    "<!DOCTYPE e [<!ENTITY x 'y'>]>" REQUEST,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct host_soap_request request;
		struct error error = {.status = STATUS_OK};

		if (host_soap_read(rows[i], strlen(rows[i]), &request, &error) != STATUS_INVALID)
			fail_msg("row %zu: %s", i, rows[i]);
	}
}

static void host_soap_read__identify_elsewhere__is_none(void **state)
{
	static const char header[] =
	    BEGIN "<s:Header><i:Identify xmlns:i='http://schemas.dmtf.org/wbem/wsman/identity/1/"
		  "wsmanidentity.xsd'/></s:Header>" END;
	struct host_soap_request request;

	(void)state;
	assert_status(host_soap_read(header, sizeof(header) - 1, &request, NULL), STATUS_OK, NULL);
	assert_false(request.is_identify);
	host_soap_request_done(&request);
}

static void host_soap_add_fault__hostile_texts__stay_text_and_the_fault_can_be_read(void **state)
{
	struct host_soap_request request;
	struct error error = {.status = STATUS_OK};
	struct text out;

	(void)state;
	text_init(&out);
	host_soap_add_fault(&out, HOST_FAULT_ACCESS_DENIED, "<a:X>&\"\x01\xFF]]>", 5, "no <b>");
	assert_non_null(strstr(text_string(&out), "&lt;a:X&gt;&amp;&quot;\xEF\xBF\xBD\xEF\xBF\xBD]]&gt;"));
	assert_non_null(strstr(text_string(&out), "Code=\"5\""));
	assert_status(host_soap_read(text_string(&out), out.length, &request, &error), STATUS_OK, &error);
	assert_string_equal(request.action, "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault");
	host_soap_request_done(&request);
	text_done(&out);
}

static void host_soap_read__no_memory__leaves_nothing(void **state)
{
	size_t before = memory_live_count();

	(void)state;
	for (size_t n = 1;; n++) {
		struct host_soap_request request;
		struct error error = {.status = STATUS_OK};
		enum status status;

		memory_fail_at(n);
		status = host_soap_read(REQUEST, strlen(REQUEST), &request, &error);
		if (memory_fail_count() < n) {
			memory_fail_at(0);
			assert_status(status, STATUS_OK, &error);
			host_soap_request_done(&request);
			break;
		}
		memory_fail_at(0);
		assert_status(status, STATUS_NO_MEMORY, &error);
		assert_int_equal(memory_live_count(), before);
	}
	assert_int_equal(memory_live_count(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(host_soap_read__a_request__is_taken_by_namespace_and_place),
	    cmocka_unit_test(host_soap_read__what_is_no_request__is_refused),
	    cmocka_unit_test(host_soap_read__identify_elsewhere__is_none),
	    cmocka_unit_test(host_soap_add_fault__hostile_texts__stay_text_and_the_fault_can_be_read),
	    cmocka_unit_test(host_soap_read__no_memory__leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

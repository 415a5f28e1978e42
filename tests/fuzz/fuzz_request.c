/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes to `wsmauthz host --listen` from the network, and a line of its script: by the second byte, HTTP credentials, a SOAP
 * body (what is taken of it is put into a fault, which must be SOAP again), or the line.
 */
#include "fuzz.h"

#include <base/memory.h>
#include <base/utf.h>
#include <cli/host_basic.h>
#include <cli/host_soap.h>
#include <cli/host_step.h>
#include <string.h>

static void read_credentials(const char *text)
{
	struct host_credentials credentials = {.name = NULL};

	if (host_basic_read(text, &credentials) != STATUS_OK)
		return;
	fuzz_check(credentials.name[0] != '\0' && utf8_is_valid(credentials.name, strlen(credentials.name)));
	fuzz_check(secret_length(credentials.password) > 0);
	fuzz_check(strlen(secret_bytes(credentials.password)) == secret_length(credentials.password));
	host_credentials_done(&credentials);
}

static void read_soap(const char *text, size_t length)
{
	struct host_soap_request request, again;
	struct text fault;

	if (host_soap_read(text, length, &request, NULL) != STATUS_OK)
		return;
	fuzz_let_memory_be();
	text_init(&fault);
	host_soap_add_fault(&fault, HOST_FAULT_ACCESS_DENIED, request.message_id, 5,
			    request.action != NULL ? request.action : "");
	/* A value may be as long as the reader takes them, and longer when it is escaped. */
	if (fault.length < 32768) {
		fuzz_check(host_soap_read(text_string(&fault), fault.length, &again, NULL) == STATUS_OK);
		fuzz_check(!again.is_identify);
		host_soap_request_done(&again);
	}
	text_done(&fault);
	host_soap_request_done(&request);
}

static void read_step(const char *text, size_t length)
{
	struct host_step step;

	if (host_step_parse(text, length, 1, &step, NULL) != STATUS_OK)
		return;
	fuzz_check(!host_step_has_user(&step) ||
		   (step.name != NULL && step.times >= 1 && step.times <= HOST_MAX_TIMES));
	host_step_done(&step);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	char *text = size > 0 ? memory_copy_bytes(data + 1, size - 1) : NULL;

	if (text == NULL)
		return;
	if (data[0] % 3 == 0)
		read_credentials(text);
	else if (data[0] % 3 == 1)
		read_soap(text, size - 1);
	else
		read_step(text, size - 1);
	memory_free(text);
}

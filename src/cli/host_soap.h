/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of WS-Management that a front needs which serves nothing: what a request asks for, the answer to Identify, and faults.
 * Sources: DSP0226 (WS-Management 1.1: 11 Identify, 14 faults), SOAP 1.2 part 1 section 5.4; MS-WSMV 2.2.4.43 (WSManFault).
 */
#ifndef WSMAUTHZ_CLI_HOST_SOAP_H
#define WSMAUTHZ_CLI_HOST_SOAP_H

#include <base/error.h>
#include <base/text.h>
#include <stdbool.h>
#include <stdint.h>

/* Numbers of wsmerror.h that clients show. */
#define HOST_SOAP_RESOURCE_NOT_FOUND 0x80338000u

struct host_soap_request {
	bool is_identify;
	char *action, *resource, *message_id; /* owned; NULL: not said */
};

/** @return STATUS_OK; STATUS_INVALID (no SOAP 1.2 envelope, hostile XML), STATUS_NO_MEMORY. */
NODISCARD enum status host_soap_read(const char *body, size_t length, struct host_soap_request *request_out,
				     struct error *error);
void host_soap_request_done(struct host_soap_request *request);

void host_soap_add_identify(struct text *out);

enum host_fault {
	HOST_FAULT_ACCESS_DENIED = 0, /* w:AccessDenied */
	HOST_FAULT_NO_RESOURCE,       /* a:DestinationUnreachable, InvalidResourceURI */
	HOST_FAULT_INTERNAL,          /* w:InternalError */
	HOST_FAULT_BAD_REQUEST,       /* w:SchemaValidationError */
};

/**
 * A whole fault.
 * @param message_id  of the request; NULL: it had none.
 * @param code        the Windows number.
 * @param words       for people.
 */
void host_soap_add_fault(struct text *out, enum host_fault fault, const char *message_id, uint32_t code,
			 const char *words);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface between WinRM and an authorization plug-in.
 *
 * On Windows it is the toolchain's <wsman.h>. Elsewhere it is declared here, field by field as
 * Windows lays it out for this machine's word size, so that the same plug-in can be built, loaded
 * and tested on Linux. One of the three headers that may ask which platform it is compiled for.
 *
 * Order of calls: Startup, once an application; AuthzUser for a user without a live user record;
 * AuthzQueryQuota when the host wants quotas; AuthzOperation for each operation;
 * AuthzReleaseContext for each context that was given out; Shutdown.
 *
 * Sources: learn.microsoft.com/windows/win32/api/wsman (WSMAN_SENDER_DETAILS, WSMAN_CERTIFICATE_DETAILS,
 * WSMAN_AUTHZ_QUOTA, WSMAN_PLUGIN_AUTHORIZE_USER, _OPERATION, _QUERY_QUOTA, _RELEASE_CONTEXT).
 */
#ifndef WSMAUTHZ_WSMAN_H
#define WSMAUTHZ_WSMAN_H

#include <wsmauthz/export.h>

#ifdef _WIN32
#define WSMAN_API_VERSION_1_0 /* mingw-w64's header does not compile with 1_1 */
#include <windows.h>
#include <wsman.h>
#else

#include <stdint.h>

#define WINAPI
#define MAXDWORD 0xFFFFFFFFu
typedef uint32_t DWORD;
typedef int32_t BOOL;
typedef void VOID;
typedef void *PVOID;
typedef void *HANDLE;
typedef uint16_t WCHAR;
typedef const WCHAR *PCWSTR;

typedef struct _WSMAN_CERTIFICATE_DETAILS {
	PCWSTR subject;          /* distinguished name */
	PCWSTR issuerName;       /* distinguished name */
	PCWSTR issuerThumbprint; /* of the issuer's certificate */
	PCWSTR subjectName;      /* subject alternative name, or the subject's CN */
} WSMAN_CERTIFICATE_DETAILS;

typedef struct _WSMAN_SENDER_DETAILS {
	PCWSTR senderName;
	PCWSTR authenticationMechanism;
	WSMAN_CERTIFICATE_DETAILS *certificateDetails; /* only for client certificates */
	HANDLE clientToken;                            /* the host's; never closed by the plug-in */
	PCWSTR httpURL;
} WSMAN_SENDER_DETAILS;

typedef struct _WSMAN_AUTHZ_QUOTA {
	DWORD maxAllowedConcurrentShells;
	DWORD maxAllowedConcurrentOperations;
	DWORD timeslotSize; /* seconds */
	DWORD maxAllowedOperationsPerTimeslot;
} WSMAN_AUTHZ_QUOTA;

#endif

/* Numbers that no mingw header has. ERROR_WSMAN_REDIRECT_REQUIRED of the documentation is REDIRECT_REQUESTED in wsmerror.h. */
#define WSMAUTHZ_NO_ERROR                0u
#define WSMAUTHZ_ACCESS_DENIED           5u
#define WSMAUTHZ_NOT_ENOUGH_MEMORY       8u
#define WSMAUTHZ_INVALID_PARAMETER       87u
#define WSMAUTHZ_REDIRECT_REQUESTED      0x80338199u
#define WSMAUTHZ_PLUGIN_FAILED           0x80338083u
#define WSMAUTHZ_CONFIGURATION_CORRUPTED 0x80338190u

#ifdef __cplusplus
extern "C" {
#endif

/* What the plug-in exports. */
WSMAUTHZ_EXPORT DWORD WINAPI WSManPluginStartup(DWORD flags, PCWSTR applicationIdentification, PCWSTR extraInfo,
						PVOID *pluginContext);
WSMAUTHZ_EXPORT DWORD WINAPI WSManPluginShutdown(PVOID pluginContext, DWORD flags, DWORD reason);
WSMAUTHZ_EXPORT VOID WINAPI WSManPluginAuthzUser(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails, DWORD flags);
WSMAUTHZ_EXPORT VOID WINAPI WSManPluginAuthzOperation(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails,
						      DWORD flags, DWORD operation, PCWSTR action, PCWSTR resourceUri);
WSMAUTHZ_EXPORT VOID WINAPI WSManPluginAuthzQueryQuota(PVOID pluginContext, WSMAN_SENDER_DETAILS *senderDetails,
						       DWORD flags);
WSMAUTHZ_EXPORT VOID WINAPI WSManPluginAuthzReleaseContext(PVOID userAuthorizationContext);

#ifndef _WIN32
/* What the host provides; <wsman.h> declares them on Windows. */
DWORD WINAPI WSManPluginAuthzUserComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
					  PVOID userAuthorizationContext, HANDLE impersonationToken,
					  BOOL userIsAdministrator, DWORD errorCode, PCWSTR extendedErrorInformation);
DWORD WINAPI WSManPluginAuthzOperationComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
					       PVOID userAuthorizationContext, DWORD errorCode,
					       PCWSTR extendedErrorInformation);
DWORD WINAPI WSManPluginAuthzQueryQuotaComplete(WSMAN_SENDER_DETAILS *senderDetails, DWORD flags,
						WSMAN_AUTHZ_QUOTA *quota, DWORD errorCode,
						PCWSTR extendedErrorInformation);
#endif

#ifdef __cplusplus
}
#endif

#endif

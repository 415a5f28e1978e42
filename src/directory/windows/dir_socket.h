/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of sockets and their notation (inet_ntop, inet_pton), wherever the system keeps them. */
#ifndef WSMAUTHZ_DIRECTORY_DIR_SOCKET_H
#define WSMAUTHZ_DIRECTORY_DIR_SOCKET_H

/* Before <windows.h>, which would declare the sockets of another age. */
#include <winsock2.h>

#include <ws2tcpip.h>

#endif

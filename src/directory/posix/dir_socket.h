/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of sockets and their notation (inet_ntop, inet_pton), wherever the system keeps them. */
#ifndef WSMAUTHZ_DIRECTORY_DIR_SOCKET_H
#define WSMAUTHZ_DIRECTORY_DIR_SOCKET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framing of HTTP (lengths, chunks, pipelining) is libmicrohttpd's business, by its strict rules; a thread a connection.
 * Sources: libmicrohttpd(3) 0.9.75; RFC 9110, RFC 9112.
 */
#include <arpa/inet.h>
#include <base/ascii.h>
#include <base/memory.h>
#include <cli/host_listen.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <os/clock.h>
#include <os/file.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* Credentials of a name and a password at their longest, and what else a client sends. */
#define CONNECTION_MEMORY_BYTES ((size_t)32 * 1024)
#define MAX_PEM_BYTES           ((size_t)256 * 1024)
#define ADDRESS_BYTES           64
#define LOOK_EVERY_MS           200
#define SOAP_TYPE               "application/soap+xml;charset=UTF-8"
#define WANTED                  "Basic realm=\"WSMAN\", charset=\"UTF-8\""

struct address {
	struct sockaddr_storage socket;
	char host[ADDRESS_BYTES];
	uint16_t port;
	bool is_loopback;
};

/* What makes it TLS; all NULL: it is not. */
struct pem {
	char *certificate, *key; /* owned */
	size_t certificate_length, key_length;
};

/* A request while it comes in. */
struct incoming {
	char *path;  /* owned; as it came, with `query` behind it */
	char *query; /* NULL: there is none */
	bool has_begun;
	struct text body;
	bool is_too_long;
	uint64_t begin_ms;
};

static enum status invalid_address(const char *given, struct error *error)
{
	error_set(error, STATUS_INVALID, "'--listen %s': not an address and a port", given);
	return error_hint(error, STATUS_INVALID, "write it as 127.0.0.1:5985 or [::1]:5985");
}

/* "ADDR:PORT" and "[ADDR]:PORT": the host's part, and where the port begins; NULL: of neither form. */
static const char *split_address(const char *given, char host[ADDRESS_BYTES])
{
	bool is_bracketed = given[0] == '[';
	const char *begin = is_bracketed ? given + 1 : given;
	const char *end = is_bracketed ? strchr(begin, ']') : strrchr(begin, ':');
	const char *colon = is_bracketed && end != NULL ? end + 1 : end;
	size_t length = end != NULL ? (size_t)(end - begin) : 0;

	if (end == NULL || *colon != ':' || length == 0 || length >= ADDRESS_BYTES ||
	    (!is_bracketed && memchr(begin, ':', length) != NULL))
		return NULL;
	memcpy(host, begin, length);
	host[length] = '\0';
	return colon + 1;
}

static bool parse_port(const char *text, uint16_t *port_out)
{
	unsigned long port = 0;

	if (*text == '\0' || strlen(text) > 5)
		return false;
	for (; *text != '\0'; text++) {
		if (!ascii_is_digit(*text))
			return false;
		port = port * 10 + (unsigned long)(*text - '0');
	}
	*port_out = (uint16_t)port;
	return port <= UINT16_MAX;
}

static bool fill_socket(struct address *address)
{
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)&address->socket;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&address->socket;

	if (inet_pton(AF_INET, address->host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(address->port);
		address->is_loopback = ntohl(four->sin_addr.s_addr) >> 24 == 127;
		return true;
	}
	if (inet_pton(AF_INET6, address->host, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(address->port);
		address->is_loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) != 0;
		return true;
	}
	return false;
}

static bool parse_address(const char *given, struct address *address)
{
	const char *port;

	memset(address, 0, sizeof(*address));
	port = split_address(given, address->host);
	return port != NULL && parse_port(port, &address->port) && fill_socket(address);
}

enum status host_listen_check(const struct host_listen_options *options, struct error *error)
{
	struct address address;

	if (!parse_address(options->address, &address))
		return invalid_address(options->address, error);
	if ((options->certificate != NULL) != (options->key != NULL))
		return error_set(error, STATUS_INVALID, "--certificate and --key go together");
	if (!address.is_loopback && options->certificate == NULL) {
		error_set(error, STATUS_INVALID,
			  "'--listen %s' is not the loopback, and passwords would come in the clear", options->address);
		return error_hint(error, STATUS_INVALID,
				  "listen on 127.0.0.1, or give --certificate FILE and --key FILE");
	}
	return STATUS_OK;
}

/* Requests */

/* RFC 9110 section 5.1: a token. "Content-Length " is no other header than the one without the blank to whoever stands before us. */
static bool is_token(const char *name)
{
	for (const char *at = name; *at != '\0'; at++)
		if (!ascii_is_alnum(*at) && strchr("!#$%&'*+-.^_`|~", *at) == NULL)
			return false;
	return *name != '\0';
}

/* What may stand there once. */
static const char *const singles[] = {MHD_HTTP_HEADER_HOST, MHD_HTTP_HEADER_AUTHORIZATION, MHD_HTTP_HEADER_CONTENT_TYPE,
				      MHD_HTTP_HEADER_CONTENT_LENGTH, MHD_HTTP_HEADER_TRANSFER_ENCODING};

struct headers {
	unsigned seen[COUNT_OF(singles)];
	bool is_ambiguous;
};

static enum MHD_Result look_at_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct headers *headers = context;

	(void)kind;
	(void)value;
	if (!is_token(name))
		headers->is_ambiguous = true;
	for (size_t i = 0; i < COUNT_OF(singles); i++)
		if (ascii_equal_nocase(name, singles[i]) && headers->seen[i]++ > 0)
			headers->is_ambiguous = true;
	return MHD_YES;
}

static bool has_ambiguous_header(struct MHD_Connection *connection)
{
	struct headers headers = {.is_ambiguous = false};

	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, &headers);
	/* Of a length and chunks, one is for somebody else (RFC 9112 section 6.1). */
	return headers.is_ambiguous || (headers.seen[3] > 0 && headers.seen[4] > 0);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool add_header(struct MHD_Response *response, const char *name, const char *value)
{
	return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_headers(struct MHD_Response *response, const struct host_http_answer *answer)
{
	bool is_whole = true;

	if (answer->body.length > 0)
		is_whole = add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, SOAP_TYPE) && is_whole;
	if (answer->location[0] != '\0')
		is_whole = add_header(response, MHD_HTTP_HEADER_LOCATION, answer->location) && is_whole;
	if (answer->wants_credentials)
		is_whole = add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, WANTED) && is_whole;
	if (answer->is_post_allowed)
		is_whole = add_header(response, MHD_HTTP_HEADER_ALLOW, "POST") && is_whole;
	return is_whole;
}

/* MHD_NO closes the connection without an answer: better than half of one. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct host_http_answer *answer)
{
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;

	if (text_failed(&answer->body))
		return MHD_NO;
	response = MHD_create_response_from_buffer(answer->body.length, answer->body.data, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	if (add_headers(response, answer))
		result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

/*
 * The library would unescape the path and take the query apart; the plug-in is to see what came. Called once a request, before its
 * headers are read; what it returns is the handler's `*kept`, and is freed in end_request.
 */
static void *begin_request(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct incoming *incoming = memory_new(sizeof(*incoming));

	(void)context;
	(void)connection;
	if (incoming == NULL)
		return NULL;
	text_init(&incoming->body);
	incoming->begin_ms = clock_monotonic_ms();
	incoming->path = memory_copy_text(uri);
	if (incoming->path == NULL) {
		memory_free(incoming);
		return NULL;
	}
	incoming->query = strchr(incoming->path, '?');
	if (incoming->query != NULL)
		*incoming->query++ = '\0';
	return incoming;
}

/* The header is in the library's own memory for the connection, which nobody reads any more and which another request may get. */
static void wipe_credentials(struct MHD_Connection *connection)
{
	const char *value = header(connection, MHD_HTTP_HEADER_AUTHORIZATION);

	void *place;

	if (value == NULL)
		return;
	memcpy(&place, &value, sizeof(place));
	memory_wipe(place, strlen(value));
}

static void end_request(void *context, struct MHD_Connection *connection, void **kept,
			enum MHD_RequestTerminationCode code)
{
	struct incoming *incoming = *kept;

	(void)context;
	(void)code;
	wipe_credentials(connection);
	if (incoming == NULL)
		return;
	text_done(&incoming->body);
	memory_free(incoming->path);
	memory_free(incoming);
	*kept = NULL;
}

/* A piece of the body. False: it takes too long to come. */
static bool take_piece(struct incoming *incoming, const char *data, size_t length)
{
	if (incoming->body.length + length > HOST_HTTP_MAX_BODY_BYTES)
		incoming->is_too_long = true;
	else
		text_add_bytes(&incoming->body, data, length);
	return clock_monotonic_ms() - incoming->begin_ms < (uint64_t)HOST_LISTEN_SILENCE_S * 1000;
}

static enum MHD_Result answer(struct host_front *front, struct MHD_Connection *connection,
			      const struct incoming *incoming, const char *method)
{
	const struct host_http_request request = {
	    .method = method,
	    .path = incoming->path,
	    .query = incoming->query,
	    .host = header(connection, MHD_HTTP_HEADER_HOST),
	    .content_type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE),
	    .authorization = header(connection, MHD_HTTP_HEADER_AUTHORIZATION),
	    .body = text_string(&incoming->body),
	    .body_length = incoming->body.length,
	    .is_too_long = incoming->is_too_long,
	    .is_ambiguous = has_ambiguous_header(connection),
	};
	struct host_http_answer told;
	enum MHD_Result result;

	if (text_failed(&incoming->body))
		return MHD_NO;
	host_http_answer(front, &request, &told);
	result = send_answer(connection, &told);
	text_done(&told.body);
	return result;
}

/* Called first with the headers alone, then with each piece of the body, then with none: only then there is an answer. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *data, size_t *data_length, void **kept)
{
	struct incoming *incoming = *kept;

	(void)url;
	(void)version;
	if (incoming == NULL)
		return MHD_NO;
	if (!incoming->has_begun) {
		incoming->has_begun = true;
		return MHD_YES;
	}
	if (*data_length > 0) {
		bool is_in_time = take_piece(incoming, data, *data_length);

		*data_length = 0;
		return is_in_time ? MHD_YES : MHD_NO;
	}
	return answer(context, connection, incoming, method);
}

/* The server */

/* Nobody but its owner (and root's group) may read the key; what is read of it is wiped. */
static enum status read_pem(const struct host_listen_options *options, struct pem *pem, struct error *error)
{
	enum status status = STATUS_OK;

	if (options->certificate == NULL)
		return STATUS_OK;
	status = file_check_secret(options->key, error);
	if (status == STATUS_OK)
		status = file_read_trusted(options->key, MAX_PEM_BYTES, &pem->key, &pem->key_length, error);
	if (status == STATUS_OK)
		status = file_read_trusted(options->certificate, MAX_PEM_BYTES, &pem->certificate,
					   &pem->certificate_length, error);
	if (status == STATUS_OK && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		status = error_set(error, STATUS_INVALID, "this machine's libmicrohttpd has no TLS");
	return status;
}

static void wipe_pem(struct pem *pem)
{
	if (pem->key != NULL)
		memory_wipe(pem->key, pem->key_length);
	memory_free(pem->key);
	memory_free(pem->certificate);
}

static struct MHD_Daemon *start(struct host_front *front, const struct address *address, const struct pem *pem,
				struct error *error)
{
	static char priorities[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";
	const struct MHD_OptionItem tls[] = {
	    {MHD_OPTION_HTTPS_MEM_KEY, 0, pem->key},
	    {MHD_OPTION_HTTPS_MEM_CERT, 0, pem->certificate},
	    {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
	    {MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
	struct MHD_Daemon *daemon;

	if (address->socket.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	if (pem->key != NULL)
		flags |= MHD_USE_TLS;
	errno = 0;
	daemon =
	    MHD_start_daemon(flags, address->port, NULL, NULL, handle, front, MHD_OPTION_SOCK_ADDR, &address->socket,
			     MHD_OPTION_URI_LOG_CALLBACK, begin_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request,
			     NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HOST_LISTEN_MAX_CONNECTIONS,
			     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HOST_LISTEN_SILENCE_S,
			     MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, MHD_OPTION_STRICT_FOR_CLIENT,
			     1, MHD_OPTION_ARRAY, pem->key != NULL ? tls : &tls[COUNT_OF(tls) - 1], MHD_OPTION_END);
	if (daemon == NULL)
		error_system(error, STATUS_UNREACHABLE, errno, "could not listen on %s port %u%s", address->host,
			     address->port, pem->key != NULL ? " (or the certificate and its key are of no use)" : "");
	return daemon;
}

static void tell_address(struct host_front *front, const struct address *address, struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	bool is_six = address->socket.ss_family == AF_INET6;

	host_trace_note(&front->session->trace, true, "listen", NULL, "%s://%s%s%s:%u" HOST_HTTP_PATH,
			front->is_tls ? "https" : "http", is_six ? "[" : "", address->host, is_six ? "]" : "",
			info != NULL ? info->port : address->port);
}

/* Until a signal, which is taken by this thread alone; records time out meanwhile. */
static enum status wait_for_end(struct host_session *session, const sigset_t *signals, struct error *error)
{
	const struct timespec look = {.tv_sec = 0, .tv_nsec = (long)LOOK_EVERY_MS * 1000000};
	enum status status = STATUS_OK;

	while (status == STATUS_OK && sigtimedwait(signals, NULL, &look) < 0) {
		host_session_expire(session);
		status = host_trace_state(&session->trace, error);
	}
	return status;
}

static enum status serve(struct host_front *front, const struct address *address, const struct pem *pem,
			 struct error *error)
{
	struct MHD_Daemon *daemon;
	sigset_t signals, before;
	enum status status = STATUS_UNREACHABLE;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	/* The library's threads, which are begun here, leave these signals to this one. */
	(void)pthread_sigmask(SIG_BLOCK, &signals, &before);
	daemon = start(front, address, pem, error);
	if (daemon != NULL) {
		tell_address(front, address, daemon);
		status = wait_for_end(front->session, &signals, error);
		MHD_stop_daemon(daemon);
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

enum status host_listen(struct host_front *front, const struct host_listen_options *options, struct error *error)
{
	struct address address;
	struct pem pem = {.key = NULL};
	enum status status;

	if (!parse_address(options->address, &address))
		return invalid_address(options->address, error);
	status = read_pem(options, &pem, error);
	if (status == STATUS_OK) {
		front->is_tls = pem.key != NULL;
		status = serve(front, &address, &pem, error);
	}
	wipe_pem(&pem);
	return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <unit/config/policy_folder.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(int worked, const char *what)
{
	if (worked)
		return;
	perror(what);
	exit(1);
}

void policy_folder_write(const struct policy_folder *folder, const char *name, const void *data, size_t length,
			 unsigned mode)
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	file = fopen(path, "wb");
	check(file != NULL, path);
	check(fwrite(data, 1, length, file) == length, path);
	check(fclose(file) == 0, path);
	check(chmod(path, (mode_t)mode) == 0, path);
}

void policy_folder_make(struct policy_folder *folder)
{
	static const char certificate[] = "of whom\n-----BEGIN CERTIFICATE-----\n";
	static const char list[] = "-----BEGIN X509 CRL-----\n";

	(void)snprintf(folder->path, sizeof(folder->path), "/tmp/wsmauthz-config-XXXXXX");
	check(mkdtemp(folder->path) != NULL, folder->path);
	(void)snprintf(folder->policy, sizeof(folder->policy), "%s/policy.xml", folder->path);
	policy_folder_write(folder, "bind.secret", "s3cret\n", 7, 0600);
	policy_folder_write(folder, "empty.secret", "", 0, 0600);
	policy_folder_write(folder, "open.secret", "s3cret\n", 7, 0644);
	policy_folder_write(folder, "ca.pem", certificate, strlen(certificate), 0644);
	policy_folder_write(folder, "open.pem", certificate, strlen(certificate), 0664);
	policy_folder_write(folder, "ca.crl", list, strlen(list), 0644);
	policy_folder_write(folder, "ca.der", "\x30\x82\x01\x00", 4, 0644);
}

static void remove_file(const struct policy_folder *folder, const char *name)
{
	char path[sizeof(folder->path) + 256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	check(unlink(path) == 0, path);
}

void policy_folder_remove(const struct policy_folder *folder)
{
	DIR *open_folder = opendir(folder->path);
	struct dirent *entry;

	check(open_folder != NULL, folder->path);
	while ((entry = readdir(open_folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_file(folder, entry->d_name);
	check(closedir(open_folder) == 0, folder->path);
	check(rmdir(folder->path) == 0, folder->path);
}

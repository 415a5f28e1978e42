/* SPDX-License-Identifier: Apache-2.0 */
#include <cli/doctor_check.h>
#include <os/file.h>
#include <plugin/plugin.h>
#include <string.h>

void doctor_policy_file(struct doctor *doctor)
{
	struct error error = {.status = STATUS_OK};
	enum status status = config_load(doctor->policy_path, &doctor->config, &error);

	if (status != STATUS_OK) {
		doctor_tell_error(
		    doctor, DOCTOR_ERROR, NULL, &error,
		    status == STATUS_NOT_FOUND
			? "name the policy by --config FILE, or begin with the sample policy wsmauthz.xml"
			: "correct the policy there; xmllint --noout --schema wsmauthz.xsd finds more of the "
			  "same kind");
		doctor_block(doctor, "the policy cannot be used");
		return;
	}
	doctor->directory = &doctor->config->directories[0];
	doctor_reach(doctor, DOCTOR_STAGE_POLICY);
	doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
		    "'%s' is a policy, and only its owner may write it (%zu rules, %zu sites)", doctor->policy_path,
		    doctor->config->rule_count, doctor->config->redirect.site_count);
}

static void check_folder(struct doctor *doctor, const char *path)
{
	struct error error = {.status = STATUS_OK};

	if (path == NULL)
		return;
	if (file_check_folder(path, &error) == STATUS_OK)
		doctor_tell(doctor, DOCTOR_OK, path, NULL, "nobody else may put another file in its place");
	else
		doctor_tell_error(doctor, DOCTOR_WARNING, path, &error, NULL);
}

void doctor_policy_folder(struct doctor *doctor)
{
	check_folder(doctor, doctor->policy_path);
	check_folder(doctor, doctor->directory->bind_secret_file);
	check_folder(doctor, doctor->directory->tls_ca_file);
}

void doctor_policy_secret(struct doctor *doctor)
{
	const struct config_directory *directory = doctor->directory;

	/* config_load has read it, and refuses what others may read. */
	if (directory->bind_secret_file != NULL)
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
			    "'%s' holds a secret, and others can neither read nor write it",
			    directory->bind_secret_file);
	else if (directory->bind == CONFIG_BIND_ANONYMOUS)
		doctor_tell(doctor, DOCTOR_WARNING, NULL,
			    "make an account that may read users and groups and nothing else, and name it in <bind>",
			    "the bind is anonymous: whoever can reach the directory sees who is in which group");
	else
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "the bind (%s) needs no secret of the policy",
			    directory->bind_mechanism);
}

void doctor_policy_default_domain(struct doctor *doctor)
{
	if (doctor->config->default_domain != NULL)
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL, "a plain name is looked up in '%s'",
			    doctor->config->default_domain);
	else
		doctor_tell(doctor, DOCTOR_OK, NULL, NULL,
			    "there is none: senders must name their domain, a plain name is refused");
}

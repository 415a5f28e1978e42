/* SPDX-License-Identifier: Apache-2.0 */
#include <directory/dir_adapt.h>

void dir_adapt(const struct config_directory *given, bool is_active_directory, struct config_directory *adapted_out)
{
	*adapted_out = *given;
	if (!is_active_directory)
		return;
	if (!given->user_name_given)
		adapted_out->user_name_attribute = "sAMAccountName";
	if (!given->user_upn_given)
		adapted_out->user_upn_attribute = "userPrincipalName";
	if (!given->user_filter_given)
		adapted_out->user_filter = "";
	if (!given->identity_given)
		adapted_out->identity = CONFIG_IDENTITY_TOKEN;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays scenarios: text files (*.scn) that tell a story of a directory, a policy and questions, against the true engine, a fake
 * directory and a fake clock. All on one thread, always the same, in milliseconds.
 *
 *	scenario_runner FILE...
 *
 * One command a line; script.h has the words. The suffix is dc=x, with ou=people and ou=groups beneath it.
 *
 * The policy
 *	policy <<END ... END       what stands inside <wsmauthz>; the runner writes <directory> with its <bind> and <tls>
 *	option ELEMENT NAME VALUE  an attribute of wsmauthz, directory, users, groups or cache (`none`: left out); by
 *	                           default default-domain="CORP" domain="CORP corp.example" timeout="3s"
 *
 * The directory
 *	user NAME [attribute=value...]         uid=NAME,ou=people,dc=x, an inetOrgPerson
 *	users COUNT NAME [attribute=value...]  NAME1 to NAMEcount
 *	entry DN [attribute=value...]
 *	group DN [class CLASS] [member MEMBER...]    groupOfNames, groupOfUniqueNames or posixGroup
 *	chain DEPTH NAME below GROUP holds MEMBER    NAME1 in GROUP, NAME2 in NAME1, ...; the last holds MEMBER
 *	enrol GROUP COUNT NAME                 NAME1 to NAMEcount become members
 *	change GROUP gains|drops MEMBER...
 *	set|add DN attribute=value...          replace, or add to, values
 *	unset DN attribute
 *	delete DN          rename DN to DN     (with all beneath; values that name it stay as they are)
 *	hide|show DN [attribute]               an access rule of the server
 *
 * The server
 *	server answers busy|unavailable|unwilling|denied|referral|operations-error|time-limit|admin-limit|NUMBER
 *	server cuts CODE after ENTRIES         as many entries, then the code
 *	server limits ENTRIES                  a size limit
 *	server hangs | drops [after ENTRIES] | is down | is back | latency DURATION     (1ms at first)
 *	server named NAME                      it offers persistent searches, and shows who it is: another name, another server
 *	...  to TEXT                           only searches whose base or filter contains the text
 *	...  times N                           only the next N
 *
 * The watch: what the directory tells by itself
 *	watch offered                          (none is at first); those that asked before are told it now
 *	watch delay DURATION                   from a change to the word of it (2ms at first)
 *	watch is cut | is back                 the connection breaks, and can be made again
 *	watch freezes | thaws                  a black hole: nothing is told, and all of it when that is over
 *
 * What happens
 *	start [fails TEXT]   stop
 *	reload                                 the policy and options as they are now take the place of those in force
 *	after DURATION       wall GENERALIZEDTIME
 *	ask|operation|quota SENDER [url URL] [mechanism M] [sid yes] -> EXPECTED      expect.h
 *	begin NAME ask SENDER ...     waiting NAME     end NAME -> EXPECTED
 *	spread COUNT NAME over TARGETS least USERS    redirects of NAME1 to NAMEcount: stable, and spread
 *	log contains|lacks TEXT   log counts TEXT N   log clear
 *
 * Every question is answered exactly once and never inside the call that asks it: the runner checks it without being told.
 */
#include <scenario/commands.h>
#include <stdio.h>
#include <string.h>

static const struct command_kind *find_kind(const struct command_kind *kinds, const char *name)
{
	for (; kinds->name != NULL; kinds++) {
		if (strcmp(kinds->name, name) == 0)
			return kinds;
	}
	return NULL;
}

static void run_command(struct stage *stage, const struct command *command)
{
	const struct command_kind *kind;

	if (command->count == 0)
		return;
	kind = find_kind(directory_commands, command->words[0].text);
	if (kind == NULL)
		kind = find_kind(engine_commands, command->words[0].text);
	if (kind == NULL)
		stage_fail(stage, "no command '%s'", command->words[0].text);
	else if (command->count < kind->least)
		stage_fail(stage, "'%s' wants more words", kind->name);
	else
		kind->run(stage, command);
}

static bool has_asked(const struct script *script)
{
	for (size_t i = 0; i < script->count; i++) {
		for (size_t j = 0; j < script->commands[i].count; j++) {
			const char *word = script->commands[i].words[j].text;

			if (strcmp(word, "->") == 0 || strcmp(word, "spread") == 0 || strcmp(word, "fails") == 0)
				return true;
		}
	}
	return false;
}

static bool play(const char *path)
{
	struct script script;
	struct stage stage;

	if (!script_read(path, &script))
		return false;
	stage_init(&stage, path);
	for (size_t i = 0; i < script.count; i++) {
		stage.line = script.commands[i].line;
		run_command(&stage, &script.commands[i]);
	}
	if (!has_asked(&script))
		stage_fail(&stage, "a scenario that expects nothing cannot fail");
	stage_done(&stage);
	script_done(&script);
	return !stage.failed;
}

int main(int count, char **arguments)
{
	bool good = count > 1;

	for (int i = 1; i < count; i++)
		good = play(arguments[i]) && good;
	return good ? 0 : 1;
}

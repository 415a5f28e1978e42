#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What shells complete of wsmauthz: the shells themselves are asked, and offer what --help names, and nothing else."""
import os
import re
import shutil
import subprocess
import unittest

PROGRAM = os.environ["WSMAUTHZ_CLI"]
OPTION = re.compile(r"^  (--[a-z-]+)", re.M)


def run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError("%r ended with %d\n%s" % (command, done.returncode, done.stderr))
    return done.stdout


HELP = run(PROGRAM, "--help")
COMMANDS = re.findall(r"^  ([a-z]+) ", HELP.split("\nCommands:\n")[1].split("\n\n")[0], re.M)


def options_of(command):
    return set(OPTION.findall(run(PROGRAM, command, "--help")))


class CompletionTest(unittest.TestCase):
    def bash(self, *words):
        script = run(PROGRAM, "completion", "bash")
        script += 'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _wsmauthz; printf "%s\\n" "${COMPREPLY[@]}"\n'
        return run("bash", "-c", script, "bash", "wsmauthz", *words).split()

    def zsh(self, *words):
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        script = run(PROGRAM, "completion", "zsh") + """
            compadd() { print -rl -- "$@" }
            _files() { print -r -- FILES }
            _describe() { print -rl -- ${(P)2%%:*} }
            words=("$@") CURRENT=$#
            _wsmauthz
        """
        return run("zsh", "-f", "-c", script, "zsh", "wsmauthz", *words).split()

    def offered(self, shell):
        self.assertGreater(len(COMMANDS), 4)
        self.assertEqual({word for word in shell("") if not word.startswith("-")}, set(COMMANDS))
        self.assertIn("--version", shell("--" if shell == self.bash else ""))
        for command in COMMANDS:
            self.assertEqual({word for word in shell(command, "--") if word.startswith("-")}, options_of(command), command)
            self.assertEqual(set(shell("--json", command, "x", "--")) & options_of(command), options_of(command), command)
        self.assertEqual(shell("check", "--log-level", ""), ["error", "warning", "info", "debug"])
        self.assertEqual(shell("check", "--url", ""), [])
        self.assertEqual(shell("completion", ""), ["bash", "zsh", "powershell"])

    def test_bash(self):
        self.offered(self.bash)
        self.assertEqual(self.bash("doc"), ["doctor"])
        self.assertIn("/etc/", [word + "/" for word in self.bash("--config", "/et")])

    def test_zsh(self):
        self.offered(self.zsh)
        self.assertEqual(self.zsh("--config", ""), ["FILES"])

    def test_powershell__names_all(self):
        """No PowerShell is at hand: what it is given is looked at."""
        script = run(PROGRAM, "completion", "powershell")
        tables = dict(re.findall(r"^        '([a-z]*)' = @\(\n(.*?)^        \)\n", script, re.M | re.S))
        self.assertEqual(set(tables) - {""}, set(COMMANDS))
        for command in COMMANDS:
            self.assertEqual(set(re.findall(r"@\('(--[a-z-]+)', '(?:[^']|'')*'\)", tables[command])), options_of(command))
        self.assertEqual(script.count("{"), script.count("}"))
        self.assertEqual(script.count("("), script.count(")"))

    def test_another_shell__is_refused(self):
        for words in ((), ("fish",), ("bash", "zsh")):
            done = subprocess.run([PROGRAM, "completion", *words], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("one of bash, zsh, powershell", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the files for Windows show and take: exports, imports, protection, version, messages; and that they can be built again."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from testbed_process import need

LIBRARY, PROGRAM, VERSION, BUILD = (os.environ[name] for name in ("WSMAUTHZ_PLUGIN", "WSMAUTHZ_CLI", "WSMAUTHZ_VERSION",
                                                                  "WSMAUTHZ_BUILD"))
OBJDUMP, WINDRES = (os.environ[name] for name in ("WSMAUTHZ_OBJDUMP", "WSMAUTHZ_WINDRES"))
EXPORTS = ["WSManPluginAuthzOperation", "WSManPluginAuthzQueryQuota", "WSManPluginAuthzReleaseContext",
           "WSManPluginAuthzUser", "WSManPluginShutdown", "WSManPluginStartup"]
COMPLETIONS = ["WSManPluginAuthzOperationComplete", "WSManPluginAuthzQueryQuotaComplete", "WSManPluginAuthzUserComplete"]
HOST = "wsmsvc.dll"

# Every one is in System32 of each Windows since 7; nothing of the compiler's (libgcc, libssp, libwinpthread).
SYSTEM_LIBRARIES = {"advapi32.dll", "bcrypt.dll", "crypt32.dll", "dnsapi.dll", "kernel32.dll", "msvcrt.dll", "ole32.dll",
                    "secur32.dll", "shlwapi.dll", "wldap32.dll", "ws2_32.dll", "xmllite.dll"}
# What a guest must not do to its host.
FORBIDDEN = {"SetDllDirectoryW", "SetDefaultDllDirectories", "SetErrorMode", "SetUnhandledExceptionFilter", "ExitProcess",
             "TerminateThread", "SetConsoleOutputCP", "SetEnvironmentVariableW", "SetEnvironmentVariableA", "_putenv",
             "setlocale", "SetThreadToken", "RevertToSelf", "system"}
# What the C library of mingw-w64 brings for its start, whatever we do: an end of the process when its start fails.
BROUGHT = {"SetUnhandledExceptionFilter"}

# Microsoft, PE format: DllCharacteristics.
HIGH_ENTROPY_VA, DYNAMIC_BASE, NX_COMPAT = 0x20, 0x40, 0x100


def described(path):
    return subprocess.run([OBJDUMP, "-p", path], capture_output=True, text=True, check=True).stdout


def exports(text):
    table = text[text.index("[Ordinal/Name Pointer] Table"):].splitlines() if "[Ordinal/Name" in text else []
    return sorted(match.group(1) for match in (re.match(r"\s+\[\s*\d+\] (\S+)", line) for line in table) if match)


def imports(text):
    """{library in small letters: {function}}"""
    found, library = {}, None
    for line in text.splitlines():
        name = re.match(r"\s*DLL Name: (\S+)", line)
        function = re.match(r"\s+[0-9a-f]+\s+\d+\s+(\w+)\s*$", line)
        if name:
            library = name.group(1).lower()
            found[library] = set()
        elif function and library:
            found[library].add(function.group(1))
        elif not line.strip():
            library = None
    return found


class FilesTest(unittest.TestCase):
    def test_the_library_shows_the_interface_and_nothing_else(self):
        self.assertEqual(exports(described(LIBRARY)), EXPORTS)
        self.assertEqual(exports(described(PROGRAM)), [])

    def test_only_libraries_of_the_system_are_wanted(self):
        for path in (LIBRARY, PROGRAM):
            found = imports(described(path))
            self.assertGreater(len(found), 3)
            self.assertEqual(set(found) - SYSTEM_LIBRARIES - {HOST}, set(), path)
            self.assertNotIn("Delay Import Directory 00000000", described(path))

    def test_the_host_gives_three_functions_and_is_needed_at_once(self):
        self.assertEqual(sorted(imports(described(LIBRARY))[HOST]), COMPLETIONS)
        # The program has its own, and never asks the system's.
        self.assertNotIn(HOST, imports(described(PROGRAM)))

    def test_the_library_does_nothing_to_its_host(self):
        called = set().union(*imports(described(LIBRARY)).values())
        self.assertEqual(called & FORBIDDEN - BROUGHT, set())

    def test_both_are_protected(self):
        for path in (LIBRARY, PROGRAM):
            text = described(path)
            flags = int(re.search(r"^DllCharacteristics\s+([0-9a-f]+)", text, re.M).group(1), 16)
            wanted = HIGH_ENTROPY_VA | DYNAMIC_BASE | NX_COMPAT
            self.assertEqual(flags & wanted, wanted, path)
            self.assertRegex(text, r"Entry 5 [0-9a-f]*[1-9a-f][0-9a-f]* [0-9a-f]+ Base Relocation Directory", path)
            self.assertRegex(text, r"MajorSubsystemVersion\s+6\n")
            self.assertRegex(text, r"MinorSubsystemVersion\s+1\n")
            sections = subprocess.run([OBJDUMP, "-h", path], capture_output=True, text=True, check=True).stdout
            for name, flags in re.findall(r"^\s*\d+ (\S+)\s.*\n\s+(.*)$", sections, re.M):
                if "CODE" in flags:
                    self.assertIn("READONLY", flags, name)

    def test_both_carry_their_version_and_the_library_its_messages(self):
        for path, name in ((LIBRARY, "wsmauthz.dll"), (PROGRAM, "wsmauthz.exe")):
            text = subprocess.run([WINDRES, path], capture_output=True, text=True, check=True).stdout
            self.assertIn('VALUE "FileVersion", "%s"' % VERSION, text)
            self.assertIn('VALUE "OriginalFilename", "%s"' % name, text)
            self.assertEqual("MESSAGETABLE" in text or re.search(r"^1 11", text, re.M) is not None, path == LIBRARY, text[-600:])

    def test_nothing_of_this_machine_is_in_them(self):
        for path in (LIBRARY, PROGRAM):
            data = Path(path).read_bytes()
            self.assertNotIn(BUILD.encode(), data)
            self.assertNotIn(str(Path(__file__).resolve().parents[2]).encode(), data)

    def test_linked_again_they_are_the_same_byte_for_byte(self):
        need("ninja")
        for path in (LIBRARY, PROGRAM):
            commands = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "-s", os.path.relpath(path, BUILD)],
                                      capture_output=True, text=True, check=True).stdout
            [command] = [line for line in commands.splitlines() if not line.startswith("ninja:")]
            with tempfile.TemporaryDirectory(prefix="wsmauthz-link-") as folder:
                again = os.path.join(folder, os.path.basename(path))
                # Elsewhere, under the same name; so is what else the linker writes (the import library).
                command = re.sub(r"-o \S*wsmauthz\.(dll|exe)", "-o " + again, command)
                command = re.sub(r"--out-implib,[^ ,]*", "--out-implib," + again + ".a", command)
                subprocess.run(command, shell=True, check=True, cwd=BUILD)
                self.assertEqual(Path(again).read_bytes(), Path(path).read_bytes())


if __name__ == "__main__":
    if not all(os.path.exists(path) for path in (LIBRARY, PROGRAM)):
        sys.exit("not built: %s, %s" % (LIBRARY, PROGRAM))
    unittest.main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
The lints, tested: each is quiet about a clean tree and names what is planted in it. A lint that finds nothing in
anything would be believed for years.
"""
import json
import os
import shlex
import subprocess
import sys
import unittest
from pathlib import Path

LINTS = Path(__file__).resolve().parent
TREE = LINTS.parents[1]
sys.path.insert(0, str(TREE / "tests" / "support"))
import testbed  # noqa: E402
from testbed import Folder  # noqa: E402

LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
EXPORTS = ("Startup", "Shutdown", "AuthzUser", "AuthzOperation", "AuthzQueryQuota", "AuthzReleaseContext")
CALLS = ("AuthzUser", "AuthzOperation", "AuthzQueryQuota")


def header(guard, body=""):
    return "%s#ifndef %s\n#define %s\n%s\n#endif\n" % (LICENCE, guard, guard, body)


CLEAN = {
    "CMakeLists.txt": "",
    "src/CMakeLists.txt": "set(WSMAUTHZ_MODULES low high CACHE STRING \"\")\n",
    "src/low/CMakeLists.txt": "wsmauthz_module(low SOURCES low.c)\n",
    "src/low/low.h": header("WSMAUTHZ_LOW_LOW_H", "\nint low(int value);\n"),
    "src/low/low.c": LICENCE + "#include <low/low.h>\n\nint low(int value)\n{\n\treturn value;\n}\n",
    "src/high/CMakeLists.txt": "wsmauthz_module(high SOURCES high.c USES low)\n",
    "src/high/high.h": header("WSMAUTHZ_HIGH_HIGH_H", "\nint high(void);\n"),
    "src/high/high.c": LICENCE + "#include <high/high.h>\n#include <low/low.h>\n\nint high(void)\n{\n"
                                 "\treturn low(1);\n}\n",
    "include/wsmauthz/engine.h": header("WSMAUTHZ_ENGINE_H", "\n#define WSMAUTHZ_X 1\n"),
    "tests/run.sh": "#!/bin/sh\nexit 0\n",
}


class Lints(unittest.TestCase):

    def setUp(self):
        folder = Folder(prefix="wsmauthz-lint-")
        self.addCleanup(folder.remove)
        self.tree, self.build = Path(folder.path, "a tree"), Path(folder.path, "a build")
        self.build.mkdir()
        for name in (".clang-format", ".clang-tidy"):
            self.plant(name, (TREE / name).read_text())
        for name, text in CLEAN.items():
            self.plant(name, text)
        # Each module sees its own folder and those that it uses, by links, as our build has it.
        for module in ("low", "high"):
            view = self.build / "view" / module
            view.mkdir(parents=True)
            (view / module).symlink_to(self.tree / "src" / module)
        self.compile_commands()

    def plant(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def compile_commands(self, extra=""):
        include = {"low": ["low"], "high": ["high", "low"]}
        commands = [{"directory": str(self.build), "file": str(self.tree / "src" / module / (module + ".c")),
                     "command": "cc -std=c17 %s%s -o %s.o -c %s" % (
                         "".join("-Iview/%s " % each for each in include[module]), extra, module,
                         shlex.quote(str(self.tree / "src" / module / (module + ".c"))))} for module in include]
        (self.build / "compile_commands.json").write_text(json.dumps(commands))

    def lint(self, name, *arguments):
        done = testbed.run("sh", str(LINTS / (name + ".sh")), str(self.tree), str(self.build), *arguments, check=False,
                           env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", GIT_DIR="/nonexistent"))
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        return done

    def assert_clean(self, name, *arguments):
        done = self.lint(name, *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def assert_finds(self, name, text, *arguments):
        done = self.lint(name, *arguments)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(text, done.stdout + done.stderr)

    def in_low(self, body):
        return LICENCE + "#include <low/low.h>\n#include <stdlib.h>\n\nint low(int value)\n{\n%s\treturn value;\n}\n" % body

    def test_clean_tree__no_lint_complains(self):
        for name in ("format", "layout", "platform", "headers", "includes", "scripts", "named_tests", "cppcheck", "analyzer", "tidy"):
            with self.subTest(name):
                self.assert_clean(name)

    def test_planted_faults__are_found(self):
        rows = (
            ("format", "src/low/bad.c", LICENCE + "int  x ;\n", "bad.c:2"),
            ("layout", "notes.txt", "", "notes.txt: does not belong"),
            ("layout", "src/low/bad.c", "int x;\n", "src/low/bad.c:1: does not begin with the licence line"),
            ("layout", "src/low/bad.c", LICENCE + "\n" * 500, "src/low/bad.c:501: over 500 lines"),
            ("layout", "src/low/bad.h", LICENCE, "src/low/bad.h:1: no include guard"),
            ("layout", "src/low/bad.h", header("LOW_H"), "guard LOW_H is not WSMAUTHZ_"),
            ("layout", "src/low/bad.h", header("WSMAUTHZ_LOW_LOW_H"), "is that of"),
            ("layout", "src/low/bad.c", LICENCE + "/* TO" "DO: more */\n", "src/low/bad.c:2:"),
            ("layout", "conf/bad", "see /wo" "rk/main\n", "conf/bad:1:"),
            ("layout", "conf/bad", "see ../sha" "red/x\n", "conf/bad:1:"),
            ("layout", "docker/bad", "FROM quay" ".io/x\n", "docker/bad:1:"),
            ("platform", "src/low/bad.c", "#ifdef _WIN32\n#endif\n", "src/low/bad.c:1:"),
            ("platform", "src/low/bad.c", "# if 1 && defined(__linux__)\n#endif\n", "src/low/bad.c:1:"),
            ("headers", "src/low/bad.h", header("WSMAUTHZ_LOW_BAD_H", "size_t x(void);"), "bad.h"),
            ("headers", "include/wsmauthz/bad.h", header("WSMAUTHZ_BAD_H", "int x(int class);"), "bad.h"),
            ("includes", "src/low/CMakeLists.txt", "wsmauthz_module(low SOURCES low.c USES high)\n", "not below it"),
            ("includes", "src/high/CMakeLists.txt", "wsmauthz_module(high SOURCES high.c)\n", "<low/low.h> is found"),
            ("scripts", "tests/bad.sh", "#!/bin/sh\nrm -rf $1/*/\ncd /x\n", "bad.sh line 3"),
            ("scripts", "tests/bad.py", "def x(:\n", "bad.py"),
            ("named_tests", "conf/doc/bad.md", "Safe: `low__nothing__is_tested`.\n", "conf/doc/bad.md:1: there is no test low__nothing"),
            ("cppcheck", "src/low/low.c", self.in_low("\tint a[2] = {0, 0};\n\ta[value] = a[2];\n"), "low.c:8"),
            ("analyzer", "src/low/low.c", self.in_low("\tif (!malloc(3))\n\t\treturn 0;\n"), "leak"),
            ("tidy", "src/low/low.c", self.in_low("\tvalue = atoi(\"1\");\n"), "cert-err34-c"),
        )
        for name, path, text, expected in rows:
            with self.subTest(lint=name, text=text[:60]):
                before = (self.tree / path).read_text() if (self.tree / path).exists() else None
                self.plant(path, text)
                self.assert_finds(name, expected)
                (self.tree / path).unlink()
                if before is not None:
                    self.plant(path, before)

    def test_includes__a_folder_too_much_in_the_include_path__is_found(self):
        self.compile_commands("-I%s/src " % shlex.quote(str(self.tree)))
        self.assert_finds("includes", "src/low: <high/high.h> is found, though no USES line leads there")

    def program(self):
        text = "Commands:\\n  check SENDER   decides\\n  bench          load\\n\\nOptions: --json --log-level LEVEL"
        path = self.build / "wsmauthz"
        path.write_text("#!/bin/sh\ncase $1 in --help) printf '%s\\n' ;; check) echo --url ;; esac\n" % text)
        path.chmod(0o755)
        return str(path)

    MAN = (".TH WSMAUTHZ 1\n.SH NAME\nwsmauthz\n.SH COMMANDS\n.SS check\nText with \\fB\\-\\-url\\fR.\n.TP\n.B bench\n"
           "Text.\n.SH OPTIONS\n.TP\n.B \\-\\-json\nText.\n.TP\n.BI \\-\\-log\\-level \" LEVEL\"\nText.\n"
           ".SH OUTPUT\n.SS Reasons\n.TP\n.B member\nText.\n.TP\n.B no\\-such\\-user\nText.\n.SH FILES\n.TP\n.B none\nText.\n")
    REASONS = "\t[WA_REASON_MEMBER] = \"member\",\n\t[WA_REASON_NO_SUCH_USER] = \"no-such-user\",\n"

    def plant_pages(self):
        self.plant("src/cli/wsmauthz.1", self.MAN)
        self.plant("src/authorizer/reason.c", self.REASONS)
        for name in ("conf/wsmauthz.xsd", "src/cli/wsmauthz.xml.5"):
            self.plant(name, (TREE / name).read_text())

    def test_man__page_that_agrees__is_clean(self):
        self.plant_pages()
        self.assert_clean("man", self.program())

    def test_man__page_of_the_policy_that_differs__is_found(self):
        self.plant_pages()
        page = (TREE / "src/cli/wsmauthz.xml.5").read_text()
        self.plant("src/cli/wsmauthz.xml.5", page.replace(".SS metrics", ".SS measures"))
        self.assert_finds("man", "metrics: in conf/wsmauthz.xsd, not in", self.program())

    def test_man__page_that_differs__is_found(self):
        self.plant_pages()
        rows = (
            (("--url".replace("-", "\\-"), "nothing"), "--url: in --help, not in"),
            (("\\-\\-json", "\\-\\-yaml"), "--yaml: in src/cli/wsmauthz.1, not in --help"),
            ((".B bench", ".B load"), "bench: in --help, not in"),
            ((".SS check", ".SS ask"), "ask: in src/cli/wsmauthz.1, not in --help"),
            ((".SS check", ".SS check\n.NOSUCH"), "NOSUCH"),
            ((".B member", ".B members"), "member: a reason of src/authorizer/reason.c, not in src/cli/wsmauthz.1"),
            (("such\\-user", "user"), "no-user: a reason in src/cli/wsmauthz.1, not in src/authorizer/reason.c"),
        )
        for (old, new), expected in rows:
            with self.subTest(expected):
                self.assertIn(old, self.MAN)
                self.plant("src/cli/wsmauthz.1", self.MAN.replace(old, new))
                self.assert_finds("man", expected, self.program())

    def plugin(self, body="", exports=EXPORTS, calls=CALLS, options=("-Wl,-z,nodelete,-z,now,-z,relro",)):
        source = self.build / "plugin.c"
        lines = ["void WSManPlugin%sComplete(void);" % name for name in calls] + ["static void all(void)", "{"]
        lines += ["\tWSManPlugin%sComplete();" % name for name in calls] + ["}", body]
        lines += ["void WSManPlugin%s(void);\nvoid WSManPlugin%s(void) { all(); }" % (name, name) for name in exports]
        source.write_text("\n".join(lines))
        result = self.build / "wsmauthz.so"
        subprocess.run(["gcc", "-shared", "-fPIC", *options, "-o", result, source], check=True)
        return str(result)

    def test_exports__good_plugin__is_clean(self):
        self.assert_clean("exports", self.plugin())

    def test_exports__bad_plugins__are_found(self):
        rows = (
            (dict(exports=EXPORTS + ("Extra",)), "WSManPluginExtra: exported, and not of the interface"),
            (dict(exports=EXPORTS[1:]), "WSManPluginStartup: of the interface, and not exported"),
            (dict(calls=CALLS[1:]), "WSManPluginAuthzUserComplete: a completion function"),
            (dict(calls=CALLS + ("Other",)), "WSManPluginOtherComplete: undefined"),
            (dict(body="int fork(void); static int f(void) { return fork(); }\n"
                       "int (*keep(void))(void); __attribute__((visibility(\"hidden\"))) int (*keep(void))(void)"
                       " { return f; }"), "fork is called: it copies the host"),
            (dict(options=("-Wl,-z,now",)), "not linked with -z nodelete"),
            (dict(options=("-Wl,-z,nodelete,-z,lazy",)), "not linked with -z now"),
            (dict(options=("-Wl,-z,nodelete,-z,now,-z,execstack",)), "wants an executable stack"),
        )
        for options, expected in rows:
            with self.subTest(expected):
                self.assert_finds("exports", expected, self.plugin(**options))


if __name__ == "__main__":
    testbed.main()

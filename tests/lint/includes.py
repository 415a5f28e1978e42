#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""includes.py SOURCE_DIR BUILD_DIR: see includes.sh. Ends with 1 where a header is visible that should not be, or not."""
import os
import re
import shlex
import subprocess
import sys

PUBLIC = "public"


def modules_in_order(source):
    """The modules from the bottom up, as src/CMakeLists.txt has them."""
    with open(os.path.join(source, "src", "CMakeLists.txt"), encoding="utf-8") as file:
        return re.search(r"set\(WSMAUTHZ_MODULES\s+([\w\s]+?)\s+CACHE", file.read()).group(1).split()


def uses(source, module):
    """The modules that this one names."""
    path = os.path.join(source, "src", module, "CMakeLists.txt")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read())
    call = re.search(r"wsmauthz_module\((.*?)\)", text, re.S)
    words = call.group(1).split() if call else []
    named, taking = [], False
    for word in words[1:]:
        if word in ("SOURCES", "USES", "INCLUDES"):
            taking = word == "USES"
        elif taking:
            named.append(word)
    return named


def reachable(graph, module):
    seen, waiting = set(), [module]
    while waiting:
        for used in graph.get(waiting.pop(), ()):
            if used not in seen:
                seen.add(used)
                waiting.append(used)
    return seen


def commands(source, build):
    """{module: (folder, compiler's arguments without the file)} of what the build compiles."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compile_commands.py")
    fields = subprocess.run([sys.executable, script, source, build], check=True, text=True,
                            stdout=subprocess.PIPE).stdout.split("\0")[:-1]
    found = {}
    for path, folder, command in zip(fields[::3], fields[1::3], fields[2::3]):
        module = os.path.relpath(path, os.path.join(os.path.realpath(source), "src")).split(os.sep)[0]
        found.setdefault(module, (folder, shlex.split(command)))
    return found


def sees(command, header):
    """Whether the preprocessor finds the header, and what it said."""
    folder, arguments = command
    done = subprocess.run(arguments + ["-fsyntax-only", "-w", "-x", "c", "-"], cwd=folder, text=True, check=False,
                          input="#if !__has_include(<%s>)\n#error hidden\n#endif\n" % header, stderr=subprocess.PIPE)
    if done.returncode != 0 and "hidden" not in done.stderr:
        raise SystemExit("the compiler did not answer: " + done.stderr)
    return done.returncode == 0


def a_header(source, module):
    if module == PUBLIC:
        return "wsmauthz/engine.h"
    names = sorted(name for name in os.listdir(os.path.join(source, "src", module)) if name.endswith(".h"))
    return "%s/%s" % (module, names[0]) if names else None


def main():
    source, build = sys.argv[1:3]
    modules = modules_in_order(source)
    graph = {module: uses(source, module) for module in modules}
    compiled = commands(source, build)
    pairs = findings = 0
    for position, module in enumerate(modules):
        for used in graph[module]:
            if used != PUBLIC and used not in modules[:position]:
                print("src/%s/CMakeLists.txt: uses %s, which is not below it" % (module, used))
                findings += 1
        for other in modules + [PUBLIC]:
            header = a_header(source, other) if module in compiled and other != module else None
            if header is None:
                continue
            pairs += 1
            expected = other in reachable(graph, module)
            if sees(compiled[module], header) != expected:
                print("src/%s: <%s> %s" % (module, header, "is not found, though the module uses it" if expected else
                                           "is found, though no USES line leads there"))
                findings += 1
    print("%d pairs of modules looked at" % pairs)
    if pairs == 0:
        raise SystemExit("nothing to look at: the build compiles no module")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()

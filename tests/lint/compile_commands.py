#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
compile_commands.py SOURCE_DIR BUILD_DIR: what the build compiles of SOURCE_DIR/src, for xargs -0 -n 3.

Prints for each file: its path, the folder that the compiler runs in, and the command (for sh) without the file, -c and -o.
"""
import json
import os
import shlex
import sys


def without_files(arguments, folder, source):
    """The compiler's command, less what says what is compiled and where the result goes."""
    kept, skip_next = [], False
    for argument in arguments:
        if skip_next:
            skip_next = False
        elif argument in ("-o", "-MF", "-MT"):
            skip_next = True
        elif argument not in ("-c", "-MD") and os.path.realpath(os.path.join(folder, argument)) != source:
            kept.append(argument)
    return kept


def main():
    source, build = (os.path.realpath(path) for path in sys.argv[1:3])
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    seen = set()
    for command in commands:
        path = os.path.realpath(os.path.join(command["directory"], command["file"]))
        if not path.startswith(os.path.join(source, "src") + os.sep) or path in seen:
            continue
        seen.add(path)
        text = shlex.join(without_files(shlex.split(command["command"]), command["directory"], path))
        sys.stdout.write("%s\0%s\0%s\0" % (path, command["directory"], text))


if __name__ == "__main__":
    main()

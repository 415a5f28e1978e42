#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cppcheck over what the build compiles of src. A finding that is wrong is suppressed at its line, with the reason:
# /* cppcheck-suppress ID ; why */
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need cppcheck
cppcheck --version
cppcheck --project="$build_dir/compile_commands.json" --file-filter="$source_dir/src/*" -j "$(nproc)" --quiet \
	--enable=warning,performance,portability --inline-suppr --std=c11 --error-exitcode=1 \
	--suppress='*:/usr/include/*' --template='{file}:{line}: {severity}: {message} [{id}]' || findings=1
done_linting

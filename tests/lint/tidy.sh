#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy, with the checks of .clang-tidy, over what the build compiles of src.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need clang-tidy
# shellcheck disable=SC2016  # $0 is the build folder, $1 the file
for_each_source sh -c '
	# What gcc alone knows of the warning options is no finding.
	said=$(clang-tidy --quiet -p "$0" --extra-arg=-Wno-unknown-warning-option "$1" 2>&1) || {
		printf "%s\n" "$said"
		exit 1
	}' "$build_dir"
done_linting

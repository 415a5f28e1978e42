#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file is as clang-format writes it.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need clang-format
c_files src include tests | xargs -r clang-format --dry-run -Werror || finding "run: clang-format -i FILE"
done_linting

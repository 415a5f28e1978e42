#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The documents name tests as evidence: they exist.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

tree_files | grep '^conf/doc/.*\.md$' | tr '\n' '\0' | xargs -0 -r /usr/bin/python3 "$here/named_tests.py" || findings=1
done_linting

# SPDX-License-Identifier: Apache-2.0
# Shows what `wsmauthz check --json -` answered as a table, and compares it with what is expected:
#
#   LC_ALL=C awk -v color=0 -v columns=160 -f verdicts.awk expected.txt people.txt answers
#
# The answers stand in the order of people.txt. The last line says how many are as expected; the status is 1 when one is
# not. A terminal of fewer than 130 columns gets no column of who the senders are.
# LC_ALL=C makes every awk count bytes, so that the width of UTF-8 text is worked out the same way everywhere.

BEGIN {
	FS = "\t"
	for (i = 1; i < 256; i++)
		byte[sprintf("%c", i)] = i
	wide[1] = 28; wide[2] = 9; wide[3] = 28; wide[4] = 25
	paint["authorize"] = "\033[32m"
	paint["redirect"] = "\033[36m"
	paint["deny"] = "\033[33m"
	paint["error"] = "\033[31m"
}

FNR == 1 { file++ }

file == 1 && /^[^#]/ {
	expected_verdict[$1] = $2
	expected_reason[$1] = $3
	expected_target[$1] = $4
}

file == 2 && /^#: / {
	heading[asked + 1] = substr($0, 4)
}

file == 2 && /^[^#]/ {
	sender[++asked] = $1
	who[asked] = $2
}

file == 3 {
	answered++
	judge(answered, $0)
}

END {
	if (answered != asked) {
		printf "%d senders were asked about, %d answers came.\n", asked, answered
		exit 1
	}
	printf "%d of %d as expected\n", asked - wrong, asked
	exit wrong > 0
}

# The value of a key in one line of flat JSON: a quote inside a string is escaped, so `"key":` is nowhere but at the key.
function value(line, key,    at, text, c, out) {
	at = index(line, "\"" key "\":")
	if (at == 0)
		return ""
	text = substr(line, at + length(key) + 3)
	if (substr(text, 1, 1) != "\"") {
		match(text, /^[^,}\]]*/)
		return substr(text, 1, RLENGTH)
	}
	out = ""
	for (text = substr(text, 2); text != ""; text = substr(text, 2)) {
		c = substr(text, 1, 1)
		if (c == "\"")
			break
		if (c == "\\") {
			c = substr(text, 2, 1)
			text = substr(text, 2)
			if (c == "u") {
				c = "?"
				text = substr(text, 5)
			}
		}
		out = out c
	}
	return out
}

# How many entries stand on the path from the user to the configured group; 0: no path.
function path_length(line,    at, text) {
	at = index(line, "\"path\":[\"")
	if (at == 0)
		return 0
	text = substr(line, at + 8)
	sub(/"\].*/, "", text)
	return gsub(/","/, "", text) + 1
}

# Columns that a terminal needs: a continuation byte none, a combining mark none, CJK and full-width letters two.
function width(text,    i, n, b, b2, columns) {
	n = length(text)
	for (i = 1; i <= n; i++) {
		b = byte[substr(text, i, 1)]
		b2 = i < n ? byte[substr(text, i + 1, 1)] : 0
		if (b >= 128 && b < 192)
			continue
		if (b == 204 || b == 205 && b2 < 176)
			continue
		columns += b >= 227 && b <= 237 || b == 239 && b2 >= 188 && b2 <= 189 ? 2 : 1
	}
	return columns + 0
}

function padded(text, columns,    missing) {
	missing = columns - width(text)
	return missing > 0 ? text sprintf("%" missing "s", "") : text
}

function colored(text, verdict) {
	return color && verdict in paint ? paint[verdict] text "\033[0m" : text
}

function row(a, b, verdict, c, d, e,    line) {
	line = "  " padded(a, wide[1]) " " colored(padded(b, wide[2]), verdict) " " padded(c, wide[3]) " "
	print line (columns < 130 ? d : padded(d, wide[4]) " " e)
}

# Where a person ends up: the host of the target is what tells one from another.
function place(verdict, target) {
	if (verdict == "redirect") {
		sub(/^https?:\/\//, "", target)
		sub(/[:\/].*/, "", target)
		return target
	}
	return verdict == "authorize" ? "here" : "-"
}

function is_target(allowed, target) {
	return index("|" allowed "|", "|" target "|") > 0
}

function explanation(line, reason,    steps, text) {
	text = reason
	steps = path_length(line)
	if (reason == "member" && steps > 2)
		text = text ", through " steps - 1 " groups"
	if (value(line, "administrator") == "true")
		text = text ", administrator"
	return text
}

# A security identifier, without the part that is the same for everybody.
function shortened(name) {
	if (name ~ /^S-1-5-21-/)
		sub(/21-.*-/, "21-...-", name)
	return name
}

function judge(n, line,    name, verdict, reason, target) {
	name = value(line, "sender")
	verdict = value(line, "verdict")
	reason = value(line, "reason")
	target = value(line, "redirect_uri")
	if (target == "" || target == "null")
		target = "-"
	if (n == 1)
		row("SENDER", "VERDICT", "", "WHY", "WHERE TO", "WHO THAT IS")
	if (n in heading)
		print "\n" heading[n]
	row(shortened(name), verdict, verdict, explanation(line, reason), place(verdict, target), who[n])
	if (name == sender[n] && verdict == expected_verdict[name] && reason == expected_reason[name] &&
	    is_target(expected_target[name], target))
		return
	wrong++
	printf "    ^ not as expected (%s, %s, %s)\n", expected_verdict[sender[n]], expected_reason[sender[n]], expected_target[sender[n]]
}

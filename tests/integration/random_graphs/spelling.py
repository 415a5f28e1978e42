# SPDX-License-Identifier: Apache-2.0
"""
One name, many spellings: how other clients write a DN that means the same entry.

A name is a path: a tuple of RDNs from the entry up to the suffix, each a tuple of (attribute, value). Two names are the
same when their paths are; how they are written plays no part. `write` makes a text of a path, in an
arbitrary mixture of habits; which habits a server takes for the same name is asked of the server, not assumed.
"""
import unicodedata

OTHER_TYPES = {
    "cn": ("commonName", "2.5.4.3"),
    "uid": ("userid", "0.9.2342.19200300.100.1.1"),
    "ou": ("organizationalUnitName", "2.5.4.11"),
    "dc": ("domainComponent", "0.9.2342.19200300.100.1.25"),
    "employeeNumber": ("2.16.840.1.113730.3.1.3",),
}

# What was measured on slapd 2.5: the test loses its teeth when one of these is not taken any more.
MEASURED_SAME = frozenset(("type-case", "type-oid", "type-name", "blanks", "order", "letter-case", "letter-case-other",
                           "decomposed", "full-width", "kelvin", "no-break-space", "double-blank", "hex-escape"))
MEASURED_DIFFERENT = frozenset(("sharp-s", "final-sigma", "dotless-i", "decomposed-dotted-i", "soft-hyphen",
                                "full-width-dc"))
MAYBE = frozenset(("oid-prefix", "semicolon", "escaped-blank"))


def canonical(path):
    """As slapd shows an entry its own name, but for escapes: the plain spelling."""
    return ",".join("+".join("%s=%s" % (name, escape(value)) for name, value in rdn) for rdn in path)


def escape(value):
    out = "".join("\\" + char if char in '\\",+;<>=' else char for char in value)
    if out[:1] in (" ", "#"):
        out = "\\" + out
    return out[:-1] + "\\ " if out.endswith(" ") and not out.endswith("\\ ") else out


def filter_value(text):
    """A filter's assertion value with every byte escaped that could mean something (RFC 4515)."""
    return "".join(chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else "\\%02x" % byte
                   for byte in text.encode())


def folds_simply(char):
    """Whether the character has a case, and both cases are one code point that lead to each other."""
    other = char.swapcase()
    return other != char and len(other) == 1 and other.swapcase() == char and other.lower() == char.lower()


def write(path, rng, habits, chance=0.3):
    """A spelling. Each habit is applied to each place it could be applied to with probability `chance`."""
    hand = _Hand(rng, habits, chance)
    return hand.separators([hand.rdn(rdn) for rdn in path])


class _Hand:
    def __init__(self, rng, habits, chance):
        self.rng, self.habits, self.chance = rng, habits, chance

    def does(self, habit):
        return habit in self.habits and self.rng.random() < self.chance

    def separators(self, rdns):
        text = rdns[0]
        for rdn in rdns[1:]:
            text += ";" if self.does("semicolon") else ","
            text = (text[:-1] + " " + text[-1] if self.does("blanks") else text) + (" " if self.does("blanks") else "")
            text += rdn
        return text

    def rdn(self, rdn):
        parts = [self.type(name) + (" = " if self.does("blanks") else "=") + self.value(name, value)
                 for name, value in rdn]
        if len(parts) > 1 and self.does("order"):
            parts.reverse()
        return (" + " if self.does("blanks") else "+").join(parts)

    def type(self, name):
        others = OTHER_TYPES[name]
        if self.does("type-oid") or self.does("oid-prefix"):
            return ("OID." if self.does("oid-prefix") else "") + others[-1]
        if self.does("type-name"):
            name = others[0]
        if self.does("type-case"):
            name = "".join(self.rng.choice((char.lower(), char.upper())) for char in name)
        return name

    def value(self, name, value):
        out, last = "", len(value) - 1
        for at, char in enumerate(value):
            # dc is an IA5 string, which slapd does not prepare as it does the others.
            changed = self.ia5_letter(char) if name == "dc" else self.letter(char)
            if char == " " and 0 < at < last:
                changed = self.blank()
            out += self.escaped(char, changed)
        return out + ("\\20" if self.does("escaped-blank") else "")

    def blank(self):
        if self.does("double-blank"):
            return "  "
        return self.rng.choice("\u00a0\u3000") if self.does("no-break-space") else " "

    def escaped(self, char, changed):
        if self.does("hex-escape"):
            form = self.rng.choice(("\\%02X", "\\%02x"))
            return "".join(form % byte for byte in changed.encode())
        return changed if changed != char or char == " " else escape(char)

    def ia5_letter(self, char):
        if self.does("full-width-dc"):
            return chr(ord(char) + 0xFEE0)
        return char.swapcase() if self.does("letter-case") else char

    def letter(self, char):
        if char == "ß" and self.does("sharp-s"):
            return "ss"
        if char == "ς" and self.does("final-sigma"):
            return "σ"
        if char in "iı" and self.does("dotless-i"):
            return "ı" if char == "i" else "i"
        if char == "İ":
            return "I\u0307" if self.does("decomposed-dotted-i") else char
        if char in "kK" and self.does("kelvin"):
            return "\u212a"
        if folds_simply(char) and self.does("letter-case" if char.isascii() else "letter-case-other"):
            char = char.swapcase()
        if char.isalnum() and self.does("soft-hyphen"):
            return char + "\u00ad"
        if char.isascii() and char.isalnum() and self.does("full-width"):
            return chr(ord(char) + 0xFEE0)
        return unicodedata.normalize("NFD", char) if self.does("decomposed") else char

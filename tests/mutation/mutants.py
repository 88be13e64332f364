# SPDX-License-Identifier: BSD-3-Clause
"""mutants - all the ways to break one line of a C file of ours, one at a time.

It knows no more of C than the house style lets one see: a function's name stands at the
beginning of a line, statements end in a semicolon. What does not compile is no mutant, and is
found out by whoever builds it.
"""
import dataclasses
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|/\*.*?\*/|//[^\n]*|^\#[^\n]*)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\d\w*)
  | (?P<op><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\.\.\.|.)
""", re.X | re.S | re.M)

SWAP = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
        "<<": ">>", ">>": "<<", "^": "|"}
NEAR = {"sl_seq_lt": "sl_seq_le", "sl_seq_le": "sl_seq_lt", "sl_seq_gt": "sl_seq_ge",
        "sl_seq_ge": "sl_seq_gt", "sl_tick_lt": "sl_tick_le", "sl_tick_le": "sl_tick_lt",
        "true": "false", "false": "true"}
TYPES = {"const", "static", "struct", "enum", "unsigned", "int", "bool", "size_t", "void", "char",
         "uint8_t", "uint16_t", "uint32_t", "uint64_t", "int32_t", "int64_t", "sl_tick_t", "sl_ns_t"}
HEADS = {"if", "while", "for", "switch"}


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int

    @property
    def end(self):
        return self.at + len(self.text)


@dataclasses.dataclass(frozen=True)
class Mutant:
    """@path with bytes [start, end) replaced by @new; @where is its function, or `top`."""
    path: str
    where: str
    line: int
    old: str  # the whole line, or lines, as they are
    start: int
    end: int
    new: str
    text: str  # the line or lines as they are then

    def __str__(self):
        return f"{self.path}:{self.line}: {self.where}: `{self.old}` -> `{self.text}`"

    @property
    def name(self):
        """What stays when lines are added above."""
        return f"{self.path}: {self.where}: `{self.old}` -> `{self.text}`"


def tokens(text):
    return [Token(m.lastgroup, m.group(), m.start()) for m in TOKEN.finditer(text)
            if m.lastgroup != "space"]


def partners(toks):
    """Index of the bracket that closes each one that opens, and the other way round."""
    pair, stack = {}, []
    for i, t in enumerate(toks):
        if t.text in ("(", "[", "{"):
            stack.append(i)
        elif t.text in (")", "]", "}") and stack:
            j = stack.pop()
            pair[i], pair[j] = j, i
    return pair


class File:
    """One file's mutants, by what is done to it."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.toks = tokens(text)
        self.pair = partners(self.toks)

    def mutants(self):
        seen = set()
        for where, first, last in self.regions():
            for start, end, new in self.changes(where, first, last):
                m = self.mutant(where, start, end, new)
                if (start, m.text) not in seen and m.old != m.text:
                    seen.add((start, m.text))
                    yield m

    def regions(self):
        """Functions by name, and what stands outside them as `top`: tables and constants."""
        i, top = 0, 0
        while i < len(self.toks):
            t = self.toks[i]
            if t.text == "{" and (t.at == 0 or self.text[t.at - 1] == "\n"):
                close = self.pair[i]
                yield "top", top, self.head(i)
                yield self.toks[self.head(i)].text, i, close
                i = top = close + 1
                continue
            i = self.pair[i] + 1 if t.text == "{" else i + 1
        yield "top", top, len(self.toks)

    def head(self, brace):
        """The token that names the function whose body begins at @brace."""
        return self.pair[brace - 1] - 1

    def changes(self, where, first, last):
        inside = where != "top"
        for i in range(first, last):
            if inside:
                yield from self.statement(i)
                yield from self.condition(i)
                yield from self.operand(i)
            elif self.toks[i].text == "[":
                yield from self.entry(i)
            yield from self.token(i, inside)

    # --- what may be done ---

    def statement(self, i):
        """A statement that is no declaration is left out."""
        if not self.begins_statement(i):
            return
        t = self.toks[i]
        if t.text in TYPES | HEADS | {"return", "do", "else", "case", "default", "assert",
                                      "static_assert", "goto", "{", "}", ";"}:
            return
        j = i
        while self.toks[j].text != ";":
            j = self.pair[j] + 1 if self.toks[j].text in ("(", "[", "{") else j + 1
        yield t.at, self.toks[j].end, ";"

    def condition(self, i):
        """An `if` never, or always, holds; a loop is not entered."""
        t = self.toks[i]
        if t.text in ("if", "while") and self.toks[i + 1].text == "(":
            start, end = self.toks[i + 1].end, self.toks[self.pair[i + 1]].at
            yield start, end, "0"
            if t.text == "if":
                yield start, end, "1"

    def operand(self, i):
        """One part of a conjunction or disjunction has no say."""
        op = self.toks[i].text
        if op not in ("&&", "||"):
            return
        neutral = "1" if op == "&&" else "0"
        left, right = self.left_of(i, op), self.right_of(i, op)
        yield self.toks[left].at, self.toks[i - 1].end, neutral
        yield self.toks[i + 1].at, self.toks[right].end, neutral

    def left_of(self, i, op):
        i -= 1
        while True:
            if self.toks[i].text in (")", "]"):
                i = self.pair[i]
            before = self.toks[i - 1].text
            if before in ("(", "{", ";", "=", "?", ":", ",", "return", op, "||"):
                return i
            i -= 1

    def right_of(self, i, op):
        i += 1
        while True:
            if self.toks[i].text in ("(", "["):
                i = self.pair[i]
            if self.toks[i + 1].text in (")", "}", ";", "?", ":", ",", "&&", "||"):
                return i
            i += 1

    def entry(self, i):
        """An entry of a table is forgotten."""
        j = self.pair[i]
        if self.toks[j + 1].text == "=" and self.toks[j + 3].text == ",":
            yield self.toks[i].at, self.toks[j + 3].end, ""

    def token(self, i, inside):
        """A sign, a number or a comparison is another."""
        t, before = self.toks[i], self.toks[i - 1] if i else None
        value = before is not None and (before.kind in ("name", "number") and before.text != "return"
                                        or before.text in (")", "]"))
        if t.text in NEAR:
            yield t.at, t.end, NEAR[t.text]
        elif t.text in SWAP and (t.text not in "<>" or inside):
            yield t.at, t.end, SWAP[t.text]
        elif t.text in "+-" and value and inside:
            yield t.at, t.end, "-" if t.text == "+" else "+"
        elif t.text in "&|" and value and inside and not self.toks[i + 1].text.isupper():
            yield t.at, t.end, "|" if t.text == "&" else "&" # a flag's is an operand
        elif t.text == "!" and inside:
            yield t.at, t.end, ""
        elif t.text == "return" and inside and self.toks[i + 1].text != ";":
            end = i
            while self.toks[end].text != ";":
                end += 1
            if self.toks[i + 1].text not in ("true", "false", "NULL"):
                yield self.toks[i + 1].at, self.toks[end].at, "0"
        elif t.kind == "number" and (inside or before.text != "["): # an array may be longer
            if m := re.fullmatch(r"(0x[0-9a-f]+|\d+)([ul]*)", t.text): # not 256vl
                yield t.at, t.end, f"{int(m[1], 0) + 1}{m[2]}"

    # --- where things are ---

    def begins_statement(self, i):
        before = self.toks[i - 1]
        if before.text in (";", "else", "do"):
            return self.depth_is_block(i)
        if before.text == "{":
            return self.is_block(i - 1)
        if before.text == "}":
            return self.is_block(self.pair[i - 1])
        if before.text == ":":
            return self.toks[i - 3].text == "case" or self.toks[i - 2].text == "default"
        if before.text == ")":
            return self.toks[self.pair[i - 1] - 1].text in HEADS
        return False

    def is_block(self, brace):
        """Not the value of a compound literal or of an initialiser."""
        before = self.toks[brace - 1]
        if before.text == ")":
            opened = self.toks[self.pair[brace - 1] - 1]
            return opened.text in HEADS or self.toks[brace].at == 0 or \
                self.text[self.toks[brace].at - 1] == "\n"
        return before.text in (";", "{", "}", "else", "do", ":")

    def depth_is_block(self, i):
        """Not within the head of a `for`."""
        depth = 0
        for j in range(i - 1, -1, -1):
            if self.toks[j].text == ")":
                depth += 1
            elif self.toks[j].text == "(":
                depth -= 1
                if depth < 0:
                    return False
            elif self.toks[j].text in ("{", "}"):
                return True
        return True

    def mutant(self, where, start, end, new):
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", end)
        old = self.text[first:last]
        text = self.text[first:start] + new + self.text[end:last]
        return Mutant(self.path, where, self.text.count("\n", 0, start) + 1, " ".join(old.split()),
                      start, end, new, " ".join(text.split()))


def of(path, text):
    return list(File(path, text).mutants())

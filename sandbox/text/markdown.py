"""``parse_mode=MarkdownV2``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.text.spans import Builder, Entities, unparsable

MARKS = {"*": "bold", "_": "italic", "__": "underline", "~": "strikethrough", "||": "spoiler"}
RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
TOKEN = re.compile(r"\\[\x01-\x7e]|```|\|\||__|\]\((?:\\.|[^)\\])*\)|.", re.DOTALL)
LANGUAGE = re.compile(r"^([a-zA-Z0-9_+#-]+)\n")


@dataclass(slots=True)
class Opened:
    """A mark waiting for its twin."""

    mark: str
    start: int
    at: int


class Reader:
    """Walks the tokens of one text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.built = Builder()
        self.opened: list[Opened] = []
        self.quote: int | None = None

    def read(self) -> tuple[str, Entities]:
        """Plain text and entities of the whole text."""
        position, line_start = 0, True
        while match := TOKEN.match(self.source, position):
            token = match[0]
            if line_start and self._quoted(token):
                position, line_start = match.end(), False
                continue
            position = self._take(token, match.start(), match.end())
            line_start = token == "\n"
        if self.opened:
            last = self.opened[-1]
            name = MARKS.get(last.mark, "text_link").replace("_", "").capitalize()
            raise unparsable(f"Can't find end of {name} entity at byte offset {self._byte(last.at)}")
        self._end_quote()
        return self.built.text, self.built.entities

    def _take(self, token: str, start: int, end: int) -> int:
        if token.startswith("\\") and len(token) == 2:
            self.built.add(token[1])
        elif token in ("```", "`"):
            return self._code(token, end)
        elif token in MARKS:
            self._mark(token, start)
        elif token == "[":
            self.opened.append(Opened("[", self.built.length, start))
        elif token.startswith("](") and self.opened and self.opened[-1].mark == "[":
            url = re.sub(r"\\(.)", r"\1", token[2:-1])
            self.built.cover(self.opened.pop().start, {"type": "text_link", "url": url})
        elif token[0] in RESERVED:
            reason = f"Character '{token[0]}' is reserved and must be escaped with the preceding '\\'"
            raise unparsable(reason)
        else:
            self.built.add(token)
        return end

    def _mark(self, mark: str, at: int) -> None:
        if self.opened and self.opened[-1].mark == mark:
            self.built.cover(self.opened.pop().start, {"type": MARKS[mark]})
        else:
            self.opened.append(Opened(mark, self.built.length, at))

    def _code(self, fence: str, start: int) -> int:
        end = self.source.find(fence, start)
        if end < 0:
            name = "Pre" if fence == "```" else "Code"
            raise unparsable(f"Can't find end of {name} entity at byte offset {self._byte(start - len(fence))}")
        content = re.sub(r"\\([\x01-\x7e])", r"\1", self.source[start:end])
        entity = {"type": "pre" if fence == "```" else "code"}
        if fence == "```" and (language := LANGUAGE.match(content)):
            entity["language"] = language[1]
            content = content[language.end() :]
        begin = self.built.length
        self.built.add(content)
        self.built.cover(begin, entity)
        return end + len(fence)

    def _quoted(self, token: str) -> bool:
        """Whether this line belongs to a block quotation; the first that does not ends it."""
        if token != ">":
            self._end_quote()
            return False
        if self.quote is None:
            self.quote = self.built.length
        return True

    def _end_quote(self) -> None:
        if self.quote is not None:
            self.built.cover(self.quote, {"type": "blockquote"})
            self.quote = None

    def _byte(self, position: int) -> int:
        return len(self.source[:position].encode())


def parse_markdown(source: str) -> tuple[str, Entities]:
    """Plain text and entities of a marked-up text.

    Raises:
        ApiError: an unescaped character or a mark without its twin.
    """
    return Reader(source).read()

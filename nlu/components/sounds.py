"""How a text sounds, in Latin letters without tones: "水管楼水" and "shuiguan loushui" sound like 水管漏水.

Confusions that dictation and southern speech make anyway are made equal: zh/z, ch/c, sh/s, -ng/-n.
"""

import re
from functools import lru_cache

from pypinyin import lazy_pinyin

RETROFLEX = re.compile("^([zcs])h")
NASAL = re.compile("ng$")


def letters(text: str) -> str:
    """Return the text with every Chinese character as its syllable; everything else stays."""
    return "".join(map(_sound, text))


@lru_cache(maxsize=None)  # as many entries as there are characters
def _sound(character: str) -> str:
    if not "\u4e00" <= character <= "\u9fff":
        return character
    return NASAL.sub("n", RETROFLEX.sub(r"\1", lazy_pinyin(character)[0]))

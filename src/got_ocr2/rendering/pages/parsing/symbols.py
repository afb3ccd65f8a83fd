"""LaTeX words that stand in text, and what they say."""

from __future__ import annotations

from ..tree import Style

# Sign or letter of an accent command -> combining character.
ACCENTS: dict[str, str] = {
    "'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328", "r": "\u030a", "d": "\u0323",
    "b": "\u0331",
}  # fmt: skip

WORDS: dict[str, str] = {
    "textbackslash": "\\", "backslash": "\\", "ldots": "…", "dots": "…", "textellipsis": "…", "cdots": "⋯",
    "textasciitilde": "~", "textasciicircum": "^", "textbar": "|", "textless": "<", "textgreater": ">",
    "textquotedblleft": "“", "textquotedblright": "”", "textquoteleft": "‘", "textquoteright": "’",
    "textquotesingle": "'", "textquotedbl": '"', "textasciigrave": "`", "textdollar": "$", "textunderscore": "_",
    "textemdash": "—", "textendash": "–", "textbullet": "•", "bullet": "•", "textdegree": "°", "degree": "°",
    "textregistered": "®", "texttrademark": "™", "copyright": "©", "textcopyright": "©", "pounds": "£",
    "textsterling": "£", "euro": "€", "texteuro": "€", "textyen": "¥", "textsection": "§", "S": "§", "P": "¶",
    "textparagraph": "¶", "dag": "†", "dagger": "†", "ddag": "‡", "ddagger": "‡", "ss": "ß", "ae": "æ", "AE": "Æ",
    "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "aa": "å", "AA": "Å", "i": "ı", "j": "ȷ",
    "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ", "NG": "Ŋ", "quad": " ",
    "qquad": " ", "space": " ", "enspace": " ", "checkmark": "✓", "square": "□", "boxtimes": "☒", "times": "×",
    "pm": "±", "cdot": "·", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "uparrow": "↑",
    "downarrow": "↓", "leq": "≤", "geq": "≥", "approx": "≈", "neq": "≠", "infty": "∞", "circ": "∘", "star": "⋆",
    "LaTeX": "LaTeX", "TeX": "TeX", "textperiodcentered": "·", "textmu": "µ", "textonehalf": "½", "par": "",
    "newline": " ", "linebreak": " ", "hfill": " ", "guillemotleft": "«", "guillemotright": "»",
}  # fmt: skip

# Layout, which the tree does not keep.
_DROPPED = """
noindent indent centering raggedright raggedleft maketitle newpage clearpage pagebreak smallskip medskip
bigskip hline toprule midrule bottomrule tiny scriptsize footnotesize small normalsize large Large LARGE
huge Huge normalfont rmfamily sffamily upshape mdseries appendix tableofcontents protect allowbreak
nobreak relax displaystyle textstyle scriptstyle limits nolimits nonumber notag arraybackslash strut null
selectfont bibliographystyle frontmatter mainmatter backmatter
"""
DROPPED: frozenset[str] = frozenset(_DROPPED.split())
_DROPPED_WITH_ARGUMENT = """
label vspace hspace vskip hskip pagestyle thispagestyle date index phantom vphantom hphantom fontsize
color pagenumbering bibliographystyle bibliography usepackage documentclass
"""
DROPPED_WITH_ARGUMENT: frozenset[str] = frozenset(_DROPPED_WITH_ARGUMENT.split())

# Commands around text: its style, or None for none that is kept.
WRAPPERS: dict[str, Style | None] = {
    "textbf": "bold", "textit": "italic", "emph": "italic", "textsl": "italic", "texttt": "code", "verb": "code",
    "underline": "underline", "uline": "underline", "sout": "strike", "st": "strike", "textsuperscript": "super",
    "textsubscript": "sub", "text": None, "textrm": None, "textsf": None, "textsc": None, "textnormal": None,
    "textup": None, "textmd": None, "mbox": None, "hbox": None, "fbox": None, "mathrm": None, "mathbf": "bold",
    "mathit": "italic", "makecell": None, "footnotesize": None, "small": None, "centerline": None, "ensuremath": None,
    "shortstack": None,
}  # fmt: skip

# Faces that last to the end of their braces.
SWITCHES: dict[str, Style | None] = {
    "bf": "bold", "bfseries": "bold", "it": "italic", "itshape": "italic", "em": "italic", "sl": "italic",
    "tt": "code", "ttfamily": "code", "rm": None, "sc": None, "scshape": None, "sf": None,
}  # fmt: skip

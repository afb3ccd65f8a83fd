"""MathML as Office MathML (ECMA-376, part 1, section 22.1): formulas that Word and LibreOffice edit."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from xml.sax.saxutils import escape

NAMESPACE = "http://schemas.openxmlformats.org/officeDocument/2006/math"

_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_LARGE = frozenset("∑∏∐∫∬∭⨌∮∯∰⋂⋃⋁⋀⨀⨂⨁⨄⨆")
_RELATIONS = frozenset("=<>≤≥≠≈≡∼≃≅∝≪≫∈∉⊂⊃⊆⊇→⇒⇔,;")
_ACCENTS = {
    "^": "\u0302", "\u02c6": "\u0302", "~": "\u0303", "\u02dc": "\u0303", "\u00af": "\u0305", "\u203e": "\u0305",
    "\u2192": "\u20d7", "\u20d7": "\u20d7", "\u02d9": "\u0307", "\u00a8": "\u0308", "\u20db": "\u20db",
    "\u00b4": "\u0301", "`": "\u0300", "\u02d8": "\u0306", "\u02c7": "\u030c", "\u02da": "\u030a",
}  # fmt: skip
_STYLES = {
    "bold": ("p", "b", None), "italic": (None, "i", None), "bold-italic": (None, "bi", None),
    "normal": (None, "p", None), "double-struck": (None, "p", "double-struck"), "script": (None, "p", "script"),
    "fraktur": (None, "p", "fraktur"), "sans-serif": (None, "p", "sans-serif"), "monospace": (None, "p", "monospace"),
    "bold-script": (None, "b", "script"), "bold-fraktur": (None, "b", "fraktur"),
}  # fmt: skip
_OPEN, _CLOSE = frozenset("([{⟨⌊⌈|‖∥❘"), frozenset(")]}⟩⌋⌉|‖∥❘")


def omml(mathml: str) -> str:
    """A `<math>` element as an `<m:oMath>` element, the prefix `m` declared in it."""
    root = ET.fromstring(mathml)
    return f'<m:oMath xmlns:m="{NAMESPACE}">{_all(list(root))}</m:oMath>'


def _name(element: ET.Element) -> str:
    return element.tag.removeprefix(_MATHML)


def _text(element: ET.Element) -> str:
    return "".join(element.itertext())


def _all(elements: Sequence[ET.Element]) -> str:
    """A row of elements: large operators take what follows, fences that stretch take what they embrace."""
    out: list[str] = []
    at = 0
    while at < len(elements):
        element = elements[at]
        if _is_large(element):
            end = next((n for n in range(at + 1, len(elements)) if _ends_operand(elements[n])), len(elements))
            out.append(_nary(element, elements[at + 1 : end]))
            at = end
        elif _fence(element, "prefix") and (end := _partner(elements, at)) is not None:
            out.append(_fenced(element, elements[at + 1 : end], elements[end]))
            at = end + 1
        else:
            out.append(_one(element))
            at += 1
    return "".join(out)


def _ends_operand(element: ET.Element) -> bool:
    """Whether what a large operator applies to ends before an element."""
    return _name(element) == "mo" and _text(element) in _RELATIONS


def _fence(element: ET.Element, form: str) -> bool:
    return _name(element) == "mo" and element.get("fence") == "true" and element.get("form") == form


def _partner(elements: Sequence[ET.Element], start: int) -> int | None:
    depth = 0
    for at in range(start, len(elements)):
        depth += _fence(elements[at], "prefix") - _fence(elements[at], "postfix")
        if depth == 0:
            return at
    return None


def _fenced(first: ET.Element, inner: Sequence[ET.Element], last: ET.Element) -> str:
    begin, end = escape(_text(first), {'"': "&quot;"}), escape(_text(last), {'"': "&quot;"})
    return f'<m:d><m:dPr><m:begChr m:val="{begin}"/><m:endChr m:val="{end}"/></m:dPr><m:e>{_all(inner)}</m:e></m:d>'


def _is_large(element: ET.Element) -> bool:
    if _name(element) in {"msub", "msup", "msubsup", "munder", "mover", "munderover"} and len(element):
        element = element[0]
    return _name(element) == "mo" and _text(element) in _LARGE


def _nary(element: ET.Element, following: Sequence[ET.Element]) -> str:
    name, parts = _name(element), list(element)
    sign = _text(parts[0] if parts else element)
    below = above = ""
    if name in {"msub", "munder"}:
        below = _one(parts[1])
    elif name in {"msup", "mover"}:
        above = _one(parts[1])
    elif parts:
        below, above = _one(parts[1]), _one(parts[2])
    place = "undOvr" if name.startswith("mu") or name == "mover" or sign not in "∫∬∭∮" else "subSup"
    hide = ('<m:subHide m:val="1"/>' if not below else "") + ('<m:supHide m:val="1"/>' if not above else "")
    return (
        f'<m:nary><m:naryPr><m:chr m:val="{sign}"/><m:limLoc m:val="{place}"/>{hide}</m:naryPr>'
        f"<m:sub>{below}</m:sub><m:sup>{above}</m:sup><m:e>{_all(following)}</m:e></m:nary>"
    )


_NOTHING = '<m:r><m:rPr><m:nor/></m:rPr><m:t xml:space="preserve">\u2009</m:t></m:r>'  # LibreOffice marks empty places


def _run(text: str, style: str = "") -> str:
    text = text.replace("\u2061", "").replace("\u2062", "")
    return f'<m:r>{style}<m:t xml:space="preserve">{escape(text)}</m:t></m:r>' if text else ""


def _letters(element: ET.Element) -> str:
    text, variant = _text(element), element.get("mathvariant")
    if variant is None and _name(element) == "mi" and len(text) > 1:
        variant = "normal"  # sin, log: names of several letters stand upright
    if variant not in _STYLES:
        return _run(text)
    _, style, script = _STYLES[variant]
    face = "" if script is None else f'<m:scr m:val="{script}"/>'
    return _run(text, f'<m:rPr>{face}<m:sty m:val="{style}"/></m:rPr>')


def _one(element: ET.Element) -> str:
    name, parts = _name(element), list(element)
    if name in {"mi", "mn", "mo"}:
        return _letters(element) or (_NOTHING if name == "mi" else "")
    if name in {"mtext", "ms"}:
        return _run(_text(element), "<m:rPr><m:nor/></m:rPr>")
    if name == "mspace":
        wide = element.get("width", "0").startswith(("1em", "2em"))
        return _run("\u2003" if wide else "\u2009") if element.get("width", "0") != "0" else ""
    if name == "mfrac" and len(parts) == 2:
        bar = '<m:fPr><m:type m:val="noBar"/></m:fPr>' if element.get("linethickness") == "0" else ""
        return f"<m:f>{bar}<m:num>{_one(parts[0])}</m:num><m:den>{_one(parts[1])}</m:den></m:f>"
    if name == "msqrt":
        return f'<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/><m:e>{_all(parts)}</m:e></m:rad>'
    if name == "mroot" and len(parts) == 2:
        return f"<m:rad><m:deg>{_one(parts[1])}</m:deg><m:e>{_one(parts[0])}</m:e></m:rad>"
    if name == "msub" and len(parts) == 2:
        return f"<m:sSub><m:e>{_one(parts[0]) or _NOTHING}</m:e><m:sub>{_one(parts[1])}</m:sub></m:sSub>"
    if name == "msup" and len(parts) == 2:
        return f"<m:sSup><m:e>{_one(parts[0]) or _NOTHING}</m:e><m:sup>{_one(parts[1])}</m:sup></m:sSup>"
    if name == "msubsup" and len(parts) == 3:
        base, below, above = map(_one, parts)
        return f"<m:sSubSup><m:e>{base or _NOTHING}</m:e><m:sub>{below}</m:sub><m:sup>{above}</m:sup></m:sSubSup>"
    if name in {"mover", "munder"} and len(parts) == 2:
        return _over_or_under(name, parts)
    if name == "munderover" and len(parts) == 3:
        inner = f"<m:limUpp><m:e>{_one(parts[0])}</m:e><m:lim>{_one(parts[2])}</m:lim></m:limUpp>"
        return f"<m:limLow><m:e>{inner}</m:e><m:lim>{_one(parts[1])}</m:lim></m:limLow>"
    if name == "mtable":
        return _matrix(element)
    if name == "menclose":
        return f"<m:borderBox><m:e>{_all(parts)}</m:e></m:borderBox>"
    if name == "mphantom":
        return f'<m:phant><m:phantPr><m:show m:val="0"/></m:phantPr><m:e>{_all(parts)}</m:e></m:phant>'
    return _all(parts) or _run(_text(element).strip())


def _over_or_under(name: str, parts: Sequence[ET.Element]) -> str:
    base, mark = parts
    sign = _text(mark)
    if name == "mover" and _name(mark) == "mo" and sign in _ACCENTS:
        return f'<m:acc><m:accPr><m:chr m:val="{_ACCENTS[sign]}"/></m:accPr><m:e>{_one(base)}</m:e></m:acc>'
    if sign in {"\u23de", "\u23df"} and _name(mark) == "mo":
        place = "top" if name == "mover" else "bot"
        return (
            f'<m:groupChr><m:groupChrPr><m:chr m:val="{sign}"/><m:pos m:val="{place}"/>'
            f'<m:vertJc m:val="{"bot" if place == "top" else "top"}"/></m:groupChrPr>'
            f"<m:e>{_one(base)}</m:e></m:groupChr>"
        )
    if sign in {"_", "\u0332", "\u2015", "\u203e", "\u00af", "\u2212"} and _name(mark) == "mo":
        place = "top" if name == "mover" else "bot"
        return f'<m:bar><m:barPr><m:pos m:val="{place}"/></m:barPr><m:e>{_one(base)}</m:e></m:bar>'
    limit = "limUpp" if name == "mover" else "limLow"
    return f"<m:{limit}><m:e>{_one(base)}</m:e><m:lim>{_one(mark)}</m:lim></m:{limit}>"


def _matrix(table: ET.Element) -> str:
    rows = [list(row) for row in table]
    width = max(map(len, rows), default=0)
    aligns = ["center"] * width
    for row in rows:
        for column, cell in enumerate(row):
            aligns[column] = cell.get("columnalign", aligns[column])
    columns = "".join(
        f'<m:mc><m:mcPr><m:count m:val="1"/><m:mcJc m:val="{align}"/></m:mcPr></m:mc>' for align in aligns
    )
    cells = "".join(
        "<m:mr>"
        + "".join(f"<m:e>{_all(list(row[c])) if c < len(row) else ''}</m:e>" for c in range(width))
        + "</m:mr>"
        for row in rows
    )
    gap = '<m:cGpRule m:val="3"/><m:cGp m:val="0"/>' if "0em" in table.get("columnspacing", "") else ""
    return f"<m:m><m:mPr><m:mcs>{columns}</m:mcs>{gap}</m:mPr>{cells}</m:m>"

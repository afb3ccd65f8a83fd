r"""The signs that the formula grammar knows: LaTeX names, the characters Typst draws, rough widths.

A sign stands here only if every renderer draws it, and under one name only: where LaTeX has several names for
the same picture (`\le` and `\leq`, `\to` and `\rightarrow`), the one that Mathpix writes is kept.
"""

from __future__ import annotations

GREEK_LOWER = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "varpi": "ϖ", "rho": "ρ", "varrho": "ϱ", "sigma": "σ", "varsigma": "ς", "tau": "τ",
    "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip

GREEK_UPPER = {
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip

BINARY = {
    "times": "×", "cdot": "⋅", "pm": "±", "mp": "∓", "div": "÷", "star": "⋆", "circ": "∘",
    "bullet": "•", "cup": "∪", "cap": "∩", "sqcup": "⊔", "sqcap": "⊓", "vee": "∨", "wedge": "∧",
    "setminus": "∖", "oplus": "⊕", "ominus": "⊖", "otimes": "⊗", "odot": "⊙", "uplus": "⊎", "ltimes": "⋉",
    "rtimes": "⋊", "dagger": "†",
}  # fmt: skip

RELATIONS = {
    "leq": "≤", "geq": "≥", "neq": "≠", "approx": "≈", "sim": "∼", "simeq": "≃", "cong": "≅", "equiv": "≡",
    "propto": "∝", "ll": "≪", "gg": "≫", "prec": "≺", "succ": "≻", "preceq": "⪯", "succeq": "⪰",
    "subset": "⊂", "supset": "⊃", "subseteq": "⊆", "supseteq": "⊇", "subsetneq": "⊊", "in": "∈",
    "notin": "∉", "ni": "∋", "mid": "∣", "nmid": "∤", "parallel": "∥", "perp": "⟂", "asymp": "≍",
    "lesssim": "≲", "gtrsim": "≳", "vdash": "⊢", "models": "⊨", "doteq": "≐", "triangleq": "≜",
    "leqslant": "⩽", "geqslant": "⩾",
}  # fmt: skip

ARROWS = {
    "rightarrow": "→", "leftarrow": "←", "leftrightarrow": "↔", "Rightarrow": "⇒", "Leftarrow": "⇐",
    "Leftrightarrow": "⇔", "mapsto": "↦", "longrightarrow": "⟶", "longleftarrow": "⟵",
    "Longrightarrow": "⟹", "Longleftrightarrow": "⟺", "longmapsto": "⟼", "hookrightarrow": "↪",
    "twoheadrightarrow": "↠", "rightharpoonup": "⇀", "rightleftharpoons": "⇌", "uparrow": "↑",
    "downarrow": "↓", "nearrow": "↗", "searrow": "↘", "rightsquigarrow": "⇝",
}  # fmt: skip

ORDINARY = {
    "infty": "∞", "partial": "∂", "nabla": "∇", "hbar": "ℏ", "ell": "ℓ", "Re": "ℜ", "Im": "ℑ",
    "aleph": "ℵ", "wp": "℘", "emptyset": "∅", "forall": "∀", "exists": "∃", "nexists": "∄", "neg": "¬",
    "top": "⊤", "angle": "∠", "triangle": "△", "square": "□", "prime": "′", "ldots": "…",
    "cdots": "⋯", "vdots": "⋮", "ddots": "⋱",
}  # fmt: skip

_WIDE = {"longrightarrow", "longleftarrow", "Longrightarrow", "Longleftrightarrow", "longmapsto"}

SYMBOLS: dict[str, tuple[str, float]] = {
    **{name: (char, 0.6) for name, char in GREEK_LOWER.items()},
    **{name: (char, 0.75) for name, char in GREEK_UPPER.items()},
    **{name: (char, 1.2) for name, char in BINARY.items()},
    **{name: (char, 1.35) for name, char in RELATIONS.items()},
    **{name: (char, 2.2 if name in _WIDE else 1.6) for name, char in ARROWS.items()},
    **{name: (char, 0.8) for name, char in ORDINARY.items()},
}

BIG_OPERATORS: dict[str, tuple[str, float]] = {
    "sum": ("∑", 1.6),
    "prod": ("∏", 1.5),
    "coprod": ("∐", 1.5),
    "int": ("∫", 1.0),
    "iint": ("∬", 1.5),
    "oint": ("∮", 1.0),
    "bigcup": ("⋃", 1.3),
    "bigcap": ("⋂", 1.3),
    "bigsqcup": ("⨆", 1.3),
    "bigvee": ("⋁", 1.3),
    "bigwedge": ("⋀", 1.3),
    "bigoplus": ("⨁", 1.6),
    "bigotimes": ("⨂", 1.6),
}

OPERATORS = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "sinh",
        "cosh",
        "tanh",
        "coth",
        "arcsin",
        "arccos",
        "arctan",
        "log",
        "ln",
        "exp",
        "arg",
        "deg",
        "dim",
        "hom",
        "ker",
    ]
)

# The LaTeX spelling and the words drawn; limits stand below these in a display.
LIMIT_OPERATORS = {
    "lim": ("\\lim", "lim"),
    "limsup": ("\\limsup", "lim sup"),
    "liminf": ("\\liminf", "lim inf"),
    "max": ("\\max", "max"),
    "min": ("\\min", "min"),
    "sup": ("\\sup", "sup"),
    "inf": ("\\inf", "inf"),
    "det": ("\\det", "det"),
    "gcd": ("\\gcd", "gcd"),
    "Pr": ("\\Pr", "Pr"),
    "argmax": ("\\operatorname*{argmax}", "argmax"),
    "argmin": ("\\operatorname*{argmin}", "argmin"),
}

ACCENTS = {
    "hat": "hat",
    "tilde": "tilde",
    "bar": "macron",
    "vec": "arrow",
    "dot": "dot",
    "ddot": "dot.double",
    "check": "caron",
    "breve": "breve",
    "widehat": "hat",
    "widetilde": "tilde",
    "overline": "overline",
    "underline": "underline",
    "overrightarrow": "arrow",
}

ALPHABETS = {
    "mathbb": "bb({})",
    "mathbf": "upright(bold({}))",
    "mathcal": "cal({})",
    "mathfrak": "frak({})",
    "mathrm": "upright({})",
    "mathsf": "sans({})",
}

DELIMITERS = {
    "(": ("(", "\\("),
    ")": (")", "\\)"),
    "[": ("[", "\\["),
    "]": ("]", "\\]"),
    "{": ("\\{", "\\{"),
    "}": ("\\}", "\\}"),
    "|": ("|", "\\|"),
    "||": ("\\|", "‖"),
    "<": ("\\langle", "\\⟨"),
    ">": ("\\rangle", "\\⟩"),
    "lfloor": ("\\lfloor", "\\⌊"),
    "rfloor": ("\\rfloor", "\\⌋"),
    "lceil": ("\\lceil", "\\⌈"),
    "rceil": ("\\rceil", "\\⌉"),
    ".": (".", ""),
}

# Heights in em, as plain TeX sizes them.
BIG_DELIMITERS = {"big": 1.2, "Big": 1.8, "bigg": 2.4, "Bigg": 3.0}

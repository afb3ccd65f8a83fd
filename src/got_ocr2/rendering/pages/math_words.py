"""The LaTeX words that may stand in a formula. What is not here is never handed to TeX or a browser as a command."""

from __future__ import annotations

_LETTERS = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi
omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda
Xi Pi Sigma Upsilon Phi Psi Omega varGamma varDelta varTheta varLambda varXi varPi varSigma varUpsilon
varPhi varPsi varOmega digamma aleph beth gimel daleth ell hbar hslash imath jmath wp Re Im partial nabla
eth Bbbk complement infty emptyset varnothing forall exists nexists neg lnot top bot angle measuredangle
sphericalangle triangle triangledown square Box Diamond lozenge blacksquare blacklozenge bigstar flat
natural sharp clubsuit diamondsuit heartsuit spadesuit prime backprime degree mho Finv Game dag dagger
ddag ddagger S P copyright pounds yen checkmark maltese circledR
"""
_OPERATORS = """
pm mp times div cdot ast star bullet circ oplus ominus otimes oslash odot cap cup uplus sqcap sqcup vee
lor wedge land setminus smallsetminus wr amalg bigcirc bigtriangleup bigtriangledown triangleleft
triangleright lhd rhd unlhd unrhd dotplus ltimes rtimes leftthreetimes rightthreetimes divideontimes
boxplus boxminus boxtimes boxdot barwedge doublebarwedge veebar curlyvee curlywedge circledast circledcirc
circleddash centerdot intercal Cap Cup sum prod coprod int iint iiint iiiint oint oiint intop idotsint
bigcap bigcup bigsqcup bigvee bigwedge bigodot bigotimes bigoplus biguplus
"""
_RELATIONS = """
leq le geq ge neq ne equiv sim simeq cong approx approxeq propto varpropto ll gg lll ggg prec succ preceq
succeq preccurlyeq succcurlyeq precsim succsim lesssim gtrsim lessapprox gtrapprox lessgtr gtrless leqq
geqq leqslant geqslant eqslantless eqslantgtr subset supset subseteq supseteq subseteqq supseteqq
subsetneq supsetneq nsubseteq nsupseteq sqsubset sqsupset sqsubseteq sqsupseteq Subset Supset in ni owns
notin mid nmid parallel nparallel perp asymp doteq doteqdot risingdotseq fallingdotseq eqcirc circeq
triangleq bumpeq Bumpeq vdash dashv models vDash Vdash Vvdash nvdash nvDash smile frown bowtie Join
between pitchfork therefore because trianglelefteq trianglerighteq vartriangle vartriangleleft
vartriangleright nless ngtr nleq ngeq nprec nsucc nsim ncong lneq gneq lneqq gneqq lt gt backsim backsimeq
thicksim thickapprox shortmid shortparallel multimap not coloneqq eqqcolon colon
"""
_ARROWS = """
leftarrow gets rightarrow to leftrightarrow Leftarrow Rightarrow Leftrightarrow uparrow downarrow
updownarrow Uparrow Downarrow Updownarrow mapsto longmapsto longleftarrow longrightarrow
longleftrightarrow Longleftarrow Longrightarrow Longleftrightarrow iff implies impliedby hookleftarrow
hookrightarrow leftharpoonup leftharpoondown rightharpoonup rightharpoondown rightleftharpoons
leftrightharpoons nearrow searrow swarrow nwarrow leftrightarrows rightleftarrows leftleftarrows
rightrightarrows upuparrows downdownarrows twoheadleftarrow twoheadrightarrow leftarrowtail rightarrowtail
curvearrowleft curvearrowright circlearrowleft circlearrowright looparrowleft looparrowright dashleftarrow
dashrightarrow leadsto rightsquigarrow leftrightsquigarrow nleftarrow nrightarrow nLeftarrow nRightarrow
nleftrightarrow nLeftrightarrow Lleftarrow Rrightarrow xleftarrow xrightarrow xleftrightarrow xRightarrow
xLeftarrow xmapsto xrightleftharpoons xhookrightarrow xhookleftarrow
"""
_DELIMITERS = """
left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm biggm Biggm
lbrace rbrace lbrack rbrack langle rangle lfloor rfloor lceil rceil lvert rvert lVert rVert vert Vert
backslash lgroup rgroup lmoustache rmoustache ulcorner urcorner llcorner lrcorner
"""
_BUILDING = """
frac dfrac tfrac cfrac binom dbinom tbinom sqrt stackrel overset underset overline underline overbrace
underbrace overrightarrow overleftarrow overleftrightarrow underrightarrow underleftarrow widehat
widetilde hat tilde bar vec dot ddot dddot ddddot acute grave breve check mathring substack sideset
prescript genfrac over atop choose boxed cancel bcancel xcancel phantom vphantom hphantom smash limits
nolimits displaylimits displaystyle textstyle scriptstyle scriptscriptstyle operatorname
operatornamewithlimits mathop mathbin mathrel mathord mathopen mathclose mathpunct mathinner pmod bmod mod
pod begin end hline cline multicolumn hdotsfor hfill intertext shortintertext overparen underparen
overbracket underbracket
"""
_FACES = """
mathrm mathbf mathit mathsf mathtt mathcal mathbb mathfrak mathscr mathnormal boldsymbol bm pmb Bbb frak
bold rm bf it sf tt cal text textrm textbf textit textsf texttt textnormal textup emph mbox hbox
"""
_SPACES = """
quad qquad enspace thinspace medspace thickspace negthinspace negmedspace negthickspace space nobreakspace
ldots cdots vdots ddots iddots dots dotsc dotsb dotsm dotsi dotso ldotp cdotp strut mathstrut
"""
_NAMES = """
arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log
max min Pr sec sin sinh sup tan tanh injlim projlim varinjlim varprojlim varliminf varlimsup argmax argmin
sgn tr rank diag nonumber notag tag label
"""
_TEXT = """
textbackslash textdegree ss ae AE oe OE o O l L aa AA i j textasciitilde textasciicircum textbar textless
textgreater lq rq
"""
_ENVIRONMENTS = """
array aligned alignedat gathered split cases dcases rcases matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix
smallmatrix subarray tabular
"""

WORDS: frozenset[str] = frozenset(
    (
        _LETTERS
        + _OPERATORS
        + _RELATIONS
        + _ARROWS
        + _DELIMITERS
        + _BUILDING
        + _FACES
        + _SPACES
        + _NAMES
        + _TEXT
    ).split()
)
ENVIRONMENTS: frozenset[str] = frozenset(_ENVIRONMENTS.split())

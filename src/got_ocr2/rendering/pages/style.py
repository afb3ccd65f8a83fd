"""How HTML pages look on screen and on paper."""

PAGE_STYLE = """\
:root { color-scheme: light dark; }
body { margin: 0; font: 17px/1.5 "Charter", "Georgia", "Liberation Serif", "Noto Serif", serif; }
main { max-width: 44em; margin: 2em auto; padding: 0 1.2em; }
h1, h2, h3, h4, h5, h6 { line-height: 1.2; margin: 1.4em 0 .5em; }
h1 { text-align: center; font-size: 1.7em; }
h2 { font-size: 1.35em; } h3 { font-size: 1.15em; } h4, h5, h6 { font-size: 1em; }
p { margin: .6em 0; }
.authors { text-align: center; margin-bottom: 1.5em; }
.abstract { margin: 1em 2.5em; font-size: .94em; }
.display { display: flex; align-items: center; margin: 1em 0; }
.display > div { flex: 1; text-align: center; overflow-x: auto; overflow-y: hidden; }
.display .tag { padding-left: 1em; }
.table { overflow-x: auto; margin: 1.2em 0; }
table { border-collapse: collapse; margin: 0 auto; }
caption { padding: .3em; }
td, th { padding: .2em .7em; font-weight: inherit; vertical-align: middle; }
th { font-weight: bold; }
.L { text-align: left; } .C { text-align: center; } .R { text-align: right; }
.t { border-top: 1px solid; } .b { border-bottom: 1px solid; }
.l { border-left: 1px solid; } .r { border-right: 1px solid; }
figure { margin: 1.2em 0; text-align: center; } figcaption { margin-top: .4em; }
.drawing img { max-width: 100%; max-height: 60em; background: white; padding: .4em; box-sizing: border-box; }
.footnote { font-size: .85em; border-top: 1px solid #8888; margin-top: 1em; }
.footnote + .footnote { border-top: none; margin-top: 0; }
.note { font-size: .85em; } .note::before { content: " ["; } .note::after { content: "]"; }
.picture { border: 1px dashed #888; padding: .3em .8em; color: #777; }
.references { display: grid; grid-template-columns: max-content 1fr; gap: .25em .7em; } .references dd { margin: 0; }
.statement > p:first-child { margin-bottom: 0; }
.labelled { list-style: none; } .label { font-weight: bold; }
pre { overflow-x: auto; padding: .8em; background: #8882; } code { font-size: .88em; } code.tex { color: #a33; }
blockquote { margin: 1em 2em; }
math { font-size: 1.05em; }
@media print { body { font-size: 11pt; } main { max-width: none; margin: 0; } h2, h3, h4 { break-after: avoid; }
  tr, .display, figure { break-inside: avoid; } }
"""

PRINT_STYLE = """\
@page { size: A4; margin: 22mm; }
body { font-size: 11pt; } main { max-width: none; margin: 0; padding: 0; }
h2, h3, h4 { break-after: avoid; } tr, .display, figure { break-inside: avoid; }
.note { float: footnote; } .note::before, .note::after { content: none; }
"""

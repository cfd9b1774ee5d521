"""The style of the page: a text to read, on light and on dark ground, on paper, and on a narrow screen."""

# Colours that the colour-blind tell apart. What is not for the screen, such as paper, is always light.
STYLE = """
:root { color-scheme: light dark; --ground: #fff; --panel: #f5f6f4; --ink: #1c1f1d; --faint: #5b635e; --rule: #d8dcd9;
  --a: #14679e; --b: #c05a0c; --c: #14795b; --d: #9c4a86; --soft: #9dbdd6;
  --grave: #a8321e; --grave-ground: #fbeeea; --heat: #4f9fd0; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ground: #161a18; --panel: #1f2522; --ink: #e7eae8; --faint: #a3ada7; --rule: #3a433e; --a: #6db3e3;
    --b: #eb9a55; --c: #58c09c; --d: #d98cc0; --soft: #3f627b;
    --grave: #f0917e; --grave-ground: #35211c; --heat: #22699c; } }
* { box-sizing: border-box; }
html { background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans",
  "Helvetica Neue", Arial, sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; }
main, header, nav { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 0 0 .7rem; text-wrap: balance; }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .4rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
.over { color: var(--faint); font-size: .85rem; margin: 0 0 .4rem; }
.lead { font-size: 1.12rem; }
.faint, figcaption, .key span { color: var(--faint); }
section { border-top: 1px solid var(--rule); padding-top: 1.5rem; margin-top: 2.4rem; }
main > :last-child { margin-bottom: 4rem; }
nav ol { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; margin: 1.2rem 0 0;
  font-size: .92rem; }
a { color: var(--a); }
.keys { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .7rem; margin: 1.2rem 0 0; }
.key { background: var(--panel); border-radius: .4rem; padding: .7rem .9rem; }
.key b { display: block; font-size: 1.35rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.key span { font-size: .85rem; }
.wide { overflow-x: auto; margin: .4rem 0 1rem; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); font-size: .88rem; padding: 0 0 .4rem; }
th, td { text-align: left; vertical-align: top; padding: .32rem .9rem .32rem 0; border-bottom: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--faint); font-weight: 500; font-size: .85rem; vertical-align: bottom; }
tbody th { font-weight: 600; overflow-wrap: anywhere; max-width: 18rem; }
tbody th:not(.n) { min-width: 8rem; }
td.n, th.n { text-align: right; white-space: nowrap; }
td { overflow-wrap: anywhere; max-width: 24rem; }
#data td:nth-child(4) { min-width: 11rem; }
.heat td { text-align: right; padding: .4rem .7rem; white-space: nowrap; border: 2px solid var(--ground);
  background: color-mix(in srgb, var(--heat) var(--share, 0%), var(--panel)); print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
.heat td small { display: block; font-size: .8rem; opacity: .85; }
.heat tbody th { min-width: 0; }
.heat th { border: 0; padding: .4rem .7rem .4rem 0; }
.heat thead th { text-align: right; max-width: 9rem; overflow-wrap: anywhere; padding: .4rem .7rem; }
.heat thead tr:first-child th { font-weight: 400; }
.findings { list-style: none; padding: 0; margin: .4rem 0 1rem; max-width: 50rem; }
.findings li { background: var(--panel); border-left: 4px solid var(--soft); border-radius: 0 .3rem .3rem 0;
  padding: .5rem .9rem; margin: .5rem 0; overflow-wrap: anywhere; break-inside: avoid; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
.findings .grave { border-color: var(--grave); background: var(--grave-ground); }
.findings .grave > strong:first-child { color: var(--grave); }
.notes { padding-left: 1.2rem; max-width: 50rem; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .88em; }
code { overflow-wrap: anywhere; }
pre { background: var(--panel); border-radius: .4rem; padding: .8rem 1rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--a); }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); gap: 1rem 2rem;
  align-items: start; }
figure { margin: .4rem 0; break-inside: avoid; min-width: 0; }
figcaption { font-size: .88rem; overflow-wrap: anywhere; }
svg { display: block; max-width: 100%; height: auto; }
svg.spark { max-width: none; margin-top: .25em; }
svg text { fill: var(--faint); font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }
svg text.of-axis { fill: var(--ink); }
svg .a { fill: var(--a); } svg .b { fill: var(--b); } svg .soft { fill: var(--soft); }
svg .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg .dots { fill: none; stroke-width: 4.5; stroke-linecap: round; }
svg .line.a, svg .dots.a { stroke: var(--a); } svg .line.b, svg .dots.b { stroke: var(--b); }
svg .line.c, svg .dots.c { stroke: var(--c); } svg .line.d, svg .dots.d { stroke: var(--d); }
svg .line.ink { stroke: var(--ink); } svg .line.soft { stroke: var(--soft); }
svg .line.thick { stroke-width: 2.6; } svg .line.thin { stroke-width: .8; } svg .dots.small { stroke-width: 3.2; }
svg .dots.large { stroke-width: 7; }
svg .grid { stroke: var(--rule); stroke-width: .7; } svg .axis { stroke: var(--faint); }
svg .line.guide { stroke: var(--faint); stroke-dasharray: 4 4; stroke-width: 1.1; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: 0 0 .3rem;
  font-size: .88rem; }
.legend li::before { content: ""; display: inline-block; width: 1.3em; height: .2em; vertical-align: middle;
  margin-right: .45em; background: currentColor; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.legend .a::before { color: var(--a); } .legend .b::before { color: var(--b); }
.legend .c::before { color: var(--c); } .legend .d::before { color: var(--d); }
@media (max-width: 34rem) { html { font-size: 15px; } h1 { font-size: 1.5rem; } header { padding-top: 1.5rem; } }
@media print { html { font-size: 10pt; } nav { display: none; }
  summary { list-style: none; color: inherit; font-weight: 600; break-after: avoid; }
  main, header { max-width: none; padding: 0; }
  details::details-content { content-visibility: visible; height: auto; } section { margin-top: 1.4rem; }
  h2, h3 { break-after: avoid; } tr, svg { break-inside: avoid; } thead { display: table-header-group; }
  .wide { overflow: visible; } a { color: inherit; text-decoration: none; }
  .pictures { grid-template-columns: 1fr 1fr; } }
""".strip()

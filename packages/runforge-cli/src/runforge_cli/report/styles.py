"""The style sheet of the HTML report, for light and dark mode, narrow screens and print.

It is the only style of the page, so that the content security policy can allow it by its digest.
"""

from __future__ import annotations

#: Number of colours of a confusion matrix and of a heat map.
HEAT = 10

_LIGHT = """
--page: #ffffff; --panel: #f6f7f9; --text: #1b1f24; --soft: #57606a; --rule: #d5dae0;
--accent: #0b5cad; --guide: #eaf2fb; --warn: #fff1dc; --warn-edge: #b35900;
--right: 11, 92, 173; --wrong: 190, 70, 0; --shade: rgba(27, 31, 36, .28);
--mark: rgba(222, 160, 0, .2); --up: #0b6fa4; --down: #b3490b;
--s0: #0b5cad; --s1: #b3490b; --s2: #1b7a4b; --s3: #8a3fa0;
--s4: #80600a; --s5: #a3234e; --s6: #3d6b77; --s7: #4b4b4b;
""".strip()

_DARK = """
--page: #14171b; --panel: #1d2127; --text: #e6e9ed; --soft: #a3adb8; --rule: #39414b;
--accent: #7ab8ff; --guide: #1a2736; --warn: #35270f; --warn-edge: #f0a94a;
--right: 88, 166, 255; --wrong: 240, 140, 70; --shade: rgba(255, 255, 255, .34);
--mark: rgba(240, 190, 60, .22); --up: #62b6e8; --down: #f0965a;
--s0: #7ab8ff; --s1: #f0965a; --s2: #6fd3a0; --s3: #cf9be0;
--s4: #e0c05a; --s5: #f58aae; --s6: #8fc4d0; --s7: #c8c8c8;
""".strip()

_DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 4", "1 2", "9 2 2 2 2 2")

CSS = f""":root {{ color-scheme: light dark; {_LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
html {{ -webkit-text-size-adjust: 100%; }}
body {{ margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 64rem; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }}
.broad {{ max-width: 140rem; }}
h1 {{ font-size: 1.7rem; line-height: 1.25; margin: .5rem 0 .25rem; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem;
  border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }}
h3 {{ font-size: 1.05rem; margin: 1.75rem 0 .5rem; overflow-wrap: anywhere; }}
h4 {{ font-size: 1rem; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }}
p {{ margin: .6rem 0; max-width: 46rem; overflow-wrap: anywhere; }}
.lead {{ font-size: 1.1rem; color: var(--soft); }}
a {{ color: var(--accent); }}
a:focus-visible, [tabindex]:focus-visible {{ outline: 2px solid var(--accent);
  outline-offset: 2px; }}
nav ul {{ display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; }}
code, pre {{ font: .9em/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }}
code {{ overflow-wrap: anywhere; unicode-bidi: isolate; }}
pre {{ background: var(--panel); border: 1px solid var(--rule); border-radius: 6px;
  padding: .8rem 1rem; overflow-x: auto; }}
pre code {{ overflow-wrap: normal; }}
.guide, .warning, .note {{ padding: .6rem .9rem; border-radius: 0 6px 6px 0; max-width: none;
  background: var(--guide); border-left: 4px solid var(--accent); }}
.note {{ background: var(--panel); border-color: var(--rule); margin: 0; border-radius: 0;
  padding: .15rem .9rem; }}
.warning {{ background: var(--warn); border-color: var(--warn-edge); }}
dl {{ display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.25rem;
  margin: .75rem 0; }}
dt {{ color: var(--soft); }}
dd {{ margin: 0; min-width: 0; overflow-wrap: anywhere; }}
.scroll {{ overflow-x: auto; margin: 1rem 0; max-width: 100%; container-type: inline-size;
  scrollbar-width: thin;
  background: linear-gradient(to left, var(--page) 40%, transparent) right / 3rem 100% local,
    linear-gradient(to left, var(--shade), transparent) right / 1rem 100% scroll;
  background-repeat: no-repeat; }}
.maps .scroll {{ container-type: normal; }}
table {{ border-collapse: collapse; min-width: min(100%, 26rem);
  font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; font-weight: 600; padding-bottom: .35rem; overflow-wrap: anywhere; }}
caption span {{ display: block; position: sticky; left: 0; width: fit-content;
  max-width: min(46rem, 100cqi); }}
.wide tbody th, .wide thead th:first-child {{ position: sticky; left: 0; z-index: 1;
  background: var(--page); max-width: min(15rem, 38cqi); overflow-wrap: anywhere; }}
.wide th:first-child {{ border-right: 1px solid var(--rule); padding-left: .15rem; }}
.wide th:first-child + * {{ padding-left: .8rem; }}
.wide {{ width: max-content; }}
.wide td {{ max-width: 22rem; }}
.wide .n + :not(.n) {{ padding-left: .6rem; }}
.tall {{ max-height: min(85vh, 48rem); overflow-y: auto; border-bottom: 1px solid var(--rule); }}
.tall thead th {{ position: sticky; top: 0; z-index: 2; background: var(--page); }}
.tall .wide thead th:first-child {{ z-index: 3; }}
.best {{ background: rgba(var(--right), .16); }}
.changed {{ background: var(--mark); }}
td.n.best, td.n.changed {{ padding-left: .4rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid var(--rule); font-weight: 400; }}
thead th {{ color: var(--soft); vertical-align: bottom; }}
td.n, th.n {{ text-align: right; white-space: nowrap; }}
tbody th code, td code {{ overflow-wrap: break-word; }}
.bars {{ width: 100%; }}
.bars .n {{ width: 1%; }}
.bars th {{ max-width: 22rem; }}
.bars td:last-child {{ width: 55%; min-width: 6rem; padding-right: 0; }}
.bar {{ display: block; width: 100%; height: 1rem; margin-top: .25rem; }}
.strip {{ display: block; width: 100%; height: 1.2rem; margin-top: .15rem; }}
.interval {{ fill: var(--up); opacity: .3; }}
.tick {{ stroke: var(--soft); stroke-width: 1.5; vector-effect: non-scaling-stroke; }}
.mean {{ stroke: var(--up); stroke-width: 3; vector-effect: non-scaling-stroke; }}
.positive {{ fill: var(--up); }}
.negative {{ fill: var(--down); }}
.zero {{ stroke: var(--soft); stroke-width: 1; vector-effect: non-scaling-stroke; }}
.matrix {{ min-width: 0; }}
.matrix caption {{ white-space: nowrap; }}
.matrix th, .matrix td {{ text-align: center; padding: .4rem .6rem; min-width: 3rem;
  border: 1px solid var(--rule); }}
.matrix tbody th {{ text-align: right; }}
.matrix th code {{ overflow-wrap: normal; }}
.matrix small {{ font-weight: 400; }}
.matrix .right {{ font-weight: 700; outline: 2px solid var(--soft); outline-offset: -3px; }}
{
    " ".join(
        f".{kind}.h{n} {{ background: rgba(var(--{kind}), {0.1 + n * 0.03:.2f});"
        f" fill: rgba(var(--{kind}), {0.15 + n * 0.06:.2f}); }}"
        for kind in ("right", "wrong")
        for n in range(1, HEAT + 1)
    )
}
.maps {{ display: flex; flex-wrap: wrap; gap: 0 2rem; align-items: flex-start; }}
.heat {{ min-width: 0; }}
.heat th, .heat td {{ text-align: center; padding: .35rem .5rem; min-width: 3rem;
  border: 1px solid var(--rule); white-space: nowrap; }}
.heat thead tr:first-child > * {{ border: 0; }}
.heat tbody th {{ text-align: right; }}
.heat td {{ color: var(--text); }}
.heat .best {{ outline: 2px solid var(--text); outline-offset: -3px; }}
{
    " ".join(
        f".heat .h{n} {{ background: rgba(var(--right), {n * 0.055:.3f}); }}"
        for n in range(HEAT + 1)
    )
}
.plots {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18.5rem), 1fr));
  gap: 2rem 1.75rem; margin: 1rem 0; align-items: start; }}
figure {{ margin: 0; min-width: 0; break-inside: avoid; display: grid;
  grid-template-rows: subgrid; grid-row: span 4; row-gap: .25rem; align-content: start; }}
figcaption {{ overflow-wrap: anywhere; }}
figcaption strong {{ display: block; }}
figcaption p {{ font-size: .9rem; color: var(--soft); margin: .25rem 0 .5rem; }}
.plot {{ display: block; width: 100%; max-width: 27rem; height: auto; }}
.plot text {{ font-size: 12px; fill: var(--soft); }}
.plot.parallel {{ width: auto; max-width: none; }}
.parallel .axis {{ stroke: var(--soft); }}
.parallel text {{ paint-order: stroke; stroke: var(--page); stroke-width: 3px; }}
.parallel .name {{ fill: var(--text); }}
.parallel .series {{ stroke-width: 1.5; }}
.frame {{ fill: none; stroke: var(--soft); }}
.grid {{ stroke: var(--rule); stroke-width: .75; }}
.reference {{ stroke: var(--soft); stroke-dasharray: 3 4; }}
.thin {{ stroke-width: 1; }}
.series {{ fill: none; stroke-width: 2; stroke-linejoin: round; }}
.whisker {{ stroke-width: 1.5; stroke-dasharray: none; }}
.dot {{ stroke-width: 1; stroke-dasharray: none; }}
{
    " ".join(
        f".s{n} {{ stroke: var(--s{n}); stroke-dasharray: {dash or 'none'}; }}"
        f" .s{n}.dot {{ fill: var(--s{n}); stroke-dasharray: none; }}"
        for n, dash in enumerate(_DASHES)
    )
}
.pale {{ stroke: var(--soft); opacity: .55; }}
.pale.dot {{ fill: var(--soft); }}
.multiples {{ display: block; margin: 1.5rem 0; }}
.smalls {{ list-style: none; padding: 0; margin: .5rem 0; display: grid; gap: .9rem 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 8.75rem), 1fr)); align-items: end; }}
.smalls li {{ min-width: 0; max-width: 13rem; break-inside: avoid; font-size: .85rem;
  overflow-wrap: anywhere; }}
.smalls span {{ color: var(--soft); }}
.smalls code {{ font-weight: 700; }}
.small {{ display: block; width: 100%; height: auto; }}
.small text {{ font-size: 11px; fill: var(--soft); }}
.small .series {{ stroke-width: 1.75; }}
.square {{ fill: none; stroke: var(--rule); }}
.square + text {{ fill: var(--text); }}
.key {{ width: 28px; height: 12px; vertical-align: middle; margin-right: .5rem; }}
.legend {{ list-style: none; padding: 0; margin: .5rem 0; font-size: .9rem; }}
.legend li {{ padding-left: 36px; text-indent: -36px; }}
.legend span {{ color: var(--soft); }}
details {{ margin: .5rem 0; }}
summary {{ cursor: pointer; color: var(--accent); }}
summary h3 {{ display: inline; margin: 0; }}
summary + div {{ scroll-margin-top: 3rem; }}
section > details {{ border-top: 1px solid var(--rule); padding-top: .5rem; }}
footer {{ margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--rule);
  color: var(--soft); font-size: .9rem; }}
@media (max-width: 34rem) {{
  body {{ padding: 1rem .9rem 3rem; }}
  dl {{ grid-template-columns: 1fr; gap: 0; }}
  dd {{ margin-bottom: .5rem; }}
  .bars td:last-child {{ width: 40%; min-width: 4rem; }}
  .matrix caption {{ white-space: normal; }}
}}
@media print {{
  :root {{ color-scheme: light; {_LIGHT} }}
  body {{ max-width: none; padding: 0; font-size: 10pt; }}
  nav {{ display: none; }}
  h2, h3, caption {{ break-after: avoid; }}
  tr, dl > div, .guide, .warning, pre {{ break-inside: avoid; }}
  .scroll {{ overflow: visible; background: none; max-height: none; }}
  .wide tbody th, .wide thead th:first-child, .tall thead th {{ position: static; }}
  .wide {{ width: auto; font-size: 8pt; }}
  .wide tbody th {{ min-width: 7rem; }}
  pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
  details::details-content {{ content-visibility: visible; display: block; }}
  summary {{ list-style: none; color: inherit; break-after: avoid; }}
  summary:not(:has(h3)) {{ display: none; }}
  * {{ -webkit-print-color-adjust: exact; print-color-adjust: exact; }}
}}
"""


def heat_of(count: int, total: int, *, is_right: bool) -> str:
    """Return the classes of a square of a confusion matrix, from its share of the true class."""
    # Rounded up, so that every count except zero has a colour.
    return f"{'right' if is_right else 'wrong'} h{-(-HEAT * count // total)}"

// Pages in the editor: tables, facts and bars with the colours of the theme. Every string is escaped.
import { printable } from "../failures.ts";

export type Cell = string | number | { readonly text: string; readonly link: Message };

/** What a page asks the extension to do. */
export interface Message {
  readonly action: string;
  readonly [name: string]: string | number | boolean;
}

export type Block =
  | { readonly kind: "text"; readonly text: string; readonly tone?: "plain" | "good" | "bad" }
  | { readonly kind: "facts"; readonly facts: readonly (readonly [string, Cell])[] }
  | {
      readonly kind: "table";
      readonly columns: readonly string[];
      readonly rows: readonly (readonly Cell[])[];
      readonly caption?: string;
    }
  | { readonly kind: "bars"; readonly bars: readonly (readonly [string, number])[] }
  | { readonly kind: "actions"; readonly actions: readonly Action[] };

/** A button. */
export interface Action {
  readonly label: string;
  readonly message: Message;
}

export interface Section {
  readonly title?: string;
  readonly blocks: readonly Block[];
}

export interface Page {
  readonly title: string;
  readonly lead?: string;
  readonly actions?: readonly Action[];
  readonly sections: readonly Section[];
}

/** Escape a string of a document: markup is shown, controls are written out. */
export function escaped(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Write the policy of every page: no network, no scripts and styles but those with the nonce. */
export function policy(nonce: string): string {
  const own = `'nonce-${nonce}'`;
  return `default-src 'none'; script-src ${own}; style-src ${own}; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** Write a page as HTML. */
export function pageHtml(page: Page, nonce: string): string {
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy(nonce)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(page.title)}</title>`,
    `<style nonce="${nonce}">${STYLE}</style>`,
    "</head>",
    "<body>",
    toolbar(page.actions ?? []),
    `<header><h1>${escaped(page.title)}</h1>`,
    page.lead ? `<p class="lead">${escaped(page.lead)}</p>` : "",
    "</header>",
    "<main>",
    ...page.sections.map(sectionHtml),
    "</main>",
    script(nonce),
    "</body>",
    "</html>",
  ].join("\n");
}

/** Write the buttons that stay at the top of a page, and what is still going on. */
export function toolbar(actions: readonly Action[], status = ""): string {
  if (actions.length === 0) return "";
  const buttons = actions.map(button).join("");
  const note = status ? `<span role="status">${escaped(status)}</span>` : "";
  return `<nav class="toolbar" aria-label="Actions">${buttons}${note}</nav>`;
}

/** What a page says when it is on the screen. */
export const SEEN = "seen";

/** Write the script of a page, in which a button or link posts the message that it carries. */
export function script(nonce: string): string {
  return `<script nonce="${nonce}">
const editor = acquireVsCodeApi();
document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-message]");
  if (!chosen) return;
  event.preventDefault();
  editor.postMessage(JSON.parse(chosen.dataset.message));
});
// A page that is shown again, or gets its curves, stays where the reader is.
scrollTo(0, editor.getState()?.top ?? 0);
requestAnimationFrame(() => editor.postMessage({ action: "${SEEN}" }));
addEventListener("scroll", () => editor.setState({ top: scrollY }), { passive: true });
</script>`;
}

function sectionHtml(section: Section): string {
  const title = section.title ? `<h2>${escaped(section.title)}</h2>` : "";
  return `<section>${title}${section.blocks.map(blockHtml).join("\n")}</section>`;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "text":
      return `<p class="${block.tone ?? "plain"}">${escaped(block.text)}</p>`;
    case "facts":
      return `<dl>${block.facts
        .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${cellHtml(value)}</dd>`)
        .join("")}</dl>`;
    case "actions":
      return `<p class="actions">${block.actions.map(button).join("")}</p>`;
    case "bars":
      return barsHtml(block.bars);
    case "table":
      return tableHtml(block.columns, block.rows, block.caption);
  }
}

function tableHtml(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  caption?: string,
): string {
  const isNumeric = columns.map((_, at) =>
    rows.every((row) => row[at] === "" || typeof row[at] === "number"),
  );
  const head = columns
    .map((name, at) => `<th scope="col"${isNumeric[at] ? ' class="n"' : ""}>${escaped(name)}</th>`)
    .join("");
  const body = rows
    .map((row) => {
      const cells = row.map((cell, at) => {
        const tag = at === 0 ? 'th scope="row"' : "td";
        const style = isNumeric[at] ? ' class="n"' : "";
        return `<${tag}${style}>${cellHtml(cell)}</${tag.slice(0, 2)}>`;
      });
      return `<tr>${cells.join("")}</tr>`;
    })
    .join("");
  const above = caption ? `<caption>${escaped(caption)}</caption>` : "";
  return `<div class="scroll" tabindex="0"><table>${above}<thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** Bars are meters, so that their values are read out, and no style is written into the page. */
function barsHtml(bars: readonly (readonly [string, number])[]): string {
  const most = Math.max(...bars.map(([, value]) => Math.abs(value)), Number.MIN_VALUE);
  const rows = bars.map(([name, value]) => {
    const width = Math.round((Math.abs(value) / most) * 200);
    const kind = value < 0 ? "negative" : "positive";
    const bar = `<svg class="bar" viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true"><rect class="${kind}" width="${width}" height="10"/></svg>`;
    const sign = value > 0 && bars.some(([, other]) => other < 0) ? "+" : "";
    return `<tr><th scope="row">${escaped(name)}</th><td class="n">${sign}${value.toFixed(4)}</td><td>${bar}</td></tr>`;
  });
  return `<div class="scroll" tabindex="0"><table class="bars"><tbody>${rows.join("")}</tbody></table></div>`;
}

function cellHtml(cell: Cell): string {
  if (typeof cell === "number") return escaped(shownNumber(cell));
  if (typeof cell === "string") return escaped(cell);
  return `<a href="#" data-message="${escaped(JSON.stringify(cell.link))}">${escaped(cell.text)}</a>`;
}

function button({ label, message }: Action): string {
  return `<button type="button" data-message="${escaped(JSON.stringify(message))}">${escaped(label)}</button>`;
}

function shownNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** Colours of fills: as triples, for shades of them; those of themes are too faint beside text. */
export const FILLS = `
body { --right: 88, 166, 255; --wrong: 240, 140, 70; }
body.vscode-light, body.vscode-high-contrast-light { --right: 11, 92, 173; --wrong: 190, 70, 0; }
`;

/** The style of the buttons, which the pages of the engine get, too. */
export const TOOLBAR_STYLE = `
.toolbar { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .4rem;
  padding: .5rem 0; background: var(--vscode-editor-background); }
button { font: inherit; font-size: .85rem; padding: .15rem .6rem; cursor: pointer; border-radius: 2px;
  border: 1px solid var(--vscode-contrastBorder, color-mix(in srgb, currentColor 35%, transparent));
  color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground); }
button:hover { background: var(--vscode-button-secondaryHoverBackground); }
.toolbar span { color: var(--vscode-descriptionForeground); align-self: center; }
:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
`;

const STYLE = `
body { margin: 0 auto; max-width: 64rem; padding: 0 1.25rem 3rem; line-height: 1.5;
  font: var(--vscode-font-size) var(--vscode-font-family);
  color: var(--vscode-editor-foreground); background: var(--vscode-editor-background); }
h1 { font-size: 1.6rem; font-weight: 600; margin: .75rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; padding-bottom: .25rem; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder)); }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; color: var(--vscode-descriptionForeground); }
.good, .bad { padding: .5rem .9rem; border-left: 4px solid var(--vscode-testing-iconPassed);
  background: var(--vscode-textBlockQuote-background); }
.bad { border-color: var(--vscode-editorError-foreground); }
a { color: var(--vscode-textLink-foreground); }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .25rem 1.25rem; }
dt { color: var(--vscode-descriptionForeground); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; font-weight: 400; padding: .25rem .9rem .25rem 0;
  border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder)); }
thead th { color: var(--vscode-descriptionForeground); }
.n { text-align: right; white-space: nowrap; }
.bars { width: 100%; }
.bars td:last-child { width: 55%; padding-right: 0; }
.bar { display: block; width: 100%; height: 1rem; margin-top: .2rem; }
.positive { fill: rgb(var(--right)); }
.negative { fill: rgb(var(--wrong)); }
.actions { display: flex; flex-wrap: wrap; gap: .4rem; }
${FILLS}${TOOLBAR_STYLE}`;

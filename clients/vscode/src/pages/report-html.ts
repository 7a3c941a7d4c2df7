// The engine's report as a page of the editor: its own policy and colours are replaced.
import { type Action, FILLS, policy, script, TOOLBAR_STYLE, toolbar } from "./html.ts";

const POLICY = /<meta http-equiv="Content-Security-Policy"[^>]*>/;

/**
 * Return a report with the policy of this page, the colours of the theme, and buttons.
 *
 * `status` says beside the buttons what is still going on. The engine escapes every string of its page and writes one style sheet and no script.
 *
 * @throws {Error} If it is not a page of the engine.
 */
export function reportHtml(
  report: string,
  actions: readonly Action[],
  nonce: string,
  status = "",
): string {
  if (!POLICY.test(report) || !report.includes("<style>") || !report.includes("<body>"))
    throw new Error("The report is not a page of RunForge.");
  return report
    .replace(POLICY, () => `<meta http-equiv="Content-Security-Policy" content="${policy(nonce)}">`)
    .replace("<style>", () => `<style nonce="${nonce}">`)
    .replace("</style>", () => `</style><style nonce="${nonce}">${THEME}${TOOLBAR_STYLE}</style>`)
    .replace("<body>", () => `<body>${toolbar(actions, status)}`)
    .replace("</body>", () => `${script(nonce)}</body>`);
}

/** The report's own names for colours, set from the theme. */
const THEME = `${FILLS}
body { --page: var(--vscode-editor-background); --panel: var(--vscode-textBlockQuote-background);
  --text: var(--vscode-editor-foreground); --soft: var(--vscode-descriptionForeground);
  --rule: var(--vscode-panel-border, var(--vscode-contrastBorder));
  --accent: var(--vscode-textLink-foreground); --guide: var(--vscode-textBlockQuote-background);
  --warn: var(--vscode-inputValidation-warningBackground);
  --warn-edge: var(--vscode-editorWarning-foreground);
  --up: rgb(var(--right)); --down: rgb(var(--wrong));
  --s0: rgb(var(--right)); --s1: rgb(var(--wrong));
  --s2: var(--vscode-charts-green); --s3: var(--vscode-charts-purple);
  --s4: var(--vscode-charts-yellow); --s5: var(--vscode-charts-red);
  --s6: var(--vscode-terminal-ansiCyan); --s7: var(--vscode-charts-foreground);
  padding-top: 0; font-family: var(--vscode-font-family); }
h1 { margin-top: .75rem; }
body.vscode-high-contrast code, body.vscode-high-contrast-light code { color: inherit; background: none; }
.toolbar { background: var(--page); }
`;

// What the editor shows in documents: problems, and the lenses above them.
import type { RequestV1 } from "@runforge/client";
import * as vscode from "vscode";
import type { App } from "../app.ts";
import {
  chooseChanges,
  runExperiment,
  runRequest,
  sweepNow,
} from "../commands/training-commands.ts";
import { printable, Refusal } from "../failures.ts";
import { showError, showInfo } from "../notices.ts";
import { type DocumentKind, documentKind, locate } from "./document-kinds.ts";
import { summaryText } from "./document-summary.ts";

const SELECTOR: vscode.DocumentSelector = [
  { language: "json", scheme: "file" },
  { language: "jsonc", scheme: "file" },
  { language: "yaml", scheme: "file" },
];
/** How long after the last key a document is checked, in milliseconds. */
const PAUSE = 300;
/** The largest document that is checked while it is edited, in characters. */
const MOST = 4_000_000;

export function registerDocuments(app: App): void {
  const problems = vscode.languages.createDiagnosticCollection("runforge");
  const waiting = new Map<string, NodeJS.Timeout>();
  const check = (document: vscode.TextDocument, pause: number) => {
    const kind = kindOf(document);
    const key = document.uri.toString();
    clearTimeout(waiting.get(key));
    if (kind)
      waiting.set(
        key,
        setTimeout(async () => {
          waiting.delete(key);
          if (document.isClosed) return;
          try {
            const found = await problemsOf(document, kind);
            // It may have been closed meanwhile.
            if (!document.isClosed) problems.set(document.uri, found);
          } catch (error) {
            app.output.error(`${document.uri.fsPath} was not checked: ${error}`);
          }
        }, pause),
      );
  };
  for (const document of vscode.workspace.textDocuments) check(document, 0);
  app.context.subscriptions.push(
    problems,
    vscode.workspace.onDidOpenTextDocument((document) => check(document, 0)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => check(document, PAUSE)),
    vscode.workspace.onDidCloseTextDocument((document) => problems.delete(document.uri)),
    vscode.languages.registerCodeLensProvider(SELECTOR, {
      // Some lenses are for trusted folders alone.
      onDidChangeCodeLenses: vscode.workspace.onDidGrantWorkspaceTrust,
      provideCodeLenses: lensesOf,
    }),
  );
  app.command("runDocument", (uri?: vscode.Uri) => runDocument(app, uri));
  app.command("changeRequest", (uri?: vscode.Uri) => changeRequest(app, uri));
  app.command("validateDocument", (uri?: vscode.Uri) => validateDocument(uri));
}

function kindOf(document: vscode.TextDocument): DocumentKind | undefined {
  return document.uri.scheme === "file" ? documentKind(document.uri.path) : undefined;
}

/**
 * Return the problems that the editor does not find itself: it compares JSON with the schema, and
 * reads leniently what other programs would read differently.
 */
async function problemsOf(
  document: vscode.TextDocument,
  kind: DocumentKind,
): Promise<vscode.Diagnostic[]> {
  const text = document.getText();
  if (text.length > MOST) return [];
  const { checkDocument } = await import("./check-document.ts");
  const { error, warnings } = checkDocument(text, kind);
  const found = warnings.map(
    (warning) =>
      new vscode.Diagnostic(
        new vscode.Range(0, 0, 0, 1),
        printable(warning),
        vscode.DiagnosticSeverity.Warning,
      ),
  );
  if (
    error &&
    !(kind.format === "json" && ["DOCUMENT_INVALID", "JSON_INVALID"].includes(error.code))
  ) {
    const { from, to } = locate(text, error, kind.format);
    const range = new vscode.Range(document.positionAt(from), document.positionAt(to));
    const problem = new vscode.Diagnostic(range, printable(error.message));
    problem.code = error.code;
    found.push(problem);
  }
  for (const problem of found) problem.source = "RunForge";
  return found;
}

function lensesOf(document: vscode.TextDocument): vscode.CodeLens[] {
  const kind = kindOf(document);
  if (!kind) return [];
  const at = new vscode.Range(0, 0, 0, 0);
  const lens = (title: string, command: string, argument: unknown) =>
    new vscode.CodeLens(at, { title, command: `runforge.${command}`, arguments: [argument] });
  const lenses: vscode.CodeLens[] = [];
  if (kind.runs && vscode.workspace.isTrusted)
    lenses.push(lens("$(play) Run", "runDocument", document.uri));
  if (kind.runs === "request" && vscode.workspace.isTrusted)
    lenses.push(lens("$(edit) Change", "changeRequest", document.uri));
  if (kind.run) {
    lenses.push(lens("$(go-to-file) Open Run", "openRun", kind.run));
    if (vscode.workspace.isTrusted && kind.format === "json")
      lenses.push(lens("$(debug-rerun) Rerun", "rerun", kind.run));
  }
  if (kind.sweep && vscode.workspace.isTrusted)
    lenses.push(lens("$(go-to-file) Open Sweep", "openSweep", { id: kind.sweep }));
  lenses.push(lens("$(check) Validate", "validateDocument", document.uri));
  return lenses;
}

/** Execute a document: the file, so it is saved first. */
async function runDocument(app: App, uri = vscode.window.activeTextEditor?.document.uri) {
  if (!uri) return;
  const document = await vscode.workspace.openTextDocument(uri);
  const kind = kindOf(document);
  if (!kind?.runs) throw new Refusal("This document is nothing that can be executed.");
  if (document.isDirty && !(await document.save())) return;
  if (kind.runs === "request") await runRequest(app, uri);
  else if (kind.runs === "plan") await sweepNow(app, { path: uri.fsPath });
  else await runExperiment(app, uri);
}

/** Let the user change a request by choosing; what this extension does not know is kept. */
async function changeRequest(app: App, uri = vscode.window.activeTextEditor?.document.uri) {
  if (!uri) return;
  const document = await vscode.workspace.openTextDocument(uri);
  const kind = kindOf(document);
  if (kind?.runs !== "request") throw new Refusal("This document is no request.");
  const { checkDocument, editDocument } = await import("./check-document.ts");
  const text = document.getText();
  const { error } = checkDocument(text, kind);
  if (error) throw error;
  const changes = await chooseChanges(app, JSON.parse(text) as RequestV1);
  if (!changes || Object.keys(changes).length === 0) return;
  // The questions stay open while the user types in the document: what it says now is changed.
  const current = await vscode.workspace.openTextDocument(uri);
  const now = current.getText();
  const edit = new vscode.WorkspaceEdit();
  const all = new vscode.Range(current.positionAt(0), current.positionAt(now.length));
  edit.replace(uri, all, editDocument(now, kind, changes));
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(current);
}

/** Say whether a document is valid. */
async function validateDocument(uri = vscode.window.activeTextEditor?.document.uri) {
  if (!uri) return;
  const document = await vscode.workspace.openTextDocument(uri);
  const kind = kindOf(document);
  if (!kind) throw new Refusal("This file is no document of RunForge.");
  const { checkDocument } = await import("./check-document.ts");
  const text = document.getText();
  const { schema, error, warnings, summary } = checkDocument(text, kind);
  const name = uri.path.split("/").at(-1);
  if (!error) {
    const note = [`${name} is a valid ${schema}.`, summaryText(summary), ...warnings]
      .map(printable)
      .join(" ");
    void showInfo(note);
    return;
  }
  const chosen = await showError(`${printable(error.message)} [${error.code}]`, "Show the Place");
  if (!chosen) return;
  const { from, to } = locate(text, error, kind.format);
  const selection = new vscode.Range(document.positionAt(from), document.positionAt(to));
  await vscode.window.showTextDocument(document, { selection });
}

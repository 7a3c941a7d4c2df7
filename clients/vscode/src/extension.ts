// The entry point: registers the view and the commands, and starts nothing that takes time.
import * as vscode from "vscode";
import { App } from "./app.ts";
import { registerRuns } from "./commands/run-commands.ts";
import { registerStore } from "./commands/store-commands.ts";
import { registerTraining } from "./commands/training-commands.ts";
import { registerDocuments } from "./documents/document-features.ts";

let app: App | undefined;

export function activate(context: vscode.ExtensionContext): void {
  app = new App(context);
  const { view } = app;
  context.subscriptions.push(
    vscode.window.createTreeView("runforge.runs", {
      treeDataProvider: view,
      canSelectMany: true,
      showCollapseAll: true,
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => view.refresh()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => view.refresh()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("runforge.pythonPath")) void app?.onPythonChanged();
      if (change.affectsConfiguration("runforge.pageSize")) view.refresh();
    }),
  );
  registerTraining(app);
  registerRuns(app);
  registerStore(app);
  registerDocuments(app);
}

/** The editor waits for what this returns: what is being trained is recorded as cancelled. */
export async function deactivate(): Promise<void> {
  await app?.dispose();
}

// The questions that commands ask. A question stays until it is answered or given up with Escape: a
// page that is drawn meanwhile, such as that of a training that ends, takes the focus.
import * as vscode from "vscode";

const STAYS = { ignoreFocusOut: true };

/** Let the user choose from a list: one, or with `canPickMany` several. */
export function askChoice<Item extends vscode.QuickPickItem>(
  items: readonly Item[],
  options: vscode.QuickPickOptions & { readonly canPickMany: true },
): Thenable<Item[] | undefined>;
export function askChoice<Item extends vscode.QuickPickItem>(
  items: readonly Item[],
  options: vscode.QuickPickOptions,
): Thenable<Item | undefined>;
export function askChoice(
  items: readonly vscode.QuickPickItem[],
  options: vscode.QuickPickOptions,
): Thenable<unknown> {
  return vscode.window.showQuickPick(items, { ...options, ...STAYS });
}

/** Ask in a dialog, which no page covers, before something is done that may take long or change more. */
export function askFirst(
  question: string,
  buttons: readonly string[],
  detail?: string,
): Thenable<string | undefined> {
  const options = { modal: true, ...(detail === undefined ? {} : { detail }) };
  return vscode.window.showInformationMessage(question, options, ...buttons);
}

/** Let the user type something. */
export function askInput(options: vscode.InputBoxOptions): Thenable<string | undefined> {
  return vscode.window.showInputBox({ ...options, ...STAYS });
}

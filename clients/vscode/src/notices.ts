// Notifications. The editor makes a link of `[text](command:name)` in them, which runs that command:
// what a document or a file name says has to stay text.
import * as vscode from "vscode";
import { unlinked } from "./failures.ts";

export function showInfo(text: string, ...buttons: string[]): Thenable<string | undefined> {
  return vscode.window.showInformationMessage(unlinked(text), ...buttons);
}

export function showWarning(text: string, ...buttons: string[]): Thenable<string | undefined> {
  return vscode.window.showWarningMessage(unlinked(text), ...buttons);
}

export function showError(text: string, ...buttons: string[]): Thenable<string | undefined> {
  return vscode.window.showErrorMessage(unlinked(text), ...buttons);
}

/** Do work that takes a while, with a notification that shows how it goes on and can cancel it. */
export function showProgress<Result>(
  title: string,
  stop: AbortController,
  work: (report: (message: string, increment?: number) => void) => Promise<Result>,
): Thenable<Result> {
  return vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: unlinked(title),
      cancellable: true,
    },
    (notification, token) => {
      token.onCancellationRequested(() => stop.abort());
      return work((message, increment) =>
        notification.report({
          message: unlinked(message),
          ...(increment === undefined ? {} : { increment }),
        }),
      );
    },
  );
}

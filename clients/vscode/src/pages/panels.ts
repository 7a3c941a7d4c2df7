// The panels of the editor that show pages. A page that is open already is shown again, not twice.
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { type Action, type Message, type Page, pageHtml, SEEN } from "./html.ts";
import { reportHtml } from "./report-html.ts";

type Handler = (message: Message) => void;

export class Panels {
  readonly #open = new Map<string, vscode.WebviewPanel>();
  readonly #handlers = new Map<string, Handler>();
  /** What waits for a page to be seen. */
  readonly #seen = new Map<string, (seen: boolean) => void>();

  /** Show a page made of blocks. */
  show(key: string, page: Page, onMessage: Handler): void {
    this.#fill(key, page.title, pageHtml(page, nonce()), onMessage);
  }

  /**
   * Show a report of the engine; returns whether it was seen, or closed before.
   *
   * @throws {Error} At once, if it is not a page of the engine.
   */
  showReport(
    key: string,
    title: string,
    report: string,
    actions: readonly Action[],
    onMessage: Handler,
    status?: string,
  ): Promise<boolean> {
    const html = reportHtml(report, actions, nonce(), status);
    return new Promise((resolve) => {
      this.#seen.get(key)?.(false);
      this.#seen.set(key, resolve);
      this.#fill(key, title, html, onMessage);
    });
  }

  /** Replace the report of an open page; nothing happens where it was closed. */
  renew(key: string, report: string, actions: readonly Action[]): void {
    const panel = this.#open.get(key);
    if (panel) panel.webview.html = reportHtml(report, actions, nonce());
  }

  #fill(key: string, title: string, html: string, onMessage: Handler): void {
    let panel = this.#open.get(key);
    this.#handlers.set(key, onMessage);
    if (panel) {
      panel.title = title;
      panel.reveal(undefined, false);
    } else {
      panel = vscode.window.createWebviewPanel("runforge.page", title, vscode.ViewColumn.Active, {
        enableScripts: true,
        enableFindWidget: true,
        localResourceRoots: [],
      });
      this.#open.set(key, panel);
      panel.onDidDispose(() => {
        this.#open.delete(key);
        this.#handlers.delete(key);
        this.#settle(key, false);
      });
      panel.webview.onDidReceiveMessage((message) =>
        message.action === SEEN ? this.#settle(key, true) : this.#handlers.get(key)?.(message),
      );
    }
    panel.webview.html = html;
  }

  #settle(key: string, seen: boolean): void {
    this.#seen.get(key)?.(seen);
    this.#seen.delete(key);
  }
}

function nonce(): string {
  return randomBytes(16).toString("base64");
}

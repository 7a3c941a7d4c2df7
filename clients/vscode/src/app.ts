// What all commands share: the workspace folder, the server, the list of runs, pages and messages.
import { isAbsolute, join, relative } from "node:path";
import * as vscode from "vscode";
import {
  type Failure,
  failureOf,
  failureText,
  isCancelled,
  printable,
  REMEDY_TITLES,
  Refusal,
} from "./failures.ts";
import { showError, showWarning } from "./notices.ts";
import type { Message } from "./pages/html.ts";
import { Panels } from "./pages/panels.ts";
import { RunFiles } from "./runs/run-files.ts";
import type { Source } from "./runs/run-listing.ts";
import type { RunRow } from "./runs/run-rows.ts";
import { RunsView, setContext } from "./runs/runs-view.ts";
import { type Interpreter, interpreters } from "./server/interpreters.ts";
import { MissingError, Session, type SessionState } from "./server/session.ts";

/** A training or sweep that this window has started. */
export interface Training {
  readonly title: string;
  readonly stop: AbortController;
  runId: string | undefined;
  /** The sweep, whose runs have ids of their own. */
  groupId: string | undefined;
  text: string;
}

/** What a command is called with: a row of the list, the message of a page, an id, or nothing. */
export type RunArgument = RunRow | Message | string | undefined;

export class App {
  readonly context: vscode.ExtensionContext;
  readonly output: vscode.LogOutputChannel;
  readonly panels = new Panels();
  readonly view: RunsView;
  readonly trainings = new Set<Training>();
  /** How many other requests are in progress that show how they get on, such as a reproduction. */
  others = 0;
  readonly #status: vscode.StatusBarItem;
  /** What the list has warned of: each warning is shown once. */
  readonly #warned = new Set<string>();
  #session: Session | undefined;
  #folder: vscode.WorkspaceFolder | undefined;

  constructor(context: vscode.ExtensionContext) {
    this.context = context;
    this.output = vscode.window.createOutputChannel("RunForge", { log: true });
    this.view = new RunsView(
      () => this.source(),
      () => this.setting<number>("pageSize", 200),
      (error) => this.#onListError(error),
      (message) => this.#onListWarning(message),
    );
    this.#status = vscode.window.createStatusBarItem(
      "runforge.progress",
      vscode.StatusBarAlignment.Left,
    );
    this.#status.name = "RunForge";
    this.#status.command = "runforge.cancel";
    context.subscriptions.push(this.output, this.#status);
  }

  get version(): string {
    return String(this.context.extension.packageJSON.version);
  }

  /** The workspace folder whose runs are shown, if a folder is open. */
  get folder(): vscode.WorkspaceFolder | undefined {
    const folders = vscode.workspace.workspaceFolders;
    if (!folders?.some((one) => one.uri.toString() === this.#folder?.uri.toString()))
      this.#folder = folders?.find((one) => one.uri.scheme === "file");
    return this.#folder;
  }

  /**
   * The server, which is started by the first request.
   *
   * @throws {Error} If no folder is open, or it is not trusted.
   */
  session(): Session {
    if (!vscode.workspace.isTrusted)
      throw new Refusal("This folder is in Restricted Mode: nothing is started. Trust it first.");
    const { folder } = this;
    if (!folder) throw new Refusal("Open a folder first; runs are recorded in it.");
    this.#session ??= this.#makeSession(folder);
    return this.#session;
  }

  /** What the list of runs is read from: the server, or the files alone in Restricted Mode. */
  source(): Source | undefined {
    const { folder } = this;
    if (!folder) return undefined;
    return vscode.workspace.isTrusted ? this.session() : new RunFiles(folder.uri.fsPath);
  }

  /** As `source`, for commands. */
  needSource(): Source {
    const source = this.source();
    if (!source) throw new Refusal("Open a folder first; its runs are shown then.");
    return source;
  }

  setting<Value>(name: string, otherwise: Value): Value {
    return vscode.workspace.getConfiguration("runforge", this.folder).get(name, otherwise);
  }

  /** Return the absolute path of what a document or an answer names. */
  path(named: string): string {
    return isAbsolute(named) ? named : join(this.folder?.uri.fsPath ?? "", named);
  }

  /** Return how a file is named in requests: relative to the workspace where it is inside. */
  named(uri: vscode.Uri): string {
    const inside = relative(this.folder?.uri.fsPath ?? "", uri.fsPath);
    return inside.startsWith("..") || isAbsolute(inside)
      ? uri.fsPath
      : inside.replaceAll("\\", "/");
  }

  /** Register a command; whatever it throws is shown with its code, place and hint. */
  command(name: string, work: (...args: never[]) => unknown): void {
    const guarded = (...args: never[]) => this.attempt(() => work(...args));
    this.context.subscriptions.push(vscode.commands.registerCommand(`runforge.${name}`, guarded));
  }

  /** Do what the user has asked for; whatever it throws is shown. Nobody else waits for it. */
  async attempt(work: () => unknown): Promise<unknown> {
    try {
      return await work();
    } catch (error) {
      this.report(error);
      return undefined;
    }
  }

  /** Show an error with the button that its hint asks for. */
  report(error: unknown, remedies: Partial<Record<Failure["remedy"], () => unknown>> = {}): void {
    if (isCancelled(error) || error instanceof vscode.CancellationError) return;
    this.reportFailure(failureOf(error), remedies);
  }

  reportFailure(
    failure: Failure,
    remedies: Partial<Record<Failure["remedy"], () => unknown>> = {},
    others: Readonly<Record<string, () => unknown>> = {},
  ): void {
    const text = failureText(failure, this.folder?.uri.fsPath);
    this.output.error(text);
    const actions: Record<string, () => unknown> = { ...others };
    const own: Partial<Record<Failure["remedy"], () => unknown>> = {
      recover: () => vscode.commands.executeCommand("runforge.recoverIndex"),
      install: () => vscode.commands.executeCommand("runforge.install"),
      restart: () => vscode.commands.executeCommand("runforge.restart"),
      log: () => this.output.show(true),
      ...remedies,
    };
    const name = own[failure.remedy] ? failure.remedy : "log";
    const remedy = own[name];
    const actionsInOrder = remedy ? { [REMEDY_TITLES[name]]: remedy, ...actions } : actions;
    void this.attempt(async () => {
      const chosen = await showError(text, ...Object.keys(actionsInOrder));
      if (chosen !== undefined) await actionsInOrder[chosen]?.();
    });
  }

  /** Show how the trainings of this window are getting on in the status bar. */
  showTrainings(): void {
    const all = [...this.trainings];
    const [first] = all;
    if (!first) {
      this.#status.hide();
      return;
    }
    const more = all.length > 1 ? ` (+${all.length - 1})` : "";
    this.#status.text = `$(sync~spin) ${first.text.replaceAll("$(", "$\u200b(")}${more}`;
    this.#status.tooltip = `RunForge: ${first.title}. Click to cancel.`;
    this.#status.show();
  }

  /** Start another server with the Python that is named now, unless none was started. */
  async onPythonChanged(): Promise<void> {
    if (!this.#session || this.#session.state === "off") return;
    const restart = "Restart the Server";
    const question =
      "The Python that is named now is used once the server is restarted, which cancels what is in progress in this window.";
    const isBusy = this.trainings.size + this.others > 0;
    if (isBusy && (await showWarning(question, restart)) !== restart) return;
    await this.#session.restart().catch((error) => this.#onListError(error));
  }

  /** End the server; what it trains is recorded as cancelled. */
  async dispose(): Promise<void> {
    await this.#session?.dispose();
  }

  #makeSession(folder: vscode.WorkspaceFolder): Session {
    const session = new Session({
      folder: folder.uri.fsPath,
      version: this.version,
      neutralFolder: this.context.extensionPath,
      interpreters: () => this.#interpreters(folder),
      log: (text) => this.output.debug(text.trimEnd()),
      note: (text) => this.output.info(text),
      show: (text) => {
        this.output.warn(text);
        void showWarning(text, "Show the Log").then((chosen) => chosen && this.output.show(true));
      },
    });
    session.onState((state) => this.#onState(state));
    session.on("runsChanged", () => this.view.refresh());
    session.on("runBegan", () => this.view.refresh());
    session.on("runEnded", () => this.view.refresh());
    return session;
  }

  /** The view itself says that RunForge is missing, and offers to install it. */
  #onListError(error: unknown): void {
    if (!(error instanceof MissingError)) this.report(error);
  }

  #onListWarning(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.output.warn(message);
    const recover = "Recover Index";
    const actions = /index/i.test(message) ? [recover] : [];
    void showWarning(printable(message), ...actions).then(
      (chosen) => chosen && vscode.commands.executeCommand("runforge.recoverIndex"),
    );
  }

  #onState(state: SessionState): void {
    this.output.info(`The server is ${state}.`);
    void setContext("state", state);
    if (state === "ready") this.view.refresh();
  }

  async #interpreters(folder: vscode.WorkspaceFolder): Promise<Interpreter[]> {
    const selected = await selectedInterpreter(folder.uri);
    return interpreters({
      extension: selected,
      setting: this.setting("pythonPath", "").trim(),
      folder: folder.uri.fsPath,
      path: process.env["PATH"] ?? "",
      windows: process.platform === "win32",
    });
  }

  /** The interpreters that are looked at, for the offer to install. */
  allInterpreters(): Promise<Interpreter[]> {
    const { folder } = this;
    return folder ? this.#interpreters(folder) : Promise.resolve([]);
  }
}

/** Return the interpreter that the user has selected in the Python extension, if there is one. */
async function selectedInterpreter(resource: vscode.Uri): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension("ms-python.python");
  if (!extension) return undefined;
  try {
    const api = await extension.activate();
    const environments = api?.environments;
    const active = environments?.getActiveEnvironmentPath?.(resource);
    const resolved = active && (await environments.resolveEnvironment?.(active));
    return resolved?.executable?.uri?.fsPath;
  } catch {
    return undefined; // Another version of it has another interface.
  }
}

// A stand-in for the editor's interface: what the extension shows is noted, and the questions that it
// asks are answered by the test. Importing this module makes it the module `vscode`.
import * as module from "node:module";
import { join } from "node:path";
import type * as vscode from "vscode";

interface Hooks {
  resolve(name: string, context: object, next: (name: string, context: object) => object): object;
}
const { registerHooks } = module as unknown as { registerHooks(hooks: Hooks): void };
registerHooks({
  resolve: (name, context, next) =>
    name === "vscode" ? { url: import.meta.url, shortCircuit: true } : next(name, context),
});

type Item = vscode.QuickPickItem;
/** Answers a question: returns the chosen item or items, or what is typed; undefined is Escape. */
type Answer = (asked: readonly Item[] | string, placeHolder?: string) => unknown;

interface Shown {
  readonly text: string;
  readonly buttons: readonly string[];
}

interface Page {
  readonly title: string;
  readonly webview: { html: string };
  /** Does what a button of the page does. */
  press(message: object): void;
}

/** What the editor has, what it was asked to show, and what the user does. */
export const editor = {
  folder: "",
  trusted: true,
  settings: {} as Record<string, unknown>,
  notifications: [] as Shown[],
  /** Which button of a notification is pressed. */
  press: (_shown: Shown): string | undefined => undefined,
  /** The answers to the next questions. */
  answers: [] as Answer[],
  /** The text of documents that are open, by their paths. */
  documents: {} as Record<string, string>,
  pages: [] as Page[],
  /** The commands with their arguments that were started in terminals. */
  started: [] as string[][],
  /** What the extension waits for: a trusted folder, another setting. */
  trustGranted: undefined as unknown as EventEmitter<void>,
  configured: undefined as unknown as EventEmitter<vscode.ConfigurationChangeEvent>,
  closed: undefined as unknown as EventEmitter<object>,
  opened: undefined as unknown as EventEmitter<object>,
  lenses: undefined as unknown as vscode.CodeLensProvider,
  /** The paths of documents with problems. */
  problems: new Set<string>(),
  /** Why no file can be written, if none can. */
  full: undefined as string | undefined,
  rows: undefined as unknown as vscode.TreeDataProvider<unknown>,
  registered: new Map<string, (...args: unknown[]) => unknown>(),
  call: (name: string, ...args: unknown[]) => editor.registered.get(`runforge.${name}`)?.(...args),
};

/** Choose the item with a label. */
export const pick =
  (label: string): Answer =>
  (items) => {
    const found = (items as Item[]).find((item) => item.label === label);
    if (!found) throw new Error(`No ${label} in ${JSON.stringify(items)}`);
    return found;
  };

class Position {
  readonly line: number;
  readonly character: number;
  constructor(line: number, character: number) {
    this.line = line;
    this.character = character;
  }
}

export class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(...at: [number, number, number, number] | [Position, Position]) {
    const [one, two, three, four] = at;
    if (typeof one === "number") {
      this.start = new Position(one, two as number);
      this.end = new Position(three as number, four as number);
    } else [this.start, this.end] = at as [Position, Position];
  }
}

export class Uri {
  readonly scheme = "file";
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  get fsPath(): string {
    return this.path;
  }
  static file(path: string): Uri {
    return new Uri(path);
  }
  static joinPath(base: Uri, ...names: string[]): Uri {
    return new Uri(join(base.path, ...names));
  }
  toString(): string {
    return `file://${this.path}`;
  }
}

export class EventEmitter<Value> {
  readonly listeners = new Set<(value: Value) => void>();
  readonly event = (listener: (value: Value) => void) => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };
  fire(value: Value): void {
    for (const listener of this.listeners) listener(value);
  }
}

export class TreeItem {
  constructor(label: string) {
    Object.assign(this, { label });
  }
}

editor.trustGranted = new EventEmitter();
editor.configured = new EventEmitter();
editor.opened = new EventEmitter();
editor.closed = new EventEmitter();

export class ProcessExecution {
  readonly command: string[];
  constructor(process: string, args: string[]) {
    this.command = [process, ...args];
  }
}

export class Task {
  readonly execution: ProcessExecution;
  constructor(...given: unknown[]) {
    this.execution = given.at(-1) as ProcessExecution;
  }
}

export const tasks = {
  executeTask: async ({ execution }: Task) => editor.started.push(execution.command),
};

export class MarkdownString {
  appendCodeblock(_text: string): void {}
}

export class WorkspaceEdit {
  readonly edits: { uri: Uri; range: Range; text: string }[] = [];
  replace(uri: Uri, range: Range, text: string): void {
    this.edits.push({ uri, range, text });
  }
}

export class ThemeIcon {}
export class ThemeColor {}
export class Diagnostic {}
export class CodeLens {}
export class CancellationError extends Error {}
export class FileSystemError extends Error {}
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };
export const DiagnosticSeverity = { Error: 0, Warning: 1 };
export const TaskScope = { Workspace: 2 };
export const StatusBarAlignment = { Left: 1 };
export const ProgressLocation = { Window: 10, Notification: 15 };
export const QuickPickItemKind = { Separator: -1 };
export const ViewColumn = { Active: -1 };

const nothing = () => ({ dispose: () => {} });

function documentOf(uri: Uri) {
  const text = () => editor.documents[uri.path] ?? "";
  const positionAt = (at: number) => {
    const lines = text().slice(0, at).split("\n");
    return new Position(lines.length - 1, lines.at(-1)?.length ?? 0);
  };
  return { uri, isDirty: false, isClosed: false, getText: text, positionAt };
}

function notify(text: string, ...more: unknown[]): Promise<unknown> {
  const buttons = more.filter((one) => typeof one === "string");
  const shown = { text, buttons };
  editor.notifications.push(shown);
  return Promise.resolve(editor.press(shown));
}

async function ask(asked: readonly Item[] | string, placeHolder?: string): Promise<unknown> {
  const answer = editor.answers.shift();
  if (!answer) throw new Error(`A question without an answer: ${JSON.stringify(asked)}`);
  return answer(asked, placeHolder);
}

export const window = {
  createOutputChannel: () =>
    Object.fromEntries(
      ["debug", "info", "warn", "error", "show", "dispose"].map((name) => [name, () => {}]),
    ),
  createStatusBarItem: () => ({ show() {}, hide() {}, dispose() {} }),
  setStatusBarMessage: nothing,
  createTreeView: (_: string, options: vscode.TreeViewOptions<unknown>) => {
    editor.rows = options.treeDataProvider;
    return nothing();
  },
  createWebviewPanel: (_: string, title: string) => {
    const messages = new EventEmitter<object>();
    const panel = {
      title,
      webview: { html: "", onDidReceiveMessage: messages.event },
      onDidDispose: nothing,
      reveal() {},
      press: (message: object) => messages.fire(message),
    };
    editor.pages.push(panel);
    return panel;
  },
  showInformationMessage: notify,
  showWarningMessage: notify,
  showErrorMessage: notify,
  showQuickPick: (items: readonly Item[], options?: vscode.QuickPickOptions) =>
    ask(items, options?.placeHolder),
  showInputBox: ({ title }: vscode.InputBoxOptions) => ask(title ?? ""),
  showTextDocument: async () => {},
  showSaveDialog: async ({ defaultUri }: vscode.SaveDialogOptions) => defaultUri,
  withProgress: (
    { title, location }: vscode.ProgressOptions,
    work: (progress: object, token: object) => Promise<unknown>,
  ) => {
    const report = ({ message }: { message: string }) => {
      if (location === ProgressLocation.Notification) void notify(message);
    };
    report({ message: title ?? "" });
    return work({ report }, { onCancellationRequested: nothing });
  },
};

export const workspace = {
  get workspaceFolders() {
    return [{ uri: Uri.file(editor.folder), name: "folder", index: 0 }];
  },
  get isTrusted() {
    return editor.trusted;
  },
  textDocuments: [],
  getConfiguration: () => ({
    get: (name: string, otherwise: unknown) => editor.settings[name] ?? otherwise,
  }),
  findFiles: async () => [Uri.file(join(editor.folder, "penguins.csv"))],
  fs: {
    stat: async () => {
      throw new FileSystemError();
    },
    writeFile: async () => {
      if (editor.full !== undefined) throw new FileSystemError(editor.full);
    },
  },
  openTextDocument: async (uri: Uri) => documentOf(uri),
  applyEdit: async ({ edits }: WorkspaceEdit) => {
    for (const { uri, range, text } of edits) {
      const lines = (editor.documents[uri.path] ?? "").split("\n");
      const { start, end } = range;
      const before = [...lines.slice(0, start.line), lines[start.line]?.slice(0, start.character)];
      const after = [lines[end.line]?.slice(end.character), ...lines.slice(end.line + 1)];
      editor.documents[uri.path] = before.join("\n") + text + after.join("\n");
    }
    return true;
  },
  onDidGrantWorkspaceTrust: editor.trustGranted.event,
  onDidChangeWorkspaceFolders: nothing,
  onDidChangeConfiguration: editor.configured.event,
  onDidOpenTextDocument: editor.opened.event,
  onDidChangeTextDocument: nothing,
  onDidCloseTextDocument: editor.closed.event,
};

export const commands = {
  registerCommand: (name: string, work: (...args: unknown[]) => unknown) => {
    editor.registered.set(name, work);
    return nothing();
  },
  executeCommand: async (name: string, ...args: unknown[]) =>
    editor.registered.get(name)?.(...args),
};

export const env = {
  clipboard: {
    writeText: async (text: unknown) => {
      if (typeof text !== "string") throw new TypeError("It is no text.");
    },
  },
};

export const languages = {
  createDiagnosticCollection: () => ({
    set: ({ path }: Uri, found: unknown[]) =>
      found.length > 0 ? editor.problems.add(path) : editor.problems.delete(path),
    delete: ({ path }: Uri) => editor.problems.delete(path),
    dispose() {},
  }),
  registerCodeLensProvider: (_: unknown, provider: vscode.CodeLensProvider) => {
    editor.lenses = provider;
    return nothing();
  },
};

export const extensions = { getExtension: () => undefined };

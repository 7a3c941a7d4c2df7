// The tree of runs in the side bar.
import * as vscode from "vscode";
import {
  type Choice,
  EVERYTHING,
  isEmpty,
  type Loaded,
  loadMembers,
  loadRows,
  type Source,
} from "./run-listing.ts";
import { grouped, ICONS, type Row, runFacts } from "./run-rows.ts";

export class RunsView implements vscode.TreeDataProvider<Row> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #source: () => Source | undefined;
  readonly #onError: (error: unknown) => void;
  readonly #onWarning: (message: string) => void;
  readonly #pageSize: () => number;
  #choice: Choice = EVERYTHING;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    source: () => Source | undefined,
    pageSize: () => number,
    onError: (error: unknown) => void,
    onWarning: (message: string) => void,
  ) {
    this.#source = source;
    this.#pageSize = pageSize;
    this.#onError = onError;
    this.#onWarning = onWarning;
  }

  get choice(): Choice {
    return this.#choice;
  }

  choose(choice: Partial<Choice>): void {
    this.#choice = { ...this.#choice, ...choice };
    this.#count = this.#pageSize();
    void setContext("filtered", !isEmpty(this.#choice.filter));
    this.refresh();
  }

  showMore(): void {
    this.#count = this.#shown + this.#pageSize();
    this.refresh();
  }

  /** How many rows are shown: those of one page, until the user asks for more. */
  get #shown(): number {
    return this.#count || this.#pageSize();
  }

  /** Load the list again; changes that come together are shown together. */
  refresh(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#changed.fire(undefined), 50);
  }

  async getChildren(row?: Row): Promise<Row[]> {
    const source = this.#source();
    if (!source) return [];
    const now = Date.now();
    try {
      if (row?.kind === "group") return [...row.rows];
      if (row?.kind === "sweep") return await loadMembers(source, row.id, now, this.#onWarning);
      return this.#top(await loadRows(source, this.#choice, this.#shown, now, this.#onWarning));
    } catch (error) {
      // An empty list would say that there are no runs.
      if (!row) void setContext("unread", true);
      this.#onError(error);
      return [];
    }
  }

  #top({ rows, total }: Loaded): Row[] {
    void setContext("hasRuns", rows.length > 0);
    void setContext("unread", false);
    const top: Row[] = grouped(rows, this.#choice.grouping);
    const label = `Show more: ${rows.length} of ${total}`;
    if (rows.length < total) top.push({ kind: "more", id: "more", label });
    return top;
  }

  getTreeItem(row: Row): vscode.TreeItem {
    if (row.kind === "more") {
      const item = new vscode.TreeItem(row.label);
      item.id = row.id;
      item.iconPath = new vscode.ThemeIcon("ellipsis");
      item.command = { command: "runforge.showMore", title: "Show More Runs" };
      return item;
    }
    const state = row.kind === "run" ? "None" : row.kind === "group" ? "Expanded" : "Collapsed";
    const item = new vscode.TreeItem(row.label, vscode.TreeItemCollapsibleState[state]);
    item.id = `${row.kind}:${row.id}`;
    item.description = row.description;
    if (row.kind === "group") return item;
    const { icon, color } = ICONS[row.status] ?? { icon: "circle-outline" };
    const isFolder = row.kind === "sweep" && !["running", "unreadable"].includes(row.status);
    item.iconPath = new vscode.ThemeIcon(
      isFolder ? "beaker" : icon,
      color ? new vscode.ThemeColor(color) : undefined,
    );
    item.accessibilityInformation = { label: `${row.label}, ${row.status}, ${row.description}` };
    if (row.kind === "run") {
      item.contextValue = `run.${row.trained ? "trained" : "experiment"}.${row.status}`;
      item.command = { command: "runforge.openRun", title: "Open Run", arguments: [row] };
    } else {
      item.contextValue = `sweep.${row.status}`;
      item.tooltip = row.id;
    }
    return item;
  }

  /** Make the hover when it is asked for. Names of a run are text in it, never markup. */
  resolveTreeItem(item: vscode.TreeItem, row: Row): vscode.TreeItem {
    if (row.kind !== "run") return item;
    const tooltip = new vscode.MarkdownString();
    tooltip.isTrusted = false;
    tooltip.supportHtml = false;
    tooltip.appendCodeblock(
      runFacts(row)
        .map(([name, value]) => `${name.padEnd(14)} ${value}`)
        .join("\n"),
      "text",
    );
    item.tooltip = tooltip;
    return item;
  }
}

/** Set what `when` clauses of package.json ask for. */
export function setContext(name: string, value: unknown): Thenable<unknown> {
  return vscode.commands.executeCommand("setContext", `runforge.${name}`, value);
}

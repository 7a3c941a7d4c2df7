// Commands about the list, the index, the server and the first steps.

import * as vscode from "vscode";
import type { App } from "../app.ts";
import { Refusal } from "../failures.ts";
import { showError, showInfo } from "../notices.ts";
import { indexPage } from "../pages/document-pages.ts";
import type { Choice } from "../runs/run-listing.ts";
import type { Grouping } from "../runs/run-rows.ts";
import { type Inspected, inspectInterpreter, originText, whyNot } from "../server/interpreters.ts";
import { askChoice, askFirst, askInput } from "./questions.ts";
import { act } from "./run-pages.ts";

export function registerStore(app: App): void {
  app.command("refresh", () => app.view.refresh());
  app.command("showMore", () => app.view.showMore());
  app.command("filter", () => filter(app));
  app.command("clearFilter", () => app.view.choose({ filter: {} }));
  app.command("sort", () => sort(app));
  app.command("group", () => group(app));
  app.command("recoverIndex", async () => {
    const document = await app.session().request("rebuildIndex", {});
    app.view.refresh();
    app.panels.show("index", indexPage(document), act);
  });
  app.command("install", () => install(app));
  app.command("restart", () => app.session().restart());
  app.command("showOutput", () => app.output.show());
  app.command("createExample", () => createExample(app));
  app.command("firstSteps", () =>
    vscode.commands.executeCommand(
      "workbench.action.openWalkthrough",
      `${app.context.extension.id}#firstSteps`,
      false,
    ),
  );
}

/** Filter by status, model or conditions such as `C<0.1`, which may be combined. */
async function filter(app: App): Promise<void> {
  if (!vscode.workspace.isTrusted) throw new Refusal("Filters need a trusted workspace.");
  const before = app.view.choice.filter;
  const statuses = ["succeeded", "failed", "cancelled", "running", "interrupted"] as const;
  const items: (vscode.QuickPickItem & { readonly filter?: Choice["filter"] })[] = [
    { label: "Conditions…", description: "such as accuracy>=0.9, C<0.1, model=random_forest" },
    { label: "Name or tag…", description: "the exact name, or tag:TEXT" },
    ...statuses.map((status) => ({
      label: `Only ${status} runs`,
      filter: { ...before, status },
    })),
    { label: "Only the last 24 hours", filter: { ...before, since: "24h" } },
    { label: "Only the last 7 days", filter: { ...before, since: "7d" } },
    { label: "All runs", filter: {} },
  ];
  const chosen = await askChoice(items, {
    title: "RunForge: Filter Runs",
    placeHolder: describe(before),
  });
  if (!chosen) return;
  if (chosen.filter) return app.view.choose({ filter: chosen.filter });
  const isName = chosen.label.startsWith("Name");
  const typed = await askInput({
    title: `RunForge: ${chosen.label}`,
    prompt: isName
      ? "The name of runs; tag:TEXT for a tag"
      : 'Name, one of = != < <= > >= ~ (contains), and a value; several separated by " and "',
    value: isName ? "" : (before.where?.join(" and ") ?? ""),
  });
  if (!typed) return;
  if (isName) {
    const by = typed.startsWith("tag:") ? { tag: typed.slice(4).trim() } : { name: typed };
    return app.view.choose({ filter: { ...before, ...by } });
  }
  const where = typed.split(" and ").map((one) => one.trim());
  // An invalid condition is an error of the server, which says how one is written.
  await app.session().request("list", { where, limit: 1 });
  app.view.choose({ filter: { ...before, where } });
}

function describe(chosen: Choice["filter"]): string {
  const parts = Object.entries(chosen).map(([name, value]) =>
    name === "where" ? (value as string[]).join(" and ") : `${name}: ${value}`,
  );
  return parts.length > 0 ? `Now: ${parts.join(", ")}` : "All runs are shown";
}

async function sort(app: App): Promise<void> {
  if (!vscode.workspace.isTrusted) throw new Refusal("Sorting needs a trusted workspace.");
  const newest = "Newest first";
  const other = "By another value…";
  const names = [newest, "accuracy", "f1_score", "duration", "name", "model", other];
  const answer = await askChoice(
    names.map((label) => ({ label })),
    { title: "RunForge: Sort Runs", placeHolder: `Now: ${app.view.choice.sort ?? newest}` },
  );
  if (!answer) return;
  const chosen = answer.label;
  if (chosen !== other) return app.view.choose({ sort: chosen === newest ? undefined : chosen });
  const typed = await askInput({
    title: "RunForge: Sort Runs",
    prompt: "A metric, a hyperparameter or a field; - before the name reverses the order",
  });
  if (!typed) return;
  await app.session().request("list", { sort: typed, limit: 1 });
  app.view.choose({ sort: typed });
}

async function group(app: App): Promise<void> {
  const groupings: { label: string; grouping: Grouping }[] = [
    { label: "Sweeps as folders", grouping: "sweep" },
    { label: "By day", grouping: "day" },
    { label: "By model family", grouping: "model" },
    { label: "By status", grouping: "status" },
    { label: "By dataset", grouping: "dataset" },
    { label: "No groups", grouping: "none" },
  ];
  const chosen = await askChoice(groupings, { title: "RunForge: Group Runs" });
  if (chosen) app.view.choose({ grouping: chosen.grouping });
}

/** Say which command would install RunForge where, and run it if the user agrees. */
async function install(app: App): Promise<void> {
  if (!app.folder) throw new Refusal("Open a folder first.");
  // Only in a trusted workspace is an interpreter of it started.
  app.session();
  const neutral = app.context.extensionPath;
  const all = await app.allInterpreters();
  const inspected = await Promise.all(all.map((one) => inspectInterpreter(one, neutral)));
  const ready = inspected.find((one) => whyNot(one) === undefined);
  if (ready) {
    void showInfo(`RunForge ${ready.runforge} is installed in ${ready.path}.`);
    await app.session().restart();
    return;
  }
  const able = inspected.filter((one) => one.python && !whyNot(one)?.includes("RunForge needs"));
  const chosen = await chooseInterpreter(able);
  if (!chosen) return;
  const args = [
    "-m",
    "pip",
    "install",
    "--upgrade",
    ...app.setting("installArguments", ["runforge-cli"]),
  ];
  const words = `${chosen.path} ${args.join(" ")}`;
  const answer = await askFirst(
    `Install RunForge for ${chosen.path}?`,
    ["Run the Command", "Copy the Command"],
    `This command runs in a terminal, and changes that environment:\n\n${words}\n\n${originText(chosen.origin)}, Python ${chosen.python}. It downloads packages from the index that pip is set to.`,
  );
  if (answer === "Copy the Command") await vscode.env.clipboard.writeText(words);
  if (answer !== "Run the Command") return;
  const task = new vscode.Task(
    { type: "runforge" },
    app.folder,
    "install",
    "RunForge",
    new vscode.ProcessExecution(chosen.path, args, { cwd: neutral }),
  );
  const execution = await vscode.tasks.executeTask(task);
  const ended = vscode.tasks.onDidEndTaskProcess(async (event) => {
    if (event.execution !== execution) return;
    ended.dispose();
    if (event.exitCode === 0) await vscode.commands.executeCommand("runforge.restart");
    else
      void showError(
        `pip has ended with ${event.exitCode}; the terminal shows why. The setting runforge.installArguments may name the folders of a clone of RunForge instead.`,
      );
  });
}

async function chooseInterpreter(able: readonly Inspected[]): Promise<Inspected | undefined> {
  if (able.length === 0)
    throw new Refusal(
      "No Python 3.11 or later was found. Install one, or name it in the setting runforge.pythonPath.",
    );
  const items = able.map((one) => ({
    label: one.path,
    description: `Python ${one.python}, ${originText(one.origin)}`,
    detail: whyNot(one) ?? "",
    one,
  }));
  if (items.length === 1) return items[0]?.one;
  const chosen = await askChoice(items, {
    title: "RunForge: Install for which Python?",
  });
  return chosen?.one;
}

/** Copy the penguins into the workspace; a file that is there is left as it is. */
async function createExample(app: App): Promise<void> {
  const { folder } = app;
  if (!folder) throw new Refusal("Open a folder first; the dataset is written into it.");
  const source = vscode.Uri.joinPath(app.context.extensionUri, "media", "penguins.csv");
  const target = vscode.Uri.joinPath(folder.uri, "penguins.csv");
  try {
    await vscode.workspace.fs.copy(source, target, { overwrite: false });
  } catch (error) {
    if (!(error instanceof vscode.FileSystemError) || error.code !== "FileExists") throw error;
  }
  await vscode.window.showTextDocument(target, { preview: true });
}

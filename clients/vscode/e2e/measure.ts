/**
 * Measure the extension: `make bench-vscode`, on a quiet machine.
 *
 * Each figure stands beside the start of a bare Python of the same moment, so that the ratios can
 * be compared between machines. The middle of several rounds is printed, with the least and the
 * greatest.
 */

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { CodeServer, PYTHON, ROOT } from "./support/code-server.ts";
import type { Window } from "./support/window.ts";
import { manyRuns, train } from "./support/workspaces.ts";

const ROUNDS = Number(process.argv[2] ?? 7);
const run = promisify(execFile);

/** What was measured, and the most that is allowed, in milliseconds. */
const BARS = {
  "activation, as the editor shows it": 100,
  "10,000 runs, from another order to the list": 500,
  "warm training on iris, from the last choice to the page": 1000,
};
const NAMES = Object.keys(BARS) as (keyof typeof BARS)[];

interface Figure {
  readonly milliseconds: number;
  readonly bare: number;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** Return a figure beside the start of a bare Python right after it. */
async function beside(milliseconds: number): Promise<Figure> {
  return { milliseconds, bare: await timed(() => run(PYTHON, ["-I", "-c", "pass"])) };
}

/** Return how long the extension took to activate in a window, by the editor's own clock. */
async function activation(window: Window): Promise<number> {
  await window.run("Developer: Show Running Extensions");
  const row = window.page
    .locator(".runtime-extensions-editor .monaco-list-row")
    .filter({ hasText: "RunForge" })
    .first();
  await row.waitFor();
  const text = (await row.textContent()) ?? "";
  const found = /(\d+)\s*ms/.exec(text);
  if (!found) throw new Error(`The editor shows no activation time: ${text}`);
  await window.closeEditors();
  return Number(found[1]);
}

/** Train on iris as before; the label and the features are remembered. */
async function training(window: Window): Promise<number> {
  await window.closeEditors();
  await window.run("RunForge: Train (Standard)");
  await window.choose("iris.csv");
  const last = window.option("Label label");
  await last.waitFor();
  return timed(async () => {
    await last.click();
    await window.webview.locator("h1").first().waitFor();
  });
}

/** Sort the list by something else. */
async function sorting(window: Window, order: string, first: RegExp): Promise<number> {
  await window.run("RunForge: Sort Runs");
  const option = window.option(order);
  await option.waitFor();
  const row = window.page.locator(".sidebar .monaco-list-row").first().filter({ hasText: first });
  return timed(async () => {
    await option.click();
    await row.waitFor();
  });
}

function middle(values: number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1]!;
}

function line(name: keyof typeof BARS, figures: Figure[]): string {
  const all = figures.map(({ milliseconds }) => Math.round(milliseconds));
  const ratio = middle(figures.map(({ milliseconds, bare }) => milliseconds / bare));
  const bare = Math.round(middle(figures.map(({ bare }) => bare)));
  const range = `${Math.min(...all)} to ${Math.max(...all)}`;
  return `${name}: ${middle(all)} ms (${range}; at most ${BARS[name]}), ${ratio.toFixed(1)} times a bare Python (${bare} ms)`;
}

const code = await CodeServer.start();
try {
  const iris = await code.workspace("iris");
  const write =
    "import sys; sys.path.insert(0, sys.argv[1]); from tables import write_iris; import pathlib; write_iris(pathlib.Path(sys.argv[2]))";
  await run(PYTHON, ["-c", write, path.join(ROOT, "benchmarks"), path.join(iris, "iris.csv")]);
  const many = await code.workspace("many", ["examples/penguins.csv"]);
  await manyRuns(many, 10_000);
  await train(many, "--name", "newest");
  const found: Figure[][] = [[], [], []];

  for (let round = 0; round < ROUNDS; round++) {
    // So high that the list of all extensions has no row outside.
    const window = await code.open(iris, { height: 4000 });
    await window.run("RunForge: Open Runs");
    // By then it is active.
    await window.page.locator(".sidebar").getByText("There are no runs here yet").waitFor();
    found[0]!.push(await beside(await activation(window)));
    await window.close();
  }
  const list = await code.open(many);
  await list.run("RunForge: Open Runs");
  await list.row("newest").waitFor();
  for (let round = 0; round <= ROUNDS; round++) {
    const best = await sorting(list, "accuracy", /accuracy (1\.0000|0\.99)/);
    // The first time, the server finds out the values.
    if (round > 0) found[1]!.push(await beside(best));
    await sorting(list, "Newest first", /newest/);
  }
  await list.close();
  const window = await code.open(iris);
  await window.run("RunForge: Train (Standard)");
  await window.choose("iris.csv");
  await window.choose("label");
  await window.accept();
  await window.webview.locator("h1").first().waitFor();
  for (let round = 0; round < ROUNDS; round++) found[2]!.push(await beside(await training(window)));
  for (const [at, name] of NAMES.entries()) console.log(line(name, found[at]!));
} finally {
  await code.stop();
}

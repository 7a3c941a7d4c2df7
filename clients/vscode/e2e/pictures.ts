/** Renew the pictures of the extension's README: `make pictures-vscode`. */

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { CodeServer, ROOT } from "./support/code-server.ts";
import { train } from "./support/workspaces.ts";

const IMAGES = path.join(ROOT, "clients/vscode/images");
const WINDOW = { width: 1000, height: 625, colorScheme: "dark" as const };

await mkdir(IMAGES, { recursive: true });
const code = await CodeServer.start({ settings: { "workbench.colorTheme": "Dark 2026" } });
try {
  const workspace = await code.workspace("penguins", ["examples/penguins.csv"]);
  const names = [
    ["forest", "--model", "random_forest"],
    ["C=0.01", "--param", "C=0.01"],
    ["C=1", "--param", "C=1"],
  ];
  for (const [name = "", ...options] of names) await train(workspace, "--name", name, ...options);
  const window = await code.open(workspace, WINDOW);
  const shoot = (name: string) =>
    window.page.screenshot({ path: path.join(IMAGES, `${name}.png`), animations: "disabled" });
  await window.run("RunForge: Open Runs");
  const matrix = window.webview.getByText("Confusion matrix").first();
  await window.click(window.row("C=0.01"), matrix);
  await window.webview.getByText("Calibration").first().waitFor();
  await window.webview.getByRole("link", { name: "Metrics", exact: true }).click();
  await shoot("run");
  await window.closeEditors();
  await window.run("RunForge: Compare");
  await window.accept({ all: true });
  await window.webview.getByText("Metrics compared").first().waitFor();
  await window.webview.getByRole("link", { name: "Metrics compared" }).click();
  await shoot("compare");
} finally {
  await code.stop();
}

// The page of a sweep.
import type { App } from "../app.ts";
import { act } from "./run-pages.ts";

/** Show the report on a sweep. */
export async function openSweep(app: App, group: string): Promise<void> {
  const { html, runs } = await app.session().request("report", { group });
  const actions = runs.slice(0, 3).map((run, at) => ({
    label: `Open ${at === 0 ? "the best run" : run}`,
    message: { action: "openRun", run },
  }));
  void app.panels.showReport(`sweep:${group}`, `Sweep ${group}`, html, actions, act);
}

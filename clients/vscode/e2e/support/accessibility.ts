/** What axe finds wrong with a page: contrast, names, roles, order of headings. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Window } from "./window.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** The rules that the page in front violates, each with the elements that do. */
export async function violations(window: Window): Promise<string[]> {
  let found: string[] | undefined;
  // A page of a run is replaced once its curves are there, also while it is looked at.
  await window.until(async () => {
    found = await violationsNow(window).catch((error: Error) => {
      if (/detached|context was destroyed/i.test(error.message)) return undefined;
      throw error;
    });
    return found !== undefined;
  });
  return found!;
}

async function violationsNow(window: Window): Promise<string[]> {
  const body = window.webview.locator("body");
  // By the protocol of the browser, which the content security policy of the page does not concern.
  const source = await readFile(AXE, "utf8");
  return body.evaluate(async (element, script) => {
    const view = element.ownerDocument.defaultView as unknown as {
      eval(text: string): void;
      axe: typeof import("axe-core");
    };
    if (!view.axe) view.eval(script);
    const { violations } = await view.axe.run(element.ownerDocument);
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`,
    );
  }, source);
}

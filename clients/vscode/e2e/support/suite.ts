/** A suite of tests in one VS Code: each test has windows and workspaces of its own. */

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, afterEach, before } from "node:test";
import { CodeServer, type Options } from "./code-server.ts";

/** Where a test that fails leaves a picture of each window, and the log of the extension. */
const FAILURES = path.resolve(import.meta.dirname, "../failures");

/**
 * Start VS Code before the tests of a suite and end it after them. Windows are closed after each
 * test, unless the tests share them.
 */
export function inVsCode(options: Options = {}, { share = false } = {}): { server: CodeServer } {
  const suite = {} as { server: CodeServer };
  let tried = false;
  before(async () => {
    suite.server = await CodeServer.start(options);
  });
  afterEach(async (context) => {
    tried = true;
    if ("passed" in context && !context.passed) await keep(suite.server, context.name);
    if (!share) for (const window of [...suite.server.windows]) await window.close();
  });
  after(async () => {
    // What is done before the tests may fail, too.
    if (!tried && suite.server?.windows.length) await keep(suite.server, "before the tests");
    await suite.server?.stop();
  });
  return suite;
}

/** Keep what can be seen of a failure. */
async function keep(server: CodeServer, name: string): Promise<void> {
  const base = path.join(FAILURES, name.replace(/[^\w.-]+/g, "-").slice(0, 80));
  for (const [at, window] of server.windows.entries()) await window.shoot(`${base}-${at + 1}.png`);
  await writeFile(`${base}.log`, await server.log());
  console.log(`What was shown, and the log of the extension: ${base}-*.png, ${base}.log`);
}

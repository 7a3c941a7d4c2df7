/** A suite of tests in one VS Code: each test has windows and workspaces of its own. */

import { after, afterEach, before } from "node:test";
import { CodeServer, type Options } from "./code-server.ts";

/**
 * Start VS Code before the tests of a suite and end it after them. Windows are closed after each
 * test, unless the tests share them.
 */
export function inVsCode(options: Options = {}, { share = false } = {}): { server: CodeServer } {
  const suite = {} as { server: CodeServer };
  before(async () => {
    suite.server = await CodeServer.start(options);
  });
  afterEach(async (context) => {
    for (const window of [...suite.server.windows]) {
      if ("passed" in context && !context.passed) await window.picture(`failed ${context.name}`);
      if (!share) await window.close();
    }
  });
  after(() => suite.server?.stop());
  return suite;
}

/** One window of VS Code, driven as a user does: palette, quick picks, lists, notifications, pages. */

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { errors, type FrameLocator, type Locator, type Page } from "playwright-core";
import type { CodeServer } from "./code-server.ts";

/** How long something may take before a test fails, in milliseconds: much longer than it takes. */
export const TIMEOUT = 120_000;
/** How long a click may take to show, before it is made again. */
const AGAIN = 5_000;

export class Window {
  readonly page: Page;
  readonly workspace: string;
  readonly server: CodeServer;
  /** The quick pick or input box at the top. */
  readonly quick: Locator;
  readonly input: Locator;
  /** What the content security policies of pages have kept them from. */
  readonly refused: string[] = [];

  constructor(page: Page, workspace: string, server: CodeServer) {
    this.page = page;
    this.workspace = workspace;
    this.server = server;
    this.quick = page.locator(".quick-input-widget");
    this.input = this.quick.locator(".quick-input-box input");
    page.on("console", (message) => {
      if (/Content.Security.Policy/i.test(message.text())) this.refused.push(message.text());
    });
  }

  /** Run a command by its title, from the palette. */
  async run(title: string): Promise<void> {
    const command = this.option(title);
    const found = async () => {
      try {
        await this.input.fill(`>${title}`, { timeout: 2000 });
        await command.waitFor({ timeout: 2000 });
        return true;
      } catch (error) {
        if (error instanceof errors.TimeoutError && Date.now() < end) return false;
        throw error;
      }
    };
    const end = Date.now() + TIMEOUT;
    do {
      // A view that takes the focus closes the palette, and an open palette does not learn of an
      // extension that has been loaded meanwhile.
      await this.page.keyboard.press("Escape");
      await this.page.keyboard.press("F1");
    } while (!(await found()));
    await command.click();
  }

  /** A row of the quick pick, by its label. */
  option(label: string | RegExp): Locator {
    const row = this.quick.locator(".quick-input-list .monaco-list-row");
    return typeof label === "string"
      ? row.filter({ has: this.page.locator(".label-name", { hasText: exactly(label) }) }).first()
      : row.filter({ hasText: label }).first();
  }

  /** Choose a row of the quick pick. */
  async choose(label: string | RegExp): Promise<void> {
    await this.option(label).click();
  }

  /** Fill in the input box that has this in its title, and accept it. */
  async fill(title: string, text: string): Promise<void> {
    // The box before it may still be open.
    await this.quick.locator(".quick-input-title").getByText(title).waitFor();
    await this.input.fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** Choose a file in the dialog that asks for one. */
  async chooseFile(file: string): Promise<void> {
    // The dialog shows the folder that it begins with before it takes another one.
    await this.option("..").waitFor();
    await this.input.fill(`${path.dirname(file)}/`);
    await this.option(path.basename(file)).click();
  }

  /** Name the file to save in the dialog that asks where. */
  async saveAs(name: string): Promise<void> {
    await this.option("..").waitFor();
    await this.input.fill(path.join(this.workspace, name));
    await this.quick.getByRole("button", { name: "OK" }).click();
  }

  /**
   * Press a lens above a document, until what it brings is so.
   *
   * The editor asks for the lenses again while a window is still opening, and for that moment a
   * lens that is seen does nothing; a user presses it once more.
   */
  async pressLens(title: string, brings: () => Promise<boolean>): Promise<void> {
    const lens = this.page.locator(".codelens-decoration").getByText(title, { exact: true });
    await this.until(async () => {
      await lens.click();
      const end = Date.now() + AGAIN;
      while (Date.now() < end) {
        if (await brings()) return true;
        await setTimeout(100);
      }
      return false;
    });
  }

  /** Wait until something outside of the window is so. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + TIMEOUT;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`Not so after ${TIMEOUT} ms: ${holds}`);
      await setTimeout(100);
    }
  }

  /** Choose all rows of a quick pick that takes several, or press `OK` as they are. */
  async accept({ all = false } = {}): Promise<void> {
    if (all) await this.quick.getByRole("checkbox").first().click();
    await this.quick.getByRole("button", { name: "OK" }).click();
  }

  /** A notification with this text. */
  notification(text: string | RegExp): Locator {
    return this.page.locator(".notification-toast").filter({ hasText: text }).first();
  }

  /** Press a button of a notification with this text. */
  async press(text: string | RegExp, button: string): Promise<void> {
    await this.notification(text).getByRole("button", { name: button, exact: true }).click();
  }

  /** A tab of the editors, by its title. */
  tab(title: string | RegExp): Locator {
    return this.page.locator(".editor-group-container .tab").filter({ hasText: title }).first();
  }

  /** What the webview that is in front shows. */
  get webview(): FrameLocator {
    return this.page
      .locator("iframe.webview")
      .filter({ visible: true })
      .last()
      .contentFrame()
      .locator("#active-frame")
      .contentFrame();
  }

  /** A row of a view in the side bar. */
  row(text: string | RegExp): Locator {
    return this.page.locator(".sidebar .monaco-list-row").filter({ hasText: text }).first();
  }

  /** Close all editors and whatever is open before them. */
  async closeEditors(): Promise<void> {
    await this.page.keyboard.press("Escape");
    await this.page.locator(".sidebar .title").first().click();
    await this.page.keyboard.press("Control+k");
    await this.page.keyboard.press("Control+w");
    await this.page.locator(".editor-group-container .tab").first().waitFor({ state: "detached" });
  }

  /** Open a file of the workspace in an editor. */
  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press("Control+p");
    await this.input.fill(path.join(this.workspace, name));
    await this.quick
      .locator(".monaco-list-row")
      .filter({ hasText: path.basename(name) })
      .first()
      .click();
    await this.tab(path.basename(name)).waitFor();
  }

  /** Take a picture, where `RUNFORGE_TEST_PICTURES` names a folder for them. */
  async picture(name: string): Promise<void> {
    const folder = process.env["RUNFORGE_TEST_PICTURES"];
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: path.join(folder, `${name}.png`) });
  }

  async close(): Promise<void> {
    this.server.windows.splice(this.server.windows.indexOf(this), 1);
    await this.page.context().close();
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);
}

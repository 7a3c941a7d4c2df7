/** One window of VS Code, driven as a user does: palette, quick picks, lists, notifications, pages. */

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { errors, type FrameLocator, type Locator, type Page } from "playwright-core";
import type { CodeServer } from "./code-server.ts";

/** How long something may take before a test fails, in milliseconds: machines may be busy. */
export const TIMEOUT = 120_000;
/** How long what was done may show nothing before it is done again, in milliseconds. */
const AGAIN = 5_000;
/** The same for what costs nothing to do again; it is twice as long each time. */
const SOON = 500;

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

  /**
   * Do something, again and again, until what it should bring is there: the editor misses clicks on
   * what it draws anew at that moment. Only for what may be done twice.
   */
  async bring(
    act: () => Promise<unknown>,
    there: Locator | (() => Promise<boolean>),
    first = AGAIN,
  ): Promise<void> {
    const end = Date.now() + TIMEOUT;
    for (let patience = first; ; patience = Math.min(2 * patience, AGAIN)) {
      const error = await act().catch(unlessOther);
      if (await this.#soon(there, patience)) return;
      if (Date.now() > end) throw error ?? new Error(`Not there after ${TIMEOUT} ms: ${there}`);
    }
  }

  async #soon(there: Locator | (() => Promise<boolean>), patience = AGAIN): Promise<boolean> {
    if (typeof there !== "function")
      return !(await there.waitFor({ timeout: patience }).catch(unlessOther));
    const end = Date.now() + patience;
    while (!(await there())) {
      if (Date.now() > end) return false;
      await setTimeout(100);
    }
    return true;
  }

  /** Click on something until what it brings is there: what may be clicked twice. */
  async click(target: Locator, there: Locator): Promise<void> {
    await target.waitFor();
    await this.bring(() => target.click({ timeout: AGAIN }), there);
  }

  /** Click on something that goes away by that, such as the row of a quick pick. */
  async clickAway(target: Locator): Promise<void> {
    await target.waitFor();
    // The next list may have such a row, too, and has another title.
    const seen = async () => [
      await target.isVisible(),
      await this.quick.locator(".quick-input-title").allTextContents(),
      await target.allTextContents(),
    ];
    const before = JSON.stringify(await seen());
    const gone = async () => JSON.stringify(await seen()) !== before;
    // Where it is gone already, the click before was taken.
    const click = async () => (await gone()) || target.click({ timeout: AGAIN });
    await this.bring(click, gone);
  }

  /** Run a command by its title, from the palette. */
  async run(title: string): Promise<void> {
    const command = this.option(title);
    await this.bring(
      async () => {
        // An open palette does not learn of an extension that has been loaded meanwhile.
        await this.page.keyboard.press("Escape");
        await this.page.keyboard.press("F1");
        await this.input.fill(`>${title}`, { timeout: AGAIN });
      },
      command,
      SOON,
    );
    await this.clickAway(command);
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
    await this.clickAway(this.option(label));
  }

  /** Fill in the input box that has this in its title, and accept it. */
  async fill(title: string, text: string): Promise<void> {
    // The box before it may still be open.
    const box = this.quick.locator(".quick-input-title").getByText(title);
    await box.waitFor();
    const gone = async () => !(await box.isVisible());
    await this.bring(async () => {
      if (await gone()) return;
      await this.input.fill(text, { timeout: AGAIN });
      await this.page.keyboard.press("Enter");
    }, gone);
  }

  /** Choose a file in the dialog that asks for one. */
  async chooseFile(file: string): Promise<void> {
    // The dialog shows the folder that it begins with before it takes another one.
    await this.option("..").waitFor();
    await this.input.fill(`${path.dirname(file)}/`);
    await this.clickAway(this.option(path.basename(file)));
  }

  /** Name the file to save in the dialog that asks where. */
  async saveAs(name: string): Promise<void> {
    await this.option("..").waitFor();
    await this.input.fill(path.join(this.workspace, name));
    await this.clickAway(this.quick.getByRole("button", { name: "OK" }));
  }

  /** Wait until something outside of the window is so. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    await this.bring(async () => {}, holds);
  }

  /** Choose all rows of a quick pick that takes several, or press `OK` as they are. */
  async accept({ all = false } = {}): Promise<void> {
    if (all) await this.tick(this.quick);
    await this.clickAway(this.quick.getByRole("button", { name: "OK" }));
  }

  /** Tick or untick the first box in an element, such as a row of a quick pick. */
  async tick(element: Locator, ticked = true): Promise<void> {
    const box = element.getByRole("checkbox").first();
    const isSo = async () => (await box.getAttribute("aria-checked")) === String(ticked);
    await this.bring(async () => (await isSo()) || box.click({ timeout: AGAIN }), isSo);
  }

  /** A notification with this text, at the corner of the window or in the list of them. */
  notification(text: string | RegExp): Locator {
    const places = ".notification-toast, .notifications-center .notification-list-item";
    return this.page.locator(places).filter({ hasText: text }).first();
  }

  /**
   * Wait for a notification. The corner shows it for seconds only, and none at all at a bad moment;
   * then the bell of the status bar lists it.
   */
  async notified(text: string | RegExp): Promise<void> {
    const notification = this.notification(text);
    const bell = this.page.locator("#status\\.notifications a").first();
    if (await this.#soon(notification)) return;
    await this.bring(() => bell.click({ timeout: AGAIN }), notification);
  }

  /** Press a button of a notification with this text. */
  async press(text: string | RegExp, button: string): Promise<void> {
    const notification = this.notification(text);
    await this.clickAway(notification.getByRole("button", { name: button, exact: true }));
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

  /** Choose from the menu of a row in the side bar. */
  async menu(row: string | RegExp, title: string): Promise<void> {
    const item = this.page.locator(".monaco-menu").getByText(title, { exact: true });
    await this.bring(() => this.row(row).click({ button: "right", timeout: AGAIN }), item);
    await this.clickAway(item);
  }

  /** Close all editors and whatever is open before them. */
  async closeEditors(): Promise<void> {
    const tab = this.page.locator(".editor-group-container .tab").first();
    await this.bring(
      async () => {
        await this.page.keyboard.press("Escape");
        await this.page.locator(".sidebar .title").first().click({ timeout: AGAIN });
        await this.page.keyboard.press("Control+k");
        await this.page.keyboard.press("Control+w");
      },
      async () => !(await tab.isVisible()),
    );
  }

  /** Open a file of the workspace in an editor. */
  async openFile(name: string): Promise<void> {
    const row = this.quick.locator(".monaco-list-row").filter({ hasText: path.basename(name) });
    await this.bring(
      async () => {
        await this.page.keyboard.press("Escape");
        await this.page.keyboard.press("Control+p");
        await this.input.fill(path.join(this.workspace, name), { timeout: AGAIN });
      },
      row.first(),
      SOON,
    );
    await this.clickAway(row.first());
    await this.tab(path.basename(name)).waitFor();
  }

  /**
   * Click on a code lens, until the log of the extension has what it does then: a lens that trains
   * is not clicked twice.
   */
  async clickLens(title: string, logged: string): Promise<void> {
    const lens = this.page.locator(".codelens-decoration").getByText(title, { exact: true });
    const isLogged = async () => (await this.server.log()).includes(logged);
    await this.bring(() => lens.click({ timeout: AGAIN }), isLogged);
  }

  /** Take a picture, where `RUNFORGE_TEST_PICTURES` names a folder for them. */
  async picture(name: string): Promise<void> {
    const folder = process.env["RUNFORGE_TEST_PICTURES"];
    if (folder) await this.shoot(path.join(folder, `${name}.png`));
  }

  /** Take a picture into a file. */
  async shoot(file: string): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true });
    await this.page.screenshot({ path: file });
  }

  async close(): Promise<void> {
    this.server.windows.splice(this.server.windows.indexOf(this), 1);
    await this.page.context().close();
  }
}

/** Return a timeout, after which what was tried is tried again; throw any other error. */
function unlessOther(error: unknown): Error {
  if (error instanceof errors.TimeoutError) return error;
  throw error;
}

function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);
}

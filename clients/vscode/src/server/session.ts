// The server of this window: started when it is needed, watched, started again when it dies.
import type { InitializeResult, ServeMethods, ServeNotifications } from "@runforge/client";
import type {
  RequestOptions,
  ServeConnection,
  ServeMethod,
  ServeNotification,
} from "@runforge/client/serve";
import {
  type Inspected,
  type Interpreter,
  inspectInterpreter,
  safeEnvironment,
  whyNot,
} from "./interpreters.ts";

/**
 * What became of the server: `off` before the first request, and where nothing may be started;
 * `missing` where no Python has RunForge; `stopped` after it has died too often.
 */
export type SessionState = "off" | "starting" | "ready" | "missing" | "waiting" | "stopped";

export interface SessionOptions {
  readonly folder: string;
  readonly version: string;
  /** A folder that is no workspace, in which processes are started. */
  readonly neutralFolder: string;
  /** The interpreters to look at, in this order. */
  readonly interpreters: () => Promise<readonly Interpreter[]>;
  readonly log: (text: string) => void;
  /** Notes in the log which Python is used, and why others are not. */
  readonly note: (text: string) => void;
  /** Says something to the user that needs no answer. */
  readonly show: (text: string) => void;
  /** Milliseconds before the first restart; each further one waits twice as long. */
  readonly backoff?: number;
}

/** No Python with RunForge was found. */
export class MissingError extends Error {
  override readonly name = "MissingError";

  constructor() {
    super("No Python with RunForge was found.");
  }
}

/** The window is closing: nothing is started any more. */
class ClosingError extends Error {
  override readonly name = "ServeClosedError";
}

/** How often the server is started again before the user is asked. */
const MOST_RESTARTS = 5;
/** A server that has run that long, in milliseconds, did not die of its start. */
const SETTLED = 60_000;

type Listener = (params: never) => void;

export class Session {
  readonly #options: SessionOptions;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #stateListeners = new Set<(state: SessionState) => void>();
  #state: SessionState = "off";
  #connection: Promise<ServeConnection> | undefined;
  #server: InitializeResult | undefined;
  #interpreter: Inspected | undefined;
  #restarts = 0;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** What the server is and can do; undefined until it is ready. */
  get server(): InitializeResult | undefined {
    return this.#server;
  }

  /** The Python that the server runs in. */
  get interpreter(): Inspected | undefined {
    return this.#interpreter;
  }

  onState(listener: (state: SessionState) => void): void {
    this.#stateListeners.add(listener);
  }

  on<Name extends ServeNotification>(
    name: Name,
    listener: (params: ServeNotifications[Name]["params"]) => void,
  ): void {
    const listeners = this.#listeners.get(name) ?? new Set<Listener>();
    this.#listeners.set(name, listeners.add(listener as Listener));
  }

  /**
   * Call a method, after starting the server if it is not there.
   *
   * @throws {MissingError} If no Python has RunForge.
   * @throws {ServeError} If the server answers with an error.
   * @throws {ServeClosedError} If the server ends before it has answered.
   */
  async request<Method extends ServeMethod>(
    method: Method,
    params: ServeMethods[Method]["params"],
    options: RequestOptions = {},
  ): Promise<ServeMethods[Method]["result"]> {
    const connection = await this.start();
    return connection.request(method, params, options);
  }

  /** Start the server, or return the one that is there. */
  start(): Promise<ServeConnection> {
    if (this.#disposed) throw new ClosingError("The window is closing.");
    clearTimeout(this.#timer);
    this.#connection ??= this.#spawn().catch((error) => {
      this.#connection = undefined;
      this.#become(error instanceof MissingError ? "missing" : "stopped");
      throw error;
    });
    return this.#connection;
  }

  /** End the server and start another one. */
  async restart(): Promise<ServeConnection> {
    this.#restarts = 0;
    await this.#end();
    return this.start();
  }

  /** End the server; what it trains is recorded as cancelled. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#timer);
    await this.#end();
  }

  async #end(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#server = undefined;
    this.#become("off");
    await (await connection?.catch(() => undefined))?.dispose();
  }

  async #spawn(): Promise<ServeConnection> {
    this.#become("starting");
    const { folder, version, log, note } = this.#options;
    this.#interpreter = await this.#choose();
    note(`Starting RunForge ${this.#interpreter.runforge} with ${this.#interpreter.path}`);
    const { ServeConnection } = await import("./connection.ts");
    const connection = await ServeConnection.spawn({
      command: [this.#interpreter.path, "-P", "-m", "runforge_cli"],
      cwd: this.#options.neutralFolder,
      env: safeEnvironment(process.env),
      initialize: { workspace: folder, client: { name: "runforge-vscode", version } },
      onLog: log,
    });
    this.#server = connection.server;
    for (const [name, listeners] of this.#listeners)
      connection.on(name as ServeNotification, (params) => {
        for (const listener of listeners) listener(params as never);
      });
    const began = Date.now();
    void connection.ended.then(() => this.#lost(connection, began));
    try {
      await connection.request("watch", {});
    } catch (error) {
      // Nobody else would end it.
      await connection.dispose();
      throw error;
    }
    this.#become("ready");
    return connection;
  }

  /** Return the first interpreter that has RunForge. */
  async #choose(): Promise<Inspected> {
    for (const one of await this.#options.interpreters()) {
      const inspected = await inspectInterpreter(one, this.#options.neutralFolder);
      const reason = whyNot(inspected);
      if (reason === undefined) return inspected;
      this.#options.note(`Not used: ${one.path}. ${reason}`);
    }
    throw new MissingError();
  }

  /** The server has ended: say so and start another one, unless that was asked for. */
  async #lost(connection: ServeConnection, began: number): Promise<void> {
    if (this.#disposed || (await this.#connection?.catch(() => undefined)) !== connection) return;
    this.#connection = undefined;
    this.#server = undefined;
    if (Date.now() - began > SETTLED) this.#restarts = 0;
    this.#restarts += 1;
    if (this.#restarts > MOST_RESTARTS) {
      this.#become("stopped");
      this.#options.show("The RunForge server has ended several times and is not started again.");
      return;
    }
    this.#become("waiting");
    this.#options.show(
      "The RunForge server has ended unexpectedly and is started again. What it was training is recorded as interrupted or cancelled.",
    );
    const wait = (this.#options.backoff ?? 500) * 2 ** (this.#restarts - 1);
    this.#timer = setTimeout(() => void this.start().catch(() => {}), wait);
  }

  #become(state: SessionState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }
}

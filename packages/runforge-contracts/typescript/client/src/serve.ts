/**
 * Talk to `runforge serve --stdio`: typed requests with progress and cancellation, and typed
 * notifications. For Node.js; the methods are in `docs/reference/serve.md` of RunForge.
 *
 * @module
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type {
  ErrorBody,
  InitializeParams,
  InitializeResult,
  ProgressParams,
  ServeMethods,
  ServeNotifications,
  WarningParams,
} from "@runforge/contracts";
import {
  CancellationTokenSource,
  createMessageConnection,
  type Message,
  type MessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";

/** Name of a method. */
export type ServeMethod = keyof ServeMethods;
/** Name of a notification that the server sends. */
export type ServeNotification = Exclude<keyof ServeNotifications, "exit" | "$/cancelRequest">;

/** An error that the server has answered with. */
export class ServeError extends Error {
  override readonly name = "ServeError";
  /** The stable code of RunForge, such as `LABEL_NOT_FOUND`. */
  readonly code: string;
  /** What went wrong, where, and how to fix it. */
  readonly error: ErrorBody;
  /** The number of the error in JSON-RPC. */
  readonly number: number;

  constructor(number: number, error: ErrorBody) {
    super(error.message);
    this.code = error.code;
    this.error = error;
    this.number = number;
  }
}

/** The server has ended or could not be started; what was not answered will not be. */
export class ServeClosedError extends Error {
  override readonly name = "ServeClosedError";
}

export interface ServeOptions {
  /** The program with its arguments before `serve`, by default `["runforge"]`. */
  readonly command?: readonly string[];
  /** The current folder of the server. */
  readonly cwd?: string;
  /** The environment of the server, by default that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The parameters of `initialize`, such as the workspace. */
  readonly initialize?: InitializeParams;
  /** Receives what the server writes to standard error; then it writes a log there. */
  readonly onLog?: (text: string) => void;
}

export interface RequestOptions {
  /** Cancels the request; a training is then recorded as cancelled, and has a result. */
  readonly signal?: AbortSignal;
  /** Receives the progress of this request. */
  readonly onProgress?: (progress: ProgressParams) => void;
  /** Receives the warnings about this request. */
  readonly onWarning?: (warning: WarningParams) => void;
}

type Server = ChildProcessByStdio<Writable, Readable, Readable | null>;
type Listener = (params: never) => void;

/** Notes the id that the connection gives to a request, whose messages have it. */
class NotingWriter extends StreamMessageWriter {
  readonly #open = new WeakMap<object, (id: number | string) => void>();

  expect(params: object, note: (id: number | string) => void): void {
    this.#open.set(params, note);
  }

  override write(message: Message): Promise<void> {
    const { id, params } = message as { id?: number | string | null; params?: object };
    if (id !== undefined && id !== null && params) this.#open.get(params)?.(id);
    return super.write(message);
  }
}

/** How long the server may take to end before its process is killed, in milliseconds. */
const PATIENCE = 5000;

/** A server of its own and the connection to it. */
export class ServeConnection {
  #server: InitializeResult | undefined;
  readonly #process: Server;
  readonly #connection: MessageConnection;
  readonly #writer: NotingWriter;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #requests = new Map<number | string, RequestOptions>();
  readonly #ended: Promise<number | null>;
  #reason = "The server has ended.";

  /**
   * Start a server and begin the session.
   *
   * @throws {ServeClosedError} If the program cannot be started, or is no RunForge.
   * @throws {ServeError} If the workspace is not a folder.
   */
  static async spawn(options: ServeOptions = {}): Promise<ServeConnection> {
    const [program = "runforge", ...before] = options.command ?? [];
    const log = options.onLog ? ["--verbose"] : [];
    const child: Server = spawn(program, [...before, "serve", "--stdio", ...log], {
      cwd: options.cwd,
      env: options.env,
      stdio: ["pipe", "pipe", options.onLog ? "pipe" : "ignore"],
      windowsHide: true,
    }) as Server;
    if (options.onLog) child.stderr?.setEncoding("utf8").on("data", options.onLog);
    const starting = new ServeConnection(child);
    try {
      starting.#server = await starting.request("initialize", options.initialize ?? {});
      return starting;
    } catch (error) {
      await starting.dispose();
      throw error;
    }
  }

  private constructor(child: Server) {
    this.#process = child;
    this.#writer = new NotingWriter(child.stdin);
    this.#connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      this.#writer,
      // What the library reports shows in the requests that it concerns.
      { error() {}, warn() {}, info() {}, log() {} },
    );
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => {
        this.#reason = `The server could not be started: ${error.message}.`;
        this.#close();
        resolve(null);
      });
      child.once("exit", (code, signal) => {
        this.#reason = `The server has ended with ${signal ?? `code ${code}`}.`;
        resolve(code);
      });
    });
    this.#connection.onClose(() => this.#close());
    this.#connection.onError(() => {});
    this.#connection.onUnhandledNotification(({ method, params }) => {
      const about = params as { id?: number | string } | undefined;
      const request = about?.id === undefined ? undefined : this.#requests.get(about.id);
      if (method === "progress") request?.onProgress?.(params as never);
      if (method === "warning") request?.onWarning?.(params as never);
      for (const listener of this.#listeners.get(method) ?? []) listener(params as never);
    });
    this.#connection.listen();
  }

  /** What the server is and can do. */
  get server(): InitializeResult {
    return this.#server!;
  }

  /** The process id of the server. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The exit code of the server once it has ended; null if a signal has ended it. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /**
   * Call a method and return its result.
   *
   * @throws {ServeError} If the server answers with an error.
   * @throws {ServeClosedError} If the server ends before it has answered.
   */
  async request<Method extends ServeMethod>(
    method: Method,
    params: ServeMethods[Method]["params"],
    options: RequestOptions = {},
  ): Promise<ServeMethods[Method]["result"]> {
    // A copy, which is this request and no other.
    const own = { ...params };
    const source = new CancellationTokenSource();
    const cancel = () => source.cancel();
    let request: number | string | undefined;
    this.#writer.expect(own, (id) => {
      request = id;
      this.#requests.set(id, options);
    });
    options.signal?.addEventListener("abort", cancel, { once: true });
    if (options.signal?.aborted) cancel();
    try {
      return await this.#connection.sendRequest(method, own, source.token);
    } catch (error) {
      throw await this.#explained(error);
    } finally {
      options.signal?.removeEventListener("abort", cancel);
      if (request !== undefined) this.#requests.delete(request);
      source.dispose();
    }
  }

  /** Call a function on every notification with a name; return a function that ends that. */
  on<Name extends ServeNotification>(
    name: Name,
    listener: (params: ServeNotifications[Name]["params"]) => void,
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Set<Listener>();
    this.#listeners.set(name, listeners.add(listener as Listener));
    return () => void listeners.delete(listener as Listener);
  }

  /** End the session and the server; return its exit code. What it trains is cancelled. */
  async dispose(): Promise<number | null> {
    const killing = setTimeout(() => this.#process.kill("SIGKILL"), PATIENCE);
    try {
      await this.#connection.sendRequest("shutdown", {});
      await this.#connection.sendNotification("exit", {});
    } catch {
      // It has ended already, or ends when the stream does.
    }
    this.#process.stdin.end();
    const code = await this.#ended;
    clearTimeout(killing);
    this.#close();
    return code;
  }

  #close(): void {
    try {
      this.#connection.dispose(); // rejects what was not answered
    } catch {
      // It was disposed before.
    }
  }

  async #explained(error: unknown): Promise<Error> {
    if (error instanceof ResponseError) {
      const body = (error.data as { error?: ErrorBody } | undefined)?.error;
      if (body) return new ServeError(error.code, body);
    }
    // The stream ends a moment before the process.
    const moment = new Promise((resolve) => setTimeout(resolve, 200).unref());
    await Promise.race([this.#ended, moment]);
    return new ServeClosedError(this.#reason, { cause: error });
  }
}

/** An error with a code of the RunForge contract, such as `DOCUMENT_INVALID`. */
export class RunForgeError extends Error {
  override readonly name = "RunForgeError";

  /**
   * @param code Code of the contract; it never changes.
   * @param message One sentence for display.
   * @param pointer JSON Pointer of the value that the error is about, if it is about one.
   */
  constructor(
    readonly code: string,
    message: string,
    readonly pointer?: string,
  ) {
    super(message);
  }
}

// What the page asks of an engine, wherever it is: over a socket (socket.ts), or in the page itself.
import type { Frame } from "./frame";
import type { Board, Command, Document, Done, Refused, State, TableInfo, Welcome } from "./types";

type WithoutId<C> = C extends unknown ? Omit<C, "id"> : never;

/** A command whose number the engine's door gives; sessions are opened by `begin`. */
export type Request = Exclude<WithoutId<Command>, { type: "open" }>;

/** What comes from the engine. */
export type Message = Welcome | State | Board | Done | Refused | Frame;

/** new: not yet connected; lost: it was, and is being tried again; forbidden and taken (by another tab): it is not tried again. */
export type Connection = "new" | "open" | "lost" | "forbidden" | "taken";

/** What is taken away: a file. */
export type What = "python" | "model" | "onnx" | "c" | "numpy" | "predictions" | "session";

export interface TakenFile {
  name: string;
  content: Blob;
}

/** A command, upload or file that was refused, with its code and what its sentence names. */
export class RefusedError extends Error {
  constructor(readonly refused: Refused) {
    super(refused.message);
  }
}

/** What the page itself has to refuse, in the form of the engine's. */
export function refusal(code: string, message: string, values: Refused["values"] = {}): Refused {
  return { type: "refused", answer: null, code, message, values };
}

export interface Engine {
  /** Connects, and takes up the session that was; with a document, or `anew`, another begins. */
  begin(document?: Document, anew?: boolean): void;
  /** Resolves with the answer; rejects with RefusedError. What cannot be sent now waits until the connection is back. */
  send(request: Request): Promise<Message>;
  /** Everything that comes, answers too, in its order. */
  onMessage(listener: (message: Message) => void): void;
  onConnection(listener: (connection: Connection) => void): void;
  upload(file: File): Promise<TableInfo>;
  take(what: What, lang: string): Promise<TakenFile>;
  /** The page's address with a packed document. */
  address(document: string): string;
}

// The engine behind a WebSocket: numbers its commands, hands each answer to whom asked, and comes back when the connection is lost.
import type { Connection, Engine, Message, Request, TakenFile, What } from "./engine";
import { refusal, RefusedError } from "./engine";
import { decoded } from "./frame";
import type { Document, Refused, TableInfo } from "./types";

const SUBPROTOCOL = "reseau.studio.1";
const FIRST_WAIT = 400; // milliseconds before the first try again; twice as many each time, up to
const LONGEST_WAIT = 5000;
const KEY = "reseau.session";

interface Waiting {
  text: string;
  resolve: (message: Message) => void;
  reject: (error: Error) => void;
}

export class SocketEngine implements Engine {
  #socket: WebSocket | null = null;
  #ready = false; // the session is open: Welcome came
  #everOpen = false;
  #over = false; // not to be tried again
  #wait = FIRST_WAIT;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = 1;
  #opening = -1; // the number of the last `open`
  readonly #waiting = new Map<number, Waiting>();
  readonly #messages: ((message: Message) => void)[] = [];
  readonly #connections: ((connection: Connection) => void)[] = [];
  #session: string | null;
  #document: Document | undefined; // the newest, should the session be gone

  /** `store` keeps the session's key for as long as the tab lives. */
  constructor(
    private readonly page: URL,
    private readonly token: string,
    private readonly store: Pick<Storage, "getItem" | "setItem" | "removeItem">,
  ) {
    this.#session = store.getItem(KEY);
  }

  begin(document?: Document, anew = document !== undefined): void {
    if (anew) {
      this.#session = null;
      this.#document = document;
      this.#waiting.clear();
    }
    this.#over = false;
    this.#ready = false;
    this.#connect();
  }

  send(request: Request): Promise<Message> {
    const id = this.#next++;
    const text = JSON.stringify({ id, ...request });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { text, resolve, reject });
      if (this.#ready) this.#socket!.send(text);
    });
  }

  onMessage(listener: (message: Message) => void): void {
    this.#messages.push(listener);
  }

  onConnection(listener: (connection: Connection) => void): void {
    this.#connections.push(listener);
  }

  async upload(file: File): Promise<TableInfo> {
    const response = await this.#fetch(`tables?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
    return (await response.json()) as TableInfo;
  }

  async take(what: What, lang: string): Promise<TakenFile> {
    const response = await this.#fetch(`sessions/${encodeURIComponent(this.#session ?? "")}/${what}?lang=${lang}`, {});
    return { name: fileName(response.headers.get("Content-Disposition")) ?? what, content: await response.blob() };
  }

  address(document: string): string {
    return `${this.page.origin}${this.page.pathname}#token=${this.token}&document=${document}`;
  }

  async #fetch(path: string, options: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.page), {
        ...options,
        headers: { Authorization: `Bearer ${this.token}` },
      });
    } catch {
      throw new RefusedError(refusal("no_connection", "The server does not answer."));
    }
    if (response.ok) return response;
    const refused = (await response.json().catch(() => null)) as Refused | null;
    throw new RefusedError(refused?.code ? refused : refusal("failed", `The server answered ${response.status}.`));
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
    const address = new URL("socket", this.page);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, [SUBPROTOCOL, `token.${this.token}`]);
    socket.binaryType = "arraybuffer";
    let opened = false;
    socket.addEventListener("open", () => {
      opened = true;
      this.#open(this.#session, this.#document);
    });
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#receive(event.data as string | ArrayBuffer);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#lost(event.code, opened);
    });
    this.#socket = socket;
  }

  #open(session: string | null, document: Document | undefined): void {
    this.#opening = this.#next++;
    const command = { id: this.#opening, type: "open", ...(session && { session }), ...(document && { document }) };
    this.#socket!.send(JSON.stringify(command));
  }

  #receive(data: string | ArrayBuffer): void {
    const message = typeof data === "string" ? (JSON.parse(data) as Message) : decoded(data);
    if (message.type === "welcome") {
      this.#session = message.session;
      this.store.setItem(KEY, message.session);
      this.#ready = this.#everOpen = true;
      this.#wait = FIRST_WAIT;
      this.#tell("open");
    }
    if (message.type === "state") this.#document = message.document;
    const answer = message.type === "frame" ? message.header.answer : message.answer;
    if (message.type === "refused" && answer === this.#opening && !this.#ready) {
      // What was asked for cannot be had (a table that is gone, a link of a newer version): say so, and begin afresh.
      if ((this.#document || this.#session) && message.code !== "too_many_sessions") {
        this.#document = undefined;
        this.#session = null;
        this.#open(null, undefined);
      }
      this.#hand({ ...message, answer: null }); // the page has not asked: to it this is something that happened
      return;
    }
    this.#hand(message);
    // A session that has been taken up gets what waited, in its order.
    if (message.type === "welcome") for (const { text } of this.#waiting.values()) this.#socket!.send(text);
    const waiting = answer === null ? undefined : this.#waiting.get(answer);
    if (!waiting) return;
    this.#waiting.delete(answer!);
    if (message.type === "refused") waiting.reject(new RefusedError(message));
    else waiting.resolve(message);
  }

  #hand(message: Message): void {
    for (const listener of this.#messages) listener(message);
  }

  #lost(code: number, opened: boolean): void {
    this.#ready = false;
    if (code === TAKEN) {
      this.#end("taken");
      return;
    }
    if (!opened) void this.#ask();
    this.#tell(this.#everOpen ? "lost" : "new");
    this.#timer = setTimeout(() => !this.#over && this.#connect(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
  }

  /** A socket that was never opened does not say why: a server that answers all the same has not liked the token. */
  async #ask(): Promise<void> {
    const response = await fetch(this.page, { cache: "no-store" }).catch(() => null);
    if (response?.ok && !this.#ready) this.#end("forbidden");
  }

  #end(why: Connection): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#tell(why);
  }

  #tell(connection: Connection): void {
    for (const listener of this.#connections) listener(connection);
  }
}

const TAKEN = 4001; // another tab has taken the session

/** The name that a server gives to a file. */
export function fileName(disposition: string | null): string | null {
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? "");
  if (extended) return decodeURIComponent(extended[1]!);
  return /filename="?([^";]+)"?/i.exec(disposition ?? "")?.[1] ?? null;
}

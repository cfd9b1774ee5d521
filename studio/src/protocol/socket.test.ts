import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Connection, Message } from "./engine";
import { RefusedError } from "./engine";
import { fileName, SocketEngine } from "./socket";
import type { Document } from "./types";

/** A socket of which the test plays the server's part. */
class FakeSocket extends EventTarget {
  static all: FakeSocket[] = [];
  sent: { id: number; type: string; [key: string]: unknown }[] = [];
  binaryType = "blob";
  constructor(
    readonly address: URL,
    readonly protocols: string[],
  ) {
    super();
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {}
  opened(): void {
    this.dispatchEvent(new Event("open"));
  }
  says(message: object): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }
  lost(code = 1006): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
  welcomes(session = "key"): void {
    this.opened();
    this.says({ type: "welcome", answer: this.sent[0]!.id, session });
  }
}

let store: Map<string, string>;
const kept = {
  getItem: (key: string) => store.get(key) ?? null,
  setItem: (key: string, value: string) => void store.set(key, value),
  removeItem: () => {},
};
let connections: Connection[];

function begun(): { engine: SocketEngine; socket: () => FakeSocket } {
  const engine = new SocketEngine(new URL("http://127.0.0.1:7481/"), "secret", kept);
  connections = [];
  engine.onConnection((connection) => connections.push(connection));
  engine.begin();
  return { engine, socket: () => FakeSocket.all.at(-1)! };
}

beforeEach(() => {
  FakeSocket.all = [];
  store = new Map();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", async () => new Response("", { status: 200 }));
  vi.useFakeTimers();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a connection", () => {
  it("shows its token as a subprotocol, never in its address", () => {
    const { socket } = begun();
    expect(socket().protocols).toEqual(["reseau.studio.1", "token.secret"]);
    expect(String(socket().address)).toBe("ws://127.0.0.1:7481/socket");
  });
  it("opens a session first, and sends what was asked before only then", () => {
    const { engine, socket } = begun();
    void engine.send({ type: "run", what: "play" });
    socket().opened();
    expect(socket().sent.map((one) => one.type)).toEqual(["open"]);
    socket().says({ type: "welcome", answer: socket().sent[0]!.id, session: "key" });
    expect(socket().sent.map((one) => one.type)).toEqual(["open", "run"]);
  });
  it("hands each answer to whom asked, in any order", async () => {
    const { engine, socket } = begun();
    socket().welcomes();
    const [first, second] = [engine.send({ type: "keep" }), engine.send({ type: "run", what: "step" })];
    const [one, two] = socket()
      .sent.slice(1)
      .map((sent) => sent.id);
    socket().says({ type: "done", answer: two });
    socket().says({ type: "refused", answer: one, code: "busy", message: "Busy.", values: {} });
    await expect(second).resolves.toMatchObject({ answer: two });
    await expect(first).rejects.toBeInstanceOf(RefusedError);
  });
  it("takes up its session after a reload of the page", () => {
    store.set("reseau.session", "old");
    const { socket } = begun();
    socket().opened();
    expect(socket().sent[0]).toMatchObject({ type: "open", session: "old" });
  });
  it("comes back by itself, with its session, and its document should that be gone", () => {
    const { socket } = begun();
    socket().welcomes("key");
    socket().says({ type: "state", answer: null, document: { version: 1 } });
    socket().lost();
    vi.advanceTimersByTime(400);
    expect(FakeSocket.all.length).toBe(2);
    socket().opened();
    expect(socket().sent[0]).toMatchObject({ session: "key", document: { version: 1 } });
    expect(connections).toEqual(["open", "lost"]);
  });
  it("waits longer from try to try", () => {
    const { socket } = begun();
    socket().welcomes();
    socket().lost();
    vi.advanceTimersByTime(400);
    socket().lost();
    vi.advanceTimersByTime(799);
    expect(FakeSocket.all.length).toBe(2);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all.length).toBe(3);
  });
  it("leaves its session to the tab that has taken it, until it is asked for again", () => {
    const { engine, socket } = begun();
    socket().welcomes();
    socket().lost(4001);
    vi.advanceTimersByTime(60_000);
    expect([FakeSocket.all.length, connections.at(-1)]).toEqual([1, "taken"]);
    engine.begin();
    expect(FakeSocket.all.length).toBe(2);
  });
  it("says so when the server answers, but not to this token", async () => {
    const { socket } = begun();
    socket().lost();
    await vi.advanceTimersByTimeAsync(0);
    expect(connections.at(-1)).toBe("forbidden");
  });
  it("begins a session of its own with a document, and its own beginning where that is refused", () => {
    store.set("reseau.session", "old");
    const { engine, socket } = begun();
    const heard: Message[] = [];
    engine.onMessage((message) => heard.push(message));
    engine.begin({ version: 99 } as Document);
    socket().opened();
    expect(socket().sent[0]).toMatchObject({ document: { version: 99 } });
    expect(socket().sent[0]).not.toHaveProperty("session");
    socket().says({ type: "refused", answer: socket().sent[0]!.id, code: "newer_version", message: "", values: {} });
    expect(Object.keys(socket().sent[1]!)).toEqual(["id", "type"]);
    expect(heard).toMatchObject([{ code: "newer_version", answer: null }]);
  });
  it("keeps its document where there are too many sessions for now", () => {
    const { engine, socket } = begun();
    engine.begin({ version: 1 } as Document);
    socket().opened();
    socket().says({
      type: "refused",
      answer: socket().sent[0]!.id,
      code: "too_many_sessions",
      message: "",
      values: {},
    });
    expect(socket().sent.length).toBe(1);
  });
});

it("reads the name of a file as servers write it", () => {
  expect(fileName('attachment; filename="a.py"')).toBe("a.py");
  expect(fileName("attachment; filename*=UTF-8''r%C3%A9seau.csv")).toBe("réseau.csv");
  expect(fileName(null)).toBeNull();
});

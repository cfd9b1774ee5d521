// What the page knows: the session as the engine tells it, what is asked of it, and what is looked at. Every component reads from here, and
// asks for changes here; nothing else speaks to the engine.
import type { Connection, Engine, Message, Request, TakenFile, What } from "./protocol/engine";
import { packed } from "./protocol/address";
import { refusal, RefusedError } from "./protocol/engine";
import type { Frame } from "./protocol/frame";
import { floats, merged } from "./protocol/frame";
import { readSession, tableOf } from "./protocol/sessionFile";
import type {
  Board,
  Data,
  Document,
  Network,
  Refused,
  Sample,
  State,
  TableInfo,
  Training,
  Welcome,
} from "./protocol/types";
import { language } from "./words/words.svelte";

/** The losses of all epochs so far; NaN where none was measured. */
export interface Curve {
  readonly loss: Float32Array;
  readonly validation: Float32Array;
}

/** What of the network is chosen. Layers are counted from 0, as in `layers.0.W`; -1 are the inputs. */
export type Place =
  | { kind: "layer"; layer: number }
  | { kind: "neuron"; layer: number; index: number }
  | { kind: "weight"; layer: number; from: number; to: number }
  | { kind: "bias"; layer: number; index: number };

/** Something to be read once: what was refused, or has happened. */
export interface Notice {
  key: number;
  refused: Refused;
}

/** Steps or epochs a second, to look on; `full` is as fast as it goes. */
export type Pace = "full" | "epochs/30" | "epochs/10" | "epochs/2" | "steps/10" | "steps/2";
export const PACES: readonly Pace[] = ["full", "epochs/30", "epochs/10", "epochs/2", "steps/10", "steps/2"];

type Parts = { data?: Data; network?: Network; training?: Training };

const OF_CHANGES = /^(network_refused|training_refused|layer_empty|table_unreadable|unknown_table|too_large|diverged)$/; // the next that is done answers them
const OF_NETWORK = /^(parameters|gradient|maps|ranges)$|^(forward|backward)\./;

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether there is such a neuron or layer. */
function isThere(place: Place | null, { network: { widths } }: State): boolean {
  if (!place) return true;
  if (place.kind === "layer") return place.layer + 1 < widths.length;
  if (place.kind === "weight")
    return place.from < (widths[place.layer] ?? 0) && place.to < (widths[place.layer + 1] ?? 0);
  return place.index < (widths[place.layer + 1] ?? 0);
}

export class Studio {
  connection = $state.raw<Connection>("new");
  welcome = $state.raw<Welcome | null>(null);
  /** As the engine has it. */
  state = $state.raw<State | null>(null);
  /** The document as it is wished: ahead of `state` until the engine has answered. */
  document = $state.raw<Document | null>(null);
  frame = $state.raw<Frame | null>(null);
  curve = $state.raw<Curve>({ loss: new Float32Array(0), validation: new Float32Array(0) });
  tables = $state.raw<TableInfo[]>([]);
  sample = $state.raw<Sample | null>(null);
  axes = $state.raw<[number, number] | null>(null);
  place = $state.raw<Place | null>(null);
  board = $state.raw<Board | null>(null);
  /** Where training was when the board was written. */
  #boardAt = $state.raw("");
  boardStale = $derived(this.board !== null && this.#boardAt !== this.#moment());
  notices = $state.raw<Notice[]>([]);

  /** How fast it trains when it is played: epochs a second, or all that can be. */
  pace = $state<Pace>("full");
  #paced = $state(false);
  running = $derived(this.#paced || this.state?.phase === "running");
  /** Of a document: which tables it is of is known to the engine. */
  table = $derived.by(() => {
    const data = this.document?.data;
    return data?.kind === "table" ? (this.tables.find((one) => one.table === data.table) ?? null) : null;
  });

  #newest: Frame | null = null;
  #drawn = true;
  #losses = { loss: new Float32Array(256), validation: new Float32Array(256), length: 0 };
  #changed: Parts = {};
  #changing = false;
  #notice = 0;

  constructor(private readonly engine: Engine) {
    engine.onMessage((message) => this.#receive(message));
    engine.onConnection((connection) => (this.connection = connection));
  }

  /** With a document, a session of its own begins. */
  begin(document?: Document): void {
    this.engine.begin(document);
  }

  /** Asks for other data, another network or another training; what is asked while an answer is awaited goes out together after it. */
  change(parts: Parts): void {
    if (!this.document) return;
    this.document = { ...this.document, ...parts };
    this.#changed = { ...this.#changed, ...parts };
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#changing) return;
    this.#changing = true;
    while (Object.keys(this.#changed).length) {
      const parts = this.#changed;
      this.#changed = {};
      const answer = await this.#ask({ type: "change", ...parts });
      if (answer) this.notices = this.notices.filter((one) => !OF_CHANGES.test(one.refused.code));
      else {
        this.#changed = {};
        this.document = this.state?.document ?? null;
      }
    }
    this.#changing = false;
  }

  run(what: "play" | "pause" | "epoch" | "step" | "rewind"): Promise<Message | null> {
    if (what === "rewind") this.#paced = false;
    return this.#ask({ type: "run", what });
  }

  /** Trains, or pauses. */
  async toggle(): Promise<void> {
    if (this.#paced) this.#paced = false;
    else if (this.running) await this.run("pause");
    else if (this.pace === "full") await this.run("play");
    else await this.#slowly();
  }

  async hurry(pace: Pace): Promise<void> {
    const running = this.running;
    if (running) await this.toggle();
    this.pace = pace;
    if (running) await this.toggle();
  }

  /** One after the other, with time between them, for as long as nothing ends it. */
  async #slowly(): Promise<void> {
    this.#paced = true;
    const pace = this.pace;
    const [what, often] = pace.split("/");
    while (this.#paced && this.pace === pace && this.connection === "open") {
      const began = performance.now();
      const answer = await this.run(what === "steps" ? "step" : "epoch");
      if (!answer || this.state?.stopped) break;
      await new Promise((resolve) => setTimeout(resolve, 1000 / Number(often) - (performance.now() - began)));
    }
    if (this.pace === pace) this.#paced = false;
  }

  set(tensor: string, index: number[], value: number): Promise<unknown> {
    return this.#ask({ type: "set", tensor, index, value });
  }

  keep(): Promise<unknown> {
    return this.#ask({ type: "keep" });
  }

  forget(run: number): Promise<unknown> {
    return this.#ask({ type: "forget", run });
  }

  /** Looks at a sample, or at none. */
  look(sample: Sample | null): void {
    this.sample = sample;
    this.board = null;
    this.#look();
  }

  over(axes: [number, number] | null): void {
    this.axes = axes;
    this.#look();
  }

  /** The language has changed: what the engine words comes in it from now on. */
  translated(): void {
    this.#look();
    if (this.board && this.sample) void this.ask(this.sample);
  }

  /** A learning step on this sample, worked out. */
  async ask(sample: Sample, digits = 4): Promise<void> {
    const answer = await this.#ask({ type: "board", sample, lang: language.lang, digits });
    if (answer?.type !== "board") return;
    this.board = answer;
    this.#boardAt = this.#moment();
  }

  #moment(): string {
    const header = this.frame?.header;
    return JSON.stringify([header?.epoch, header?.step, this.state?.document.network]);
  }

  /** A table from a file; its data become those of the session. */
  async upload(file: File): Promise<void> {
    try {
      const table = await this.engine.upload(file);
      this.tables = [...this.tables.filter((one) => one.table !== table.table), table];
      this.open(table);
    } catch (error) {
      this.fail(error);
    }
  }

  open(table: TableInfo): void {
    const heldOut = this.document?.data.held_out ?? 0.25;
    this.change({
      data: { kind: "table", table: table.table, target: table.target, columns: {}, seed: 0, held_out: heldOut },
    });
  }

  async take(what: What): Promise<TakenFile | null> {
    try {
      return await this.engine.take(what, language.lang);
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  /** The address of this session for others; none of tables, whose data an address cannot hold. */
  async link(): Promise<string | null> {
    const document = this.state?.document;
    return document?.data.kind === "toy" ? this.engine.address(await packed(document)) : null;
  }

  /** A file that was dropped or chosen: a session, or else a table. */
  async receive(file: File | undefined): Promise<void> {
    if (!file) return;
    if (!/\.json$/i.test(file.name)) return this.upload(file);
    const session = readSession(await file.text());
    if (!session) return this.#note(refusal("not_a_session", file.name, { name: file.name }));
    try {
      if (session.table) await this.engine.upload(tableOf(session.table));
      this.restart(session.document);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Begins another session, with a document or with the engine's own. */
  restart(document?: Document): void {
    this.#newest = null;
    this.state = null;
    this.frame = null;
    this.place = null;
    this.sample = null;
    this.axes = null;
    this.board = null;
    this.engine.begin(document, true);
  }

  /** Says what went wrong, once. */
  fail(error: unknown): void {
    const refused: Refused = error instanceof RefusedError ? error.refused : refusal("failed", String(error));
    this.#note(refused);
  }

  dismiss(key: number): void {
    this.notices = this.notices.filter((one) => one.key !== key);
  }

  #note(refused: Refused): void {
    const others = this.notices.filter((one) => one.refused.message !== refused.message);
    this.notices = [...others.slice(-2), { key: this.#notice++, refused }];
  }

  async #ask(request: Request): Promise<Message | null> {
    try {
      return await this.engine.send(request);
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  #look(): void {
    void this.#ask({ type: "look", axes: this.axes, sample: this.sample, lang: language.lang });
  }

  #receive(message: Message): void {
    if (message.type === "frame") this.#show(message);
    else if (message.type === "state") this.#stand(message);
    else if (message.type === "welcome") {
      this.welcome = message;
      this.tables = message.tables;
      this.#look();
    } else if (message.type === "refused" && message.answer === null) this.#note(message);
  }

  #stand(state: State): void {
    const before = this.state;
    const otherData = before !== null && !same(before.document.data, state.document.data);
    const otherNetwork = before === null || !same(before.network, state.network);
    this.state = state;
    if (!this.#changing || !Object.keys(this.#changed).length) this.document = state.document;
    if (otherData || otherNetwork) {
      if (this.#newest) {
        const kept = [...this.#newest.arrays].filter(([name]) => !otherData && !OF_NETWORK.test(name));
        this.#newest = { ...this.#newest, arrays: new Map(kept) };
        this.frame = this.#newest; // at once: numbers of other data are never drawn as if they were of these
      }
      if (before?.network.widths.length !== state.network.widths.length || !isThere(this.place, state))
        this.place = null;
    }
    if (otherData) {
      this.axes = null;
      this.sample = null;
      this.board = null;
      this.#look();
    }
  }

  #show(frame: Frame): void {
    // Only frames that answer `look` have points.
    this.#newest = merged(this.#newest, frame, frame.arrays.has("points"));
    const curve = floats(frame, "curve");
    const from = frame.header.curve_from;
    if (curve && from !== undefined) {
      if (from > this.#losses.length)
        this.#look(); // pieces are missing: all of it is asked for
      else this.#lengthen(curve.data, from, curve.shape[1] ?? 0);
    }
    this.#draw();
  }

  #lengthen(pair: Float32Array, from: number, count: number): void {
    const losses = this.#losses;
    const length = from + count;
    for (const name of ["loss", "validation"] as const) {
      if (losses[name].length < length) {
        const longer = new Float32Array(2 * length);
        longer.set(losses[name]);
        losses[name] = longer;
      }
      losses[name].set(name === "loss" ? pair.subarray(0, count) : pair.subarray(count), from);
    }
    losses.length = length;
  }

  /** Once for each picture of the screen, however many frames come. */
  #draw(): void {
    if (!this.#drawn) return;
    this.#drawn = false;
    requestAnimationFrame(() => {
      this.#drawn = true;
      this.frame = this.#newest;
      const { loss, validation, length } = this.#losses;
      this.curve = { loss: loss.subarray(0, length), validation: validation.subarray(0, length) };
    });
  }
}

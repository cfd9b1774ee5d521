// The blackboard as it is written in a lecture: one quantity after the other, formula first, then numbers, then the result.

/** Elements that appear together. */
export type Revealed = Element[];

const HEADING = /^H[1-6]$/;

/**
 * What of a stage appears one after the other. A line of equations appears side by side: left side and formula first,
 * then each further side. Headings and sentences appear with what follows them; those at the end by themselves.
 */
export function reveals(stage: Element): Revealed[] {
  const out: Revealed[] = [];
  let waiting: Element[] = [];
  for (const child of stage.children) {
    if (HEADING.test(child.tagName.toUpperCase()) || child.tagName.toUpperCase() === "P") {
      waiting.push(child);
      continue;
    }
    const sides = child.classList.contains("chain") ? [...child.querySelectorAll(":scope > .sides > *")] : [];
    const [first, ...others] = sides;
    out.push([...waiting, child, ...(first ? [first] : [])]);
    for (const side of others) out.push([side]);
    waiting = [];
  }
  if (waiting.length > 0) {
    // Headings alone are no quantity: they come with what was last, or are the stage.
    if (out.length === 0 || waiting.some((element) => element.tagName.toUpperCase() === "P")) out.push(waiting);
    else (out[out.length - 1] as Revealed).push(...waiting);
  }
  return out;
}

/** How far a lecture has come: the stage that is shown, and how many of its quantities. */
export interface Progress {
  readonly stage: number;
  readonly shown: number;
}

export type Move = "next" | "back" | "next stage" | "previous stage" | "first" | "last";

/** Where a lecture whose stages have so many quantities goes on; at its ends it stays. A stage begins with its first quantity. */
export function moved(counts: readonly number[], at: Progress, move: Move): Progress {
  const last = counts.length - 1;
  const begin = (stage: number): Progress => ({ stage, shown: Math.min(1, counts[stage] ?? 0) });
  const whole = (stage: number): Progress => ({ stage, shown: counts[stage] ?? 0 });
  if (last < 0) return { stage: 0, shown: 0 };
  switch (move) {
    case "first":
      return begin(0);
    case "last":
      return whole(last);
    case "next":
      if (at.shown < (counts[at.stage] ?? 0)) return { ...at, shown: at.shown + 1 };
      return at.stage < last ? begin(at.stage + 1) : at;
    case "back":
      if (at.shown > 1) return { ...at, shown: at.shown - 1 };
      return at.stage > 0 ? whole(at.stage - 1) : at;
    case "next stage":
      return at.stage < last ? begin(at.stage + 1) : whole(last);
    case "previous stage":
      if (at.shown > 1) return begin(at.stage);
      return begin(Math.max(0, at.stage - 1));
  }
}

/** The keys of a lecture; Page Down and Page Up are what presenters' remote controls send. */
export function moveOf(key: string, shift = false): Move | null {
  switch (key) {
    case "ArrowRight":
      return shift ? "next stage" : "next";
    case "ArrowLeft":
      return shift ? "previous stage" : "back";
    case "PageDown":
      return "next";
    case "PageUp":
      return "back";
    case "Home":
      return "first";
    case "End":
      return "last";
    default:
      return null;
  }
}

/** A place in another board with other counts: the same stage, as far as it goes. */
export function fitted(counts: readonly number[], at: Progress): Progress {
  if (counts.length === 0) return { stage: 0, shown: 0 };
  const stage = Math.min(Math.max(0, at.stage), counts.length - 1);
  return { stage, shown: Math.min(Math.max(1, at.shown), counts[stage] ?? 0) };
}

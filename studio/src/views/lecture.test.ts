// @vitest-environment jsdom
import { expect, test } from "vitest";
import { fitted, moved, moveOf, type Progress, reveals } from "./lecture";

function stage(html: string): Element {
  const out = document.createElement("section");
  out.innerHTML = html;
  return out;
}

test("a line of equations appears formula first, then numbers, then the result", () => {
  const element = stage(
    '<h2>Forward</h2><p>Of neuron 1:</p><div class="chain"><b>Z</b><div class="sides"><i>XW</i><i>[1][2]</i><i>2</i></div></div>' +
      '<div class="chain"><b>A</b><div class="sides"><i>relu</i></div></div><table></table><p>So much.</p>',
  );
  const found = reveals(element).map((together) => together.map((one) => one.tagName + one.className));
  expect(found).toEqual([["H2", "P", "DIVchain", "I"], ["I"], ["I"], ["DIVchain", "I"], ["TABLE"], ["P"]]);
});

test("a stage of words only is one step", () => {
  expect(reveals(stage("<h2>Nothing</h2><p>to do</p>"))).toHaveLength(1);
  expect(reveals(stage("<h2>Nothing</h2>"))).toHaveLength(1);
});

test("forward it goes quantity by quantity through the stages to the end, and back the same way", () => {
  const counts = [2, 1, 3];
  const way: Progress[] = [{ stage: 0, shown: 1 }];
  for (let i = 0; i < 6; i++) way.push(moved(counts, way.at(-1)!, "next"));
  expect(way.map(({ stage, shown }) => `${stage}.${shown}`)).toEqual(["0.1", "0.2", "1.1", "2.1", "2.2", "2.3", "2.3"]);
  const back: Progress[] = [{ stage: 2, shown: 3 }];
  for (let i = 0; i < 6; i++) back.push(moved(counts, back.at(-1)!, "back"));
  expect(back.map(({ stage, shown }) => `${stage}.${shown}`)).toEqual([
    "2.3",
    "2.2",
    "2.1",
    "1.1",
    "0.2",
    "0.1",
    "0.1",
  ]);
});

test("stages, beginning and end are reached at once", () => {
  const counts = [2, 4, 3];
  expect(moved(counts, { stage: 0, shown: 1 }, "next stage")).toEqual({ stage: 1, shown: 1 });
  expect(moved(counts, { stage: 1, shown: 3 }, "previous stage")).toEqual({ stage: 1, shown: 1 });
  expect(moved(counts, { stage: 1, shown: 1 }, "previous stage")).toEqual({ stage: 0, shown: 1 });
  expect(moved(counts, { stage: 1, shown: 2 }, "first")).toEqual({ stage: 0, shown: 1 });
  expect(moved(counts, { stage: 0, shown: 1 }, "last")).toEqual({ stage: 2, shown: 3 });
  expect(moved([], { stage: 3, shown: 1 }, "next")).toEqual({ stage: 0, shown: 0 });
});

test("the keys are those of slides, and of presenters' remote controls", () => {
  const keys = ["ArrowRight", "ArrowLeft", "PageDown", "PageUp", "Home", "End", "x"];
  expect(keys.map((key) => moveOf(key))).toEqual(["next", "back", "next", "back", "first", "last", null]);
  expect(moveOf("ArrowRight", true)).toBe("next stage");
  expect(moveOf("ArrowLeft", true)).toBe("previous stage");
});

test("another board goes on at the same stage, as far as it goes", () => {
  expect(fitted([2, 2], { stage: 4, shown: 9 })).toEqual({ stage: 1, shown: 2 });
  expect(fitted([2, 5], { stage: 1, shown: 3 })).toEqual({ stage: 1, shown: 3 });
});

// Light or dark: as the system has it, or as chosen here; and how large. Read `theme.dark` in an effect that draws, so
// that it draws again when the theme changes.
import { stored } from "./stored";

export type ThemeChoice = "auto" | "light" | "dark";

class Theme {
  choice = $state<ThemeChoice>(stored.read("theme", ["auto", "light", "dark"]) ?? "auto");
  large = $state(stored.read("size", ["large", "normal"]) === "large");
  #system = $state(false);
  dark = $derived(this.choice === "dark" || (this.choice === "auto" && this.#system));

  /** Follows the system, and tells the document; called once, before the page is drawn. */
  start(): void {
    const system = matchMedia("(prefers-color-scheme: dark)");
    this.#system = system.matches;
    system.addEventListener("change", () => {
      this.#system = system.matches;
      this.#tell();
    });
    this.#tell();
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    stored.write("theme", choice);
    this.#tell();
  }

  enlarge(large: boolean): void {
    this.large = large;
    stored.write("size", large ? "large" : "normal");
    this.#tell();
  }

  #tell(): void {
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
    document.documentElement.dataset.size = this.large ? "large" : "normal";
  }
}

export const theme = new Theme();

const pen = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d");

/** A colour of theme.css, such as `--positive`, as red, green and blue from 0 to 255. */
export function colour(name: `--${string}`): [number, number, number] {
  if (!pen) return [0, 0, 0];
  // However the build has written it (#ffffff, #fff, white): a canvas gives it back in six digits.
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const value = Number.parseInt(String(pen.fillStyle).slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

// The one store, for the components beneath the page.
import { getContext, setContext } from "svelte";
import type { Studio } from "./state.svelte";

const KEY = Symbol("studio");

export function provide(studio: Studio): void {
  setContext(KEY, studio);
}

export function useStudio(): Studio {
  return getContext<Studio>(KEY);
}

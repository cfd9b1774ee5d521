import type { Plugin } from "vite";

export function folderOf(module: string): string | null;
export function notices(): Plugin;

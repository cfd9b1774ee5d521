/// <reference types="vitest/config" />
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { notices } from "./scripts/notices.mjs";

// The page that the Python package serves: `npm run build` writes it to where the wheel takes it from.
export default defineConfig({
  plugins: [svelte(), notices()],
  base: "./",
  build: {
    outDir: "../src/reseau/studio/page",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // so that a strict policy of contents holds
    reportCompressedSize: false,
  },
  test: { include: ["src/**/*.test.ts"] },
});

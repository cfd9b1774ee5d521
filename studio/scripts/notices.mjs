// The licences of what others wrote and the page holds: of the packages whose modules are in the build, and of no others.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const INTRODUCTION = "The page of Réseau's studio holds code of these packages. What follows is each one's own licence.\n";
const RULE = "\n" + "-".repeat(72) + "\n\n";

/** The folder of the package that a module belongs to; null of our own. */
export function folderOf(module) {
  const file = module.replace(/^\0/, "").replace(/\?.*$/, "").replaceAll("\\", "/");
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? null;
}

/** What is said of a package. */
function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one));
  if (!file) throw new Error(`${name} has no licence among its files: the page cannot be given away with it`);
  return { name, text: `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n` };
}

/** A plugin that writes notices.txt beside the page. */
export function notices() {
  return {
    name: "notices",
    apply: "build",
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
      const folders = new Set(modules.map(folderOf).filter((folder) => folder !== null));
      const all = [...folders].map(notice).sort((a, b) => (a.name < b.name ? -1 : 1));
      const source = [INTRODUCTION, ...all.map(({ text }) => text)].join(RULE);
      this.emitFile({ type: "asset", fileName: "notices.txt", source });
    },
  };
}

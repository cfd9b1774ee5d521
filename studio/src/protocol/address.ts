// What stands behind # in the page's address: the token that the server asks for, and perhaps a document, or the language that
// was asked for. It never leaves the browser.
import type { Document } from "./types";

export interface Fragment {
  token: string | null;
  document: string | null;
  lang: string | null;
}

/** Of `location.hash`. */
export function fragment(hash: string): Fragment {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  return { token: parts.get("token"), document: parts.get("document"), lang: parts.get("lang") };
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

/** A document as letters that fit an address: its JSON, deflated, in base64url. */
export async function packed(document: Document): Promise<string> {
  const bytes = await through(new TextEncoder().encode(JSON.stringify(document)), new CompressionStream("deflate-raw"));
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The document again; whatever is not one rejects. */
export async function unpacked(text: string): Promise<Document> {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = await through(
    Uint8Array.from(letters, (letter) => letter.charCodeAt(0)),
    new DecompressionStream("deflate-raw"),
  );
  return JSON.parse(new TextDecoder().decode(bytes)) as Document;
}

// A session that was taken away as a file.
import type { SessionFile } from "./types";

/** What the file holds; null if it is no session. Whether its document can be had is for the engine to say. */
export function readSession(text: string): SessionFile | null {
  try {
    const session = JSON.parse(text) as Partial<SessionFile> | null;
    return session?.reseau === "studio" && typeof session.document === "object" ? (session as SessionFile) : null;
  } catch {
    return null;
  }
}

/** The table that came with it, as the file that it was. */
export function tableOf(table: NonNullable<SessionFile["table"]>): File {
  const bytes = Uint8Array.from(atob(table.content), (letter) => letter.charCodeAt(0));
  return new File([bytes], table.name);
}

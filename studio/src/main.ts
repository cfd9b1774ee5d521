import { mount } from "svelte";
import App from "./App.svelte";
import NoToken from "./NoToken.svelte";
import { fragment, unpacked } from "./protocol/address";
import { refusal, RefusedError } from "./protocol/engine";
import { SocketEngine } from "./protocol/socket";
import { Studio } from "./state.svelte";
import "./theme.css";
import { theme } from "./theme.svelte";
import { language } from "./words/words.svelte";

const TOKEN = "reseau.token";
const target = document.getElementById("page")!;

/** Begins with what the address says, which is then cleared of it: what is shown on a screen for all holds no token. */
async function begin(): Promise<void> {
  theme.start();
  document.documentElement.lang = language.lang;
  const { token: fresh, document: link, lang } = fragment(location.hash);
  if (lang === "en" || lang === "fr") language.choose(lang);
  if (fresh) sessionStorage.setItem(TOKEN, fresh);
  const token = sessionStorage.getItem(TOKEN);
  if (!token) {
    mount(NoToken, { target });
    return;
  }
  const studio = new Studio(new SocketEngine(new URL("./", location.href), token, sessionStorage));
  mount(App, { target, props: { studio } });
  history.replaceState(null, "", location.pathname);
  await open(studio, link);
  addEventListener("hashchange", () => {
    const { document: link } = fragment(location.hash);
    if (!link) return;
    history.replaceState(null, "", location.pathname);
    void open(studio, link);
  });
}

async function open(studio: Studio, link: string | null): Promise<void> {
  try {
    if (link) studio.restart(await unpacked(link));
    else studio.begin();
  } catch {
    studio.begin();
    studio.fail(new RefusedError(refusal("bad_link", "The link holds no session that can be read.")));
  }
}

void begin();

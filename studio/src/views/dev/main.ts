// The components with made-up data, to look at while working on them: `npm run dev`, then /views.html. Not shipped.
import { mount } from "svelte";
import "../../theme.css";
import { theme } from "../../theme.svelte";
import { language } from "../../words/words.svelte";
import Gallery from "./Gallery.svelte";

const wanted = new URLSearchParams(location.search);
theme.start();
theme.choose(wanted.get("theme") === "dark" ? "dark" : "light");
language.choose(wanted.get("lang") === "fr" ? "fr" : "en");
mount(Gallery, { target: document.getElementById("page")!, props: { only: wanted.get("only") ?? "" } });

import { mount } from "svelte";
import App from "./App.svelte";
import "./theme.css";
import { theme } from "./theme.svelte";

theme.start();
mount(App, { target: document.getElementById("page")! });

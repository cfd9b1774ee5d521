import type { en } from "./en";
import type { Same } from "./kind";
import { views } from "./views.fr";

export const fr: Same<typeof en> = {
  ...views,
  title: "Réseau",
};

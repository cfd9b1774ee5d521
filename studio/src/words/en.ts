import { views } from "./views.en";

export const en = {
  ...views,
  title: "Réseau",
};

import type { Same } from "./kind";
import type { views as english } from "./views.en";

export const views: Same<typeof english> = {};

/** Words of the components in src/views/. */
export const views = {};

// Tables behind pictures.

/** A table: its heading, the names of its columns, and its rows as they are shown. */
export interface TableOf {
  readonly title?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How many rows there are, where not all are shown. */
  readonly all?: number;
}

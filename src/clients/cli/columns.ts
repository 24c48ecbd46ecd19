/** The size of a terminal that does not tell it (0 columns), as in some CI systems. */
export const USUAL_COLUMNS = 80
export const USUAL_ROWS = 24

/** The columns of stdout, but at least `min`. Infinity if it is not a terminal. */
export const outputColumns = (min: number): number =>
  process.stdout.isTTY ? Math.max(min, process.stdout.columns || USUAL_COLUMNS) : Infinity

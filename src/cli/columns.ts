/** The width of a terminal that does not tell its size (0 columns), as in some CI systems. */
export const USUAL_COLUMNS = 80

/** The columns of stdout, and at least so many. Infinity if it is no terminal. */
export const outputColumns = (least: number): number =>
  process.stdout.isTTY ? Math.max(least, process.stdout.columns || USUAL_COLUMNS) : Infinity

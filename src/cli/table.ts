/** A column: its head and a cell for each row. */
export type Column = readonly [head: string, cells: readonly string[]]

/** Left aligned, two blanks behind each cell; a column without any text is left out (tablewriter's look in Dapr's CLI). */
export function tableOf(columns: readonly Column[]): string {
  const shown = columns.filter(([, cells]) => cells.some(cell => cell !== ''))
  const widths = shown.map(([head, cells]) => Math.max(head.length, ...cells.map(cell => cell.length)))
  const line = (cells: readonly string[]): string =>
    `${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}  \n`
  const rows = shown[0]?.[1].map((_, row) => shown.map(([, cells]) => cells[row] ?? '')) ?? []
  return [shown.map(([head]) => head), ...rows].map(line).join('')
}

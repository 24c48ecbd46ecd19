import {cut, padEnd, padStart, widthOf} from './width.ts'

/** A column: its head and a cell for each row. */
export type Column = readonly [head: string, cells: readonly string[]]

/** Left-aligned, with two spaces after each cell, like tablewriter in Dapr's CLI. Empty columns are omitted. */
export function tableOf(columns: readonly Column[]): string {
  const shown = columns.filter(([, cells]) => cells.some(cell => cell !== ''))
  const widths = shown.map(columnWidth)
  const line = (cells: readonly string[]): string =>
    `${cells.map((cell, i) => padEnd(cell, widths[i] ?? 0)).join('  ')}  \n`
  return linesOf(shown).map(line).join('')
}

/** A column of a table that must fit, cut down to `minWidth` if needed; without `minWidth` it may only be omitted. */
export interface FittingColumn {
  readonly head: string
  readonly cells: readonly string[]
  readonly minWidth?: number
  readonly alignsRight?: boolean
  /** Whether the column is omitted only after all columns that are not main. */
  readonly isMain?: boolean
  /** Colours a cell of this row, which is already padded to the width of the column. */
  readonly paint?: ((cell: string, row: number) => string) | undefined
}

const GAP = 2

/** Returns a table of lines (`fittingLines`). */
export const fittingTable = (columns: readonly FittingColumn[], width: number): string =>
  fittingLines(columns, width)
    .map(line => `${line}\n`)
    .join('')

/**
 * Returns the head and the rows of a table that is never wider than `width`: wide columns are cut to their minimum width, then columns are omitted from the
 * right, main ones last, and finally the first two are cut. Empty columns are omitted; lines have no trailing spaces.
 */
export function fittingLines(columns: readonly FittingColumn[], width: number): readonly string[] {
  let shown = columns.filter(({cells}) => cells.some(cell => cell !== ''))
  let widths = cutDown(shown, width)
  while (total(widths) > width && shown.length > 1) {
    const omitted = shown.findLastIndex(({isMain}) => isMain !== true)
    const hasRoom = shown.length === 2 && width > 2 * GAP
    shown = hasRoom ? shown.map(each => ({...each, minWidth: 1})) : shown.toSpliced(omitted, 1)
    widths = cutDown(shown, width)
  }
  if (total(widths) > width) widths = [Math.max(1, width)]
  const line = (cells: readonly string[], row: number): string =>
    cells
      .map((cell, i) => {
        const space = widths[i] ?? 0
        const text = (shown[i]?.alignsRight === true ? padStart : padEnd)(cut(cell, space), space)
        return row < 0 ? text : (shown[i]?.paint?.(text, row) ?? text)
      })
      .join(' '.repeat(GAP))
      .trimEnd()
  return linesOf(shown.map(asColumn)).map((cells, at) => line(cells, at - 1))
}

/** Returns the widths of the columns; the widest one that may be cut is cut first. */
function cutDown(columns: readonly FittingColumn[], width: number): readonly number[] {
  const widths = columns.map(each => columnWidth(asColumn(each)))
  for (let over = total(widths) - width; over > 0; over--) {
    const space = columns.map(({minWidth}, i) => (minWidth === undefined ? 0 : (widths[i] ?? 0) - minWidth))
    const widest = space.indexOf(Math.max(...space))
    if ((space[widest] ?? 0) <= 0) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

const asColumn = ({head, cells}: FittingColumn): Column => [head, cells]

const total = (widths: readonly number[]): number => widths.reduce((sum, each) => sum + each + GAP, -GAP)

const columnWidth = ([head, cells]: Column): number =>
  cells.reduce((width, cell) => Math.max(width, widthOf(cell)), head.length)

const linesOf = (columns: readonly Column[]): readonly (readonly string[])[] => [
  columns.map(([head]) => head),
  ...(columns[0]?.[1].map((_, row) => columns.map(([, cells]) => cells[row] ?? '')) ?? [])
]

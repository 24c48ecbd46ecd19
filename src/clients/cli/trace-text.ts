import {stripVTControlCharacters} from 'node:util'
import type {RequestTree, TreeNode} from '../../model/api.generated.ts'
import {durationText} from '../../model/duration.ts'
import {edgeOfNode, linesBelow, notesOf, nodeOutcome} from '../../model/tree-words.ts'
import {toned} from './paint.ts'
import {folded} from './say.ts'
import {fittingLines, type FittingColumn} from './table.ts'
import {cut, widthOf} from './width.ts'

/** Columns of the longest bar: `BAR` if the output is not a terminal; on a terminal at least `MIN_BAR`. */
const BAR = 24
const MIN_BAR = 12
/** Minimum columns of a terminal that shows bars next to the calls. */
const MIN_WITH_BARS = 60

interface TracePlace {
  /** Columns of the terminal; Infinity if the output is not a terminal. */
  readonly width: number
  /** Show all log lines; else errors and warnings, and the lines where a failure began. */
  readonly hasLines?: boolean
  readonly hasColours?: boolean
  /** Bodies of calls by their numbers. Default: none. */
  readonly bodies?: ReadonlyMap<number, readonly string[]>
}

/** Returns a request as an indented tree, with times and the begin of a failure. Never wider than `width`. */
export function traceText(tree: RequestTree, place: TracePlace): string {
  const {nodes, leftOut, linesLeftOut} = tree
  const {width, hasLines = false, bodies = new Map<number, readonly string[]>()} = place
  if (nodes.length === 0) return ''
  const lines = linesBelow(tree, {hasLines, isShort: width !== Infinity})
  // an error line follows below this row and already says why the call failed
  const shownNodes = nodes.map(node =>
    node.id === tree.failedAt && lines.has(node.id) ? {...node, failure: ''} : node
  )
  const isWide = width === Infinity
  const [head = '', ...rows] = isWide ? wideRows(tree) : fittingRows(nodes, place)
  const text = shownNodes.map((node, index) => {
    const note = isWide ? '' : noteOf(node, tree.failedAt)
    const texts = [...(note === '' ? [] : [note]), ...(bodies.get(node.id) ?? []), ...(lines.get(node.id) ?? [])]
    return `${rows[index] ?? ''}\n${below(node, texts, {width, isWhole: hasLines || bodies.size > 0})}`
  })
  const more = leftOut === 0 ? '' : `… and ${leftOut} more calls\n`
  return `${head}\n${text.join('')}${more}${hasLines && linesLeftOut > 0 ? `… and ${linesLeftOut} earlier lines\n` : ''}`
}

/** Returns the columns of a tree. `isShort`: calls below the first show only their callee, since the caller is a row above. */
function columnsOf(nodes: readonly TreeNode[], isShort: boolean): readonly FittingColumn[] {
  const branches = branchesOf(nodes)
  const cells = (cell: (node: TreeNode, index: number) => string): readonly string[] => nodes.map(cell)
  return [
    {head: 'CALL', cells: cells(({call}) => call?.number.toString() ?? ''), alignsRight: true},
    {head: 'FROM → TO', cells: cells((node, at) => `${branches[at] ?? ''}${edgeOf(node, isShort)}`), minWidth: 12},
    {head: 'REQUEST', cells: cells(({what}) => what), minWidth: 8},
    {head: 'STATUS', cells: cells(nodeOutcome), minWidth: 7}
  ].map(column => ({...column, isMain: true}))
}

const tookColumn = (nodes: readonly TreeNode[]): FittingColumn => ({
  head: 'TOOK',
  cells: nodes.map(({totalMs}) => durationText(totalMs)),
  alignsRight: true
})

const endOf = (nodes: readonly TreeNode[]): number =>
  Math.max(...nodes.map(({startMs, totalMs}) => startMs + totalMs), 0.001)

function wideRows({nodes, failedAt}: RequestTree): readonly string[] {
  const all = endOf(nodes)
  const columns = [
    ...columnsOf(nodes, false),
    {head: 'BEGAN', cells: nodes.map(({startMs}) => `+${durationText(startMs)}`), alignsRight: true},
    tookColumn(nodes),
    {head: '', cells: nodes.map(node => barOf(node, all, BAR))},
    {head: '', cells: nodes.map(node => noteOf(node, failedAt))}
  ]
  return fittingLines(columns, Infinity)
}

/** Gives the bars the rest of the width, below an axis. A narrow terminal has no bars. */
function fittingRows(nodes: readonly TreeNode[], {width, hasColours = false}: TracePlace): readonly string[] {
  const paint = (cell: string, row: number): string => (nodes[row]?.isFailed === true ? toned('bad', cell) : cell)
  const columns = [...columnsOf(nodes, true), tookColumn(nodes)].map(column =>
    hasColours && column.head === 'STATUS' ? {...column, paint} : column
  )
  const hasBars = width >= MIN_WITH_BARS
  const table = fittingLines(columns, hasBars ? width - MIN_BAR - GAP : width)
  return hasBars ? withBars(table, nodes, {width, hasColours}) : table
}

function withBars(
  table: readonly string[],
  nodes: readonly TreeNode[],
  {width, hasColours}: {readonly width: number; readonly hasColours: boolean}
): readonly string[] {
  const widths = table.map(row => widthOf(stripVTControlCharacters(row)))
  const room = Math.min(MAX_BAR, width - Math.max(...widths) - GAP)
  const all = endOf(nodes)
  const bars = nodes.map(node => {
    const bar = barOf(node, all, room)
    return hasColours && node.isFailed ? toned('bad', bar) : bar
  })
  const axis = `0${durationText(all).padStart(room - 1)}`
  const gapOf = (at: number): string => ' '.repeat(Math.max(...widths) - (widths[at] ?? 0) + GAP)
  return table.map((row, at) => `${row}${gapOf(at)}${[axis, ...bars][at] ?? ''}`)
}

const GAP = 2
/** Maximum columns of a bar: a wider one shows nothing new. */
const MAX_BAR = 48

const edgeOf = (node: TreeNode, isShort: boolean): string =>
  node.to !== '' && isShort && node.depth > 0 ? node.to : edgeOfNode(node)

const indentOf = ({depth}: TreeNode, width: number): string =>
  ' '.repeat(width < MIN_WITH_BARS ? 2 : 9 + 2 * Math.min(depth, 8))

/** Maximum rows of a terminal for one line of an app, unless whole lines were asked for. */
const MAX_ROWS = 3

/** Returns the lines below a row; long ones are folded. */
function below(
  node: TreeNode,
  lines: readonly string[],
  {width, isWhole}: {readonly width: number; readonly isWhole: boolean}
): string {
  const indent = indentOf(node, width)
  const room = width - indent.length
  const rows = lines.flatMap(line => folded(isWhole ? line : cut(line, MAX_ROWS * (room - 4)), room).split('\n'))
  return rows.map(row => `${indent}${row}\n`).join('')
}

/** Returns the branch in front of each node: `│ └ `, with a question mark for a guess. */
function branchesOf(nodes: readonly TreeNode[]): readonly string[] {
  /** For each depth, whether another node follows below the same parent. */
  const more: boolean[] = []
  return nodes
    .toReversed()
    .map(({depth, link}) => {
      const isLast = more[depth] !== true
      more.length = depth
      more[depth] = true
      for (let above = 1; above < depth; above++) more[above] ??= false
      if (depth === 0) return ''
      const lines = more.slice(1, depth).map(continues => (continues ? '│ ' : '  '))
      return `${lines.join('')}${isLast ? '└' : '├'}${link?.reason === 'guess' ? '?' : ' '}`
    })
    .toReversed()
}

/** Draws the time of a call as a part of the whole request, lighter if its place in the tree is a guess. */
function barOf({link, startMs, totalMs}: TreeNode, all: number, room: number): string {
  const begin = Math.min(room - 1, Math.floor((startMs / all) * room))
  const length = Math.max(1, Math.min(room - begin, Math.round((totalMs / all) * room)))
  return ' '.repeat(begin) + (link?.reason === 'guess' ? '░' : '█').repeat(length)
}

const noteOf = (node: TreeNode, failedAt: number | null): string => notesOf(node, failedAt).join(', ')

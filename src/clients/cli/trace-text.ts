import {stripVTControlCharacters} from 'node:util'
import type {RequestTree, TreeNode} from '../../model/api.generated.ts'
import {durationText} from '../../model/duration.ts'
import {edgeOfNode, linesBelow, notesOf, nodeOutcome} from '../../model/tree-words.ts'
import {toned} from './paint.ts'
import {fittingTable, type FittingColumn} from './table.ts'
import {cut, padEnd, widthOf} from './width.ts'

/** Columns of the longest bar: in a pipe, and at least on a terminal. */
const BAR = 24
const MIN_BAR = 12

/** Terminal of a tree. */
interface TracePlace {
  /** Columns of the terminal; Infinity: it is none. */
  readonly width: number
  /** Show all log lines; else errors and warnings, and the lines where a failure began. */
  readonly hasLines?: boolean
  readonly hasColours?: boolean
  /** Bodies of calls by their numbers; left out: none are shown. */
  readonly bodies?: ReadonlyMap<number, readonly string[]>
}

/** Returns a request as an indented tree, with times and the begin of a failure. Never wider than `width`. */
export function traceText(tree: RequestTree, place: TracePlace): string {
  const {nodes, leftOut, linesLeftOut} = tree
  const {width, hasLines = false, bodies} = place
  if (nodes.length === 0) return ''
  const lines = linesBelow(tree, {hasLines, isShort: width !== Infinity})
  // the error below its row says why it failed
  const shownNodes = nodes.map(node =>
    node.id === tree.failedAt && lines.has(node.id) ? {...node, failure: ''} : node
  )
  const [head = '', ...rows] = width === Infinity ? wideRows(tree) : fittingRows({...tree, nodes: shownNodes}, place)
  const text = nodes.map(
    (node, index) =>
      `${rows[index] ?? ''}\n${below(node, [...(bodies?.get(node.id) ?? []), ...(lines.get(node.id) ?? [])], width)}`
  )
  const more = leftOut === 0 ? '' : `… and ${leftOut} more calls\n`
  return `${head}\n${text.join('')}${more}${hasLines && linesLeftOut > 0 ? `… and ${linesLeftOut} earlier lines\n` : ''}`
}

type Cells = (cell: (node: TreeNode, index: number) => string) => readonly string[]

/** Returns the columns of a tree; `isShort`: the row above a call is its caller. */
function columnsOf(nodes: readonly TreeNode[], isShort: boolean): readonly FittingColumn[] {
  const branches = branchesOf(nodes)
  const cells: Cells = cell => nodes.map(cell)
  return [
    {head: 'CALL', cells: cells(({call}) => call?.number.toString() ?? ''), alignsRight: true},
    {head: 'FROM → TO', cells: cells((node, at) => `${branches[at] ?? ''}${edgeOf(node, isShort)}`), minWidth: 16},
    {head: 'REQUEST', cells: cells(({what}) => what), minWidth: 12},
    {head: 'STATUS', cells: cells(nodeOutcome)}
  ]
}

const tookColumn = (nodes: readonly TreeNode[]): FittingColumn => ({
  head: 'TOOK',
  cells: nodes.map(({totalMs}) => durationText(totalMs)),
  alignsRight: true
})

const linesIn = (table: string): readonly string[] => table.split('\n').slice(0, -1)

const endOf = (nodes: readonly TreeNode[]): number =>
  Math.max(...nodes.map(({startMs, totalMs}) => startMs + totalMs), 0.001)

function wideRows({nodes, failedAt}: RequestTree): readonly string[] {
  const all = endOf(nodes)
  return linesIn(
    fittingTable(
      [
        ...columnsOf(nodes, false),
        {head: 'BEGAN', cells: nodes.map(({startMs}) => `+${durationText(startMs)}`), alignsRight: true},
        tookColumn(nodes),
        {head: '', cells: nodes.map(node => barOf(node, all, BAR))},
        {head: '', cells: nodes.map(node => noteOf(node, failedAt))}
      ],
      Infinity
    )
  )
}

/** Gives the bars the rest of the width, below an axis, with notes below their rows. */
function fittingRows({nodes, failedAt}: RequestTree, {width, hasColours = false}: TracePlace): readonly string[] {
  const all = endOf(nodes)
  const paint = (cell: string, row: number): string => (nodes[row]?.isFailed === true ? toned('bad', cell) : cell)
  const columns = columnsOf(nodes, true).map(column =>
    hasColours ? {...column, ...(column.head === 'STATUS' && {paint})} : column
  )
  const table = (room: number): readonly string[] => linesIn(fittingTable([...columns, tookColumn(nodes)], room))
  const [head = '', ...rows] = table(width - MIN_BAR - GAP)
  const widthOfTable = Math.max(...[head, ...rows].map(row => widthOf(stripVTControlCharacters(row))))
  const room = Math.min(MAX_BAR, width - widthOfTable - GAP)
  const end = durationText(all)
  const axis = `${' '.repeat(GAP)}0${end.padStart(room - 1)}`
  const bars = nodes.map(node => barOf(node, all, room))
  return [
    padEnd(head, widthOfTable) + axis,
    ...nodes.map((node, at) => {
      const row = rows[at] ?? ''
      const gap = ' '.repeat(widthOfTable - widthOf(stripVTControlCharacters(row)) + GAP)
      const bar = bars[at] ?? ''
      const note = noteOf(node, failedAt)
      const below = note === '' ? '' : `\n${cut(`${indentOf(node)}${note}`, width)}`
      return `${row}${gap}${hasColours && node.isFailed ? toned('bad', bar) : bar}${below}`
    })
  ]
}

const GAP = 2
/** A wider bar says no more. */
const MAX_BAR = 48

const edgeOf = (node: TreeNode, isShort: boolean): string =>
  node.to !== '' && isShort && node.depth > 0 ? node.to : edgeOfNode(node)

const indentOf = ({depth}: TreeNode): string => ' '.repeat(9 + 2 * Math.min(depth, 8))

/** The lines below a row. */
const below = (node: TreeNode, lines: readonly string[], width: number): string =>
  lines.map(line => `${cut(`${indentOf(node)}${line}`, width)}\n`).join('')

/** The lines that lead to each node: `│ └ `, with a question mark where it is a guess. */
function branchesOf(nodes: readonly TreeNode[]): readonly string[] {
  /** For each depth, whether another node follows below the same one. */
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

/** Draws its time as a part of the whole request, lighter for a guess. */
function barOf({link, startMs, totalMs}: TreeNode, all: number, room: number): string {
  const begin = Math.min(room - 1, Math.floor((startMs / all) * room))
  const length = Math.max(1, Math.min(room - begin, Math.round((totalMs / all) * room)))
  return ' '.repeat(begin) + (link?.reason === 'guess' ? '░' : '█').repeat(length)
}

const noteOf = (node: TreeNode, failedAt: number | null): string => notesOf(node, failedAt).join(', ')

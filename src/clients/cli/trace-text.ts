import type {RequestTree, TreeLine, TreeNode} from '../../model/api.generated.ts'
import {guessText} from '../../model/call-guess.ts'
import {durationText} from '../../model/duration.ts'
import {fittingTable} from './table.ts'
import {cut} from './width.ts'

/** Characters of the longest bar. */
const BAR = 24
/** So many lines of one app are shown where a failure began, and of others that warn. */
const MAX_LINES = 20

/**
 * A request as an indented tree: what was done for what, when, how long, and where a failure began. Never wider than `width`.
 * Log lines are errors and warnings, and what was written where a failure began; with `hasLines` all.
 */
export function traceText(tree: RequestTree, width: number, hasLines = false): string {
  const {nodes, failedAt, leftOut, linesLeftOut} = tree
  if (nodes.length === 0) return ''
  const all = Math.max(...nodes.map(({startMs, totalMs}) => startMs + totalMs), 0.001)
  const branches = branchesOf(nodes)
  const cells = (cell: (node: TreeNode, index: number) => string): readonly string[] => nodes.map(cell)
  const table = fittingTable(
    [
      {head: 'CALL', cells: cells(({call}) => call?.number.toString() ?? ''), alignsRight: true},
      {head: 'FROM → TO', cells: cells((node, index) => `${branches[index] ?? ''}${edgeOf(node)}`), minWidth: 20},
      {head: 'REQUEST', cells: cells(({what}) => what), minWidth: 16},
      {head: 'STATUS', cells: cells(statusOf)},
      {head: 'BEGAN', cells: cells(({startMs}) => `+${durationText(startMs)}`), alignsRight: true},
      {head: 'TOOK', cells: cells(({totalMs}) => durationText(totalMs)), alignsRight: true},
      {head: '', cells: cells(node => barOf(node, all)), minWidth: 0},
      {head: '', cells: cells(node => noteOf(node, failedAt)), minWidth: 0}
    ],
    width
  )
  const shown = linesByNode(tree, hasLines)
  const [head = '', ...rows] = table.split('\n').slice(0, -1)
  const text = nodes.map(
    ({id}, index) => `${rows[index] ?? ''}\n${linesText(shown.get(id) ?? [], nodes[index], width)}`
  )
  const more = leftOut === 0 ? '' : `… and ${leftOut} more calls\n`
  return `${head}\n${text.join('')}${more}${hasLines && linesLeftOut > 0 ? `… and ${linesLeftOut} earlier lines\n` : ''}`
}

const edgeOf = ({from, to}: TreeNode): string => (to === '' ? from : `${from} → ${to}`)

const statusOf = ({outcome, isFailed, call}: TreeNode): string =>
  outcome + (isFailed && !(call?.marks.includes('grpc') === true) && call?.status !== 0 ? ' ✕' : '')

/** The lines that are shown below each node. */
function linesByNode({lines, failedAt}: RequestTree, hasLines: boolean): ReadonlyMap<number, readonly TreeLine[]> {
  const isTold = ({node, line}: TreeLine): boolean =>
    hasLines || node === failedAt || line.level === 'error' || line.level === 'warn'
  return Map.groupBy(lines.filter(isTold), ({node}) => node)
}

function linesText(lines: readonly TreeLine[], node: TreeNode | undefined, width: number): string {
  const indent = ' '.repeat(9 + 2 * Math.min(node?.depth ?? 0, 8))
  const left = lines.length - MAX_LINES
  const shown = lines.slice(-MAX_LINES).map(({others, line: {app, line}}) => {
    const doubt = others === 0 ? '' : ` (or for another of its ${others + 1} requests)`
    return `${cut(`${indent}${app}: ${line}${doubt}`, width)}\n`
  })
  return `${left > 0 ? `${indent}… ${left} earlier lines\n` : ''}${shown.join('')}`
}

/** The lines that lead to each node: `│ └ `, with a question mark where it is a guess. */
function branchesOf(nodes: readonly TreeNode[]): readonly string[] {
  /** For each depth: another node follows below the same one. */
  const more: boolean[] = []
  return nodes
    .toReversed()
    .map(({depth, link}) => {
      const isLast = more[depth] !== true
      more.length = depth
      more[depth] = true
      for (let above = 1; above < depth; above++) more[above] ??= false
      if (depth === 0) return ''
      const lines = more.slice(1, depth).map(goesOn => (goesOn ? '│ ' : '  '))
      return `${lines.join('')}${isLast ? '└' : '├'}${link?.reason === 'guess' ? '?' : ' '}`
    })
    .toReversed()
}

/** When it was, as a bar of the time that all of it took; lighter if it is a guess. */
function barOf({link, startMs, totalMs}: TreeNode, all: number): string {
  const begin = Math.min(BAR - 1, Math.floor((startMs / all) * BAR))
  const length = Math.max(1, Math.min(BAR - begin, Math.round((totalMs / all) * BAR)))
  return ' '.repeat(begin) + (link?.reason === 'guess' ? '░' : '█').repeat(length)
}

function noteOf({id, link, waitedMs, count, failure, call}: TreeNode, failedAt: number | null): string {
  const marks = call?.marks.filter(mark => !['grpc', 'ours'].includes(mark)) ?? []
  const notes = [
    id === failedAt ? '← the failure began here' : '',
    count > 1 ? `${count} times` : '',
    waitedMs < 1 ? '' : `waited ${durationText(waitedMs)}`,
    guessText(link),
    ...marks,
    failure
  ]
  return notes.filter(note => note !== '').join(', ')
}

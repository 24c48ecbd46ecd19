import type {RequestTree, TreeCall} from '../../model/api.generated.ts'
import {guessText} from '../../model/call-guess.ts'
import {durationText} from '../../model/duration.ts'
import {callWords} from './call-table.ts'
import {fittingTable} from './table.ts'

/** Characters of the longest bar. */
const BAR = 24

/** A request as an indented tree: what was called for what, when, how long, and where a failure began. Never wider than `width`. */
export function traceText({calls, failedAt, leftOut}: RequestTree, width: number): string {
  const [root] = calls
  if (root === undefined) return ''
  const began = Date.parse(root.at)
  const at = (call: TreeCall): number => Math.max(0, Date.parse(call.at) - began)
  const all = Math.max(...calls.map(call => at(call) + call.totalMs), 0.001)
  const branches = branchesOf(calls)
  const cells = (cell: (call: TreeCall, index: number) => string): readonly string[] => calls.map(cell)
  const table = fittingTable(
    [
      {head: 'CALL', cells: cells(({number}) => number.toString()), alignsRight: true},
      {
        head: 'FROM → TO',
        cells: cells((call, index) => `${branches[index] ?? ''}${callWords.edge(call)}`),
        minWidth: 20
      },
      {head: 'REQUEST', cells: cells(callWords.request), minWidth: 16},
      {head: 'STATUS', cells: cells(callWords.status)},
      {head: 'BEGAN', cells: cells(call => `+${durationText(at(call))}`), alignsRight: true},
      {head: 'TOOK', cells: cells(({totalMs}) => durationText(totalMs)), alignsRight: true},
      {head: '', cells: cells(call => barOf(call, at(call) / all, call.totalMs / all)), minWidth: 0},
      {head: '', cells: cells(call => noteOf(call, failedAt)), minWidth: 0}
    ],
    width
  )
  return table + (leftOut === 0 ? '' : `… and ${leftOut} more calls\n`)
}

/** The lines that lead to each call: `│ └ `, with a question mark where it is a guess. */
function branchesOf(calls: readonly TreeCall[]): readonly string[] {
  /** For each depth: another call follows below the same one. */
  const more: boolean[] = []
  return calls
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
function barOf({link}: TreeCall, from: number, share: number): string {
  const begin = Math.min(BAR - 1, Math.floor(from * BAR))
  const length = Math.max(1, Math.min(BAR - begin, Math.round(share * BAR)))
  return ' '.repeat(begin) + (link?.reason === 'guess' ? '░' : '█').repeat(length)
}

function noteOf(call: TreeCall, failedAt: number | null): string {
  const {number, link, waitedMs} = call
  const notes = [
    number === failedAt ? '← the failure began here' : '',
    waitedMs < 1 ? '' : `waited ${durationText(waitedMs)}`,
    guessText(link),
    callWords.note(call)
  ]
  return notes.filter(note => note !== '').join(', ')
}

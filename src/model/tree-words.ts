import type {RequestTree, TreeLine, TreeNode, CallLink} from './api.generated.ts'
import {shownCause} from './call-end.ts'
import {durationText} from './duration.ts'
import {isLibraryFrame} from './thrown-at.ts'

/*
 * The words of a request's tree, for the command line and for coding agents.
 */

/** Maximum number of lines shown below one node. */
const MAX_LINES = 20
/** A line may be read this much later than its app has written it, in ms. */
const LATE_MS = 3

/** Number of calls of a request, including those that share a row. */
export const callsOfTree = ({nodes, leftOut}: RequestTree): number =>
  nodes.reduce((sum, {kind, count}) => sum + (kind === 'call' ? count : 0), leftOut)

export const edgeOfNode = ({from, to}: TreeNode): string => (to === '' ? from : `${from} → ${to}`)

export const nodeOutcome = ({outcome, isFailed, call}: TreeNode): string =>
  outcome + (isFailed && !(call?.marks.includes('grpc') === true) && call?.status !== 0 ? ' ✕' : '')

/** Returns the words of a row of a tree besides its columns. */
export function notesOf(
  {id, link, waitedMs, count, failure, call}: TreeNode,
  failedAt: number | null
): readonly string[] {
  const marks = call?.marks.filter(mark => !['grpc', 'ours'].includes(mark)) ?? []
  const notes = [
    id === failedAt ? '← the failure began here' : '',
    count > 1 ? `${count} times` : '',
    waitedMs < 1 ? '' : `waited ${durationText(waitedMs)}`,
    guessText(link),
    ...marks,
    shownCause(failure)
  ]
  return notes.filter(note => note !== '')
}

/**
 * Returns the log lines below each node: `app: line`. Without `hasLines`: errors and warnings, and all lines at the node where the
 * failure began, except uncertain or late lines if there are certain ones. With `isShort`: at that node only the error and the number of
 * other lines.
 */
export function linesBelow(
  tree: RequestTree,
  {hasLines, isShort = false}: {readonly hasLines: boolean; readonly isShort?: boolean}
): ReadonlyMap<number, readonly string[]> {
  const {nodes, lines, failedAt} = tree
  const isTold = ({node, line}: TreeLine): boolean => hasLines || node === failedAt || isError(line)
  // frames of libraries hide the exception and its causes
  const useful = lines.filter(each => isTold(each) && !isLibraryFrame(each.line.line))
  const shown = new Map<number, readonly string[]>()
  for (const [id, own] of Map.groupBy(useful, ({node}) => node)) {
    const node = nodes.find(each => each.id === id)
    const sure = own.filter(each => each.others === 0 && !isLate(each, node))
    const kept = hasLines || sure.length === 0 ? own : own.filter(each => sure.includes(each) || isError(each.line))
    const error = isShort && !hasLines && id === failedAt ? kept.find(({line}) => isErrorLine(line)) : undefined
    const more = kept.length === 2 ? '… 1 more line: --lines' : `… ${kept.length - 1} more lines: --lines`
    shown.set(id, error === undefined || kept.length < 2 ? textsOf(kept) : [...textsOf([error]), more])
  }
  return shown
}

const isError = ({level}: TreeLine['line']): boolean => level === 'error' || level === 'warn'

/** Returns whether a line begins an error: frames of a stack are indented. */
const isErrorLine = (line: TreeLine['line']): boolean => line.level === 'error' && !/^\s/.test(line.line)

const isLate = ({line: {time}}: TreeLine, node: TreeNode | undefined): boolean =>
  node !== undefined && Date.parse(time ?? '') > Date.parse(node.at) + node.totalMs + LATE_MS

/** Returns the latest of the lines, but errors before others. */
function textsOf(lines: readonly TreeLine[]): readonly string[] {
  const errors = lines.filter(({line}) => isError(line)).slice(-MAX_LINES)
  const others = lines.filter(({line}) => !isError(line))
  const kept = new Set([...errors, ...others.slice(Math.max(0, others.length - MAX_LINES + errors.length))])
  const left = lines.length - kept.size
  const texts = lines.flatMap(each => {
    if (!kept.has(each)) return []
    const doubt = each.others === 0 ? '' : ` (or for another of its ${each.others + 1} requests)`
    return [`${each.line.app}: ${each.line.line}${doubt}`]
  })
  return left > 0 ? [`… ${left} earlier lines`, ...texts] : texts
}

/** Describes the certainty of a link to another call: `likely (40 %, 1 of 3)`; empty if certain. */
export function guessText(link: CallLink | null): string {
  if (link?.reason !== 'guess') return ''
  const {chance, candidates} = link
  return `likely (${Math.round(chance * 100)} %${candidates > 1 ? `, 1 of ${candidates}` : ''})`
}

/** Explains in a sentence why a row is below another; empty if it is a root. */
export function reasonText(link: CallLink | null): string {
  if (link === null) return ''
  const {reason, candidates} = link
  if (reason === 'trace') return 'Its caller passed the trace on.'
  if (reason === 'event') return 'It delivers what was published there.'
  if (reason === 'history') return 'The workflow’s history names it.'
  if (reason === 'only') return 'Its caller was doing nothing else at that moment, and passed no trace on.'
  return candidates > 1
    ? `${candidates} are possible at that moment: this is the likeliest.`
    : 'Its caller was answering this call, and may have made it for something else.'
}

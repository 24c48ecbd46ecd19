import {count, duration} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {faults} from '../state/faults.ts'
import {recentOf, type GraphEdge} from './graph.ts'

/** Returns the label of a node; '' collects the calls on edges beyond the maximum number of edges. */
export const nameOf = (node: string): string => (node === '' ? '(others)' : visible(node))

/** Returns whether an enabled fault may hit calls on an edge. */
export const isFaulty = ({from, to}: GraphEdge): boolean =>
  faults.value.some(fault => fault.isEnabled && ['any', from].includes(fault.from) && ['any', to].includes(fault.to))

/** The rate, in calls per second, below which the total number of calls is shown instead. */
const SLOW = 0.05

/**
 * Returns a label such as `12.6/s ✕ 31 % 65 ms ⚡`: calls, failures, p95 and a fault, of the last minute; empty if no app calls the callee.
 * A short label has calls and failures alone.
 */
export function labelOf(edge: GraphEdge, isShort = false): string {
  if (edge.isAwaited === true) return ''
  const {perSecond, failed} = recentOf(edge)
  const calls = edge.figures?.calls ?? 0
  const speed = calls === 0 ? 'not called' : perSecond < SLOW ? `${count(calls)} calls` : `${count(perSecond)}/s`
  const p95Ms = edge.figures?.recent.p95Ms ?? 0
  const p95 = p95Ms === 0 ? '' : duration(p95Ms)
  const words = [speed, failed > 0 ? `✕ ${failed < 1 ? '<1' : Math.round(failed)} %` : '']
  return [...words, ...(isShort ? [] : [p95, isFaulty(edge) ? '⚡' : ''])].filter(text => text !== '').join(' ')
}

/** Returns the share of failed calls in the last minute or, if none failed, the number of failed calls in total. */
export function failedText(edge: GraphEdge): string {
  const {failed} = recentOf(edge)
  const all = edge.figures?.failed ?? 0
  return failed > 0 ? `✕ ${failed.toFixed(1)} %` : all > 0 ? `${count(all)} in total` : '–'
}

/** Returns the label as a sentence for screen readers. */
export function sentenceOf(edge: GraphEdge): string {
  const {calls = 0} = edge.figures ?? {}
  return [
    `${nameOf(edge.from)} to ${nameOf(edge.to)}: ${labelOf(edge) || 'waits for it'}`,
    recentOf(edge).perSecond >= SLOW ? `${count(calls)} in total` : '',
    isFaulty(edge) ? 'a fault is on' : '',
    dependsText(edge)
  ]
    .filter(text => text !== '')
    .join(', ')
}

/** Returns how `dependsOn` relates to an edge; empty if there is nothing to say. */
export function dependsText({isDeclared, isAwaited, figures}: GraphEdge): string {
  if (isAwaited === true) return 'under dependsOn'
  if (isDeclared === false) return 'not declared'
  return isDeclared === true && figures === undefined ? 'under dependsOn, not called yet' : ''
}

/** Returns the stroke width of an edge, on a log scale from an occasional call to thousands per second. */
export const widthOf = (edge: GraphEdge): number => 1.5 + 1.2 * Math.log10(1 + 3 * recentOf(edge).perSecond)

/** Returns whether a node is a topic, such as `pubsub/orders`; ids of apps have no slash. */
export const isTopic = (node: string): boolean => node.includes('/')

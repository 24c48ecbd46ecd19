import {count, duration} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {faults} from '../state/faults.ts'
import {recentOf, type GraphEdge} from './graph.ts'

/** An app, or what else is called; the calls beyond those that are counted one by one have no name. */
export const nameOf = (node: string): string => (node === '' ? '(others)' : visible(node))

/** A fault that may hit calls between these two is on, and not disabled. */
export const isFaulty = ({from, to}: GraphEdge): boolean =>
  faults.value.some(fault => fault.isEnabled && ['any', from].includes(fault.from) && ['any', to].includes(fault.to))

/** Below this rate the number of calls is shown instead. */
const SLOW = 0.05

/** `12.6/s ✕ 31 % 65 ms ⚡`: calls a second, failures, p95, all in the last minute; '' = there is nothing to show. */
export function labelOf(edge: GraphEdge): string {
  if (edge.isAwaited === true) return ''
  const {perSecond, failed} = recentOf(edge)
  const calls = edge.figures?.calls ?? 0
  const speed = calls === 0 ? 'not called' : perSecond < SLOW ? `${count(calls)} calls` : `${count(perSecond)}/s`
  const p95Ms = edge.figures?.recent.p95Ms ?? 0
  const p95 = p95Ms === 0 ? '' : duration(p95Ms)
  return [speed, failed > 0 ? `✕ ${failed < 1 ? '<1' : Math.round(failed)} %` : '', p95, isFaulty(edge) ? '⚡' : '']
    .filter(text => text !== '')
    .join(' ')
}

/** How many of a hundred have failed in the last seconds; if none has, how many in all. */
export function failedText(edge: GraphEdge): string {
  const {failed} = recentOf(edge)
  const all = edge.figures?.failed ?? 0
  return failed > 0 ? `✕ ${failed.toFixed(1)} %` : all > 0 ? `${count(all)} in total` : '–'
}

/** The label in words, for those who do not see it. */
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

/** What `dependsOn` says of it; '' = nothing is to be said. */
export function dependsText({isDeclared, isAwaited, figures}: GraphEdge): string {
  if (isAwaited === true) return 'under dependsOn'
  if (isDeclared === false) return 'not declared'
  return isDeclared === true && figures === undefined ? 'under dependsOn, not called yet' : ''
}

/** How thick its line is: from a call now and then to thousands a second. */
export const widthOf = (edge: GraphEdge): number => 1.5 + 1.2 * Math.log10(1 + 3 * recentOf(edge).perSecond)

/** What is called is a topic: `pubsub/orders`. Apps have no slash in their ids. */
export const isTopic = (node: string): boolean => node.includes('/')

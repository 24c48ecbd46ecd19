import {isDeepStrictEqual} from 'node:util'
import type {RecordedQuestion} from './tape.ts'

const MAX_TEXT = 200

const short = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

/** Describes the question, and how the nearest recorded one differs from it. */
export function nearestText(
  asked: RecordedQuestion,
  recorded: readonly {readonly question: RecordedQuestion; readonly line: number}[]
): string {
  const {messages, model, tools = []} = asked
  const of = [
    ...(model === '' ? [] : [`of the model ${model}`]),
    ...(messages.length > 1 ? [`the last of ${messages.length} messages`] : []),
    ...(tools.length > 0 ? [`with ${tools.length} tools`] : [])
  ]
  const what = `${short(messages.at(-1))}${of.length > 0 ? ` (${of.join(', ')})` : ''}`
  // a file may have thousands, and long ones
  const likest = recorded.map(each => ({...each, likeness: likeness(asked, each.question)}))
  const best = likest.reduce((a, b) => (b.likeness > (a?.likeness ?? -1) ? b : a), likest[0])
  if (best === undefined) return `${what}; it is empty`
  const {path, is, was} = difference(asked, best.question)
  return `${what}; nearest is line ${best.line}, where ${path} is ${short(was)}, and not ${short(is)}`
}

/** Messages that are equal count most, then how much of the first other one is. */
function likeness(a: RecordedQuestion, b: RecordedQuestion): number {
  const at = firstOther(a.messages, b.messages)
  const rest = ['model', 'tools', 'toolChoice', 'temperature', 'responseFormat'] as const
  const equal = rest.filter(key => isDeepStrictEqual(a[key], b[key])).length
  return at + shared(JSON.stringify(a.messages[at] ?? ''), JSON.stringify(b.messages[at] ?? '')) + equal / 10
}

const firstOther = (a: readonly unknown[], b: readonly unknown[]): number => {
  const at = a.findIndex((each, index) => !isDeepStrictEqual(each, b[index]))
  return at < 0 ? a.length : at
}

/** How much of two texts is equal at their starts and ends, from 0 to 1. */
function shared(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  let start = 0
  while (start < length && a[start] === b[start]) start++
  let end = 0
  while (end < length - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return (start + end) / Math.max(a.length, b.length, 1)
}

function difference(asked: RecordedQuestion, other: RecordedQuestion): {path: string; is: unknown; was: unknown} {
  const at = firstOther(asked.messages, other.messages)
  if (at < Math.max(asked.messages.length, other.messages.length))
    return {path: `messages[${at}]`, is: asked.messages[at], was: other.messages[at]}
  const keys = [...new Set([...Object.keys(asked), ...Object.keys(other)])] as (keyof RecordedQuestion)[]
  const path = keys.find(key => !isDeepStrictEqual(asked[key], other[key])) ?? 'model'
  return {path, is: asked[path], was: other[path]}
}

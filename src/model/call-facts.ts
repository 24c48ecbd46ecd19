import type {Call, CallDetail} from './api.generated.ts'
import {ownOf} from './own.ts'
import {durationText} from './duration.ts'

// Facts about one call in words, the same for the command line, the page and coding agents. A field without words of its own is shown by its name
// and value, so that no reader misses a new field.

/** Fields that every reader shows in a place of their own. */
const SHOWN: ReadonlySet<string> = new Set(
  (
    'number at from to method path target status isOpen isFailed totalMs requestBytes responseBytes ' +
    'connectMs calleeProtocol waitedFor actor marks isKept request response'
  ).split(' ')
)

type Words = {readonly [K in keyof CallDetail]?: (call: CallDetail) => string}

const WORDS: Words = {
  protocol: call => protocolText(call),
  waitedMs: ({waitedMs, waitedFor}) =>
    waitedMs < 1
      ? ''
      : `waited ${durationText(waitedMs)}${waitedFor.length === 0 ? '' : `: ${waitedFor.join(', then ')}`}`,
  firstByteMs: ({firstByteMs}) => (firstByteMs === 0 ? '' : `${durationText(firstByteMs)} until the first byte`),
  attempts: ({attempts}) => (attempts > 1 ? `sent ${attempts} times` : ''),
  pid: ({pid}) => (pid === 0 ? '' : `process ${pid}`),
  model: call => modelText(call),
  traceparent: ({traceparent}) => (traceparent === '' ? '' : `trace ${traceparent}`),
  failure: ({failure}) => (failure === '' ? '' : `failed: ${failure}`),
  isTruncated: ({isTruncated}) =>
    isTruncated ? 'the bodies are shown in part: record.body of the template sets how much is kept' : ''
}

/** Returns the facts of a call, each a line; `without`: names of fields that the reader shows itself. */
export function callFacts(call: CallDetail, without: ReadonlySet<string> = new Set()): readonly string[] {
  const names = [...new Set([...Object.keys(WORDS), ...Object.keys(call)])] as (keyof CallDetail)[]
  return names
    .filter(name => !SHOWN.has(name) && !without.has(name))
    .map(name => (ownOf(WORDS, name) ?? (() => factOf(name, call[name])))(call))
    .filter(fact => fact !== '')
}

function factOf(name: string, value: unknown): string {
  if (value === '' || value === 0 || value === false || value === undefined) return ''
  const title = name.replaceAll(/[A-Z]/g, capital => ` ${capital.toLowerCase()}`)
  return value === true ? title : `${title} ${typeof value === 'string' ? value : JSON.stringify(value)}`
}

/** Returns the protocols of both ends: `gRPC`, `HTTP/2 → HTTP/1.1`. A request of the sidecar itself has only the app's. */
export function protocolText({protocol, calleeProtocol}: Pick<Call, 'protocol' | 'calleeProtocol'>): string {
  const ends = [protocol, calleeProtocol].filter(each => each !== 'none')
  return [...new Set(ends)].join(' → ')
}

/** Returns the cost of a language model and why its answers ended; empty for other calls. */
function modelText({model}: Call): string {
  if (model === undefined) return ''
  const {name, reasons, tools, tokens} = model
  const cost = tokens === undefined ? '' : `, ${tokens.prompt} + ${tokens.completion} tokens`
  const called = tools.length === 0 ? '' : `, called ${tools.join(', ')}`
  return `model ${name === '' ? 'without a name' : name}${cost}, ${reasons.join(', ')}${called}`
}

import type * as Api from '../../../model/api.generated.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {durationText} from '../../../model/duration.ts'
import {CURSOR, cursorOf, givenNumber, givenText, type Tool} from '../tool.ts'

const ROWS = 50

export const callsTool: Tool = {
  name: 'calls',
  title: 'Calls between apps',
  description:
    'The latest calls between the apps, the latest first. A filter such as "to:payments is:failed", "status:5xx", "from:shop path:/orders/*", "slower:100ms", "body:text", "trace:ID", "span:text" selects them.',
  changes: 'nothing',
  properties: {
    filter: {type: 'string', description: 'Terms that must all match a call; ! before a term negates it'},
    limit: {type: 'integer', description: 'How many calls, 50 by default', minimum: 1, maximum: 500},
    cursor: CURSOR
  },
  run: async (run, given, signal) => {
    const limit = givenNumber(given, 'limit', ROWS)
    const before = cursorOf(given)
    const query = {q: givenText(given, 'filter'), limit, ...(before > 0 && {before})}
    const {last, calls: rows} = await run.api.ask('GET /calls', {query, signal})
    return listAnswer({
      summary: rows.length === 0 ? 'No call matches.' : `Calls, the latest first; the latest of all is ${last}.`,
      items: rows.map(row => ({text: rowText(row), fact: factOf(row)})),
      facts: {last},
      cursorAfter: count =>
        count < rows.length || rows.length === limit ? (rows[count - 1]?.number.toString() ?? '') : ''
    })
  }
}

const factOf = ({number, status, isFailed}: Api.Call): Record<string, unknown> => ({number, status, isFailed})

function rowText(row: Api.Call): string {
  const {number, at, from, to, method, isKept, status, isOpen, isFailed, failure, waitedMs, totalMs, marks} = row
  const outcome = isOpen ? 'in flight' : status === 0 ? 'no response' : status.toString()
  const notes = [
    durationText(totalMs),
    waitedMs < 1 ? '' : `waited ${durationText(waitedMs)}`,
    ...marks.filter(mark => mark !== 'ours'),
    failure
  ].filter(note => note !== '')
  const target = isKept ? row.path : '(no longer kept)'
  return `${number} ${at} ${from} → ${to} ${method} ${target}: ${outcome}${isFailed ? ' FAILED' : ''}; ${notes.join('; ')}`
}

export const call: Tool = {
  name: 'call',
  title: 'One call',
  description: 'One call with request and response: heads and bodies. Secrets are masked.',
  changes: 'nothing',
  properties: {number: {type: 'integer', description: 'The number of the call', minimum: 1}, cursor: CURSOR},
  required: ['number'],
  run: async (run, given, signal) => {
    const number = givenNumber(given, 'number', 0)
    const detail = await run.api.ask('GET /calls/{number}', {at: {number}, signal})
    const {status, isFailed, isTruncated, isKept} = detail
    const notes = [
      isKept ? '' : 'Its bytes are no longer recorded.',
      isTruncated ? 'Only part of the bodies was recorded (record.body in the template).' : ''
    ]
    const summary = `Call ${number}${isFailed ? ', which failed' : ''}. ${notes.join(' ')}`.trimEnd()
    return textAnswer(summary, detailText(detail), {from: cursorOf(given), facts: {number, status, isFailed}})
  }
}

function detailText(detail: Api.CallDetail): string {
  const {waitedFor, traceparent, request, response} = detail
  return [
    `${rowText(detail)}\n`,
    waitedFor.length === 0 ? '' : `waited for: ${waitedFor.join(', then ')}\n`,
    traceparent === '' ? '' : `trace ${traceparent}\n`,
    `\nrequest:\n${recordedText(request)}`,
    `\nresponse:\n${recordedText(response)}`
  ].join('')
}

/** A request or a response as it is recorded; secrets are masked. */
export function recordedText({line, headers, body, encoding, isUnmasked}: Api.Message): string {
  if (line === '') return 'none\n'
  const head = [line, ...headers.map(([name, value]) => `${name}: ${value}`)].map(each => `${each}\n`).join('')
  if (body === '') return head
  const bytes = encoding === 'base64' ? Buffer.from(body, 'base64').length : 0
  const note = isUnmasked === true ? '(neither JSON nor a form: nothing in it is masked)\n' : ''
  return `${head}\n${encoding === 'base64' ? `(${bytes} bytes that are not text)` : body}\n${note}`
}

export const graphTool: Tool = {
  name: 'graph',
  title: 'Who calls whom',
  description:
    'Which apps have called which, how often, how many failed, and where that differs from dependsOn of the template.',
  changes: 'nothing',
  properties: {cursor: CURSOR},
  run: async (run, given, signal) => {
    const {edges, uncalled} = await run.api.ask('GET /graph', {signal})
    const rows = [
      ...edges.map(({from, to, calls: count, failed, p95Ms, isDeclared}) => ({
        text: `${from} → ${to}: ${count} calls, ${failed} failed, p95 ${durationText(p95Ms)}${isDeclared === false ? '; not declared in dependsOn' : ''}`,
        fact: {calls: count, failed}
      })),
      ...uncalled.map(({from, to}) => ({
        text: `${from} → ${to}: declared in dependsOn, never called`,
        fact: {calls: 0, failed: 0}
      }))
    ]
    const from = cursorOf(given)
    const left = rows.slice(from)
    return listAnswer({
      summary: edges.length === 0 ? 'No calls yet.' : `${edges.length} pairs of caller and callee, the busiest first.`,
      items: left,
      cursorAfter: count => (count < left.length ? (from + count).toString() : '')
    })
  }
}

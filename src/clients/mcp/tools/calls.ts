import type * as Api from '../../../model/api.generated.ts'
import {durationText} from '../../../model/duration.ts'
import {callsOfTree, edgeOfNode, linesBelow, notesOf, nodeOutcome} from '../../../model/tree-words.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {bodiesOf, recordedText} from '../bodies.ts'
import {CURSOR, cursorOf, cursorParts, flag, givenNumber, givenText, text, whole, type Tool} from '../tool.ts'

const ROWS = 50

export const callsTool: Tool = {
  name: 'calls',
  description:
    'Calls between apps, and to them, the latest first. Filter: "to:payments is:failed", "status:5xx", "from:shop path:/orders/*", "slower:100ms", "body:text", "trace:ID"; ! negates a term.',
  changes: 'nothing',
  properties: {filter: text(), limit: whole(`${ROWS} by default`, 500), cursor: CURSOR},
  run: async (run, given, signal) => {
    const limit = givenNumber(given, 'limit', ROWS)
    const before = cursorOf(given)
    const query = {q: givenText(given, 'filter'), limit, ...(before > 0 && {before})}
    const {last, calls: rows} = await run.api.ask('GET /calls', {query, signal})
    return listAnswer({
      summary: rows.length === 0 ? 'No call matches.' : `Calls, the latest first; the latest of all is ${last}.`,
      rows: rows.map(rowText),
      facts: {last, calls: rows.map(({number}) => number).slice(0, 10)},
      cursorAfter: count =>
        count < rows.length || rows.length === limit ? (rows[count - 1]?.number.toString() ?? '') : ''
    })
  }
}

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
  description: 'One call with request and response: heads and whole bodies. Secrets are masked.',
  changes: 'nothing',
  properties: {number: whole('The number of the call'), cursor: CURSOR},
  required: ['number'],
  run: async (run, given, signal) => {
    const number = givenNumber(given, 'number')
    const detail = await run.api.ask('GET /calls/{number}', {at: {number}, signal})
    const {status, isFailed, isTruncated, isKept, waitedFor, traceparent, request, response} = detail
    const notes = [
      isFailed ? `Call ${number}, which failed.` : `Call ${number}.`,
      isKept ? '' : 'Its bytes are no longer recorded.',
      isTruncated ? 'Only part of the bodies was recorded (record.body in the template).' : ''
    ]
    const waited = waitedFor.length === 0 ? '' : `waited for: ${waitedFor.join(', then ')}\n`
    const trace = traceparent === '' ? '' : `trace ${traceparent}\n`
    const body = `${rowText(detail)}\n${waited}${trace}\nrequest:\n${recordedText(request)}\nresponse:\n${recordedText(response)}`
    const summary = notes.filter(note => note !== '').join(' ')
    return textAnswer(summary, body, {from: cursorOf(given), facts: {number, status, isFailed}})
  }
}

export const traceTool: Tool = {
  name: 'trace',
  description:
    'One request as a tree of all that was done for it: calls, events, components, workflows, spans. Says where a failure began and what was logged there. Guesses are marked.',
  changes: 'nothing',
  properties: {
    filter: text(
      'A call’s number (Pillion-Call of a response), workflow:ID, or a filter of "calls" such as is:failed: the latest. Left out: the latest request'
    ),
    lines: flag('All log lines, not only errors'),
    bodies: flag('Bodies of each call'),
    cursor: CURSOR
  },
  run: async (run, given, signal) => {
    // of the same call as the rows before: the latest that matches may be another one by now
    const [asked = '', row = '0'] = cursorParts(given, /^(\d*):(\d+)$/)
    const tree = await run.api.ask('GET /trace', {query: {q: asked || givenText(given, 'filter')}, signal})
    const bodies =
      given['bodies'] === true ? await bodiesOf(run.api, tree, signal) : new Map<number, readonly string[]>()
    const lines = linesBelow(tree, given['lines'] === true)
    const from = Number(row)
    const left = tree.nodes.slice(from)
    return listAnswer({
      summary: `A request of ${callsOfTree(tree)} calls${tree.nodes[0]?.isFailed === true ? ', which failed' : ''}.`,
      rows: left.map(node => {
        const indent = '  '.repeat(node.depth)
        const below = [...(bodies.get(node.id) ?? []), ...(lines.get(node.id) ?? [])].map(
          line => `\n${indent}    ${line}`
        )
        const notes = [durationText(node.totalMs), ...notesOf(node, tree.failedAt)].join(', ')
        return `${indent}${node.id > 0 ? `${node.id} ` : ''}${edgeOfNode(node)} ${node.what}: ${nodeOutcome(node)}; ${notes}${below.join('')}`
      }),
      facts: {asked: tree.asked, failedAt: tree.failedAt},
      cursorAfter: count => (count < left.length ? `${tree.asked > 0 ? tree.asked : ''}:${from + count}` : '')
    })
  }
}

export const graphTool: Tool = {
  name: 'graph',
  description: 'Which apps called which, how often, how many failed, and where that differs from dependsOn.',
  changes: 'nothing',
  properties: {cursor: CURSOR},
  run: async (run, given, signal) => {
    const {edges, uncalled} = await run.api.ask('GET /graph', {signal})
    const rows = [
      ...edges.map(({from, to, calls: count, failed, p95Ms, isDeclared}) => {
        const note = isDeclared === false ? '; not declared in dependsOn' : ''
        return `${from} → ${to}: ${count} calls, ${failed} failed, p95 ${durationText(p95Ms)}${note}`
      }),
      ...uncalled.map(({from, to}) => `${from} → ${to}: declared in dependsOn, never called`)
    ]
    const from = cursorOf(given)
    return listAnswer({
      summary: edges.length === 0 ? 'No calls yet.' : `${edges.length} pairs of caller and callee, the busiest first.`,
      rows: rows.slice(from),
      cursorAfter: count => (from + count < rows.length ? (from + count).toString() : '')
    })
  }
}

import type * as Api from '../../../model/api.generated.ts'
import {durationText} from '../../../model/duration.ts'
import {callsOfTree, edgeOfNode, linesBelow, notesOf, nodeOutcome} from '../../../model/tree-words.ts'
import {listAnswer, textAnswer} from '../answer.ts'
import {bodiesOf, recordedText} from '../bodies.ts'
import {cursorOf, cursorParts, givenNumber, givenText, type Tool} from '../tool.ts'

const ROWS = 50

export const callsTool: Pick<Tool, 'run'> = {
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

export const oneCallTool: Pick<Tool, 'run'> = {
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

export const traceTool: Pick<Tool, 'run'> = {
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

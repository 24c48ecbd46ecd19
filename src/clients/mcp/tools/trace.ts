import type * as Api from '../../../model/api.generated.ts'
import {guessText} from '../../../model/call-guess.ts'
import {durationText} from '../../../model/duration.ts'
import {listAnswer} from '../answer.ts'
import {CURSOR, cursorParts, givenText, type Tool} from '../tool.ts'

export const traceTool: Tool = {
  name: 'trace',
  title: 'One request as a tree',
  description:
    'A request with all that was done for it (calls, events, uses of components, workflows, and spans of the OpenTelemetry SDKs of apps), also where apps pass no trace on. Says where a failure began, what was logged there, and errors and warnings elsewhere. What is not surely part of it is marked as a guess.',
  changes: 'nothing',
  properties: {
    filter: {
      type: 'string',
      description:
        'The number of any call of it, workflow:ID, or a filter as of the tool "calls", such as "is:failed": the latest that matches. Left out: the latest request'
    },
    cursor: CURSOR
  },
  run: async (run, given, signal) => {
    // of the same call as the rows before: the latest that matches may be another one by now
    const [call = '', row = '0'] = cursorParts(given, /^(\d*):(\d+)$/)
    const tree = await run.api.ask('GET /trace', {query: {q: call || givenText(given, 'filter')}, signal})
    const [root] = tree.nodes
    const from = Number(row)
    const left = tree.nodes.slice(from)
    return listAnswer({
      summary: `A request of ${tree.nodes.length + tree.leftOut} calls${root?.isFailed === true ? ', which failed' : ''}.`,
      items: left.map(node => ({text: stepText(node, tree), fact: {number: node.id, depth: node.depth}})),
      facts: {failedAt: tree.failedAt},
      cursorAfter: count => (count < left.length ? `${tree.asked > 0 ? tree.asked : ''}:${from + count}` : '')
    })
  }
}

/** The most lines of one node. */
const MAX_LINES = 5

function stepText(node: Api.TreeNode, {failedAt, lines}: Api.RequestTree): string {
  const {id, depth, count, from, to, what, outcome, isFailed, failure, totalMs, link} = node
  const notes = [
    `${outcome}${isFailed ? ' FAILED' : ''}`.trim(),
    count > 1 ? `${count} times` : '',
    durationText(totalMs),
    guessText(link),
    failure,
    id === failedAt ? 'THE FAILURE BEGAN HERE' : ''
  ].filter(note => note !== '')
  const indent = '  '.repeat(depth)
  const logged = lines
    .filter(({node: of, line: {level}}) => of === id && (id === failedAt || level === 'error' || level === 'warn'))
    .slice(-MAX_LINES)
    .map(({line: {app, line}}) => `\n${indent}  ${app} logged: ${line}`)
  const edge = to === '' ? from : `${from} → ${to}`
  return `${indent}${id > 0 ? `${id} ` : ''}${edge} ${what}: ${notes.join('; ')}${logged.join('')}`
}

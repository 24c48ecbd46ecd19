import type * as Api from '../../../model/api.generated.ts'
import {guessText} from '../../../model/call-guess.ts'
import {durationText} from '../../../model/duration.ts'
import {listAnswer} from '../answer.ts'
import {CURSOR, cursorOf, givenText, type Tool} from '../tool.ts'

export const traceTool: Tool = {
  name: 'trace',
  title: 'One request as a tree',
  description:
    'A request with all calls that were made for it, also where apps pass no trace on. Tells where a failure began. A call that is not surely part of it is marked as a guess.',
  changes: 'nothing',
  properties: {
    filter: {
      type: 'string',
      description:
        'The number of any call of it, or a filter as of the tool "calls", such as "is:failed": the latest that matches. Left out: the latest request'
    },
    cursor: CURSOR
  },
  required: [],
  run: async (run, given, signal) => {
    const tree = await run.api.ask('GET /trace', {query: {q: givenText(given, 'filter')}, signal})
    const [root] = tree.calls
    const from = cursorOf(given)
    const left = tree.calls.slice(from)
    return listAnswer({
      summary: `A request of ${tree.calls.length + tree.leftOut} calls${root?.isFailed === true ? ', which failed' : ''}.`,
      items: left.map(call => ({text: stepText(call, tree), fact: {number: call.number, depth: call.depth}})),
      facts: {failedAt: tree.failedAt},
      cursorAfter: count => (count < left.length ? (from + count).toString() : '')
    })
  }
}

function stepText(call: Api.TreeCall, {failedAt}: Api.RequestTree): string {
  const {number, depth, from, to, method, path, status, isOpen, isFailed, failure, totalMs, link} = call
  const notes = [
    isOpen ? 'in flight' : `${status}${isFailed ? ' FAILED' : ''}`,
    durationText(totalMs),
    guessText(link),
    failure,
    number === failedAt ? 'THE FAILURE BEGAN HERE' : ''
  ].filter(note => note !== '')
  return `${'  '.repeat(depth)}${number} ${from} → ${to} ${method} ${path}: ${notes.join('; ')}`
}

import {bodiesOf} from '../../../control/tree-bodies.ts'
import {durationText} from '../../../model/duration.ts'
import {callsOfTree, edgeOfNode, linesBelow, notesOf, nodeOutcome} from '../../../model/tree-words.ts'
import {listAnswer} from '../answer.ts'
import {cursorParts, givenText, type Tool} from '../tool.ts'

export const traceTool: Pick<Tool, 'run'> = {
  run: async (run, given, signal) => {
    // of the same call as the earlier rows: the latest match may be another call now
    const [asked = '', row = '0'] = cursorParts(given, /^(\d*):(\d+)$/)
    const tree = await run.api.ask('GET /trace', {query: {q: asked || givenText(given, 'filter')}, signal})
    const bodies =
      given['bodies'] === true ? await bodiesOf(run.api, tree, signal) : new Map<number, readonly string[]>()
    const lines = linesBelow(tree, {hasLines: given['lines'] === true})
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
      cursorAfter: count => (count < left.length ? `${tree.asked > 0 ? tree.asked : ''}:${from + count}` : '')
    })
  }
}

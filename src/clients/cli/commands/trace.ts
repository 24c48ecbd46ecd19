import type {CommandHandler} from '../command-handler.ts'
import {wantsColours} from '../paint.ts'
import {outputColumns} from '../width.ts'
import {print} from '../print.ts'
import {typedFilter, runHere} from '../run-here.ts'
import {traceText} from '../trace-text.ts'

/** A trace id (W3C Trace Context), or at least its first eight digits. Needs one of a to f: decimal digits alone are the number of a call. */
const TRACE_ID = /^(?=.*[a-f])[\da-f]{8,32}$/

/** `trace [NUMBER|TRACE_ID|last|workflow:ID|FILTER …] [--lines] [--bodies] [-o json]`: a request with all that was done for it, as a tree. */
export const trace: CommandHandler = async ({flags, words, asJson}) => {
  const run = await runHere(flags, asJson)
  const tree = await run.api.ask('GET /trace', {query: {q: typedFilter(words.map(termOf))}})
  const isJson = flags.text('output') === 'json'
  const hasColours = wantsColours(process.stdout.isTTY, process.env)
  const bodies = flags.isSet('bodies')
    ? await (await import('../../../control/tree-bodies.ts')).bodiesOf(run.api, tree)
    : new Map<number, readonly string[]>()
  const text = traceText(tree, {width: outputColumns(40), hasLines: flags.isSet('lines'), hasColours, bodies})
  print(process.stdout, isJson ? `${JSON.stringify(tree, null, 2)}\n` : text)
  return 0
}

const termOf = (word: string): string => (word === 'last' ? '' : TRACE_ID.test(word) ? `trace:${word}` : word)

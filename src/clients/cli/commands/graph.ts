import {mermaidText} from '../../../observe/api/graph-drawings.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {graphTable, percentile} from '../graph-text.ts'
import {print} from '../print.ts'
import {uncarriedLines} from '../../../model/uncarried.ts'
import {runHere} from '../run-here.ts'
import {outputColumns} from '../columns.ts'

/** `graph [-o mermaid|json]`: the calls between apps of a run, the differences from `dependsOn`, and the sleeping apps. */
export const graph: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`graph takes no arguments, and got ${words[0] ?? ''}`)
  const output = flags.text('output')
  const run = await runHere(flags, asJson)
  const shown = await run.api.ask('GET /graph')
  if (output === 'json') print(process.stdout, `${JSON.stringify(shown)}\n`)
  else
    print(process.stdout, output === 'mermaid' ? mermaidText(shown, percentile) : graphTable(shown, outputColumns(40)))
  if (shown.edges.length === 0 && output !== 'json') print(process.stdout, uncarriedLines(run.listing.apps))
  return 0
}

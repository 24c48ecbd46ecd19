import type * as Api from '../../../model/api.generated.ts'
import {mermaidText} from '../../../observe/api/graph-drawings.ts'
import type {CommandHandler} from '../command-handler.ts'
import {graphTable, percentile} from '../graph-text.ts'
import {print} from '../print.ts'
import {runHere} from '../run-here.ts'
import {outputColumns} from '../columns.ts'
import {ownOf} from '../../../model/own.ts'

type Format = (graph: Api.Graph, width: number) => string

const FORMATS: Readonly<Record<string, Format>> = {
  mermaid: graph => mermaidText(graph, percentile),
  json: graph => `${JSON.stringify(graph)}\n`
}

/** `graph [-o mermaid|json]`: who calls whom in a run, and where that differs from `dependsOn`, which apps sleep. */
export const graph: CommandHandler = async ({flags, asJson}) => {
  const format = ownOf(FORMATS, flags.text('output') ?? '') ?? graphTable
  const run = await runHere(flags, asJson)
  const width = outputColumns(40)
  print(process.stdout, format(await run.api.ask('GET /graph'), width))
  return 0
}

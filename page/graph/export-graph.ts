import type * as Api from '../../src/model/api.generated.ts'
import {mermaidText} from '../../src/observe/api/graph-drawings.ts'
import {duration} from '../parts/format.ts'
import {saveText} from '../parts/save-text.ts'

/** The formats in which the graph can be saved. */
export const EXPORTS: Readonly<Record<string, (graph: Api.Graph) => void>> = {
  Mermaid: graph => saveText('calls.mmd', 'text/plain', mermaidText(graph, duration)),
  JSON: graph => saveText('calls.json', 'application/json', `${JSON.stringify(graph, null, 2)}\n`)
}

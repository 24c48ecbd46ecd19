import type * as Api from '../../src/model/api.generated.ts'
import {mermaidText} from '../../src/observe/api/graph-drawings.ts'
import {duration} from '../parts/format.ts'
import {saveText} from '../parts/save-text.ts'
import {wordOf} from '../state/app-status.ts'
import {appList} from '../state/run.ts'

const asleep = (): readonly string[] => appList.value.filter(app => wordOf(app) === 'asleep').map(({id}) => id)

/** The formats in which the graph can be saved. */
export const EXPORTS: Readonly<Record<string, (graph: Api.Graph) => void>> = {
  Mermaid: graph => saveText('calls.mmd', 'text/plain', mermaidText(graph, duration, asleep())),
  JSON: graph => saveText('calls.json', 'application/json', `${JSON.stringify(graph, null, 2)}\n`)
}

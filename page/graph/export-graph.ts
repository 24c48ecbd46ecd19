import type * as Api from '../../src/model/api.generated.ts'
import {mermaidText} from '../../src/observe/api/graph-drawings.ts'
import {duration} from '../parts/format.ts'
import {saveFile} from '../parts/save-file.ts'
import {wordOf} from '../state/app-status.ts'
import {appList} from '../state/run.ts'

/** Apps may have fallen asleep since the graph was read. */
const asOfNow = (graph: Api.Graph): Api.Graph => {
  const asleep = appList.value.filter(app => wordOf(app) === 'asleep').map(({id}) => id)
  return {...graph, asleep: [...new Set(asleep)]}
}

/** The formats in which the graph can be saved. */
export const EXPORTS: Readonly<Record<string, (graph: Api.Graph) => void>> = {
  Mermaid: graph => saveFile('calls.mmd', new Blob([mermaidText(asOfNow(graph), duration)])),
  JSON: graph => saveFile('calls.json', new Blob([`${JSON.stringify(asOfNow(graph), null, 2)}\n`]))
}

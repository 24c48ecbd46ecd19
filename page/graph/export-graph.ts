import type * as Api from '../../src/model/api.generated.ts'
import {mermaidText} from '../../src/observe/api/graph-drawings.ts'
import {duration} from '../parts/format.ts'
import {saveFile} from '../parts/save-file.ts'
import {wordOf} from '../state/app-status.ts'
import {appList} from '../state/run.ts'

/** Returns the graph with the apps that are asleep now, as some may have fallen asleep since it was loaded. */
const asOfNow = (graph: Api.Graph): Api.Graph => {
  const asleep = appList.value.filter(app => wordOf(app) === 'asleep').map(({id}) => id)
  return {...graph, asleep: [...new Set(asleep)]}
}

/** The export formats of the graph, each with the function that saves it. */
export const EXPORTS: Readonly<Record<string, (graph: Api.Graph) => void>> = {
  Mermaid: graph => saveFile('calls.mmd', new Blob([mermaidText(asOfNow(graph), duration)])),
  JSON: graph => saveFile('calls.json', new Blob([`${JSON.stringify(asOfNow(graph), null, 2)}\n`]))
}

import type {RunListing} from '../../control/run-control.ts'
import type {PsRow} from '../../model/api.generated.ts'
import type {ShownApp} from './app-table.ts'

/** Apps as `ps -o json` prints them (`x-output.ps` of `schema/api.yaml`). */
export const psRows = (run: RunListing, shown: readonly ShownApp[]): readonly PsRow[] =>
  shown.map(({app, memoryBytes, cpu}) => ({
    ...app,
    runName: run.name,
    runPid: run.pid,
    template: run.template.file,
    memoryBytes: memoryBytes ?? null,
    cpuPercent: cpu === undefined ? null : Math.round(cpu * 10) / 10
  }))

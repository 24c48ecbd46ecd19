import type * as Api from '../../model/api.generated.ts'
import {faultRow} from './faults.ts'
import type {RunFacts} from './run-facts.ts'

/** Returns the whole state of a run. */
export const runView = ({control, recorder, faults, work, actors}: RunFacts): Api.Run => ({
  ...control.list(),
  lastCall: recorder.last,
  hasWork: work.openWorkflows() !== undefined || actors.loaded() !== undefined,
  faults: (faults.active?.list() ?? []).map(faultRow)
})

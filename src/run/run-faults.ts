import type {FaultSwitch} from '../proxy/faults/faults.ts'
import type {Emit} from '../model/events.ts'
import type {Plan} from '../model/plan.ts'
import {signalGroup} from '../platform/process-group.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'

/** Creates the faults of a run, without any yet. */
export function faultSwitch(runtimes: () => readonly AppRuntime[], emit: Emit): FaultSwitch {
  return {
    active: undefined,
    tell: change => emit({type: 'fault-changed', ...change}),
    kill: pid => {
      // otherwise the pid may belong to another process by now
      if (runtimes().some(runtime => runtime.pid === pid)) signalGroup(pid, 'SIGKILL')
    }
  }
}

/** Adds the faults of the template. Rejects with a `UserError` for a mistake. */
export async function addPlanned(faults: FaultSwitch, plan: Plan): Promise<void> {
  if (plan.faults === undefined) return
  const planned = await plan.faults()
  const {Faults} = await import('../proxy/faults/faults.ts')
  for (const each of planned) (faults.active ??= new Faults(faults)).add(each)
}

import type {OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {DeliverJob} from '../work/job/jobs.ts'

/** Delivers the ticks of jobs to the instances of their apps, round robin. */
export function jobDelivery(sidecars: ReadonlyMap<AppRuntime, OpenSidecar>): DeliverJob {
  let ticks = 0
  return async (job, waits) => {
    const all = [...sidecars].filter(([{id}]) => id === job.app)
    const first = ticks++ % all.length
    for (const [, sidecar] of [...all.slice(first), ...all.slice(0, first)]) {
      const outcome = await sidecar.deliverJob(job)
      if (outcome.kind !== 'undeliverable' || (waits === true && outcome.wasSent === true)) return outcome
    }
    for (const [{sleep}] of all) sleep.need(`job ${job.name}`)
    const next = all.find(
      ([{availability, plan}]) => availability === 'asleep' || (availability === 'waiting' && plan.command.length > 0)
    )
    if (waits === true && next !== undefined) return next[1].deliverJob(job, true)
    return {kind: 'undeliverable', answer: 'no process of the app takes calls', isExpected: next !== undefined}
  }
}

import {calledPort, runOfProcess} from '../../control/client.ts'
import {copiesAmong} from '../../control/copies.ts'
import {livingRuns} from '../../control/living-runs.ts'
import type {RunIdentity} from '../../control/run-file.ts'
import {UserError} from '../../model/errors.ts'
import type {Plan} from '../../model/plan.ts'
import type {Hint} from '../../model/reporter.ts'
import type {MovedPorts} from '../../model/moved-ports.ts'

/** The copy of a template whose apps replace those that another one leaves out (`--rest`). */
export interface Lender {
  readonly run: RunIdentity
  /** The ports of its apps, by those that the template names. */
  readonly ports: MovedPorts
  readonly hint: Hint
}

/** Finds the copy that is to lend apps to a plan. Rejects with a UserError if there is none of this name, or nothing to lend. */
export async function lenderOf(plan: Plan, name: string): Promise<Lender> {
  const {file, copy = '', leftOut = []} = plan
  const ids = [...new Set(leftOut.map(({id}) => id))]
  if (ids.length === 0)
    throw new UserError(`--rest ${name} has nothing to do: no app is left out`, {
      explanation: `Name the apps that this copy runs itself: --only APP --rest ${name}`
    })
  const living = livingRuns(process.env)
  const copies = copiesAmong(living, {file, copy})
  const run = copies.find(each => each.name === name)
  if (run === undefined) {
    const isThere = living.some(each => each.name === name)
    throw new UserError(
      isThere
        ? `--rest names "${name}", which is no other copy of this template`
        : `--rest names "${name}", and no run is called so`,
      {
        explanation:
          copies.length === 0
            ? 'No other copy of this template runs: start one in another worktree or clone, or with another --name.'
            : `The copies are: ${copies.map(each => each.name).join(', ')}`
      }
    )
  }
  return {run, ports: await portsOf(plan, run), hint: hintOf(ids, run)}
}

const hintOf = (ids: readonly string[], {name, pid}: RunIdentity): Hint => ({
  code: 'apps-borrowed',
  text: `${ids.join(', ')}: called in ${name} (pid ${pid}). Calls go there and come back; events, state and workflows do not cross`
})

async function portsOf({leftOut = []}: Plan, run: RunIdentity): Promise<MovedPorts> {
  const there = (await runOfProcess(process.env, run.pid))?.listing.apps ?? []
  const ports = leftOut.flatMap(({id, channel, sidecar, published}) => {
    const app = there.find(each => each.id === id)
    return app === undefined
      ? []
      : [
          [published?.number ?? 0, calledPort(app)] as const,
          [channel.autoPort ? 0 : channel.port, app.appPort] as const,
          [sidecar.httpPort, app.httpPort] as const,
          [sidecar.grpcPort, app.grpcPort] as const
        ]
  })
  return new Map(ports.filter(([from, to]) => from > 0 && to > 0))
}

import {decode, type Message} from '../../../src/proxy/net/grpc/message-codec.ts'
import type {Instance} from '../../../src/work/workflow/instance.ts'
import {readEvent, splitEvents, type TURN_ANSWER} from '../../../src/work/workflow/messages.ts'
import {Code} from './code.ts'
import type {Program} from './program.ts'
import type {WalkRun} from './run.ts'
import {WORK_ITEM} from './workers.ts'

/** More would take longer than the walk. */
const MOST = 12
const NOBODY = new AbortController().signal

/** The turns of an instance that a worker has made; children of a rerun have other IDs than their code gives them. */
export const turnsOf = ({workflows}: WalkRun, instance: Instance): readonly number[] =>
  (instance.id.startsWith('r-') ? [] : workflows.history(instance)).flatMap((turn, at) => {
    const [first] = splitEvents(turn)
    return first !== undefined && readEvent(first).workflowStarted !== undefined ? [at] : []
  })

/** Turns of workflows that have ended do what they did once more; what was wrong. */
export async function replayFaults(run: WalkRun, instances: readonly Instance[]): Promise<readonly string[]> {
  const {workflows} = run
  for (const worker of run.workers.slice()) worker.leave()
  const leaves = run.apps.map(app =>
    workflows.connect(app, {
      limit: Infinity,
      home: 'replays',
      send: bytes => {
        const {turn, token} = decode(WORK_ITEM, bytes)
        const raw = [...(turn?.past ?? []), ...(turn?.fresh ?? [])]
        const events = raw.map(readEvent)
        const {input} = events.find(({executionStarted}) => executionStarted !== undefined)?.executionStarted ?? {}
        const id = turn?.instanceId ?? ''
        const {actions} = new Code(JSON.parse(input?.value ?? '') as Program, events, raw, id.startsWith('r-')).run()
        void workflows.completeTurn(app, {
          instanceId: id,
          actions: actions as Message<typeof TURN_ANSWER>['actions'],
          customStatus: undefined,
          completionToken: token,
          version: undefined
        })
      }
    })
  )
  const all = instances.flatMap(instance => turnsOf(run, instance).map(turn => ({instance, turn})))
  const faults: string[] = []
  for (const {instance, turn} of all.slice(0, MOST)) {
    const {difference} = await workflows.replay(instance, turn, NOBODY)
    if (difference !== '') faults.push(`turn ${turn} of ${instance.app} ${instance.id} does not replay: ${difference}`)
  }
  for (const leave of leaves) leave()
  return faults
}

import {Client, credentials, status, type ClientReadableStream} from '@grpc/grpc-js'
import {decode, encode, type Message} from '../../../src/proxy/net/grpc/message-codec.ts'
import {ACTIVITY_ANSWER, ACTIVITY_REQUEST, EVENT, timeOf, TURN_ANSWER} from '../../../src/work/workflow/messages.ts'
import {INSTANCE_ID} from '../../../src/work/workflow/hub/hub-messages.ts'
import {COMPLETED} from '../../../src/work/workflow/status.ts'

/** WorkItem of durabletask's orchestrator_service.proto, with what this worker reads. */
const WORK_ITEM = {
  turn: [1, {message: {instanceId: [1, 'string'], past: [3, {list: EVENT}], fresh: [4, {list: EVENT}]}}],
  activity: [2, {message: ACTIVITY_REQUEST}],
  token: [10, 'string']
} as const

const SERVICE = '/TaskHubSidecarService/'
const HISTORY = {events: [1, {list: EVENT}]} as const
const TIMER_MS = Number(process.env['TIMER_MS'] ?? 200)

type Event = Message<typeof EVENT>

/** A worker of an app's workflows, as an SDK makes it: a workflow waits for an event, does an activity, sleeps a moment, and ends. */
export class Worker {
  isOpen = true
  readonly #client: Client
  readonly #stream: ClientReadableStream<Buffer>
  readonly #worked: (workflow: string) => void

  /** `port`: of gRPC of the app's sidecar; `worked` is told of each activity that it does. */
  constructor(port: number, worked: (workflow: string) => void) {
    this.#worked = worked
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
    const path = `${SERVICE}GetWorkItems`
    this.#stream = this.#client.makeServerStreamRequest(path, bytes, bytes, Buffer.alloc(0))
    this.#stream.on('data', (item: Buffer) => void this.#work(item))
    // the sidecar closes, or the run ends: the walk sees what becomes of the work
    this.#stream.on('error', () => this.close()).on('end', () => this.close())
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#stream.cancel()
    this.#client.close()
  }

  /** What has happened to a workflow; nothing: there is none; undefined: nobody answers. */
  async history(instanceId: string): Promise<readonly Event[] | undefined> {
    const answer = await this.#call('GetInstanceHistory', encode(INSTANCE_ID, {instanceId}))
    if (answer instanceof Buffer) return decode(HISTORY, answer).events
    return answer === status.NOT_FOUND ? [] : undefined
  }

  async #work(item: Buffer): Promise<void> {
    const {turn, activity, token: completionToken} = decode(WORK_ITEM, item)
    if (turn !== undefined) {
      const actions = actionsAfter([...turn.past, ...turn.fresh])
      await this.#call('CompleteOrchestratorTask', encode(TURN_ANSWER, {...turn, actions, completionToken}))
    }
    if (activity === undefined) return
    const instanceId = activity.workflowInstance?.instanceId ?? ''
    this.#worked(instanceId)
    const answer = {instanceId, taskId: activity.taskId, result: {value: '1'}, completionToken}
    await this.#call('CompleteActivityTask', encode(ACTIVITY_ANSWER, answer))
  }

  /** The answer, or the code of gRPC. */
  async #call(method: string, message: Uint8Array): Promise<Buffer | number> {
    return new Promise(resolve =>
      this.#client.makeUnaryRequest(SERVICE + method, bytes, bytes, Buffer.from(message), (error, answer) =>
        resolve(answer ?? error?.code ?? status.UNKNOWN)
      )
    )
  }
}

const bytes = (value: Buffer): Buffer => value

/** How often something has happened. */
export const countOf = (events: readonly Event[], kind: keyof typeof EVENT): number =>
  events.filter(event => event[kind] !== undefined).length

/** What the workflow does next. */
function actionsAfter(events: readonly Event[]): Message<typeof TURN_ANSWER>['actions'] {
  const has = (kind: keyof typeof EVENT): boolean => countOf(events, kind) > 0
  if (has('timerFired')) return [{id: 2, complete: {status: COMPLETED, result: {value: '1'}}} as never]
  if (has('timerCreated') || !has('eventRaised')) return []
  if (has('taskCompleted')) return [{id: 1, createTimer: {fireAt: timeOf(Date.now() + TIMER_MS)}} as never]
  return has('taskScheduled') ? [] : [{id: 0, scheduleTask: {name: 'work'}} as never]
}

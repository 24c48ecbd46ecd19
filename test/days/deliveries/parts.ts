/** What stands in for the modules that reach an app, a broker and the time (`replaced.ts` names them): the same exports, of the walk. */
import type {OpenOptions} from '../../../src/dapr/components/component.ts'
import type {PubSub} from '../../../src/dapr/components/pubsub.ts'
import type {Question} from '../../../src/dapr/sidecar/ask-app.ts'
import {
  EventProcessChannel,
  type AppEvent,
  type BatchEntry,
  type EventAnswer,
  type EventChannel,
  type EventTarget
} from '../../../src/dapr/sidecar/blocks/event-channel.ts'
import type {TopicSubscription} from '../../../src/files/resources/subscriptions.ts'
import type {Clock} from '../../../src/platform/clock.ts'
import type {AttemptControl} from '../../../src/proxy/gateway/interceptors/resiliency/attempt.ts'

/** A request that got no answer. */
export interface Unanswered {
  readonly why: string
  readonly wasSent: boolean
}

/** Events that an app gets in one request. */
export interface Delivered {
  readonly topic: string
  readonly path: string
  readonly ids: readonly string[]
  readonly attempt: AttemptControl | undefined
}

/** An answer for each event, or why there is none. */
export type Answered = readonly EventAnswer[] | Unanswered

export interface Stage {
  readonly clock: Clock
  list(question: Pick<Question, 'signal' | 'isObsolete'>): Promise<readonly TopicSubscription[] | undefined>
  deliver(delivered: Delivered): Promise<Answered>
  open(options: OpenOptions): Promise<PubSub>
}

/** The walk under way. */
export const current = {} as {stage: Stage}

// platform/clock.ts
export const systemClock: Clock = {
  now: () => current.stage.clock.now(),
  date: () => current.stage.clock.date(),
  after: (ms, fire) => current.stage.clock.after(ms, fire)
}

// dapr/sidecar/list-topics.ts
export const listTopics = async (
  question: Pick<Question, 'signal' | 'isObsolete'>
): Promise<readonly TopicSubscription[] | undefined> => current.stage.list(question)

// dapr/components/pubsub/redis.ts
export const open = async (options: OpenOptions): Promise<PubSub> => current.stage.open(options)

const idOf = ({fields: {id}}: AppEvent): string => String(id)

// dapr/sidecar/http/blocks/http-event-channel.ts
export class HttpEventChannel extends EventProcessChannel implements EventChannel {
  async deliver(target: EventTarget, event: AppEvent, attempt?: AttemptControl): Promise<EventAnswer> {
    const [answer] = await this.#send(target, [event], attempt)
    if (answer === undefined) throw new Error('an app has answered without an answer')
    return answer
  }

  async deliverBatch(
    target: EventTarget,
    entries: readonly BatchEntry[],
    attempt?: AttemptControl
  ): Promise<readonly EventAnswer[]> {
    return this.#send(
      target,
      entries.map(({event}) => event),
      attempt
    )
  }

  async #send(
    {path, subscription: {topic}}: EventTarget,
    events: readonly AppEvent[],
    attempt: AttemptControl | undefined
  ): Promise<readonly EventAnswer[]> {
    const before = this.process.pid()
    const answered = await current.stage.deliver({topic, path, ids: events.map(idOf), attempt})
    if (!('why' in answered)) return answered
    const answer = this.unanswered(answered, before)
    return events.map(() => answer)
  }
}

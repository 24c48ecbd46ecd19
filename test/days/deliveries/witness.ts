import type {Handled} from '../../../src/dapr/components/pubsub.ts'
import type {EventAnswer} from '../../../src/dapr/sidecar/blocks/event-channel.ts'

/** What is known of an event in one topic. */
interface Known {
  /** Deliveries that were not answered yet. */
  inHand: number
  /** The latest answer of the app; `lost`: its process ended, `late`: a policy did not wait for it. */
  verdict: EventAnswer['kind'] | 'lost' | 'late' | ''
  /** Processes that ended while they had it. */
  crashes: number
  /** The broker has done with it. */
  isDone: boolean
}

/** The topic that is read by streams. */
export const STREAMED = 's'

/** Whose events, as the app fails to handle them, go to a topic of their own. */
export const DEAD_LETTERS: Readonly<Record<string, string>> = {b: 'dead'}

const MAX_CRASHES = 3

/** What must be true of each event, whatever happens. */
export class Witness {
  readonly faults: string[] = []
  /** A circuit breaker may have refused events before the app got them. */
  mayRefuse = false
  readonly #known = new Map<string, Known>()

  fault(text: string): void {
    if (!this.faults.includes(text)) this.faults.push(text)
  }

  of(topic: string, id: string): Known {
    const key = `${topic} ${id}`
    let known = this.#known.get(key)
    if (known === undefined) this.#known.set(key, (known = {inHand: 0, verdict: '', crashes: 0, isDone: false}))
    return known
  }

  published(topic: string, id: string): void {
    const key = `${topic} ${id}`
    if (topic === 'dead' && this.#known.get(key) !== undefined) this.fault(`event ${id} is a dead letter twice`)
    this.of(topic, id)
  }

  /** The app, or a stream, gets it. */
  sent(topic: string, id: string): void {
    const known = this.of(topic, id)
    // the client of a stream does not learn that its answer is not waited for any more
    if (topic === STREAMED) return void (known.verdict ||= 'lost')
    if (known.isDone) this.fault(`event ${id} of ${topic} comes though it was done with`)
    else if (known.verdict === 'success')
      this.fault(`event ${id} of ${topic} comes again though the app has handled it`)
    if (known.inHand > 0) this.fault(`event ${id} of ${topic} comes twice at once`)
    known.inHand++
  }

  answered(topic: string, id: string, verdict: Known['verdict'], isCrash = false): void {
    const known = this.of(topic, id)
    known.inHand--
    known.verdict = verdict
    if (isCrash) known.crashes++
  }

  handled(topic: string, id: string, handled: Handled, keepsFailed: boolean): void {
    const known = this.of(topic, id)
    const {verdict, crashes} = known
    if (topic === STREAMED) return void (known.isDone = handled !== 'returned')
    if (known.inHand > 0) this.fault(`event ${id} of ${topic} is ${handled} while the app has it`)
    if (handled === 'returned' || (handled === 'failed' && keepsFailed)) {
      if (verdict === 'success') this.fault(`event ${id} of ${topic} is ${handled} though the app has handled it`)
      return
    }
    known.isDone = true
    if (!this.mayRefuse && (verdict === '' || (verdict === 'lost' && crashes < MAX_CRASHES)))
      this.fault(`event ${id} of ${topic} is ${handled} though the app has not answered (${verdict || 'never sent'})`)
    const letters = DEAD_LETTERS[topic]
    if (letters !== undefined && verdict !== 'success' && !this.#known.has(`${letters} ${id}`))
      this.fault(`event ${id} of ${topic} has failed (${verdict}), and is no dead letter`)
  }
}

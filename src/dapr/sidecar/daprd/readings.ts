import type {DaprdTopic, DeliverEvent} from '../../components/daprd/daprd-access.ts'

/** Delay after the latest change before daprd may be replaced, in ms: topics change one by one. */
const AT_REST_MS = 50

const keyOf = ({pubsubName, topic, atOnce}: DaprdTopic): string => JSON.stringify([pubsubName, topic, atOnce])

const keysOf = (topics: Iterable<DaprdTopic>): string => [...new Set([...topics].map(keyOf))].toSorted().join()

/** The topics and bindings that one daprd process reads for the app. Daprd asks for them only once. */
export interface Announced {
  /** Topics to read; undefined: daprd has not asked for them yet. */
  topics: readonly DaprdTopic[] | undefined
  /** For each binding that daprd asked for, whether the app wants its events. */
  readonly bindings: Map<string, boolean>
}

/** The topics and bindings whose events an app reads by daprd now. */
export class Readings {
  readonly #topics = new Set<DaprdTopic>()
  readonly #bindings = new Map<string, DeliverEvent>()
  readonly #topicsKnown = Promise.withResolvers<void>()
  readonly #bindingsKnown = Promise.withResolvers<void>()
  readonly #changed: () => void
  #timer: NodeJS.Timeout | undefined

  /** `changed` is called AT_REST_MS after the latest change. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  get areAny(): boolean {
    return this.#topics.size + this.#bindings.size > 0
  }

  addTopic(topic: DaprdTopic): () => void {
    this.#topics.add(topic)
    this.#touch()
    return () => {
      if (this.#topics.delete(topic)) this.#touch()
    }
  }

  addBinding(name: string, deliver: DeliverEvent): () => void {
    this.#bindings.set(name, deliver)
    this.#touch()
    return () => {
      if (this.#bindings.get(name) === deliver && this.#bindings.delete(name)) this.#touch()
    }
  }

  setKnown(what: 'topics' | 'bindings'): void {
    if (what === 'topics') this.#topicsKnown.resolve()
    else this.#bindingsKnown.resolve()
  }

  /** Resolves with all topics, once the app has reported them. */
  async topics(): Promise<readonly DaprdTopic[]> {
    await this.#topicsKnown.promise
    return [...this.#topics]
  }

  /** Whether the app wants the events of a binding; waits for its answer. */
  async wantsBinding(name: string): Promise<boolean> {
    await this.#bindingsKnown.promise
    return this.#bindings.has(name)
  }

  /** Whether a daprd process reads exactly these topics and bindings, so that it need not be replaced. */
  fits({topics, bindings}: Announced): boolean {
    const fitsBindings = [...bindings].every(([name, isWanted]) => this.#bindings.has(name) === isWanted)
    return fitsBindings && (topics === undefined || keysOf(topics) === keysOf(this.#topics))
  }

  readerOf(topic: DaprdTopic): DaprdTopic | undefined {
    return [...this.#topics].find(each => keyOf(each) === keyOf(topic))
  }

  bindingReader(name: string): DeliverEvent | undefined {
    return this.#bindings.get(name)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#topicsKnown.resolve()
    this.#bindingsKnown.resolve()
  }

  #touch(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#changed, AT_REST_MS).unref()
  }
}

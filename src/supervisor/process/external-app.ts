import type {AppPlan} from '../../model/plan.ts'
import type {AppState, Why} from '../../model/app-state.ts'
import {StateMachine} from './state-machine.ts'
import {isListenedOn} from '../../platform/listeners.ts'
import {pause} from '../../platform/delay.ts'
import {firstAccepting, type ProbeTarget} from '../../platform/probe.ts'
import {probeTargetOf} from './readiness.ts'
import type {Supervised} from './supervised.ts'

const EAGER_FOR_MS = 1000
const EAGER_EVERY_MS = 5
const LOOK_EVERY_MS = 250

/** An app that Pillion does not start: it runs in a debugger, or has only a sidecar. Ready while its port, if any, accepts connections. */
export class ExternalApp implements Supervised {
  readonly ended: Promise<AppState>
  readonly lastLines = {stdout: [], stderr: []}
  readonly bestLine = ''
  readonly shortRuns = 0
  readonly lived = {from: 0, to: 0}
  readonly #machine: StateMachine
  readonly #target: ProbeTarget
  readonly #over = new AbortController()
  readonly #end = Promise.withResolvers<AppState>()
  #hasStarted = false
  /** Aborted to check the port immediately. */
  #nap = new AbortController()

  constructor(plan: AppPlan, appPort: number, moved: (state: AppState) => void) {
    this.#machine = new StateMachine(plan.id, moved)
    this.#target = probeTargetOf(plan, appPort)
    this.ended = this.#end.promise
  }

  get state(): AppState {
    return this.#machine.state
  }

  async start(): Promise<void> {
    if (this.#hasStarted) return
    this.#hasStarted = true
    this.#run().then(this.#end.resolve, this.#end.reject)
  }

  async stop(_why: Why): Promise<void> {
    this.#over.abort()
    this.#nap.abort()
    await this.start()
    await this.ended
  }

  stopNow(): void {
    void this.stop('user')
  }

  recheck(): void {
    if (this.#machine.isReady && this.#target.port !== 0) this.#show(false)
    this.#nap.abort()
  }

  async #run(): Promise<AppState> {
    if (!this.#over.signal.aborted) this.#machine.enter({phase: 'starting', pid: undefined})
    let since = performance.now()
    while (!this.#over.signal.aborted) {
      const isListening = await this.#isListening()
      if (this.#over.signal.aborted) break
      if (isListening !== this.#machine.isReady) since = performance.now()
      if (isListening || this.#machine.isReady) this.#show(isListening)
      this.#nap = new AbortController()
      const isEager = !isListening && performance.now() - since < EAGER_FOR_MS
      await pause(isEager ? EAGER_EVERY_MS : LOOK_EVERY_MS, this.#nap.signal)
    }
    return this.#machine.enter({phase: 'exited', exit: undefined, asked: true})
  }

  /** Whether the port accepts connections. For a ready app reads the system's socket table if possible, since some servers log each connection. */
  async #isListening(): Promise<boolean> {
    const {addresses, port} = this.#target
    if (port === 0) return true
    if (this.#machine.isReady && isListenedOn({port, addresses})) return true
    return (await firstAccepting(this.#target)) !== undefined
  }

  #show(ready: boolean): void {
    const {state} = this.#machine
    if (state.phase === 'running' && state.ready === ready) return
    this.#machine.enter({phase: 'running', pid: undefined, ready})
  }
}

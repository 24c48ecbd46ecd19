import {NEXT, type AppState} from '../../model/app-state.ts'

/** The state of one `Supervised`. Checks each change against `NEXT` and reports it. An illegal change is a bug, so that it throws. */
export class StateMachine {
  readonly #id: string
  readonly #moved: (state: AppState) => void
  #state: AppState

  constructor(id: string, moved: (state: AppState) => void, first: AppState = {phase: 'idle'}) {
    this.#id = id
    this.#moved = moved
    this.#state = first
  }

  get state(): AppState {
    return this.#state
  }

  get isReady(): boolean {
    return this.#state.phase === 'running' && this.#state.ready
  }

  enter(state: AppState): AppState {
    const {phase} = this.#state
    if (!NEXT[phase].includes(state.phase)) throw new Error(`${this.#id}: ${phase} → ${state.phase}`)
    this.#state = state
    this.#moved(state)
    return state
  }
}

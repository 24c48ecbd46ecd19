import {standingOf} from './order.ts'
import type {Member} from '../member.ts'

export interface QueueOptions {
  readonly members: readonly Member[]
  /** Everything that it depends on is there. */
  readonly start: (member: Member) => void
  /** What it depends on will never be there; the sentence that says why. */
  readonly giveUp: (member: Member, why: string) => void
}

/** The apps that wait for others. Each leaves as soon as its own dependencies are met, or can no longer be. */
export class Queue {
  readonly #options: QueueOptions
  readonly #waiting: Set<Member>

  constructor(options: QueueOptions) {
    this.#options = options
    this.#waiting = new Set(options.members.filter(({plan}) => plan.dependsOn.length > 0))
  }

  /** To be called after each move of an app. */
  look(): void {
    const all = this.#options.members.map(({progress}) => progress)
    for (const member of this.#waiting) this.#lookAt(member, standingOf(member.plan.dependsOn, all))
  }

  #lookAt(member: Member, standing: ReturnType<typeof standingOf>): void {
    if (member.app.state.phase !== 'idle') {
      this.#waiting.delete(member) // it was stopped meanwhile
      return
    }
    if (standing.kind === 'waits') return member.waits(standing.why)
    this.#waiting.delete(member)
    if (standing.kind === 'free') return this.#options.start(member)
    this.#options.giveUp(member, `"${member.id}" is not started: it waits until ${standing.why}`)
  }
}

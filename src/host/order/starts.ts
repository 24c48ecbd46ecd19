import type {prepareLives} from '../../app/app.ts'
import type {Emit} from '../../event.ts'
import type {AppPlan} from '../../plan.ts'
import type {Member} from '../member.ts'
import {Queue} from './queue.ts'

export interface StartsOptions {
  /** The template as the user named it. */
  readonly shownAs: string
  readonly emit: Emit
  readonly note: (text: string) => void
  /** The run is to end: nothing is started any more. */
  readonly isOver: () => boolean
}

/** Pipes of first lives, made ahead. */
type Pipes = Awaited<ReturnType<typeof prepareLives>>

/** It waits for no other app, and there is a program to start. */
export const isStartedAtOnce = ({command, dependsOn}: AppPlan): boolean => command.length > 0 && dependsOn.length === 0

/** Starts the apps of a run: at once those that wait for no other, the others when what they wait for is there. */
export class Starts {
  readonly #options: StartsOptions
  #queue: Queue | undefined
  /** Settles when the start lines of those are out that wait for nobody. */
  #first: Promise<void> = Promise.resolve()
  #lacksOne = false

  constructor(options: StartsOptions) {
    this.#options = options
  }

  /** An app was never started, because of another one. */
  get lacksOne(): boolean {
    return this.#lacksOne
  }

  /** All that wait for no other, at once; the terminal hears of them in the template's order. */
  async begin(members: readonly Member[], pipes: Pipes): Promise<void> {
    for (const member of members) this.#options.emit({type: 'door-opened', app: member.door})
    this.#queueUp(members)
    this.#first = this.#startFirst(members, [...pipes])
    await this.#first
  }

  /** An app that has come to the template; `members` has it already. */
  async late(member: Member, members: readonly Member[]): Promise<void> {
    this.#options.emit({type: 'door-opened', app: member.door})
    if (member.plan.dependsOn.length === 0) return this.#startLate(member)
    this.#queueUp(members)
  }

  /** To be called after each move of an app. */
  look(): void {
    if (!this.#options.isOver()) this.#queue?.look()
  }

  async #startFirst(members: readonly Member[], pipes: Pipes[number][]): Promise<void> {
    const starts = members
      .filter(({plan}) => plan.dependsOn.length === 0)
      .map(member => [member, member.start(isStartedAtOnce(member.plan) ? pipes.shift() : undefined)] as const)
    for (const [member, start] of starts) {
      await start
      this.#tell(member)
    }
  }

  #queueUp(members: readonly Member[]): void {
    this.#queue = new Queue({
      members,
      start: member => void this.#startLate(member),
      giveUp: (member, why) => this.#giveUp(member, why)
    })
    this.look()
  }

  /** An app that has waited for others. */
  async #startLate(member: Member): Promise<void> {
    await Promise.all([member.start(undefined), this.#first])
    this.#tell(member)
  }

  #tell(member: Member): void {
    const {isOver, emit, shownAs} = this.#options
    if (isOver()) return
    const {door, pid, plan} = member
    emit({type: 'app-started', app: {...door, pid, logFolder: plan.logs.folder, templateShownAs: shownAs}})
  }

  #giveUp(member: Member, why: string): void {
    this.#lacksOne = true
    this.#options.note(why)
    void member.giveUp(why)
  }
}

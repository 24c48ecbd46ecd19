import {FiringFault, type FiringRequest} from '../../../work/actor/firing-spec.ts'
import type {Reminder} from '../../../work/actor/reminder-store.ts'
import {ReminderExists, type Reminders, type ReminderRequest} from '../../../work/actor/reminders.ts'
import type {FiringName} from '../../../work/actor/timers.ts'
import {checkReserved, checkActor, checkFiring} from './actor-calls.ts'
import {AppBlock} from './block-context.ts'
import {BlockError, rethrowAs, daprError} from './block-error.ts'

const timerFailed = daprError([500, 'internal', 'ERR_ACTOR_TIMER_CREATE'], 'error creating actor timer: ')

const CODES = {
  create: ['ERR_ACTOR_REMINDER_CREATE', 'error creating actor reminder'],
  get: ['ERR_ACTOR_REMINDER_GET', 'error getting actor reminder'],
  delete: ['ERR_ACTOR_REMINDER_DELETE', 'error deleting actor reminder'],
  list: ['ERR_ACTOR_REMINDER_LIST', 'error listing actor reminders']
} as const

type Verb = keyof typeof CODES

/** Timers and reminders of actors (Dapr: pkg/api/universal/actors.go, pkg/messages/predefined.go). */
export class ActorFirings extends AppBlock {
  async setTimer(name: FiringName, request: FiringRequest): Promise<void> {
    check('timer', name)
    const {actors, appId, instance} = this.context
    const {type, id} = name
    const all = await actors.load()
    if (!(await all.isHostedBy(appId, type)))
      throw timerFailed(`can't create timer for actor ${type}||${id}: actor type not registered`)
    try {
      all.timers.set(name, request, instance)
    } catch (error) {
      throw error instanceof FiringFault ? timerFailed(error.message) : error
    }
  }

  async deleteTimer(name: FiringName): Promise<void> {
    check('timer', name)
    const all = await this.context.actors.load()
    all.timers.delete(name)
  }

  async setReminder(name: FiringName, request: ReminderRequest): Promise<void> {
    check('reminder', name)
    await this.#reminders('create', name.type, async reminders => {
      try {
        await reminders.set(this.context.appId, name, request)
      } catch (error) {
        if (!(error instanceof ReminderExists)) throw error
        throw new BlockError(
          [409, 'alreadyExists', 'ERR_ACTOR_REMINDER_ALREADY_EXISTS'],
          `actor reminder already exists: ${name.name}`
        )
      }
    })
  }

  async getReminder(name: FiringName): Promise<Reminder> {
    check('reminder', name)
    const found = await this.#reminders('get', name.type, async reminders => reminders.get(name))
    if (found !== undefined) return found
    throw new BlockError([404, 'notFound', 'ERR_ACTOR_REMINDER_NOT_FOUND'], `actor reminder not found: ${name.name}`)
  }

  async deleteReminder(name: FiringName): Promise<void> {
    check('reminder', name)
    await this.#reminders('delete', name.type, async reminders => reminders.delete(name))
  }

  /** Returns the reminders of one actor; `id` undefined: of all actors of the type. */
  async listReminders(type: string, id: string | undefined): Promise<readonly Reminder[]> {
    checkReserved(type)
    checkActor(type, id ?? '')
    return this.#reminders('list', type, async reminders => reminders.list(type, id))
  }

  async deleteReminders(type: string, id: string | undefined): Promise<void> {
    checkReserved(type)
    checkActor(type, id ?? '')
    await this.#reminders('delete', type, async reminders => reminders.deleteAll(type, id))
  }

  async #reminders<T>(verb: Verb, type: string, work: (reminders: Reminders) => Promise<T>): Promise<T> {
    const {actors, appId} = this.context
    const all = await actors.load()
    if (!(await all.isHostedBy(appId, type)))
      throw new BlockError(
        [403, 'permissionDenied', 'ERR_ACTOR_REMINDER_NON_HOSTED'],
        'operations on actor reminders are only possible on hosted actor types'
      )
    const [code, words] = CODES[verb]
    const failed = rethrowAs([500, 'internal', code], `${words}: `)
    const done = actors.reminders().then(work)
    return done.catch(async (error: unknown) => (error instanceof BlockError ? Promise.reject(error) : failed(error)))
  }
}

function check(kind: 'timer' | 'reminder', {type, id, name}: FiringName): void {
  checkReserved(type)
  checkActor(type, id)
  checkFiring(kind, name)
}

import {homedir} from 'node:os'
import type {Handlers} from '../../control/messages.ts'
import type {Deployment} from '../../daeploy/deployment.ts'
import {whyNotAssigned, whyNotRemoved, type Instance, type Managed} from '../../daeploy/management.ts'
import {messageOf} from '../../errors.ts'
import type {AppPlan} from '../../plan.ts'
import {deployedPlan} from '../../template/deployed.ts'
import type {Member} from '../member.ts'
import type {Copies} from './copies.ts'
import {Recent} from './recent.ts'
import type {Versions} from './versions.ts'

export interface ManagingOptions {
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly versions: Versions<Member>
  readonly copies: Copies
  /** What log lines call an app. */
  readonly shownAs: (plan: AppPlan) => string
  /** Ends an app and its door, and takes it out of the run. */
  readonly remove: (member: Member) => Promise<void>
  /** Adds an app to the run and starts it. Throws a UserError. */
  readonly add: (plan: AppPlan) => Promise<void>
}

/** What those who manage see of a service beside the member. */
interface Known {
  readonly recent: Recent
  startedAt: Date | undefined
  finishedAt: Date | undefined
}

export const isService = ({plan}: Pick<Member, 'plan'>): boolean => plan.fixedPort > 0

/** What Daeploy's command line, and other terminals of ours, ask of the services of a run. */
export class Managing {
  readonly #options: ManagingOptions
  readonly #known = new Map<Member, Known>()

  constructor(options: ManagingOptions) {
    this.#options = options
  }

  add(member: Member): void {
    if (!isService(member)) return
    const recent = new Recent(this.#options.shownAs(member.plan), member.logs.app.record)
    const known: Known = {recent, startedAt: undefined, finishedAt: undefined}
    this.#known.set(member, known)
    member.onMove(() => {
      const {phase} = member.app.state
      if (phase === 'starting') known.startedAt = new Date()
      if (phase === 'exited' || phase === 'backoff') known.finishedAt = new Date()
    })
  }

  forget(member: Member): void {
    this.#known.delete(member)
  }

  /** What is asked at the manager's port. */
  get managed(): Managed {
    const {versions, remove} = this.#options
    const find = (name: string, version: string): Member | undefined => versions.find(`${name}_${version}`)?.member
    return {
      list: () => versions.members.filter(isService).map(member => this.#instance(member)),
      assign: (name, version) => versions.assign(name, version),
      remove: async (name, version) => {
        const member = find(name, version)
        if (member !== undefined) await remove(member)
      },
      logs: (name, version, wanted, gone) => {
        const member = find(name, version)
        const recent = member === undefined ? undefined : this.#known.get(member)?.recent
        return recent?.read(wanted, gone) ?? nothing()
      },
      deploy: async deployment => this.#deploy(deployment)
    }
  }

  /** What other terminals ask. */
  get answers(): Pick<Handlers, 'services' | 'assign' | 'remove'> {
    const {list, assign, remove} = this.managed
    return {
      services: () =>
        list().map(({startedAt, finishedAt, ...instance}) => ({
          ...instance,
          startedAt: startedAt?.getTime() ?? 0,
          finishedAt: finishedAt?.getTime() ?? 0
        })),
      assign: (name, version) => {
        const why = whyNotAssigned(list(), name, version)
        if (why === '') assign(name, version)
        return why
      },
      remove: async (name, version) => {
        const why = whyNotRemoved(list(), name, version)
        if (why === '') await remove(name, version)
        return why
      }
    }
  }

  /** Why it could not be started, '' when its process runs. */
  async #deploy({name, version, port, env, entries}: Deployment): Promise<string> {
    const {shell, copies, add} = this.#options
    const folderName = `${name}_${version}`
    try {
      const folder = await copies.unpack(folderName, entries)
      const home = shell['HOME'] || homedir()
      await add(deployedPlan({name, version, folder, fixedPort: port, env}, {home, env: shell}))
      return ''
    } catch (error) {
      await copies.drop(folderName)
      return messageOf(error)
    }
  }

  #instance(member: Member): Instance {
    const {startedAt, finishedAt} = this.#known.get(member) ?? {startedAt: undefined, finishedAt: undefined}
    return {
      name: member.id,
      version: member.plan.version,
      isMain: this.#options.versions.isMain(member),
      status: STATUS[member.app.state.phase],
      startedAt,
      finishedAt
    }
  }
}

/** Docker's words for the phases of an app. */
const STATUS = {
  idle: 'created',
  starting: 'running',
  running: 'running',
  stopping: 'running',
  backoff: 'restarting',
  exited: 'exited'
} as const

async function* nothing(): AsyncGenerator<string> {
  // it has left the run meanwhile
}

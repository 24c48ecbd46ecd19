import type {RunListing} from '../control/messages.ts'
import type {Plan} from '../plan.ts'
import {VERSION} from '../version.ts'
import type {Member} from './member.ts'

export interface Listed {
  readonly plan: Plan
  /** The mark of the run. */
  readonly run: string
  readonly startedAt: number
  /** Those with an open door. */
  readonly members: readonly Member[]
  readonly isMain: (member: Member) => boolean
}

/** What a run tells about itself. */
export const listingOf = ({plan, run, startedAt, members, isMain}: Listed): RunListing => ({
  version: VERSION,
  run,
  pid: process.pid,
  startedAt,
  templateFile: plan.file,
  templateName: plan.name,
  apps: members.map(member => ({...member.listing(), isMain: isMain(member)}))
})

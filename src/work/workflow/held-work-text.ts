import type {HeldWork} from './held-work.ts'

/** Names work for people: `activity "charge" of workflow order-1`. A file of its own: loads no code of workflows. */
export const heldWorkText = ({kind, name, id}: HeldWork): string =>
  kind === 'activity' ? `activity "${name}" of workflow ${id}` : `the code of workflow "${name}" ${id}`

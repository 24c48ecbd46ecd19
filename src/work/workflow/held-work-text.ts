import type {HeldWork} from './held-work.ts'

/** Names work. Its own file, which loads no code of workflows. For example `activity "charge" of workflow order-1`. */
export const heldWorkText = ({kind, name, id}: HeldWork): string =>
  kind === 'activity' ? `activity "${name}" of workflow ${id}` : `the code of workflow "${name}" ${id}`

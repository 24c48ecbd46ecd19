import {orElse} from '../../src/model/or-else.ts'

/**
 * The number of other tabs shown since this one after which a hidden tab closes its event stream: a browser allows six connections to
 * one run for all tabs, and each stream uses one. A tab that was never shown opens none.
 */
const MAX_FOLLOWING = 3

/** Undefined where storage is blocked: Firefox refuses it then. */
const tabs = orElse(() => new BroadcastChannel('tabs'), undefined)
const ours = crypto.randomUUID()

/** Ids of the tabs that the user has opened after this one. */
const seenSince = new Set<string>()
let wasSeen = false

export const mayFollow = (): boolean => !document.hidden || (wasSeen && seenSince.size < MAX_FOLLOWING)

function show(): void {
  if (document.hidden) return
  wasSeen = true
  seenSince.clear()
  tabs?.postMessage(ours) // oxlint-disable-line unicorn/require-post-message-target-origin -- a channel of this origin has none
}

/** Calls `onChange` when this tab may no longer follow events because of other tabs. */
export function watchTabs(onChange: () => void): void {
  tabs?.addEventListener('message', ({data}: MessageEvent<string>) => {
    if (!document.hidden) return
    seenSince.add(data)
    if (!mayFollow()) onChange()
  })
}

document.addEventListener('visibilitychange', show)
show()

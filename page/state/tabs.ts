/**
 * A browser opens six connections to one run, for all tabs together, and each that follows events keeps one: a hidden tab closes
 * its own when this many others have been seen since, or if it has not been seen itself yet.
 */
const MAX_FOLLOWING = 3

const tabs = new BroadcastChannel('tabs')
const ours = crypto.randomUUID()

/** The tabs that were seen since this one was. */
const seenSince = new Set<string>()
let wasSeen = false

/** Whether this tab may follow events. */
export const mayFollow = (): boolean => !document.hidden || (wasSeen && seenSince.size < MAX_FOLLOWING)

function show(): void {
  if (document.hidden) return
  wasSeen = true
  seenSince.clear()
  tabs.postMessage(ours) // oxlint-disable-line unicorn/require-post-message-target-origin -- a channel of this origin has none
}

/** Calls `onChange` when that has changed because of other tabs. */
export function watchTabs(onChange: () => void): void {
  tabs.addEventListener('message', ({data}: MessageEvent<string>) => {
    if (!document.hidden) return
    seenSince.add(data)
    if (!mayFollow()) onChange()
  })
}

document.addEventListener('visibilitychange', show)
show()

import {signal} from '@preact/signals'
import {api} from './api.ts'
import {listen} from './run.ts'

/** The time between two questions for what the run did not have yet. */
const EVERY_MS = 30_000

/** Titles of the views that have something to show in this run. */
export const used = signal<ReadonlySet<string>>(new Set())

/** Views whose answers need code that a run without work has not loaded. */
const OF_WORK = new Set(['Workflows', 'Actors', 'Jobs'])

const ASKS: Readonly<Record<string, () => Promise<readonly unknown[]>>> = {
  Workflows: async () => (await api.ask('GET /workflows', {query: {limit: 1}})).workflows,
  Actors: async () => (await api.ask('GET /actors')).types,
  Jobs: async () => (await api.ask('GET /jobs', {query: {limit: 1}})).jobs,
  Replay: async () => (await api.ask('GET /pins')).pins
}

/** Asks the run for things that it did not have yet. */
export async function lookForUsed(): Promise<void> {
  if (document.hidden) return
  const hasWork = await api.ask('GET /run').then(
    run => run.hasWork,
    () => false
  )
  for (const [title, ask] of Object.entries(ASKS)) {
    if (used.peek().has(title) || (OF_WORK.has(title) && !hasWork)) continue
    if ((await ask().catch(() => [])).length > 0) used.value = new Set([...used.peek(), title])
  }
}

listen('another', () => {
  used.value = new Set()
  void lookForUsed()
})
setInterval(() => void lookForUsed(), EVERY_MS)

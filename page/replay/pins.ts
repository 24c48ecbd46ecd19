import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {announce} from '../parts/announce.tsx'
import {showProblem} from '../parts/strips.tsx'
import {api} from '../state/api.ts'
import {listen, runId} from '../state/run.ts'

/** Undefined: not asked yet. */
export const pins = signal<Api.Pins | undefined>(undefined)
/** What was sent from this page last, in the order of the answers. */
export const sentNow = signal<readonly Api.Replay[]>([])
export const isSending = signal(false)
/** The run in which they were sent. */
let sentIn = ''

listen('reset', ({run}) => {
  if (run !== sentIn) sentNow.value = []
})

let isLoading = false
let isWanted = false

/** Loads them from the run; several calls at once make one request, and one more after it. */
export async function loadPins(): Promise<void> {
  isWanted = true
  if (isLoading) return
  isLoading = true
  while (isWanted) {
    isWanted = false
    try {
      pins.value = await api.ask('GET /pins')
    } catch (error) {
      showProblem(error)
    }
  }
  isLoading = false
}

export async function unpin(call: number): Promise<void> {
  try {
    pins.value = await api.ask('DELETE /pins/{number}', {at: {number: call}})
    announce(`Call ${call} is no longer pinned`)
  } catch (error) {
    showProblem(error)
  }
}

export const sendAll = async (unsafe: boolean): Promise<void> => sendReplays({pinned: true, unsafe})

/** Sends calls again, and shows each answer as it comes. */
export async function sendReplays(body: object): Promise<void> {
  if (isSending.value) return
  sentNow.value = []
  isSending.value = true
  const ours = (sentIn = runId.value)
  try {
    const replays = await api.follow('POST /replays', {body})
    for await (const replay of replays) if (runId.value === ours) sentNow.value = [...sentNow.value, replay]
    announce(`${sentNow.value.length} calls`)
  } catch (error) {
    showProblem(error)
  } finally {
    isSending.value = false
  }
}

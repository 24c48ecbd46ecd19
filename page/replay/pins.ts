import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {announce} from '../parts/announce.tsx'
import {attempt, showProblem} from '../parts/strips.tsx'
import {api} from '../state/api.ts'
import {listen, runId} from '../state/run.ts'

/** The pinned calls and rounds. Undefined until they are loaded. */
export const pins = signal<Api.Pins | undefined>(undefined)
/** The replays that were last sent from this page, in the order of their answers. */
export const sentNow = signal<readonly Api.Replay[]>([])
export const isSending = signal(false)

listen('another', () => (sentNow.value = []))

let isLoading = false
let isWanted = false

/** Loads the pins from the run; calls meanwhile cause only one further request. */
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
  const left = await attempt(async () => api.ask('DELETE /pins/{number}', {at: {number: call}}))
  if (left === undefined) return
  pins.value = left
  announce(`Call ${call} is no longer pinned`)
}

export const sendAll = async (unsafe: boolean): Promise<void> => sendReplays({pinned: true, unsafe})

/** Sends calls again, and shows each answer as it arrives. */
export async function sendReplays(body: object): Promise<void> {
  if (isSending.value) return
  sentNow.value = []
  isSending.value = true
  const ours = runId.value
  await attempt(async () => {
    const replays = await api.follow('POST /replays', {body})
    for await (const replay of replays) if (runId.value === ours) sentNow.value = [...sentNow.value, replay]
    announce(`${sentNow.value.length} calls`)
  })
  isSending.value = false
}

import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {announce} from '../parts/announce.tsx'
import {failure} from '../parts/strips.tsx'
import {ask, problemOf, request} from '../state/api.ts'

/** Undefined: not asked yet. */
export const pins = signal<Api.Pins | undefined>(undefined)
/** What was sent from this page last, in the order of the answers. */
export const sentNow = signal<readonly Api.Replay[]>([])
export const isSending = signal(false)

export const told = (error: unknown): void => {
  const {message, hint} = problemOf(error)
  failure.value = `${message}${hint === '' ? '' : `. ${hint}`}`
}

let isLoading = false
let isWanted = false

/** Asks the run; several wishes at once are one request, and one more after it. */
export async function loadPins(): Promise<void> {
  isWanted = true
  if (isLoading) return
  isLoading = true
  while (isWanted) {
    isWanted = false
    try {
      pins.value = await ask<Api.Pins>('/pins')
    } catch (error) {
      told(error)
    }
  }
  isLoading = false
}

export async function unpin(call: number): Promise<void> {
  try {
    pins.value = await ask<Api.Pins>(`/pins/${call}`, {method: 'DELETE'})
    announce(`Call ${call} is no longer pinned`)
  } catch (error) {
    told(error)
  }
}

export const sendAll = async (unsafe: boolean): Promise<void> => sendReplays({pinned: true, unsafe})

/** Sends calls again, and shows each answer as it comes. */
export async function sendReplays(body: object): Promise<void> {
  sentNow.value = []
  isSending.value = true
  try {
    const response = await request('/replays', {method: 'POST', body})
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
    const decoder = new TextDecoder()
    let rest = ''
    for (;;) {
      const {value, done} = await reader.read()
      if (done) break
      const lines = (rest + decoder.decode(value, {stream: true})).split('\n')
      rest = lines.pop() ?? ''
      const views = lines.filter(line => line !== '').map(line => JSON.parse(line) as Api.Replay)
      sentNow.value = [...sentNow.value, ...views]
    }
    announce(`${sentNow.value.length} calls`)
  } catch (error) {
    told(error)
  } finally {
    isSending.value = false
  }
}

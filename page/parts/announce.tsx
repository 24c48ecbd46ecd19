import {signal} from '@preact/signals'

const EVERY_MS = 5000

const said = signal('')
let waiting = ''
let next = 0
let timer: ReturnType<typeof setTimeout> | undefined

/** Announces a text to screen readers; of the texts within five seconds, only the latest. */
export function announce(text: string): void {
  waiting = text
  timer ??= setTimeout(
    () => {
      timer = undefined
      next = performance.now() + EVERY_MS
      // what does not change is not read aloud again
      said.value = waiting === said.peek() ? `${waiting}\xa0` : waiting
    },
    Math.max(0, next - performance.now())
  )
}

/** Shows announcements to screen readers only, as a polite live region. */
export const Announcements = () => (
  <p class="unseen" role="status" aria-live="polite">
    {said}
  </p>
)

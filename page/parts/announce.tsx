import {signal} from '@preact/signals'

const EVERY_MS = 5000

const said = signal('')
let waiting = ''
let next = 0
let timer: ReturnType<typeof setTimeout> | undefined

/** Says something to those who do not see the page; the latest of what comes within five seconds. */
export function announce(text: string): void {
  waiting = text
  timer ??= setTimeout(
    () => {
      timer = undefined
      next = performance.now() + EVERY_MS
      said.value = waiting
    },
    Math.max(0, next - performance.now())
  )
}

/** The only region of the page that speaks by itself. */
export const Announcements = () => (
  <p class="unseen" role="status" aria-live="polite">
    {said}
  </p>
)

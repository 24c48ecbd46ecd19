import type {ComponentChildren} from 'preact'

/** Says in place of rows that the run is asked, why it did not answer, or what an empty answer means. */
export function Nothing({
  answer,
  children
}: {
  /** A text: why there is none; undefined: it has not come. */
  readonly answer: object | string | undefined
  readonly children: ComponentChildren
}) {
  if (typeof answer === 'string') return <p class="empty">{answer}</p>
  if (answer === undefined) return <p class="empty">Asking the run …</p>
  return <div class="empty">{children}</div>
}

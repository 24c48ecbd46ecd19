import type {ComponentChildren} from 'preact'

/** Shows, in place of rows, that the run is being asked, why it did not answer, or what an empty answer means. */
export function Nothing({
  answer,
  children
}: {
  /** The answer; a string says why there is none; undefined while it is awaited. */
  readonly answer: object | string | undefined
  readonly children: ComponentChildren
}) {
  if (typeof answer === 'string') return <p class="empty">{answer}</p>
  if (answer === undefined) return <p class="empty">Asking the run …</p>
  return <div class="empty">{children}</div>
}

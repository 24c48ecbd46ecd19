import {visible} from './safe-text.ts'

/** The number of characters below which a name is never shortened. */
const SHORT = 13

/** Shows a name that loses its middle where it has no room, because many names share a beginning or an end. */
export function Name({name}: {readonly name: string}) {
  const text = visible(name)
  if (text.length < SHORT) return <span>{text}</span>
  const at = text.length - Math.min(10, text.length >> 1)
  return (
    <span class="name-parts" title={text}>
      <span class="unseen">{text}</span>
      <span aria-hidden="true">{text.slice(0, at)}</span>
      <span aria-hidden="true">{text.slice(at)}</span>
    </span>
  )
}

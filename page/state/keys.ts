import {signal} from '@preact/signals'
import {useLayoutEffect} from 'preact/hooks'
import {read, write} from './token.ts'

/** What a key does. */
export interface Key {
  /** `p`, `?`, `g a` (one after the other). */
  readonly keys: string
  readonly text: string
  readonly run: () => void
}

const OFF = 'pillion-keys-off'

/** All that work now; the latest ones win. */
export const keys = signal<readonly Key[]>([])
/** Keys without Ctrl or Alt can be switched off (WCAG 2.1.4). */
export const areKeysOn = signal(read(OFF) !== 'yes')

export function switchKeys(isOn: boolean): void {
  areKeysOn.value = isOn
  write(OFF, isOn ? 'no' : 'yes')
}

/** Keys that work while a component is shown. `added` must stay the same object. */
export function useKeys(added: readonly Key[]): void {
  // before it is seen: who sees it may press them
  useLayoutEffect(() => {
    keys.value = [...added, ...keys.value]
    return () => {
      keys.value = keys.value.filter(key => !added.includes(key))
    }
  }, [added])
}

/** What is typed there is text, or a choice. A box to tick takes none. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  !target.matches('[type=checkbox]') &&
  (target.isContentEditable || ['INPUT', 'SELECT', 'TEXTAREA'].includes(target.tagName))

let first = ''
let forget: ReturnType<typeof setTimeout> | undefined

addEventListener('keydown', event => {
  if (!areKeysOn.value || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
  if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
  const typed = first === '' ? event.key : `${first} ${event.key}`
  clearTimeout(forget)
  first = ''
  const key = keys.value.find(({keys: wanted}) => wanted === typed)
  if (key !== undefined) {
    event.preventDefault()
    key.run()
  } else if (keys.value.some(({keys: wanted}) => wanted.startsWith(`${typed} `))) {
    first = typed
    forget = setTimeout(() => (first = ''), 1500)
  }
})

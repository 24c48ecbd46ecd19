import {signal} from '@preact/signals'
import {useLayoutEffect} from 'preact/hooks'
import {read, write} from './token.ts'

/** A keyboard shortcut. */
export interface Key {
  /** The keys, such as `p`, `?`, or `g a` (one after the other). */
  readonly keys: string
  readonly text: string
  readonly run: () => void
}

const OFF = 'pillion-keys-off'

/** All shortcuts that work now; a later one overrides an earlier one. */
export const keys = signal<readonly Key[]>([])
/** Whether shortcuts without Ctrl or Alt work; the user can switch them off (WCAG 2.1.4). */
export const areKeysOn = signal(read(OFF) !== 'yes')

export function switchKeys(isOn: boolean): void {
  areKeysOn.value = isOn
  write(OFF, isOn ? 'no' : 'yes')
}

/** Adds shortcuts while a component is shown. `added` must stay the same object between renders. */
export function useKeys(added: readonly Key[]): void {
  // a layout effect adds them before the component is visible, because a user may press a key at once
  useLayoutEffect(() => {
    keys.value = [...added, ...keys.value]
    return () => {
      keys.value = keys.value.filter(key => !added.includes(key))
    }
  }, [added])
}

/** Returns whether an element takes typed text or a choice; a checkbox does not. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  !target.matches('[type=checkbox]') &&
  (target.isContentEditable || ['INPUT', 'SELECT', 'TEXTAREA'].includes(target.tagName))

/** The first key of two, such as `g`; empty if none was pressed. */
export let firstKey = ''
let forget: ReturnType<typeof setTimeout> | undefined

addEventListener('keydown', event => {
  if (!areKeysOn.value || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat)
    return
  if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
  const typed = firstKey === '' ? event.key : `${firstKey} ${event.key}`
  clearTimeout(forget)
  firstKey = ''
  const key = keys.value.find(({keys: wanted}) => wanted === typed)
  if (key !== undefined) {
    event.preventDefault()
    key.run()
  } else if (keys.value.some(({keys: wanted}) => wanted.startsWith(`${typed} `))) {
    firstKey = typed
    forget = setTimeout(() => (firstKey = ''), 1500)
  }
})

import {signal} from '@preact/signals'
import type {ComponentType, JSX} from 'preact'
import {useEffect} from 'preact/hooks'
import {connection, opened} from '../state/run.ts'

/** A component whose code is loaded when it is shown first, or before that by `preload`. */
export interface LateComponent<P extends object> {
  (props: P): JSX.Element
  readonly preload: () => void
}

/**
 * A component whose code is a chunk of its own. A browser may keep a module that it could not fetch as failed for as long as the
 * page is open (HTML, "fetch a single module script"), so once the run answers again the page reloads itself.
 */
export function late<P extends object>(load: () => Promise<{readonly default: ComponentType<P>}>): LateComponent<P> {
  const code = signal<ComponentType<P> | undefined>(undefined)
  const hasFailed = signal(false)
  const preload = (): void => {
    if (code.peek() !== undefined) return
    load().then(
      module => (code.value = module.default),
      () => (hasFailed.value = true)
    )
  }
  function Late(props: P) {
    const Found = code.value
    const isOpen = connection.value.state === 'open'
    const mayReload = Found === undefined && hasFailed.value && opened.value > 1 && isOpen
    useEffect(preload, [])
    useEffect(() => {
      if (mayReload) location.reload()
    }, [mayReload])
    if (Found !== undefined) return <Found {...props} />
    if (!hasFailed.value) return <p class="empty">Loading …</p>
    if (!isOpen) return <p class="empty">The code of this page could not be loaded. It comes once the run answers.</p>
    return (
      <div class="empty">
        <p>The code of this page could not be loaded.</p>
        <button type="button" onClick={() => location.reload()}>
          Try again
        </button>
      </div>
    )
  }
  return Object.assign(Late, {preload})
}

import {signal} from '@preact/signals'
import {useEffect, useRef} from 'preact/hooks'
import {areKeysOn, keys, switchKeys} from '../state/keys.ts'
import {setTheme, theme, THEMES} from '../state/theme.ts'

export const isHelpOpen = signal(false)

/** Shows the keys that work now, and the settings of keys and theme. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
  const isOpen = isHelpOpen.value
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={() => (isHelpOpen.value = false)}>
      <h2 id="help-title">Keys</h2>
      {isOpen && (
        <dl class="keys">
          {[...keys.value, ...OF_TABLES].map(({keys: typed, text}) => (
            <div key={typed + text}>
              <dt>
                {typed.split(' ').map(key => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      )}
      <label>
        <input type="checkbox" checked={areKeysOn.value} onChange={event => switchKeys(event.currentTarget.checked)} />{' '}
        Keyboard shortcuts on
      </label>
      <p>
        <label>
          Theme{' '}
          <select value={theme.value} onChange={event => setTheme(event.currentTarget.value)}>
            {THEMES.map(name => (
              <option key={name} value={name}>
                {name[0]?.toUpperCase() + name.slice(1)}
              </option>
            ))}
          </select>
        </label>
      </p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}

const OF_TABLES = [
  {keys: '↑ ↓ j k', text: 'In a table: the row above or below'},
  {keys: 'Enter', text: 'In a table: open the row'},
  {keys: 'r s d l', text: 'In the table of apps: restart, stop or start, debug, logs'},
  {keys: 'Esc', text: 'Close'}
]

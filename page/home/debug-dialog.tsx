import {signal} from '@preact/signals'
import {useEffect, useRef} from 'preact/hooks'
import {CopyButton} from '../parts/copy-button.tsx'

/** The app to debug; empty if none. */
const debugged = signal('')

export const askToDebug = (app: string): void => void (debugged.value = app)

/** The commands that hand an app over to a debugger: the first prints what to start, the second a configuration for VS Code. */
const COMMANDS = ['debug', 'debug --format vscode'] as const

/** Shows the commands that hand an app over to a debugger: a page cannot start one, and does not get the secrets of the app. */
export function DebugDialog() {
  const dialog = useRef<HTMLDialogElement>(null)
  const app = debugged.value
  useEffect(() => {
    if (app === '') dialog.current?.close()
    else dialog.current?.showModal()
  }, [app])
  return (
    <dialog ref={dialog} aria-labelledby="debug-title" onClose={() => (debugged.value = '')}>
      <h2 id="debug-title">Debug {app}</h2>
      <p>
        This stops {app} here and prints its command and environment: start it in your debugger, at the same port. Calls
        go there as soon as it listens. <b>Start</b> takes it back.
      </p>
      {COMMANDS.map(command => {
        const [verb = '', ...flags] = command.split(' ')
        const text = ['pillion', verb, app, ...flags].join(' ')
        return (
          <p key={command} class="tools">
            <code>{text}</code> <CopyButton text={text} label="Copy" />
          </p>
        )
      })}
      <form method="dialog" class="tools">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}

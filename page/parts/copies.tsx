import {signal} from '@preact/signals'
import type * as Api from '../../src/model/api.generated.ts'
import {api, mayChange, problemText} from '../state/api.ts'
import {listen} from '../state/run.ts'

const copies = signal<readonly Api.Copy[]>([])
/** The dashboard URL of each other copy, or why there is none, by the pid of the copy's run. */
const pages = signal<ReadonlyMap<number, {readonly url?: string; readonly why?: string}>>(new Map())

async function look(): Promise<void> {
  if (document.hidden) return
  await api.ask('GET /copies').then(
    answer => (copies.value = answer.copies),
    () => undefined // the strip says why
  )
}

/** Asks this run to open the dashboard of each other copy, and keeps the URLs. */
async function openPages(): Promise<void> {
  await look()
  await Promise.all(
    others().map(async ({pid}) => {
      const found = await api.ask('POST /copies/{number}/dashboard', {at: {number: pid}}).then(
        ({port, token, nameUrl = `http://127.0.0.1:${port}`}) => ({url: `${nameUrl}/#t=${token}`}),
        (error: unknown) => ({why: problemText(error)})
      )
      pages.value = new Map([...pages.value, [pid, found]])
    })
  )
}

// other copies start and end while this page is open
listen('reset', () => void look())
document.addEventListener('visibilitychange', () => void look())

const others = (): readonly Api.Copy[] => copies.value.filter(({pid, isThis}) => pid > 0 && !isThis)

/** Handlers that close the list when the focus leaves it, or on Escape. */
const closers = {
  onFocusOut: ({currentTarget, relatedTarget}: FocusEvent) => {
    const list = currentTarget as HTMLDetailsElement
    if (relatedTarget instanceof Node && !list.contains(relatedTarget)) list.open = false
  },
  onKeyDown: (event: KeyboardEvent) => {
    const list = event.currentTarget as HTMLDetailsElement
    if (event.key !== 'Escape' || !list.open) return
    event.preventDefault()
    list.open = false
    list.querySelector('summary')?.focus()
  }
}

/** Shows the git branch of this copy and links to the dashboards of other running copies; nothing if the template has one copy. */
export function Copies() {
  const here = copies.value.find(({isThis}) => isThis)
  if (here === undefined || copies.value.filter(({state}) => state !== 'gone').length < 2) return null
  const running = others()
  const shown = copies.value.find(({isShown}) => isShown)
  return (
    <>
      {here.branch !== '' && (
        <span class="branch" title={`Branch ${here.branch}, ${here.folder}`}>
          {here.branch}
        </span>
      )}
      {shown && <small>{shown.isThis ? 'answers for main' : `${shown.name} answers its names and ports`}</small>}
      {running.length > 0 && (
        <details
          class="copies"
          onToggle={({currentTarget: {open}}) => void (open && (mayChange ? openPages() : look()))}
          {...closers}
        >
          <summary>{running.length === 1 ? '1 other copy' : `${running.length} other copies`}</summary>
          <ul>
            {running.map(copy => (
              <li key={copy.pid} title={copy.folder}>
                <Name copy={copy} /> <small>{copy.branch}</small>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

function Name({copy: {name, pid}}: {readonly copy: Api.Copy}) {
  const {url, why} = pages.value.get(pid) ?? {}
  return url === undefined ? <span title={why}>{name}</span> : <a href={url}>{name}</a>
}

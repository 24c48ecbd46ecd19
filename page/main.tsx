// The page of a run: what it is made of is described in page/README.md.
import {effect, signal} from '@preact/signals'
import {render, type ComponentType} from 'preact'
import {useEffect} from 'preact/hooks'
import {Announcements} from './parts/announce.tsx'
import {Bar} from './parts/bar.tsx'
import {Confirm} from './parts/confirm.tsx'
import {TABLE, toTable} from './parts/grid.tsx'
import {Help, isHelpOpen} from './parts/help.tsx'
import {ConnectionStrip, FailureStrip} from './parts/strips.tsx'
import {Troubles} from './home/troubles.tsx'
import {DebugDialog} from './home/debug-dialog.tsx'
import {showWhatIsCut} from './parts/tooltips.ts'
import {isTyping, useKeys, type Key} from './state/keys.ts'
import {go, hrefOf, route} from './state/route.ts'
import {connection, isPaused, pause, run, runName} from './state/run.ts'
import {VIEWS} from './views/views.ts'

/** Moves from the view, which has the focus after each change of views, to the table by one Tab. */
function tabToTable(event: KeyboardEvent): void {
  if (event.key !== 'Tab' || event.shiftKey || event.target !== event.currentTarget) return
  const found = document.querySelector<HTMLElement>(TABLE)
  if (found === null) return
  event.preventDefault()
  found.focus()
}

/** Handles keys in a field: in a filter Enter goes to the results, and Esc empties it; Esc leaves every other field, so that single keys work again. */
function inField(event: KeyboardEvent): void {
  const {target, key} = event
  const filter = target instanceof HTMLInputElement && target.type === 'search' ? target : undefined
  if (key === 'Enter' && filter !== undefined && filter.form === null) toTable()
  else if (key !== 'Escape' || !isTyping(target)) return
  else if (filter === undefined || filter.value === '') document.getElementById('main')?.focus()
  else {
    filter.value = ''
    filter.dispatchEvent(new Event('input', {bubbles: true}))
  }
  event.preventDefault()
}

const KEYS: readonly Key[] = [
  ...VIEWS.map(({key, title, name}) => ({keys: `g ${key}`, text: `Go to ${title}`, run: () => go(hrefOf(name))})),
  {keys: 'p', text: 'Pause, or resume', run: () => pause(!isPaused.value)},
  {keys: '/', text: 'Filter', run: () => document.querySelector<HTMLInputElement>('input[type=search]')?.focus()},
  {keys: 'j', text: 'To the table, and down', run: toTable},
  {keys: 'k', text: 'To the table, and up', run: toTable},
  {keys: '?', text: 'These keys', run: () => (isHelpOpen.value = true)}
]

/** Code of views that was loaded, by name; a string: why it could not be. */
const loaded = signal<ReadonlyMap<string, ComponentType | string>>(new Map())

function load(name: string): void {
  const keep = (what: ComponentType | string): void => {
    loaded.value = new Map([...loaded.value, [name, what]])
  }
  const view = VIEWS.find(each => each.name === name)
  if (view === undefined) return keep(`There is no page “${name}”.`)
  view.load().then(
    module => keep(module.default),
    () => keep('The code of this page could not be loaded: the run does not answer.')
  )
}

effect(() => {
  const {view} = route.value
  if (!loaded.peek().has(view)) load(view)
})

/** Those that could not be loaded are asked for again. */
function loadAgain(): void {
  const failed = [...loaded.peek()].filter(([, code]) => typeof code === 'string').map(([name]) => name)
  if (failed.length === 0) return
  loaded.value = new Map([...loaded.peek()].filter(([name]) => !failed.includes(name)))
  load(route.peek().view)
}

// once the run answers there is time for the other views: they can be opened when it has ended, too
let isFirstAnswer = true
effect(() => {
  if (connection.value.state !== 'open') return
  queueMicrotask(loadAgain)
  if (!isFirstAnswer) return
  isFirstAnswer = false
  requestIdleCallback(() => {
    for (const {name} of VIEWS) if (!loaded.peek().has(name)) load(name)
    void import('./views/app.tsx').catch(() => undefined) // then it is loaded when it is opened
  })
})

effect(() => {
  const {view} = route.value
  const found = VIEWS.find(({name}) => name === view)
  const troubles = VIEWS.reduce((sum, {badge}) => sum + (badge?.() ?? 0), 0)
  const parts = [found?.title ?? view, runName.value, 'Pillion'].filter(part => part !== '')
  document.title = `${troubles > 0 ? `(${troubles}) ` : ''}${parts.join(' · ')}`
})

function Content() {
  const {view} = route.value
  const Found = loaded.value.get(view)
  const title = <h1 class="unseen">{VIEWS.find(({name}) => name === view)?.title ?? view}</h1>
  if (typeof Found === 'string')
    return (
      <div class="empty">
        {title}
        <p>{Found}</p>
        <button type="button" onClick={loadAgain}>
          Try again
        </button>
      </div>
    )
  if (Found === undefined || (run.value === undefined && connection.value.state !== 'refused'))
    return (
      <div class="empty">
        {title}
        <p>Asking the run …</p>
      </div>
    )
  return run.value === undefined ? null : <Found />
}

function Page() {
  useKeys(KEYS)
  const {view, rest} = route.value
  const place = [view, ...rest].join('/')
  // keys act in the view, and a screen reader says where one is
  useEffect(() => {
    const main = document.getElementById('main')
    if (document.activeElement === document.body || document.activeElement?.closest('nav') !== null) main?.focus()
  }, [place])
  const isOld = ['lost', 'ended'].includes(connection.value.state)
  return (
    <>
      <Bar />
      <ConnectionStrip />
      <FailureStrip />
      <Troubles isWhole={view === 'apps' && rest.length === 0} />
      <main
        id="main"
        tabIndex={-1}
        onKeyDown={event => (tabToTable(event), inField(event))}
        class={isOld ? 'old' : ''}
        aria-label={VIEWS.find(({name}) => name === view)?.title}
      >
        <Content />
      </main>
      <Help />
      <Confirm />
      <DebugDialog />
      <Announcements />
    </>
  )
}

addEventListener('pointerover', showWhatIsCut)

const element = document.getElementById('page')
if (element !== null) {
  element.textContent = ''
  render(<Page />, element)
}

// The page of a run: what it is made of is described in page/README.md.
import {effect} from '@preact/signals'
import {render} from 'preact'
import {useEffect} from 'preact/hooks'
import {Announcements} from './parts/announce.tsx'
import {Bar} from './parts/bar.tsx'
import {Boundary} from './parts/boundary.tsx'
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
import {App} from './views/apps.tsx'
import {VIEWS} from './views/views.ts'

/** Moves from the view, which has the focus after each change of views, to the table by one Tab. */
function tabToTable(event: KeyboardEvent): void {
  if (event.key !== 'Tab' || event.shiftKey || event.target !== event.currentTarget) return
  const found = document.querySelector<HTMLElement>(TABLE)
  if (found === null || !found.checkVisibility()) return
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
  {keys: 'j', text: 'Next row', run: toTable},
  {keys: 'k', text: 'Previous row', run: toTable},
  {keys: '?', text: 'These keys', run: () => (isHelpOpen.value = true)}
]

const viewOf = (name: string) => VIEWS.find(each => each.name === name)

effect(() => viewOf(route.value.view)?.code.preload?.())

/** Safari has no requestIdleCallback. */
const whenIdle = (window as Partial<Window>).requestIdleCallback ?? setTimeout

// once the run answers there is time for the other views: they can be opened when it has ended, too
const stopPreloading = effect(() => {
  if (connection.value.state !== 'open') return
  whenIdle(() => {
    for (const {code} of VIEWS) code.preload?.()
    App.preload()
    stopPreloading()
  })
})

effect(() => {
  const {view} = route.value
  const found = viewOf(view)
  const troubles = VIEWS.reduce((sum, {badge}) => sum + (badge?.() ?? 0), 0)
  const parts = [found?.title ?? view, runName.value, 'Pillion'].filter(part => part !== '')
  document.title = `${troubles > 0 ? `(${troubles}) ` : ''}${parts.join(' · ')}`
})

function Content() {
  const {view} = route.value
  const found = viewOf(view)
  if (found !== undefined && run.value !== undefined) return <found.code />
  if (found !== undefined && connection.value.state === 'refused') return null
  return (
    <div class="empty">
      <h1 class="unseen">{found?.title ?? view}</h1>
      <p>{found === undefined ? `There is no page “${view}”.` : 'Asking the run …'}</p>
    </div>
  )
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
        aria-label={viewOf(view)?.title}
      >
        <Boundary place={route.value}>
          <Content />
        </Boundary>
      </main>
      <Help />
      <Confirm />
      <DebugDialog />
      <Announcements />
    </>
  )
}

addEventListener('pointerover', showWhatIsCut)

/** Drops the second click of a double click on a button that submits a form or changes the run (`.once`). */
function once(event: MouseEvent): void {
  const {detail, target} = event
  if (detail < 2 || !(target instanceof Element) || target.closest('[type=submit], .once') === null) return
  event.preventDefault()
  event.stopPropagation()
}
addEventListener('click', once, {capture: true})

const element = document.getElementById('page')
if (element !== null) {
  element.textContent = ''
  render(<Page />, element)
}

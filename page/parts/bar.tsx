import {useEffect, useRef, useState} from 'preact/hooks'
import {isUp, wanted} from '../../src/model/app-words.ts'
import {hrefOf, route} from '../state/route.ts'
import {appList, isPaused, pause, runName} from '../state/run.ts'
import {whole} from '../state/traffic.ts'
import {VIEWS, type View} from '../views/views.ts'
import {Copies} from './copies.tsx'
import {count, rate} from './format.ts'
import {isHelpOpen} from './help.tsx'

/** Shows the header of every view. */
export function Bar() {
  const views = useRef<HTMLElement>(null)
  const {view} = route.value
  const [hasMore, showMore] = useState(false)
  const isShown = ({name, isUsed}: View): boolean => hasMore || view === name || isUsed()
  const shown = VIEWS.filter(isShown)
  useEffect(() => {
    const list = views.current
    const link = list?.querySelector('[aria-current]')
    if (!list || !link) return
    // on a narrow screen, scroll the list of views to the current one (`scrollIntoView` would also move the start of Tab navigation)
    const [seen, {left, right}] = [list.getBoundingClientRect(), link.getBoundingClientRect()]
    list.scrollLeft += Math.max(0, right - seen.right) - Math.max(0, seen.left - left)
  }, [view])
  return (
    <header class="bar">
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <b class="name">{runName.value || 'Pillion'}</b>
      <Copies />
      <nav ref={views} aria-label="Views">
        {shown.map(({name, title, badge}) => {
          const troubles = badge?.() ?? 0
          return (
            <a key={name} href={hrefOf(name)} aria-current={view === name ? 'page' : undefined}>
              {title}
              {troubles > 0 && <span class="badge">{troubles}</span>}
            </a>
          )
        })}
        {(hasMore || shown.length < VIEWS.length) && (
          <button type="button" aria-expanded={hasMore} onClick={() => showMore(!hasMore)}>
            {hasMore ? 'Less' : 'More'}
          </button>
        )}
      </nav>
      <div class="side-by-side">
        <Figures />
        <button
          type="button"
          aria-label={isPaused.value ? 'Resume' : 'Pause'}
          aria-pressed={isPaused.value}
          onClick={() => pause(!isPaused.value)}
          title={`${isPaused.value ? 'Resume' : 'Pause'}: key p`}
        >
          {isPaused.value ? '▶' : '❚❚'}
        </button>
        <button type="button" aria-label="Keys and theme" title="Key: ?" onClick={() => (isHelpOpen.value = true)}>
          ?
        </button>
      </div>
    </header>
  )
}

function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Figures() {
  const all = wanted(appList.value)
  const ready = all.filter(isUp).length
  const {perSecond, calls, failed} = whole.value
  return (
    <p class="figures">
      <span>
        <b>{ready}</b>/{all.length} ready
      </span>
      <span class="rate" title="In the last minute">
        <b>{rate(perSecond)}</b>/s
      </span>
      {failed > 0 && (
        <span class="bad" title="In the last minute">
          <b>{count(failed)}</b> of {count(calls)} failed
        </span>
      )}
    </p>
  )
}

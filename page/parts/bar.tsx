import {computed, effect, signal} from '@preact/signals'
import {useEffect, useRef} from 'preact/hooks'
import {isUsable} from '../../src/model/availability.ts'
import {now} from '../state/clock.ts'
import {hrefOf, route} from '../state/route.ts'
import {appList, edges, isPaused, pause, runName} from '../state/run.ts'
import {VIEWS} from '../views/views.ts'
import {percent, rate} from './format.ts'
import {isHelpOpen} from './help.tsx'
import {Sparkline} from './sparkline.tsx'

const HISTORY = 60

/** Calls of the last seconds, of all edges. */
export const traffic = computed(() => {
  let [calls, failed, seconds] = [0, 0, 10]
  for (const {recent} of edges.value) {
    calls += recent.calls
    failed += recent.failed
    seconds = recent.seconds
  }
  return {perSecond: calls / seconds, calls, failed}
})

const history = signal<readonly number[]>([])
effect(() => {
  void now.value
  history.value = [...history.peek(), traffic.peek().perSecond].slice(-HISTORY)
})

/** The header of every view. */
export function Bar() {
  const views = useRef<HTMLElement>(null)
  const {view} = route.value
  useEffect(() => {
    const list = views.current
    const link = list?.querySelector('[aria-current]')
    if (!list || !link) return
    // on a narrow screen the list of views is wider than that (`scrollIntoView` would move the place from which Tab goes on)
    const [seen, {left, right}] = [list.getBoundingClientRect(), link.getBoundingClientRect()]
    list.scrollLeft += Math.max(0, right - seen.right) - Math.max(0, seen.left - left)
  }, [view])
  return (
    <header class="bar">
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <b class="name">{runName.value || 'Pillion'}</b>
      <nav ref={views} aria-label="Views">
        {VIEWS.map(({name, title, badge, beginsGroup}) => {
          const troubles = badge?.() ?? 0
          return (
            <a
              key={name}
              class={beginsGroup === true ? 'group' : ''}
              href={hrefOf(name)}
              aria-current={view === name ? 'page' : undefined}
            >
              {title}
              {troubles > 0 && <span class="badge">{troubles}</span>}
            </a>
          )
        })}
      </nav>
      <Figures />
      <button
        type="button"
        aria-label={isPaused.value ? 'Go on' : 'Pause'}
        aria-pressed={isPaused.value}
        onClick={() => pause(!isPaused.value)}
        title={`${isPaused.value ? 'Go on' : 'Pause'}: key p`}
      >
        {isPaused.value ? '▶' : '❚❚'}
      </button>
      <button type="button" aria-label="Keys and theme" title="Key: ?" onClick={() => (isHelpOpen.value = true)}>
        ?
      </button>
    </header>
  )
}

function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Figures() {
  const all = appList.value
  const wanted = all.filter(({availability}) => availability !== 'stopped')
  const ready = wanted.filter(({availability}) => isUsable(availability)).length
  const {perSecond, calls, failed} = traffic.value
  return (
    <p class="figures">
      <span>
        <b>{ready}</b>/{wanted.length} ready
      </span>
      <span class="rate">
        <Sparkline values={history.value} label="calls per second, the last minute" /> <b>{rate(perSecond)}</b>/s
      </span>
      {failed > 0 && (
        <span class="bad">
          <b>{percent(failed, calls)}</b> failed
        </span>
      )}
      <span class="rate" title="Calls per second and failures are averages of this time">
        in 10 s
      </span>
    </p>
  )
}

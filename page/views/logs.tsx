import type * as Api from '../../src/model/api.generated.ts'
import {computed} from '@preact/signals'
import {useEffect, useMemo, useRef, useState} from 'preact/hooks'
import {LineBlocks, type LineFilter} from '../logs/line-blocks.ts'
import {feed, type Feed} from '../logs/line-feed.ts'
import {save} from '../logs/save.ts'
import {Chips} from '../parts/chips.tsx'
import {copyText} from '../parts/copy-button.tsx'
import {Name} from '../parts/name.tsx'
import {withoutColours} from '../parts/safe-text.ts'
import {act, attempt} from '../parts/strips.tsx'
import {mayChange} from '../state/api.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {parameter, setParameters} from '../state/route.ts'
import {appList, endAll} from '../state/run.ts'
import {AT_LEAST} from '../../src/model/line-level.ts'
import {ownOf} from '../../src/model/own.ts'
import {idInName} from '../../src/model/plan.ts'

/** The ids of the apps that are ticked, or names of instances such as `shop.2`; empty if all are. */
const ticked = computed(() =>
  parameter('app')
    .split(',')
    .filter(id => id !== '')
)
const ids = computed(() => [...new Set(appList.value.map(({id}) => id))])

const EXPRESSION = /^\/(.+)\/$/
/** Pause between two keys after which a search begins. */
const TYPING_MS = 250

/** Returns the search as a regular expression; a string says what is wrong with it. */
function expressionOf(words: string): RegExp | string {
  const [, source] = EXPRESSION.exec(words) ?? []
  try {
    return new RegExp(source ?? words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i')
  } catch (error) {
    return error instanceof Error ? error.message : 'this is no expression'
  }
}

/** Returns whether lines with this name, such as `shop.2` or `shop_1.2.0`, are of one of these apps or instances; a set, as both may be many. */
function isOf(name: string, apps: ReadonlySet<string>): boolean {
  const id = ids.value.includes(name) ? name : idInName(name)
  return apps.has(id) || apps.has(name) || (name === id && apps.has(`${id}.1`))
}

function filterOf({words, mode, apps, isError, level}: Wanted): LineFilter {
  const found = expressionOf(words)
  const expression = typeof found === 'string' ? /(?:)/ : found
  const isHit = (line: Api.Line): boolean => words === '' || expression.test(withoutColours(line.line))
  const wanted = new Set(apps)
  const levels = ownOf(AT_LEAST, level)
  return {
    isShown: line =>
      (wanted.size === 0 || isOf(line.app, wanted)) &&
      (!isError || line.stream === 'stderr') &&
      (levels === undefined || levels.includes(line.level ?? '')) &&
      (mode !== 'filter' || isHit(line)),
    isMarked: line => words !== '' && mode !== 'filter' && isHit(line)
  }
}

interface Wanted {
  readonly words: string
  readonly mode: string
  readonly apps: readonly string[]
  readonly isError: boolean
  /** The least serious level that is shown; '' shows every line. */
  readonly level: string
}

export default function Logs() {
  const box = useRef<HTMLDivElement>(null)
  const blocks = useRef<LineBlocks>(undefined)
  const fed = useRef<Feed>(undefined)
  const [isSearching, setSearching] = useState(false)
  const [isFollowing, follow] = useState(true)
  const [isWrapped, wrap] = useState(true)
  const following = useRef(true)
  following.current = isFollowing
  /** The last scroll position. */
  const top = useRef(0)
  const [words, mode, isError] = [parameter('q'), parameter('mode') || 'filter', parameter('stream') === 'stderr']
  const level = parameter('level')
  const apps = ticked.value
  const mistake = expressionOf(words)

  const toEnd = (): void => {
    const element = box.current
    if (following.current && element !== null) element.scrollTop = element.scrollHeight
  }
  useEffect(() => {
    if (box.current === null) return undefined
    const lines = new LineBlocks(box.current)
    blocks.current = lines
    const observer = new ResizeObserver(toEnd)
    observer.observe(box.current)
    const hold = (): void => (follow(false), void (following.current = false))
    const made = feed(lines, {toEnd, hold, searching: setSearching})
    fed.current = made
    return endAll(() => observer.disconnect(), made.stop)
  }, [])
  // the run finds texts, levels and streams in all of its lines; an expression is for those that are here
  const isExpression = mode === 'filter' && EXPRESSION.test(words)
  const grep = mode === 'filter' && !isExpression ? words : ''
  const isWhole = grep !== '' || level !== '' || isError
  useEffect(() => {
    const wanted = {grep, level, stream: isError ? 'stderr' : '', apps}
    const search = (): void => fed.current?.search(isWhole ? wanted : undefined)
    const timer = setTimeout(search, grep !== '' ? TYPING_MS : 0)
    return () => clearTimeout(timer)
  }, [isWhole, grep, level, isError, apps.join()])
  useEffect(() => {
    blocks.current?.filter(filterOf({words, mode, apps, isError, level}))
    toEnd()
  }, [words, mode, apps.join(), isError, level])

  const keys = useMemo<readonly Key[]>(
    () => [{keys: 'x', text: 'Clear the lines', run: () => blocks.current?.clear()}],
    []
  )
  useKeys(keys)
  const onScroll = ({
    currentTarget: {scrollTop, clientHeight, scrollHeight}
  }: {
    currentTarget: HTMLDivElement
  }): void => {
    const isAtEnd = scrollTop + clientHeight > scrollHeight - 30
    // late layout, or a strip above, may move the end away too, so only a scroll up stops following
    const isUp = scrollTop < top.current
    top.current = scrollTop
    if (isAtEnd) follow(true)
    else if (isUp) follow(false)
    else toEnd()
  }
  // stop at once: new lines would scroll to the end before the box reports its scroll event
  const onWheel = ({deltaY, currentTarget: {scrollTop}}: WheelEvent & {currentTarget: HTMLDivElement}): void => {
    if (deltaY < 0 && scrollTop > 0) follow((following.current = false))
  }
  const [only] = apps.length === 1 ? apps : []

  return (
    <>
      <div class="tools">
        <h1>Logs</h1>
        <input
          type="search"
          aria-label="Search lines"
          placeholder="text or /expression/"
          value={words}
          aria-invalid={typeof mistake === 'string'}
          onInput={event => setParameters({q: event.currentTarget.value})}
        />
        <select
          aria-label="What the search does"
          value={mode}
          onChange={event => setParameters({mode: event.currentTarget.value})}
        >
          <option value="filter">Filter</option>
          <option value="highlight">Highlight</option>
        </select>
        {typeof mistake === 'string' && <span class="bad">{mistake}</span>}
        <select aria-label="Level" value={level} onChange={event => setParameters({level: event.currentTarget.value})}>
          <option value="">All levels</option>
          <option value="error">Errors</option>
          <option value="warn">Warnings and errors</option>
          <option value="info">Without debug</option>
        </select>
        <Chips
          chips={[
            {
              text: 'Follow',
              isOn: isFollowing,
              toggle: () => (follow(!isFollowing), (following.current = !isFollowing), toEnd())
            },
            {text: 'Wrap', isOn: isWrapped, toggle: () => wrap(!isWrapped)},
            {text: 'stderr only', isOn: isError, toggle: () => setParameters({stream: isError ? '' : 'stderr'})}
          ]}
        />
        {only !== undefined && mayChange && (
          <button type="button" onClick={() => void act(only, 'restart')}>
            Restart {only}
          </button>
        )}
        <button type="button" class="far" title="Key: x" onClick={() => blocks.current?.clear()}>
          Clear
        </button>
        <button type="button" onClick={() => void copyText(blocks.current?.text() ?? '')}>
          Copy
        </button>
        <button type="button" onClick={() => void attempt(async () => save(apps))}>
          Download
        </button>
      </div>
      <div class="logs">
        <AppTicks />
        <div
          ref={box}
          class={`lines ${isWrapped ? 'wrapped' : ''}`}
          role="log"
          aria-live="off"
          aria-label="Lines"
          tabIndex={0}
          onScroll={onScroll}
          onWheel={onWheel}
        />
        <Bare
          isSearching={isSearching}
          isFiltered={isError || level !== '' || apps.length > 0}
          isSearch={words !== '' && mode === 'filter'}
          isExpression={isExpression}
        />
      </div>
    </>
  )
}

/** Shows a text in place of lines. */
function Bare({
  isSearching,
  isFiltered,
  isSearch,
  isExpression
}: Readonly<Record<'isSearching' | 'isFiltered' | 'isSearch' | 'isExpression', boolean>>) {
  return (
    <p class="empty bare">
      {isSearching
        ? 'Searching all lines of the run …'
        : isExpression
          ? 'No loaded line matches. An expression looks at the loaded lines, a text at all lines of the run.'
          : isSearch || isFiltered
            ? 'No line matches.'
            : 'What the apps write to stdout and stderr comes here.'}{' '}
      {isFiltered && (
        <button type="button" onClick={() => setParameters({level: '', stream: '', app: ''})}>
          Show all
        </button>
      )}
      {isSearch && (
        <button type="button" onClick={() => setParameters({q: ''})}>
          Clear the search
        </button>
      )}
    </p>
  )
}

/** Shows a checkbox for each app, which shows or hides its lines. */
function AppTicks() {
  const chosen = new Set(ticked.value)
  const all = [...new Set([...ids.value, ...chosen])]
  const isTicked = (id: string): boolean => chosen.size === 0 || chosen.has(id)
  const tick = (id: string): void => {
    const wanted = all.filter(each => (each === id ? !isTicked(id) : isTicked(each)))
    setParameters({app: ids.value.every(each => wanted.includes(each)) ? '' : wanted.join(',')})
  }
  return (
    <fieldset class="ticks box">
      <legend>Apps</legend>
      <button type="button" disabled={chosen.size === 0} onClick={() => setParameters({app: ''})}>
        All
      </button>
      {all.map(id => (
        <div key={id}>
          <label>
            <input type="checkbox" checked={isTicked(id)} onChange={() => tick(id)} /> <Name name={id} />
          </label>
          <button type="button" class="only" aria-label={`Only ${id}`} onClick={() => setParameters({app: id})}>
            only
          </button>
        </div>
      ))}
    </fieldset>
  )
}

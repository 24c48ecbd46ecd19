import type {ComponentChildren} from 'preact'
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks'
import {areKeysOn} from '../state/keys.ts'
import {classOf, Heads, inOrder} from './sorting.tsx'
import {ownOf} from '../../src/model/own.ts'

/** Rows that are drawn above and below those that are seen. */
const MORE = 6

export interface Column<T> {
  readonly head: string
  /** The name in `grid.css`, which has its width, and whether it is left out on narrow screens. */
  readonly name: string
  readonly alignsRight?: boolean
  /** What the figures are of, and over which time. */
  readonly title?: string
  readonly cell: (row: T) => ComponentChildren
  /** What a click on its head sorts by; left out: it does not. */
  readonly sortBy?: (row: T) => number | string
  /** Its text: `--<name>` in the style sheet is as wide as the longest of them. */
  readonly fits?: (row: T) => string
}

export interface GridProps<T> {
  /** The name: `.grid.<name>` in the style sheet has the widths of the columns. */
  readonly name: string
  /** What it lists, for those who do not see it. */
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
  /** Class names of a row. */
  readonly toneOf?: (row: T) => string
  /** The key of the row that is open elsewhere. */
  readonly selected?: string
  /** Other rows are asked for: these are of an earlier filter. */
  readonly isAsking?: boolean
  /** Enter, or a click. */
  readonly onOpen?: (row: T) => void
  /** Rows are not moved while the pointer is on them: what is sorted by what changes each second. */
  readonly keepsPlaces?: boolean
  /** A key that is none of the table's; false: it means nothing. Only while single keys are on. */
  readonly onKey?: (row: T, key: string) => boolean
}

/** The row at which keys resume in a table that was left, by its name. */
const places = new Map<string, string>()

/** What had the focus when the user moved to the table while its rows were being loaded. */
let wantedFrom: Element | null = null

// each further key means something else
addEventListener('keydown', () => (wantedFrom = null), {capture: true})

/** The table that a view is about. */
export const TABLE = 'main [role=grid]:not(.latest-calls)'

/** The table of the view gets the focus: at once, or when the rows are there that are asked for. */
export function toTable(): void {
  const table = document.querySelector<HTMLElement>(`${TABLE}:not([aria-busy=true])`)
  if (table === null) wantedFrom = document.activeElement
  else table.focus()
}

/** A table of which only the rows in sight are drawn; one tab stop, arrow keys within it. */
export function Grid<T>(props: GridProps<T>) {
  const {name, label, columns, keyOf, toneOf, selected = '', isAsking = false, onOpen, onKey} = props
  const box = useRef<HTMLDivElement>(null)
  /** `row`: the height of one, which `grid.css` says. */
  const [{top, height, row: rowHeight}, setSeen] = useState({top: 0, height: 600, row: 28})
  const rows = usePlaces(inOrder(props.rows, columns), props)
  const widths = useWidths(rows, columns)
  const [active, setPlace] = useState(places.get(name) ?? '')
  const setActive = (key: string): void => {
    places.set(name, key)
    setPlace(key)
  }
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const look = (): void => {
      const row = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row'))
      setSeen({top: element.scrollTop, height: element.clientHeight, row})
    }
    const observer = new ResizeObserver(look)
    observer.observe(element)
    element.addEventListener('scroll', look, {passive: true})
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', look)
    }
  }, [])
  const at = rows.findIndex(row => keyOf(row) === active)
  const idOf = (key: string): string => `${name}:${encodeURIComponent(key)}`
  const first = Math.max(0, Math.floor(top / rowHeight) - MORE)
  const last = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + MORE)

  const move = (to: number): void => {
    const index = Math.max(0, Math.min(rows.length - 1, to))
    const row = rows[index]
    const element = box.current
    if (row === undefined || element === null) return
    setActive(keyOf(row))
    const from = index * rowHeight
    if (from < element.scrollTop) element.scrollTop = from
    else if (from + 2 * rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = from + 2 * rowHeight - element.clientHeight
  }
  const page = Math.max(1, Math.floor(height / rowHeight) - 2)
  const onKeyDown = (event: KeyboardEvent): void => {
    const isInHead = event.target instanceof Element && event.target.closest('.heads') !== null
    if (event.ctrlKey || event.metaKey || event.altKey || isInHead) return
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: Math.max(0, at - 1),
      k: Math.max(0, at - 1),
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1
    }
    const to = ownOf(moves, event.key)
    const row = rows[at]
    if (to !== undefined) move(to)
    else if (event.key === 'Enter' && event.target === box.current && row !== undefined) onOpen?.(row)
    else if (row === undefined || !areKeysOn.value || onKey?.(row, event.key) !== true) return
    event.preventDefault()
  }
  // a row that was opened by the address is where the keys resume
  useEffect(() => {
    if (selected !== '') setActive(selected)
  }, [selected])

  useLayoutEffect(() => {
    if (isAsking || wantedFrom === null || wantedFrom !== document.activeElement) return
    wantedFrom = null
    box.current?.focus()
  }, [isAsking])

  return (
    <div
      ref={box}
      class={`grid ${name}`}
      style={widths}
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-busy={isAsking}
      aria-activedescendant={at >= first && at < last ? idOf(active) : undefined}
      onKeyDown={onKeyDown}
      onFocus={event => {
        if (event.target === box.current) move(at)
      }}
    >
      <div role="rowgroup" class="heads">
        <Heads columns={columns} />
      </div>
      <div role="rowgroup" class="rows" style={{height: `${rows.length * rowHeight}px`}}>
        {rows.slice(first, last).map((row, index) => {
          const key = keyOf(row)
          return (
            <div
              key={key}
              id={idOf(key)}
              role="row"
              aria-rowindex={first + index + 2}
              aria-selected={key === selected}
              class={`row ${toneOf?.(row) ?? ''} ${key === active ? 'active' : ''}`}
              style={{top: `${(first + index) * rowHeight}px`}}
              onClick={event => {
                setActive(key)
                const isOwn = event.target instanceof Element && event.target.closest('a, button') !== null
                if (!isOwn && getSelection()?.isCollapsed !== false) onOpen?.(row)
              }}
            >
              {columns.map(column => {
                const cell = column.cell(row)
                return (
                  <span key={column.name} role="gridcell" class={classOf(column)}>
                    {cell}
                  </span>
                )
              })}
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** The rows in the order in which they were when the pointer came; further ones behind them. */
function usePlaces<T>(rows: readonly T[], {name, keyOf, keepsPlaces = false}: GridProps<T>): readonly T[] {
  const order = useRef<ReadonlyMap<string, number>>(new Map())
  if (keepsPlaces && document.querySelector(`.grid.${name} .rows:hover`) !== null) {
    const rankOf = (row: T): number => order.current.get(keyOf(row)) ?? Number.MAX_VALUE
    return rows.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
  if (keepsPlaces) order.current = new Map(rows.map((row, at) => [keyOf(row), at]))
  return rows
}

/** No text makes a column wider than this, in characters. */
const WIDEST = 34

/** How wide the longest text of columns was, ever: they do not jump when rows go. */
function useWidths<T>(rows: readonly T[], columns: readonly Column<T>[]): Readonly<Record<string, string>> {
  const longest = useRef(new Map<string, number>())
  for (const {name, head, fits} of columns) {
    if (fits === undefined) continue
    const before = longest.current.get(name) ?? head.length + 2
    longest.current.set(
      name,
      Math.min(
        WIDEST,
        rows.reduce((most, row) => Math.max(most, fits(row).length), before)
      )
    )
  }
  return Object.fromEntries([...longest.current].map(([name, length]) => [`--${name}`, `${Math.ceil(0.9 * length)}ch`]))
}

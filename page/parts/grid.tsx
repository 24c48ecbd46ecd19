import type {ComponentChildren} from 'preact'
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks'
import {areKeysOn, firstKey} from '../state/keys.ts'
import {classOf, Heads, inOrder} from './sorting.tsx'
import {ownOf} from '../../src/model/own.ts'

/** The number of rows drawn above and below the visible ones. */
const MORE = 6

export interface Column<T> {
  readonly head: string
  /** The CSS class; `grid.css` sets its width, and whether narrow screens hide the column. */
  readonly name: string
  readonly alignsRight?: boolean
  /** A tooltip that says what the values measure, and over which time. */
  readonly title?: string
  readonly cell: (row: T) => ComponentChildren
  /** The value by which a click on the head sorts. Undefined if the column cannot be sorted. */
  readonly sortBy?: (row: T) => number | string
  /** Returns whether a cell is empty; the column is left out until one is not. */
  readonly isEmpty?: (row: T) => boolean
  /** The text of a cell; the longest one sets the width `--<name>` that the style sheet uses. */
  readonly fits?: (row: T) => string
}

export interface GridProps<T> {
  /** The CSS class; `.grid.<name>` in the style sheet sets the column widths. */
  readonly name: string
  /** The accessible name of the table. */
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
  /** Returns the class names of a row. */
  readonly toneOf?: (row: T) => string
  /** The key of the row whose details are shown. */
  readonly selected?: string
  /** Whether the rows are still those of an earlier filter, while new ones are being loaded. */
  readonly isAsking?: boolean
  /** Opens a row, on Enter or a click. */
  readonly onOpen?: (row: T) => void
  /** Whether rows keep their order while the pointer is over them, because their sort values change every second. */
  readonly keepsPlaces?: boolean
  /** Handles a key that the table itself does not use, while single-key shortcuts are on; returns whether it did anything. */
  readonly onKey?: (row: T, key: string) => boolean
}

/** The key of the active row of each table, by table name, for when the user comes back to it. */
const places = new Map<string, string>()

/** The element that had the focus when the user pressed the key for a table whose rows were still loading; null if none waits. */
let wantedFrom: Element | null = null

// any further key cancels the pending move to the table
addEventListener('keydown', () => (wantedFrom = null), {capture: true})

/** The selector of a view's main table. */
export const TABLE = 'main [role=grid]:not(.latest-calls)'

/** Moves the focus to the view's table: at once, or when its rows have loaded. */
export function toTable(): void {
  const table = document.querySelector<HTMLElement>(`${TABLE}:not([aria-busy=true])`)
  if (table === null) wantedFrom = document.activeElement
  else table.focus()
}

/** Shows a table that draws only the rows in sight; it is one tab stop, with arrow keys inside. */
export function Grid<T>(props: GridProps<T>) {
  const {name, label, keyOf, toneOf, selected = '', isAsking = false, onOpen, onKey} = props
  const columns = useFilled(props)
  const box = useRef<HTMLDivElement>(null)
  /** `row`: the height of a row in px, set in `grid.css`. */
  const [{top, height, row: rowHeight}, setSeen] = useState({top: 0, height: 600, row: 28})
  const rows = usePlaces(inOrder(props.rows, props.columns), props)
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
    if (event.ctrlKey || event.metaKey || event.altKey || isInHead || firstKey !== '') return
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
    // a key that is held down would stop and start an app in turn
    else if (row === undefined || event.repeat || !areKeysOn.value || onKey?.(row, event.key) !== true) return
    event.preventDefault()
  }
  // a row that the address opens becomes the active row
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

/** Returns the rows; while the pointer is over them, in the order they had before, with new rows at the end. */
function usePlaces<T>(rows: readonly T[], {name, keyOf, keepsPlaces = false}: GridProps<T>): readonly T[] {
  const order = useRef<ReadonlyMap<string, number>>(new Map())
  if (keepsPlaces && document.querySelector(`.grid.${name} .rows:hover`) !== null) {
    const rankOf = (row: T): number => order.current.get(keyOf(row)) ?? Number.MAX_VALUE
    return rows.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
  if (keepsPlaces) order.current = new Map(rows.map((row, at) => [keyOf(row), at]))
  return rows
}

/** Returns the columns that are, or once were, not empty. */
function useFilled<T>({rows, columns}: GridProps<T>): readonly Column<T>[] {
  const known = useRef(new Set<string>())
  for (const {name, isEmpty} of columns)
    if (isEmpty === undefined || rows.some(row => !isEmpty(row))) known.current.add(name)
  return columns.filter(({name}) => known.current.has(name))
}

/** The length of text, in characters, above which a column does not grow. */
const WIDEST = 34

/** Returns column widths for the longest text that each column has ever had, so that columns do not shrink when rows go. */
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

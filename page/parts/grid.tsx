import type {ComponentChildren} from 'preact'
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks'
import {areKeysOn} from '../state/keys.ts'

/** The height of a row in CSS pixels, as in `grid.css`. */
const ROW = 28
/** Rows that are drawn above and below those that are seen. */
const MORE = 6

export interface Column<T> {
  readonly head: string
  /** In `grid.css`: its width, and whether it is left out on narrow screens. */
  readonly name: string
  readonly alignsRight?: boolean
  /** What the figures are of, and over which time. */
  readonly title?: string
  readonly cell: (row: T) => ComponentChildren
}

export interface GridProps<T> {
  /** In the style sheet `.grid.<name>` has the widths of the columns. */
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
  /** A key that is none of the table's; false: it means nothing. Only while single keys are on. */
  readonly onKey?: (row: T, key: string) => boolean
}

/** Where keys go on in a table that was left, by its name. */
const places = new Map<string, string>()

/** What has the focus of somebody who asked for the table while its rows were on their way. */
let wantedFrom: Element | null = null

// each further key means something else
addEventListener('keydown', () => (wantedFrom = null), {capture: true})

/** The table of the view gets the focus: at once, or when the rows are there that are asked for. */
export function toTable(): void {
  const table = document.querySelector<HTMLElement>('main [role=grid]:not([aria-busy=true])')
  if (table === null) wantedFrom = document.activeElement
  else table.focus()
}

/** A table of which only the rows in sight are drawn; one tab stop, arrow keys within it. */
export function Grid<T>(props: GridProps<T>) {
  const {name, label, columns, rows, keyOf, toneOf, selected = '', isAsking = false, onOpen, onKey} = props
  const box = useRef<HTMLDivElement>(null)
  const [{top, height}, setSeen] = useState({top: 0, height: 600})
  const [active, setPlace] = useState(places.get(name) ?? '')
  const setActive = (key: string): void => {
    places.set(name, key)
    setPlace(key)
  }
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const look = (): void => setSeen({top: element.scrollTop, height: element.clientHeight})
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
  const first = Math.max(0, Math.floor(top / ROW) - MORE)
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW) + MORE)

  const move = (to: number): void => {
    const index = Math.max(0, Math.min(rows.length - 1, to))
    const row = rows[index]
    const element = box.current
    if (row === undefined || element === null) return
    setActive(keyOf(row))
    const from = index * ROW
    if (from < element.scrollTop) element.scrollTop = from
    else if (from + 2 * ROW > element.scrollTop + element.clientHeight)
      element.scrollTop = from + 2 * ROW - element.clientHeight
  }
  const page = Math.max(1, Math.floor(height / ROW) - 2)
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
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
    const to = moves[event.key]
    const row = rows[at]
    if (to !== undefined) move(to)
    else if (event.key === 'Enter' && event.target === box.current && row !== undefined) onOpen?.(row)
    else if (row === undefined || !areKeysOn.value || onKey?.(row, event.key) !== true) return
    event.preventDefault()
  }
  // a row that was opened by the address is where the keys go on
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
        <div role="row" aria-rowindex={1} class="row head">
          {columns.map(column => (
            <span key={column.name} role="columnheader" class={classOf(column)} title={column.title}>
              {column.head}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" class="rows" style={{height: `${rows.length * ROW}px`}}>
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
              style={{top: `${(first + index) * ROW}px`}}
              onClick={event => {
                setActive(key)
                const isOwn = event.target instanceof Element && event.target.closest('a, button') !== null
                if (!isOwn && getSelection()?.isCollapsed !== false) onOpen?.(row)
              }}
            >
              {columns.map(column => {
                const cell = column.cell(row)
                return (
                  <span
                    key={column.name}
                    role="gridcell"
                    class={classOf(column)}
                    title={typeof cell === 'string' ? cell : undefined}
                  >
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

const classOf = ({name, alignsRight = false}: Column<never>): string => `${name}${alignsRight ? ' right' : ''}`

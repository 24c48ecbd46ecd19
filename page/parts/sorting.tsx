import type {Column} from './grid.tsx'
import {parameter, setParameters} from '../state/route.ts'

/** Returns the class names of a column's head and cells. */
export const classOf = ({name, alignsRight = false}: Column<never>): string => `${name}${alignsRight ? ' right' : ''}`

/** Returns the column that sorts the view's table, and whether in descending order, from the address (`sort=-p95`). */
function sorting(): {readonly by: string; readonly isDown: boolean} {
  const text = parameter('sort')
  return {by: text.replace('-', ''), isDown: text.startsWith('-')}
}

/** Returns the rows in the order that the address asks for, or unchanged if it asks for none. */
export function inOrder<T>(rows: readonly T[], columns: readonly Column<T>[]): readonly T[] {
  const {by, isDown} = sorting()
  const sortBy = columns.find(({name}) => name === by)?.sortBy
  if (sortBy === undefined) return rows
  const sign = isDown ? -1 : 1
  return rows
    .map(row => ({row, value: sortBy(row)}))
    .toSorted((a, b) => (a.value < b.value ? -sign : a.value > b.value ? sign : 0))
    .map(({row}) => row)
}

/** Sorts by a column: the first click sorts numbers descending and names ascending, the second reverses, the third removes the sort. */
function sortNext({name, alignsRight = false}: Column<never>): void {
  const [first, second] = alignsRight ? [`-${name}`, name] : [name, `-${name}`]
  const now = parameter('sort')
  setParameters({sort: now === first ? second : now === second ? '' : first})
}

/** Shows the heads of a table; the sortable ones are one tab stop, with arrow keys between them. */
export function Heads({columns}: {readonly columns: readonly Column<never>[]}) {
  const {by, isDown} = sorting()
  const sortable = columns.filter(({sortBy}) => sortBy !== undefined)
  const stop = sortable.find(({name}) => name === by) ?? sortable[0]
  return (
    <div role="row" aria-rowindex={1} class="row head" onKeyDown={moveFocus}>
      {columns.map(column => {
        const {name, head, title, sortBy} = column
        const isSorted = sortBy !== undefined && name === by
        return (
          <span
            key={name}
            role="columnheader"
            class={classOf(column)}
            title={title}
            aria-sort={isSorted ? (isDown ? 'descending' : 'ascending') : undefined}
          >
            {sortBy === undefined ? (
              head
            ) : (
              <button type="button" tabIndex={column === stop ? 0 : -1} onClick={() => sortNext(column)}>
                {head}
                {isSorted && <span aria-hidden="true">{isDown ? ' ▾' : ' ▴'}</span>}
              </button>
            )}
          </span>
        )
      })}
    </div>
  )
}

function moveFocus(event: KeyboardEvent & {readonly currentTarget: HTMLElement}): void {
  const step = {ArrowLeft: -1, ArrowRight: 1}[event.key]
  if (step === undefined) return
  const all = [...event.currentTarget.querySelectorAll('button')].filter(({offsetWidth}) => offsetWidth > 0)
  all[all.findIndex(button => button === document.activeElement) + step]?.focus()
  event.preventDefault()
}

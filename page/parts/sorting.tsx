import type {Column} from './grid.tsx'
import {route, setParameters} from '../state/route.ts'

/** The class names of a column's head and cells. */
export const classOf = ({name, alignsRight = false}: Column<never>): string => `${name}${alignsRight ? ' right' : ''}`

/** The column by which the table of the view is sorted, and whether the highest is first: `sort=-p95` in its address. */
function sorting(): {readonly by: string; readonly isDown: boolean} {
  const text = route.value.parameters.get('sort') ?? ''
  return {by: text.replace('-', ''), isDown: text.startsWith('-')}
}

/** The rows as the address says that they are sorted; else as they came. */
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

/** A first click sorts numbers with the greatest first, and names from A on; the second turns that around, the third takes it back. */
function sortNext({name, alignsRight = false}: Column<never>): void {
  const [first, second] = alignsRight ? [`-${name}`, name] : [name, `-${name}`]
  const now = route.value.parameters.get('sort')
  setParameters({sort: now === first ? second : now === second ? '' : first})
}

/** The heads of a table. Those that sort are one tab stop; arrows go from one to the other. */
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

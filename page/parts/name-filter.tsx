import {setParameters} from '../state/route.ts'

/** A field for a part of names, kept in the address of the view as `name`. */
export function NameFilter({of, words}: {readonly of: string; readonly words: string}) {
  return (
    <input
      type="search"
      class="filter"
      aria-label={`Name of the ${of}`}
      placeholder={`name of the ${of}`}
      value={words}
      onInput={event => setParameters({name: event.currentTarget.value})}
    />
  )
}

import {setParameters} from '../state/route.ts'

/** Shows a search field that filters by part of a name; its text is the parameter `name` in the address. */
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

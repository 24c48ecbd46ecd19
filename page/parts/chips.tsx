/** A part of a filter that a click turns on or off. */
export interface Chip {
  readonly text: string
  readonly isOn: boolean
  readonly title?: string
  readonly toggle: () => void
}

/** Shows a toggle button for each part of a filter. */
export const Chips = ({chips}: {readonly chips: readonly Chip[]}) =>
  chips.map(({text, isOn, title, toggle}) => (
    <button key={text} type="button" aria-pressed={isOn} title={title} onClick={toggle}>
      {text}
    </button>
  ))

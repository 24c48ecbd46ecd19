/** SVG paths in a 16 by 16 view box. */
const SHAPES = {
  restart: 'M12.5 5.5A5 5 0 1 0 13 8M13 2.5v3h-3',
  stop: 'M4.5 4.5h7v7h-7z',
  start: 'M5 3.5 12 8l-7 4.5z',
  logs: 'M3 4h10M3 8h10M3 12h6'
} as const

export type IconName = keyof typeof SHAPES

/** Shows an icon, hidden from screen readers, because its button has a label. */
export const Icon = ({name}: {readonly name: IconName}) => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d={SHAPES[name]} />
  </svg>
)

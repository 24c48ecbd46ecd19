/** SVG paths in a 16 by 16 view box. */
const SHAPES = {
  restart: 'M12.5 5.5A5 5 0 1 0 13 8M13 2.5v3h-3',
  stop: 'M4.5 4.5h7v7h-7z',
  start: 'M5 3.5 12 8l-7 4.5z',
  debug: 'M5 7.5a3 3 0 0 1 6 0v2a3 3 0 0 1-6 0zM8 7.5v5M2.5 8.5H5m6 0h2.5M3.5 4l2 2m7-2-2 2m-7 7 2-2m7 2-2-2',
  logs: 'M3 4h10M3 8h10M3 12h6'
} as const

export type IconName = keyof typeof SHAPES

/** Shows an icon, hidden from screen readers, because its button has a label. */
export const Icon = ({name}: {readonly name: IconName}) => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d={SHAPES[name]} />
  </svg>
)

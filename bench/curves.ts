import type {Usage} from '../test/rig/usage.ts'

/** What was seen of a run, and when: ms since the load began. */
export interface Look extends Usage {
  readonly at: number
}

interface Curve {
  readonly title: string
  readonly of: (look: Look) => number
}

const CURVES: readonly Curve[] = [
  {title: 'Unshared memory, MB', of: ({unsharedMegabytes}) => unsharedMegabytes},
  {title: 'File descriptors', of: ({descriptors}) => descriptors}
]

const WIDTH = 860
const MARGIN = 20
const AXIS_WIDTH = 44
const PLOT_HEIGHT = 130
const PANEL_HEIGHT = PLOT_HEIGHT + 50
const MAX_POINTS = 400

/** The colours follow the reader's; the picture brings its own ground, so it can be read on any page. */
const STYLE = `:root{--ground:#fff;--text:#1f2328;--faint:#59636e;--line:#d1d9e0;--own:#0969da}
@media (prefers-color-scheme:dark){:root{--ground:#0d1117;--text:#e6edf3;--faint:#9198a1;--line:#30363d;--own:#4493f8}}
text{fill:var(--text)}.faint{fill:var(--faint);font-size:12px}.title{font-weight:600}.axis{stroke:var(--line)}.own{stroke:var(--own);fill:none;stroke-width:1.5}`

/** A picture (SVG) of memory and descriptors over the time of a load, each from zero. */
export function curves(looks: readonly Look[], caption: string): string {
  const every = Math.ceil(looks.length / MAX_POINTS)
  const shown = looks.filter((_, index) => index % every === 0)
  const height = MARGIN + CURVES.length * PANEL_HEIGHT + 30
  const panels = CURVES.map((curve, index) => panel(curve, shown, MARGIN + index * PANEL_HEIGHT))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>Memory and file descriptors of a run under load</title>
<style>${STYLE}</style>
<rect width="100%" height="100%" rx="8" fill="var(--ground)" stroke="var(--line)"/>
${panels.join('\n')}
<text class="faint" x="${MARGIN}" y="${height - 16}">${caption}</text>
</svg>
`
}

function panel({title, of}: Curve, looks: readonly Look[], top: number): string {
  const most = Math.max(1, ...looks.map(of))
  const last = Math.max(1, looks.at(-1)?.at ?? 0)
  const [left, bottom] = [MARGIN + AXIS_WIDTH, top + 20 + PLOT_HEIGHT]
  const right = WIDTH - MARGIN
  const point = (look: Look): string =>
    `${(left + (look.at / last) * (right - left)).toFixed(1)},${(bottom - (of(look) / most) * PLOT_HEIGHT).toFixed(1)}`
  return `<text class="title" x="${MARGIN}" y="${top + 12}">${title}</text>
<path class="axis" d="M${left},${bottom}H${right}"/>
${text(left - 6, top + 26, Math.round(most).toString())}
${text(left - 6, bottom, '0')}
${text(right, bottom + 16, `${(last / 60_000).toFixed(last < 60_000 ? 1 : 0)} min`)}
<polyline class="own" points="${looks.map(point).join(' ')}"/>`
}

const text = (x: number, y: number, words: string, anchor = 'end'): string =>
  `<text class="faint" x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`

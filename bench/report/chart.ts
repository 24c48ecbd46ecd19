import {median, withUnit} from '../table.ts'
import type {Results} from './results.ts'
import {PANELS, type Panel} from './sections.ts'

const WIDTH = 860
const MARGIN = 20
const COLUMNS = 2
const PANEL_WIDTH = (WIDTH - MARGIN * (COLUMNS + 1)) / COLUMNS
const NAME_WIDTH = 120
const VALUE_WIDTH = 88
const BAR_WIDTH = PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH
const BAR_HEIGHT = 14
const LINE_HEIGHT = 22
const TITLE_HEIGHT = 34
const LEGEND_HEIGHT = 40

/** The colours follow the reader's; the picture brings its own ground, so it can be read on any page. */
const STYLE = `:root{--ground:#fff;--text:#1f2328;--faint:#59636e;--line:#d1d9e0;--own:#0969da;--other:#afb8c1;--spread:#1f2328}
@media (prefers-color-scheme:dark){:root{--ground:#0d1117;--text:#e6edf3;--faint:#9198a1;--line:#30363d;--own:#4493f8;--other:#57606a;--spread:#e6edf3}}
text{fill:var(--text)}.faint{fill:var(--faint);font-size:12px}.title{font-weight:600}.own{fill:var(--own)}.other{fill:var(--other)}.spread{stroke:var(--spread);stroke-width:1}`

interface Bar {
  readonly name: string
  readonly rounds: readonly number[]
  readonly text: string
}

/** Bars of our medians and of all that they are compared with; a line through each end shows the smallest and the largest round. */
export function chart(results: Results): string {
  const panels = PANELS.map(panel => ({panel, bars: barsOf(panel, results)})).filter(({bars}) => bars.length > 1)
  let y = MARGIN
  const drawn: string[] = []
  for (let at = 0; at < panels.length; at += COLUMNS) {
    const row = panels.slice(at, at + COLUMNS)
    drawn.push(
      ...row.map((each, column) => panelAt(each.panel, each.bars, MARGIN + column * (PANEL_WIDTH + MARGIN), y))
    )
    y += TITLE_HEIGHT + Math.max(...row.map(({bars}) => bars.length)) * LINE_HEIGHT + MARGIN
  }
  const height = y + LEGEND_HEIGHT - MARGIN
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>Pillion compared with other tools</title>
<style>${STYLE}</style>
<rect width="100%" height="100%" rx="8" fill="var(--ground)" stroke="var(--line)"/>
${drawn.join('\n')}
<text class="faint" x="${MARGIN}" y="${height - 16}">Medians of one run on one machine; the thin lines reach from the smallest to the largest round.</text>
</svg>
`
}

function barsOf({figure, measure, without}: Panel, results: Results): readonly Bar[] {
  const measures = (results[figure]?.measures ?? []).filter(({name}) => name === measure)
  const bar = (name: string, rounds: readonly number[]): Bar => ({
    name,
    rounds,
    text: withUnit(median(rounds), measures[0]?.unit ?? 'ms')
  })
  const peers = measures
    .filter(({peer, peerName}) => peer.length > 0 && peerName !== without)
    .map(({peer, peerName}) => bar(peerName, peer))
  return measures[0] === undefined ? [] : [bar('Pillion', measures[0].ours), ...peers]
}

function panelAt({title, better}: Panel, bars: readonly Bar[], x: number, y: number): string {
  const most = Math.max(...bars.flatMap(({rounds}) => rounds))
  const widthOf = (value: number): number => Math.max(0, (value / most) * BAR_WIDTH)
  const lines = bars.map(({name, rounds, text}, n) => {
    const top = y + TITLE_HEIGHT + n * LINE_HEIGHT
    const left = x + NAME_WIDTH
    const [least, largest] = [Math.min(...rounds), Math.max(...rounds)].map(value => left + widthOf(value))
    const middle = top + BAR_HEIGHT / 2
    return [
      `<text x="${px(left - 8)}" y="${px(top + 11)}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${n === 0 ? 'own' : 'other'}" x="${px(left)}" y="${px(top)}" width="${px(Math.max(1, widthOf(median(rounds))))}" height="${BAR_HEIGHT}" rx="2"/>`,
      `<path class="spread" d="M${px(least ?? 0)} ${px(middle)}H${px(largest ?? 0)}"/>`,
      `<text x="${px(left + BAR_WIDTH + 8)}" y="${px(top + 11)}">${escaped(text)}</text>`
    ].join('')
  })
  const head = `<text class="title" x="${px(x)}" y="${px(y + 14)}">${escaped(title)} <tspan class="faint" font-weight="400">${better} is better</tspan></text>`
  return [head, ...lines].join('\n')
}

const px = (value: number): string => String(Math.round(value * 10) / 10)

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

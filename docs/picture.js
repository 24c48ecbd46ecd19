// Draws a terminal as SVG.
/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, no-control-regex -- JavaScript without types; escape sequences are what is read */

// the eight colours and their bright kin, as a terminal on dark ground shows them
const COLOURS = ['#484f58', '#ff7b72', '#3fb950', '#ffd33d', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4']
const BRIGHT = ['#6e7681', '#ffa198', '#56d364', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#ffffff']

const LINE_HEIGHT = 18
const COLUMN_WIDTH = 8
const MARGIN = 16

/** A terminal of that many columns: a command after its prompt, and what was printed, colours and all. */
export function picture(command, printed, columns) {
  const style = {}
  const rows = [`$ ${command}`, ...finalLines(printed)].flatMap(line => rowsOf(line, columns, style))
  const texts = rows.map(
    (spans, i) =>
      `<text x="${MARGIN}" y="${i * LINE_HEIGHT + 30}" xml:space="preserve">${spans.map(tspan).join('')}</text>`
  )
  const width = columns * COLUMN_WIDTH + 2 * MARGIN
  const height = rows.length * LINE_HEIGHT + 2 * MARGIN
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="ui-monospace, monospace" font-size="13" fill="#e6edf3">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${texts.join('\n')}
</svg>
`
}

/** The lines as they are in the end: without those of the status, which are erased again from the last one upwards. */
function finalLines(printed) {
  const lines = ['']
  for (const [part] of printed.matchAll(/\r\u001B\[K|\u001B\[A|[^]/g)) {
    if (part === '\n') lines.push('')
    else if (part === '\u001B[A') lines.pop()
    else if (part === '\r\u001B[K') lines[lines.length - 1] = ''
    else if (part !== '\r') lines[lines.length - 1] += part
  }
  return lines.join('\n').trimEnd().split('\n')
}

/** The rows of a line that wraps, each as spans of one style; `style` is that behind the line, too. */
function rowsOf(line, columns, style) {
  const rows = [[]]
  let room = columns
  for (const part of line.split(/(\u001B\[[\d;]*m)/)) {
    const codes = /^\u001B\[([\d;]*)m$/.exec(part)?.[1]
    if (codes !== undefined) {
      restyle(style, codes.split(';').map(Number))
      continue
    }
    let rest = part
    while (rest.length > room) {
      rows.at(-1).push({text: rest.slice(0, room), ...style})
      rest = rest.slice(room)
      rows.push([])
      room = columns
    }
    if (rest !== '') rows.at(-1).push({text: rest, ...style})
    room -= rest.length
  }
  return rows
}

/** Applies the parameters of a rendition (SGR, ECMA-48 8.3.117). */
function restyle(style, codes) {
  if (codes[0] === 38) return void (style.colour = cubeColour(codes[2]))
  for (const code of codes) {
    if (code === 0) Object.assign(style, {isBold: false, isDim: false, colour: undefined})
    else if (code === 1) style.isBold = true
    else if (code === 2) style.isDim = true
    else if (code === 22) Object.assign(style, {isBold: false, isDim: false})
    else if (code === 39) style.colour = undefined
    else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30]
    else if (code >= 90 && code <= 97) style.colour = BRIGHT[code - 90]
  }
}

/** A colour of xterm's cube, 16 to 231. */
const cubeColour = number =>
  `rgb(${[36, 6, 1].map(unit => [0, 95, 135, 175, 215, 255][Math.floor((number - 16) / unit) % 6]).join(' ')})`

function tspan({text, isBold, isDim, colour}) {
  const bold = isBold ? ' font-weight="bold"' : ''
  const dim = isDim ? ' opacity="0.6"' : ''
  const fill = colour === undefined ? '' : ` fill="${colour}"`
  return `<tspan${bold}${dim}${fill}>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</tspan>`
}

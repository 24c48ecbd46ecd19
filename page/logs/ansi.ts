import Anser from 'anser'
import {visible, withoutEscapes} from '../parts/safe-text.ts'

/** A piece of a line, with its class names in `logs.css`; empty for plain text. */
export interface Piece {
  readonly text: string
  readonly look: string
}

/** The parameters of a colour or style sequence that anser can read. */
const SGR = /^[\d;]*$/

/** Converts `38:5:n`, `38:2::r:g:b` and `4:3` (ITU T.416) to the form with semicolons. */
const withSemicolons = (parameters: string): string =>
  parameters
    .replace(/\b([34]8):5:(\d+)/g, '$1;5;$2')
    .replace(/\b([34]8):2:(?:\d*:)?(\d+):(\d+):(\d+)/g, '$1;2;$2;$3;$4')
    .replace(/\b(\d+):\d+/g, '$1')

/** Removes all escape sequences from a line except colours and styles. */
const onlyColours = (line: string): string =>
  withoutEscapes(line, parameters => {
    const plain = withSemicolons(parameters)
    return SGR.test(plain) ? `\x01${plain}\x02` : ''
  }).replace(/\x01([\d;]*)\x02/g, '\x1b[$1m') // oxlint-disable-line no-control-regex

/** Splits a line of an app into styled pieces of plain text, whatever the app wrote. */
export function piecesOf(line: string): readonly Piece[] {
  const coloured = onlyColours(line.replace(/[\x01\x02]/g, visible)) // oxlint-disable-line no-control-regex
  if (!coloured.includes('\x1b')) return [{text: visible(coloured), look: ''}]
  return Anser.ansiToJson(coloured, {use_classes: true, remove_empty: true}).map(
    ({content, fg, bg, fg_truecolor, bg_truecolor, decorations}) => ({
      text: visible(content),
      look: [
        lookOf(fg, fg_truecolor, 'fg'),
        lookOf(bg, bg_truecolor, 'bg'),
        ...decorations.filter(name => SHOWN.has(name))
      ]
        .filter(name => name !== '')
        .join(' ')
    })
  )
}

const BASIC = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

const SHOWN: ReadonlySet<string> = new Set(['bold', 'dim', 'italic', 'underline', 'strikethrough'])

/** Returns the class name of the nearest of eight colours, which the style sheet makes readable in both themes. */
function lookOf(name: string, trueColour: string, ground: 'fg' | 'bg'): string {
  if (!name) return ''
  const palette = /^ansi-palette-(\d+)$/.exec(name)?.[1]
  if (palette !== undefined) {
    const index = Number(palette)
    return `${ground}-${index < 16 ? BASIC[index % 8] : nearest(...rgbOf(index))}`
  }
  if (name === 'ansi-truecolor') {
    const [r = 0, g = 0, b = 0] = trueColour.split(',').map(Number)
    return `${ground}-${nearest(r, g, b)}`
  }
  return `${ground}-${name.replace(/^ansi-(bright-)?/, '')}`
}

const level = (n: number): number => (n === 0 ? 0 : 55 + n * 40)

/** Returns a colour of the 256-colour palette of xterm; `index`: at least 16. */
function rgbOf(index: number): [number, number, number] {
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10
    return [grey, grey, grey]
  }
  const at = index - 16
  return [level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6)]
}

const HUES = ['red', 'yellow', 'green', 'cyan', 'blue', 'magenta']

function nearest(r: number, g: number, b: number): string {
  const [max, min] = [Math.max(r, g, b), Math.min(r, g, b)]
  if (max - min < 40) return max < 60 ? 'black' : 'white'
  const sixth =
    max === r ? ((g - b) / (max - min) + 6) % 6 : max === g ? (b - r) / (max - min) + 2 : (r - g) / (max - min) + 4
  return HUES[Math.round(sixth) % 6] ?? 'white'
}

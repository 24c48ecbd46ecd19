/** Secrets that are found again wherever they come out, and in whatever form. */
import zlib from 'node:zlib'
import {orElse} from '../../src/model/or-else.ts'

/** Each end of a secret: what is masked up to its first blank or quote shows its end. */
const END = /(?:Kan|Rest)(\d+)ari/gi
/** Runs of base64, of both alphabets, and of hex. */
const BASE64 = /[\w+/=-]{16,}/g
const HEX = /(?:[\da-f]{2}){6,}/gi
/** Offsets within a group of base64. */
const OFFSETS = [0, 1, 2, 3]
const MAX_DEPTH = 2

const INFLATES = [
  zlib.unzipSync,
  zlib.inflateRawSync,
  zlib.brotliDecompressSync,
  zlib.zstdDecompressSync
] as readonly ((bytes: Buffer) => Buffer)[]

/** Secrets by the places where they come in. */
export class Canaries {
  readonly #places: string[] = []

  /** A secret for a place where one comes in; `between`: what is in its middle, such as a blank. */
  at(place: string, between = '.'): string {
    const number = this.#places.push(place)
    return `Kan${number}ari${between}Rest${number}ari`
  }

  /** The places whose secrets a text shows. */
  in(text: string): readonly string[] {
    const found = [...views(text)].flatMap(view => [...view.matchAll(END)].map(([, number]) => Number(number)))
    return [...new Set(found)].toSorted((a, b) => a - b).map(number => this.#places[number - 1] ?? `${number}`)
  }
}

const character = (_: string, hex: string): string => String.fromCharCode(Number.parseInt(hex, 16))

/** A text as it is, and what is in it when its escapes, hex, base64 and compression are undone. */
function* views(text: string, depth = 0): Generator<string> {
  yield text
  if (depth > MAX_DEPTH) return
  const unescaped = text.replace(/\\u00([\da-f]{2})/gi, character).replace(/%([\da-f]{2})/gi, character)
  if (unescaped !== text) yield* views(unescaped, depth + 1)
  for (const [run] of text.matchAll(HEX)) yield Buffer.from(run, 'hex').toString('latin1')
  for (const [run] of text.matchAll(BASE64)) {
    for (const offset of OFFSETS) yield Buffer.from(run.slice(offset), 'base64').toString('latin1')
    const bytes = Buffer.from(run, 'base64')
    if (bytes.subarray(0, 8).every(byte => byte > 31 && byte < 127)) continue
    for (const inflate of INFLATES) {
      const plain = orElse(() => inflate(bytes).toString('latin1'), '')
      if (plain !== '') yield* views(plain, depth + 1)
    }
  }
}

import {ownOf} from '../../../model/own.ts'

/** A piece of a Tiltfile: `line` ends a statement. */
export interface StarToken {
  readonly kind: 'name' | 'number' | 'text' | 'sign' | 'line' | 'end'
  readonly text: string
  readonly line: number
  /** Of the first token of a line: how far it is indented. */
  readonly indent: number
}

const TOKEN =
  /([ \t\f]+|\\\r?\n|#[^\n]*)|(\r?\n)|([rb]{0,2})("""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*')|([A-Za-z_]\w*)|(\d[\w.]*)|(\*\*|\/\/|[=!<>+\-*/%|&]=|<<|>>|[^])/g

/** The tokens of a file; brackets hold the lines in them together (github.com/bazelbuild/starlark, spec.md). */
export function tokensOf(text: string): readonly StarToken[] {
  const tokens: StarToken[] = []
  let line = 1
  let depth = 0
  let start = 0
  for (const match of text.matchAll(TOKEN)) {
    const [whole, blank, ends, prefix = '', quoted, name, number, sign] = match
    const indent = match.index - start
    const push = (kind: StarToken['kind'], value: string): void => void tokens.push({kind, text: value, line, indent})
    if (ends !== undefined && depth === 0 && tokens.at(-1)?.kind !== 'line') push('line', '')
    if (quoted !== undefined) push('text', unquoted(quoted, prefix.includes('r')))
    else if (name !== undefined) push('name', name)
    else if (number !== undefined) push('number', number)
    else if (sign !== undefined) {
      if ('([{'.includes(sign)) depth += 1
      if (')]}'.includes(sign)) depth -= 1
      push('sign', sign)
    }
    line += whole.split('\n').length - 1
    if (ends !== undefined || (blank?.endsWith('\n') ?? false)) start = match.index + whole.length
  }
  return [...tokens, {kind: 'line', text: '', line, indent: 0}, {kind: 'end', text: '', line, indent: 0}]
}

const ESCAPES: Readonly<Record<string, string>> = {n: '\n', t: '\t', r: '\r', '\n': ''}

function unquoted(quoted: string, isRaw: boolean): string {
  const width = /^(?:"""|''')/.test(quoted) ? 3 : 1
  const inner = quoted.slice(width, -width)
  return isRaw ? inner : inner.replaceAll(/\\([^])/g, (_, each: string) => ownOf(ESCAPES, each) ?? each)
}

/** A place in the tokens of a file. */
export class TokenReader {
  readonly tokens: readonly StarToken[]
  at = 0

  constructor(tokens: readonly StarToken[]) {
    this.tokens = tokens
  }

  get next(): StarToken {
    return this.tokens[this.at] ?? {kind: 'end', text: '', line: 0, indent: 0}
  }

  get isLineEnd(): boolean {
    return ['line', 'end'].includes(this.next.kind)
  }

  is(text: string): boolean {
    return this.next.text === text && this.next.kind !== 'text'
  }

  take(text: string): boolean {
    if (!this.is(text)) return false
    this.at += 1
    return true
  }

  /** To the first token of the next line. */
  skipLine(): void {
    while (!this.isLineEnd) this.at += 1
    if (this.next.kind === 'line') this.at += 1
  }
}

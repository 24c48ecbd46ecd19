/** A call in a chain: `.WithEnvironment("A", "b")`. */
export interface ChainCall {
  readonly name: string
  /** `Projects.Api` of `AddProject<Projects.Api>("api")`. */
  readonly generic: string
  readonly line: number
  /** Its arguments that are texts; undefined: one with values in it. */
  readonly texts: readonly (string | undefined)[]
  /** Its arguments that are names. */
  readonly words: readonly string[]
  /** Its named arguments that are texts, names or numbers. */
  readonly named: ReadonlyMap<string, string>
}

/** A statement that calls: `var x = builder.AddA("a").WithB(b)`. */
export interface Chain {
  /** '': the value is not kept. */
  readonly variable: string
  /** The object of the first call. */
  readonly start: string
  readonly calls: readonly ChainCall[]
}

/** The chains of calls of a program of C# or TypeScript, in order, also of what is in blocks. `others`: texts with its constants. */
export function chainsOf(text: string, others: readonly string[]): readonly Chain[] {
  const code = withConstants(withoutComments(text), others)
  const chains: Chain[] = []
  const start =
    /(?:(?:var|[\w<>.?]+)\s+(\w+)\s*=\s*|(?<=^|[;{}\n])\s*(?:(\w+)\s*=\s*)?)(?:await\s+)?(\w+)\s*(?=\.\s*\w+\s*[<(])/g
  for (let match = start.exec(code); match !== null; match = start.exec(code)) {
    const [, declared, assigned, first = ''] = match
    const {calls, end} = callsAt(code, start.lastIndex)
    if (calls.length > 0) chains.push({variable: declared ?? assigned ?? '', start: first, calls})
    start.lastIndex = Math.max(end, start.lastIndex)
  }
  return chains
}

/** Blanks in the place of comments: places stay. Texts of TypeScript get the quotes of C#, and options in its braces are arguments. */
const withoutComments = (text: string): string =>
  text
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?<=[(,:]\s*')([^'"\\\n]*)'|\/\/[^\n]*|\/\*[^]*?\*\//g, (each, single?: string) =>
      single === undefined ? (each.startsWith('"') ? each : each.replaceAll(/[^\n]/g, ' ')) : `"${single}"`
    )
    .replaceAll(/\{(?<=[(,]\s*\{)([^{}]*)\}(?=\s*\))/g, ' $1 ')

/** Names of texts, `var name = "orders";` and `Names.Orders` of a class, as these texts where calls are given them. */
function withConstants(code: string, others: readonly string[]): string {
  const texts = new Map<string, string>()
  const declared = /\b(?:class|struct)\s+(\w+)|\b(?:var|string|const)\s+(\w+)\s*=\s*("(?:[^"\\\n]|\\.)*")\s*;/g
  for (const each of [...others, code]) {
    let owner = ''
    for (const [, type, name = '', text = ''] of each.matchAll(declared)) {
      owner = type ?? owner
      if (type === undefined) texts.set(each === code ? name : `${owner}.${name}`, text)
    }
  }
  const isNamed = /"(?:[^"\\\n]|\\.)*"|\b(?<=[(,:]\s*)(?:\w+\.)*?(\w+(?:\.\w+)?)(?=\s*[,)])/g
  return code.replaceAll(isNamed, (word, name: string | undefined) => texts.get(name ?? '') ?? word)
}

function callsAt(code: string, from: number): {readonly calls: readonly ChainCall[]; readonly end: number} {
  const calls: ChainCall[] = []
  const next = /\s*[?!]?\.\s*(\w+)\s*(?:<([^<>()]*)>)?\s*\(/y
  let end = from
  for (;;) {
    next.lastIndex = end
    const match = next.exec(code)
    if (match === null) return {calls, end}
    const [whole, name = '', generic = ''] = match
    const close = closingOf(code, next.lastIndex)
    const line = code.slice(0, match.index + whole.indexOf(name)).split('\n').length
    // TypeScript writes names of calls in lower case
    const pascal = name.replace(/^[a-z]/, first => first.toUpperCase())
    calls.push({name: pascal, generic: generic.trim(), line, ...argumentsOf(code.slice(next.lastIndex, close))})
    end = close + 1
  }
}

/** Where the bracket that is open here is closed. */
function closingOf(code: string, from: number): number {
  const piece = /"(?:[^"\\\n]|\\.)*"|[([{]|[)\]}]|[^"([{)\]}]+|"/g
  piece.lastIndex = from
  let depth = 1
  for (let match = piece.exec(code); match !== null; match = piece.exec(code)) {
    if (/^[([{]$/.test(match[0])) depth += 1
    else if (/^[)\]}]$/.test(match[0])) depth -= 1
    if (depth === 0) return match.index
  }
  return code.length
}

function argumentsOf(text: string): Pick<ChainCall, 'texts' | 'words' | 'named'> {
  const texts: (string | undefined)[] = []
  const words: string[] = []
  const named = new Map<string, string>()
  for (const each of splitAtCommas(text)) {
    const [, name = '', value = each] = /^(\w+)\s*:\s*([^]*)$/.exec(each) ?? []
    const literal = /^[@$]?"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1]
    const isPlain = literal !== undefined && !(value.startsWith('$') && literal.includes('{'))
    const isConstant = name === '' && /^[A-Z]\w*(?:\.\w+)+$/.test(value)
    if (isConstant || (literal !== undefined && name === ''))
      texts.push(isPlain ? unescaped(literal, value) : undefined)
    else if (name === '') words.push(/^(\w+)(?:\.GetEndpoint\([^()]*\))?$/i.exec(value)?.[1] ?? '')
    if (name !== '' && (isPlain || /^\w+$/.test(value))) named.set(name, isPlain ? unescaped(literal, value) : value)
    if (name !== '' && isPlain && ['name', 'value', 'image', 'tag'].includes(name))
      texts.push(unescaped(literal, value))
  }
  return {texts, words, named}
}

const unescaped = (literal: string, value: string): string =>
  value.startsWith('@') ? literal : literal.replaceAll(/\\(.)/g, '$1')

function splitAtCommas(text: string): readonly string[] {
  const parts: string[] = []
  let from = 0
  const piece = /"(?:[^"\\\n]|\\.)*"|[([{<]|,/g
  for (let match = piece.exec(text); match !== null; match = piece.exec(text)) {
    if (match[0] === ',') {
      parts.push(text.slice(from, match.index))
      from = match.index + 1
    } else if (/^[([{]$/.test(match[0])) piece.lastIndex = closingOf(text, piece.lastIndex)
  }
  return [...parts, text.slice(from)].map(each => each.trim()).filter(each => each !== '')
}

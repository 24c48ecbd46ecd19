// Reads a Tiltfile without running it: assignments, calls, loops over known lists and functions of the file itself. What depends on
// the machine or on an extension has no value (github.com/bazelbuild/starlark, spec.md).

import {TokenReader, tokensOf, type StarToken} from './starlark-tokens.ts'
import {
  added,
  memberValue,
  formatted,
  isCall,
  isStarList,
  isStarMap,
  scalarOf,
  type StarCall,
  type StarValue
} from './starlark-values.ts'

/** More statements than this are a loop that a person did not mean. */
const MAX_STEPS = 20_000
/** Expressions and blocks that are nested deeper are no text of a person. */
const MAX_NESTED = 500

/** Its result is not known. */
const OPERATOR = /^(?:==|!=|<=?|>=?|in|not|[-*/|&]|\/\/)$/

/** Runs a file and reports its calls in their order. A call is a value by itself. */
export function runStarlark(text: string, onCall: (call: StarCall) => void): void {
  new Interpreter(tokensOf(text), onCall).run()
}

type Scope = Map<string, StarValue | StarFunction>

interface StarFunction {
  readonly parameters: readonly (readonly [name: string, usual: StarValue])[]
  /** Where its body begins, and how far it is indented. */
  readonly body: number
}

const isFunction = (value: StarValue | StarFunction): value is StarFunction =>
  typeof value === 'object' && value !== null && 'body' in value

class Interpreter {
  #read: TokenReader
  readonly #onCall: (call: StarCall) => void
  #steps = 0
  #depth = 0
  #nested = 0
  /** How many conditions are around that are not known. */
  #maybe = 0
  #scope: Scope = new Map()

  constructor(tokens: readonly StarToken[], onCall: (call: StarCall) => void) {
    this.#read = new TokenReader(tokens)
    this.#onCall = onCall
  }

  run(): void {
    while (this.#read.next.kind !== 'end') this.#statement()
  }

  /** Runs the block that begins here as often as `values` has items; undefined: it is passed over. */
  #block(runs: readonly (() => void)[]): void {
    const start = this.#read.at
    for (const before of runs) {
      this.#read.at = start
      before()
      this.#body(() => this.#statement())
    }
    this.#read.at = start
    this.#body(() => this.#read.skipLine())
  }

  /** The statements that are indented as the next one, or those behind a colon on its line. */
  #body(each: () => void): void {
    if (this.#nested > MAX_NESTED) this.#read = new TokenReader([]) // no block around it is read again
    this.#nested += 1
    if (this.#read.next.kind === 'line') {
      this.#read.at += 1
      const {indent} = this.#read.next
      if (indent > 0) while (this.#read.next.indent >= indent) each()
    } else each()
    this.#nested -= 1
  }

  #statement(): void {
    this.#steps += 1
    if (this.#steps > MAX_STEPS) this.#read.at = this.#read.tokens.length
    const word = this.#read.next.kind === 'name' ? this.#read.next.text : ''
    if (word === 'def') return this.#define()
    if (word === 'for') return this.#loop()
    if (['if', 'elif', 'else'].includes(word)) return this.#branch()
    if (word === 'return') this.#read.at += 1
    if (!this.#assigns()) this.#expression()
    this.#read.skipLine()
  }

  /** `name = value`, `name += value`; false, and nothing was read: the statement is another one. */
  #assigns(): boolean {
    const {kind, text: name} = this.#read.next
    const sign = this.#read.tokens[this.#read.at + 1]?.text
    if (kind !== 'name' || (sign !== '=' && sign !== '+=')) return false
    this.#read.at += 2
    const value = this.#expression()
    const before = this.#scope.get(name)
    if (this.#maybe > 0 && sign === '=' && before !== undefined && before !== '') return true
    this.#scope.set(name, sign === '=' || isFunction(before) ? value : added(before, value))
    return true
  }

  #define(): void {
    this.#read.at += 1
    const {text: name} = this.#read.next
    this.#read.at += 2
    const parameters: (readonly [string, StarValue])[] = []
    while (!this.#read.take(')') && !this.#read.isLineEnd) {
      const parameter = this.#read.next.text
      this.#read.at += 1
      if (parameter === '*' || parameter === '**') continue
      parameters.push([parameter, this.#read.take('=') ? this.#expression() : undefined])
      this.#read.take(',')
    }
    this.#read.take(':')
    this.#scope.set(name, {parameters, body: this.#read.at})
    this.#block([])
  }

  #loop(): void {
    this.#read.at += 1
    const names: string[] = []
    while (!this.#read.is('in') && !this.#read.isLineEnd) {
      if (this.#read.next.kind === 'name') names.push(this.#read.next.text)
      this.#read.at += 1
    }
    this.#read.at += 1
    const values = this.#expression()
    this.#read.take(':')
    const items: readonly StarValue[] = isStarMap(values) ? [...values.map.keys()] : isStarList(values) ? values : []
    const set = (item: StarValue, name: string, index: number): unknown =>
      this.#scope.set(name, names.length > 1 && isStarList(item) ? item[index] : item)
    this.#block(items.map(item => () => names.forEach((name, index) => set(item, name, index))))
  }

  /** The values that a condition depends on are not known: both branches are read, and the first value of a name stays. */
  #branch(): void {
    this.#read.at += 1
    while (!this.#read.is(':') && !this.#read.isLineEnd) this.#expression(true)
    this.#read.take(':')
    this.#maybe += 1
    this.#block([() => undefined])
    this.#maybe -= 1
  }

  /** `isPart`: a colon ends it. Always goes on by a token at least. */
  #expression(isPart = false): StarValue {
    const start = this.#read.at
    let value = this.#operand()
    for (;;) {
      if (this.#read.take('+')) value = added(value, this.#operand())
      else if (this.#read.take('%')) value = formatted(value, this.#operand())
      else if (!isPart && this.#read.take('if')) {
        this.#expression(true)
        if (this.#read.take('else')) value ??= this.#expression()
      } else if (this.#read.take('or') || this.#read.take('and')) {
        const other = this.#operand()
        value ??= other
      } else if (this.#read.next.kind !== 'text' && OPERATOR.test(this.#read.next.text)) {
        this.#read.at += 1
        this.#operand()
        value = undefined
      } else break
    }
    if (this.#read.at === start && !this.#read.isLineEnd) this.#read.at += 1
    return value
  }

  #operand(): StarValue {
    if (this.#nested > MAX_NESTED) this.#read.at = this.#read.tokens.length
    this.#nested += 1
    const isNegated = this.#read.take('not') || this.#read.take('-')
    let value = isNegated ? this.#operand() : this.#primary()
    if (isNegated) value = typeof value === 'number' ? -value : undefined
    for (;;) {
      if (this.#read.take('.')) value = this.#member(value)
      else if (this.#read.take('[')) value = this.#item(value)
      else break
    }
    this.#nested -= 1
    return value
  }

  #primary(): StarValue {
    const {kind, text, line} = this.#read.next
    if (this.#read.isLineEnd || (kind === 'sign' && ')]},:'.includes(text))) return undefined
    this.#read.at += 1
    if (kind === 'text') {
      let whole = text
      for (; this.#read.next.kind === 'text'; this.#read.at += 1) whole += this.#read.next.text
      return whole
    }
    if (kind === 'number') return Number(text)
    if (text === '[') return this.#list(']')
    if (text === '(') {
      const items = this.#list(')')
      return (items?.length ?? 0) > 1 || this.#read.tokens[this.#read.at - 2]?.text === ',' ? items : items?.[0]
    }
    if (text === '{') return this.#map()
    if (kind !== 'name') return undefined
    const words: Readonly<Record<string, StarValue>> = {True: true, False: false, None: null}
    if (Object.hasOwn(words, text)) return words[text]
    if (this.#read.take('(')) return this.#call(text, line)
    const value = this.#scope.get(text)
    return isFunction(value) ? undefined : value
  }

  #list(end: string): readonly StarValue[] | undefined {
    const items: StarValue[] = []
    let isKnown = true
    while (!this.#read.take(end) && !this.#read.isLineEnd) {
      if (this.#read.take('for')) isKnown = false
      else if (!this.#read.take(',')) items.push(this.#expression())
    }
    return isKnown ? items : undefined
  }

  #map(): StarValue {
    const map = new Map<string, StarValue>()
    while (!this.#read.take('}') && !this.#read.isLineEnd) {
      const key = this.#expression(true)
      const value = this.#read.take(':') ? this.#expression() : undefined
      if (typeof key === 'string') map.set(key, value)
      this.#read.take(',')
    }
    return {map}
  }

  #call(name: string, line: number): StarValue {
    const args: StarValue[] = []
    const named = new Map<string, StarValue>()
    while (!this.#read.take(')') && !this.#read.isLineEnd) {
      const isNamed = this.#read.next.kind === 'name' && this.#read.tokens[this.#read.at + 1]?.text === '='
      if (isNamed) {
        const {text} = this.#read.next
        this.#read.at += 2
        named.set(text, this.#expression())
      } else args.push(this.#expression())
      this.#read.take(',')
    }
    if (name === 'str' && ['string', 'number'].includes(typeof args[0])) return scalarOf(args[0])
    const own = this.#scope.get(name)
    const call = {call: name, line, args, named}
    if (isFunction(own)) return this.#run(own, args, named)
    this.#onCall(call)
    return call
  }

  #run({parameters, body}: StarFunction, args: readonly StarValue[], named: ReadonlyMap<string, StarValue>): StarValue {
    if (this.#depth > 20) return undefined
    const [outer, back] = [this.#scope, this.#read.at]
    this.#scope = new Map(outer)
    for (const [index, [name, usual]] of parameters.entries())
      this.#scope.set(name, named.get(name) ?? args[index] ?? usual)
    this.#read.at = body
    this.#depth += 1
    this.#body(() => this.#statement())
    this.#depth -= 1
    this.#scope = outer
    this.#read.at = back
    return undefined
  }

  /** `.format(…)`, `.items()`, `os.path.join(…)`: of any other member nothing is known. */
  #member(of: StarValue): StarValue {
    const {text: name, line} = this.#read.next
    this.#read.at += 1
    if (!this.#read.take('(')) return undefined
    const call = this.#call(`.${name}`, line)
    return isCall(call) ? memberValue(of, name, call) : undefined
  }

  #item(of: StarValue): StarValue {
    const key = this.#expression(true)
    while (!this.#read.take(']') && !this.#read.isLineEnd) this.#read.at += 1
    if (isStarMap(of)) return of.map.get(scalarOf(key))
    return isStarList(of) && typeof key === 'number' ? of[key] : undefined
  }
}
